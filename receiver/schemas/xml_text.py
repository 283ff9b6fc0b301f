"""XML without its dangers: no DOCTYPE or entities, no network, bounded sizes.

expat reads, and ElementTree builds. What might be refused is read once more, with an eye on each element: before it is
built if it may be too large, or dangerous, and afterwards to tell where it is wrong. lxml was left out because libxml2
keeps every name it ever saw for as long as its thread lives: a sender of ever new names would fill the memory.
XInclude and xsi:schemaLocation are plain data here: nothing acts on them.
"""

import re
from io import BytesIO
from itertools import chain
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from xmlschema import XMLResource

from receiver.schemas import encodings
from receiver.schemas.encodings import MalformedError

MAX_DEPTH = 64  # levels of nesting: NEXTSTEP's metadata has three; xmlschema recurses some ten calls a level
MAX_NODES = 20_000  # elements and attributes: 1,000 table rows of ten cells; an XSD judges 50 in 1 ms, a hard one 10
MAX_DECLARATION = 1_000  # bytes at the start that are looked at for the encoding: <?xml … ?> has 40 characters
MAX_NAMESPACES = 100  # namespace declarations: each element where one stands keeps a copy of all in scope

DECLARED = re.compile(
    r"(?:<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:\"[^\"]*\"|'[^']*'))"
    r"([ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:\"([A-Za-z][^\"<>]*)\"|'([A-Za-z][^'<>]*)'))"
)
IN_LINE = re.compile(r"[^\r\n]")  # what takes a column


class Parsed:
    """A document that was read."""

    __slots__ = ("_content", "root")

    def __init__(self, content: bytes, root: Element) -> None:
        self._content = content
        self.root = root

    def resource(self) -> XMLResource:
        """Return what xmlschema judges.

        It remembers the namespaces in scope, which ElementTree alone forgets and xsi:type needs. Where a document
        declares none, it takes the tree that is there, in half the time.
        """
        return XMLResource(BytesIO(self._content) if b"xmlns" in self._content else self.root, allow="none")


def parse(content: bytes, max_nodes: int = MAX_NODES) -> Parsed:
    """Return a document in UTF-8.

    Raises `MalformedError`.
    """
    if _is_harmless(content, max_nodes):
        try:
            root = ElementTree.fromstring(content)  # noqa: S314 (nothing in it is resolved, and it is small)
        except ElementTree.ParseError:
            pass
        else:
            if not _is_deep(root):
                return Parsed(content, root)
    prove(content, max_nodes)
    return Parsed(content, ElementTree.fromstring(content))  # noqa: S314 (it is judged)


def _is_harmless(content: bytes, max_nodes: int) -> bool:
    """Return whether a text has no DOCTYPE, and not too many elements, attributes or namespaces, for certain.

    expat takes a text for UTF-16 if it has NULs: a DOCTYPE of these is none of bytes.
    """
    return (
        b"<!DOCTYPE" not in content
        and b"\0" not in content
        and content.count(b"<") + content.count(b"=") <= max_nodes
        and content.count(b"xmlns") <= MAX_NAMESPACES
    )


def _is_deep(root: Element) -> bool:
    level = [root]
    for _ in range(MAX_DEPTH):
        level = list(chain.from_iterable(level))
        if not level:
            return False
    return True


def prove(content: bytes, max_nodes: int = MAX_NODES) -> None:
    """Raise `MalformedError` if a document in UTF-8 is not well-formed, or refused."""
    if not content.strip():
        raise MalformedError("it is empty")
    fault = _Judge(max_nodes).fault(content)
    if fault is not None:
        raise fault


def utf8(content: bytes, charset: str = "", *, own: bool = False) -> bytes:
    """Return a document in UTF-8, characters in place, without a declared encoding.

    `charset` is that of the part. What is `own` was written here, in the encoding that it declares. Raises
    `MalformedError`.
    """
    found = DECLARED.match(content[:MAX_DECLARATION].replace(b"\0", b"").decode("latin-1"))
    text = encodings.decoded(content, charset, found[2] or found[3] if found else "", own=own)
    there = DECLARED.match(text)
    if there:
        text = there[0][: -len(there[1])] + IN_LINE.sub(" ", there[1]) + text[there.end() :]
    return text.encode()


def places(content: bytes) -> list[tuple[int, int]]:
    """Return line and column, from 1, of each start tag, in document order.

    For a UTF-8 document that `parse` accepts.
    """
    found: list[tuple[int, int]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda *_: found.append((parser.CurrentLineNumber, parser.CurrentColumnNumber + 1))
    parser.Parse(content, True)
    parser.StartElementHandler = None  # it holds the parser: no circle is left behind
    return found


class _RefusedError(Exception):
    pass


class _Judge:
    """Counts what the parser meets and stops it at the first thing that is refused."""

    def __init__(self, max_nodes: int) -> None:
        self._max_nodes = max_nodes
        self._depth = self._nodes = self._namespaces = 0
        self._fault: MalformedError | None = None
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartNamespaceDeclHandler = self._namespace

    def fault(self, content: bytes) -> MalformedError | None:
        """Return what is wrong with the text; None if nothing is."""
        try:
            self._parser.Parse(content, True)
        except _RefusedError:
            return self._fault
        except expat.ExpatError as error:
            return MalformedError(
                f"not well-formed XML: {expat.ErrorString(error.code)}", error.lineno, error.offset + 1
            )
        finally:
            del self._parser  # it holds this judge: a circle would keep its memory until garbage is looked for
        return None

    def _refuse(self, why: str) -> None:
        self._fault = MalformedError(why, self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)
        raise _RefusedError

    def _doctype(self, *_: object) -> None:
        self._refuse("a DOCTYPE is not accepted")

    def _start(self, _name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._nodes += 1 + len(attributes)
        if self._depth > MAX_DEPTH:
            self._refuse(f"it is nested deeper than {MAX_DEPTH} levels")
        if self._nodes > self._max_nodes:
            self._refuse(f"it has more than {self._max_nodes:,} elements and attributes")

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _namespace(self, *_: object) -> None:
        self._namespaces += 1
        if self._namespaces > MAX_NAMESPACES:
            self._refuse(f"it declares more than {MAX_NAMESPACES} namespaces")
