"""The values of metadata in XML: attributes and texts.

Comments and processing instructions are left out of what is written: they are no values, and may tell some.
"""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import C14NWriterTarget, XMLParser

from receiver.schemas import xml_text

INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"  # its attributes speak to the schema: xsi:type, xsi:nil
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def utf8(content: bytes, charset: str) -> bytes:
    """Return the document in UTF-8. Raises `MalformedError`."""
    return xml_text.utf8(content, charset)


def values(content: bytes) -> list[str]:
    """Return each value, without the blanks around it, in the order of the document."""
    collected: list[str] = []
    _walk(content, collected, None)
    return collected


def rewritten(content: bytes, texts: Sequence[str]) -> bytes:
    """Return the document with these texts in the places of its values."""
    return (DECLARATION + _walk(content, [], iter(texts))).encode() + b"\n"


def _walk(content: bytes, collected: list[str], texts: Iterator[str] | None) -> str:
    xml_text.prove(content)
    written: list[str] = []
    writer = C14NWriterTarget(written.append, qname_aware_attrs=[f"{INSTANCE}type"])
    XMLParser(target=_Walk(writer, collected, texts)).feed(content)  # noqa: S314 (judged above)
    return "".join(written)


class _Walk:
    """Passes parser events on to a writer; collects values, and replaces them."""

    def __init__(self, writer: C14NWriterTarget, collected: list[str], texts: Iterator[str] | None) -> None:
        self._writer = writer
        self._collected = collected
        self._texts = texts
        self._pending: list[str] = []
        self.start_ns = writer.start_ns

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._flush()
        replaced = {
            name: value if name.startswith(INSTANCE) else self._value(value) for name, value in attributes.items()
        }
        self._writer.start(tag, replaced)

    def end(self, tag: str) -> None:
        self._flush()
        self._writer.end(tag)

    def data(self, text: str) -> None:
        self._pending.append(text)

    def _flush(self) -> None:
        text = "".join(self._pending)
        self._pending.clear()
        if text.strip():
            before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
            text = before + self._value(text.strip()) + after
        if text:
            self._writer.data(text)

    def _value(self, text: str) -> str:
        self._collected.append(text)
        return text if self._texts is None else next(self._texts)
