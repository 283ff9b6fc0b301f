"""The names that a template sees."""

from collections.abc import Mapping, Sequence

from receiver import documents
from receiver.core.delivery import Delivery, Part, Previous, Reading

NAMES = frozenset({"fields", "tables", "confidence", "metadata", "delivery", "documents", "document"})
OF_BATCH = frozenset({"batch", "exported"})  # of header, trailer and path; `exported` has one for each record


class DocumentView(dict[str, object]):
    """A document as templates see it; `pages` are counted when a template asks.

    Templates reach items only, never Python attributes, so `part` stays out of their sight: its bytes are for the
    `base64` filter alone.
    """

    __slots__ = ("_process", "part")

    def __init__(self, part: Part, path: str, process: str) -> None:
        super().__init__(
            name=part.name,
            filename=part.filename,
            suffix=part.suffix,
            type=part.type,
            size=part.size,
            sha256=part.sha256,
            path=path,
        )
        self.part = part
        self._process = process

    def __missing__(self, key: object) -> object:
        if key != "pages":
            raise KeyError(key)
        self["pages"] = documents.pages(self.part, self._process)
        return self["pages"]


def names(delivery: Delivery, reading: Reading) -> dict[str, object]:
    """Return what a template is rendered with, but for the documents."""
    return {
        "fields": _plain(reading.fields),
        "tables": _plain(reading.tables),
        "confidence": _with_columns(reading) if reading.cells else _plain(reading.confidence),
        "metadata": reading.document,
        "delivery": {
            "id": delivery.id,
            "process": delivery.process,
            "source_id": delivery.source_id,
            "received_at": delivery.received_at,
            "version": delivery.version,
            "previous": _previous(delivery.previous),
        },
    }


def with_documents(
    names: dict[str, object], delivery: Delivery, published: Sequence[tuple[Part, str]]
) -> dict[str, object]:
    """Add the documents that are published, each with its path in the output.

    Where there is none, `document` is undefined.
    """
    views = [DocumentView(part, path, delivery.process) for part, path in published]
    return names | {"documents": views, **({"document": views[0]} if views else {})}


def _with_columns(reading: Reading) -> dict[str, object]:
    """Return the confidences of fields, and for each column the lowest of its cells."""
    lowest: dict[str, float] = {}
    for cell in reading.cells:
        if cell.confidence is not None:
            lowest[cell.name] = min(cell.confidence, lowest.get(cell.name, 1.0))
    return {**lowest, **reading.confidence}


def _previous(before: Previous | None) -> dict[str, object] | None:
    if before is None:
        return None
    return {"id": before.id, "version": before.version, "received_at": before.received_at}


def _plain(mapping: Mapping[str, object]) -> dict[str, object]:
    # A dict itself, since the sandbox looks those up fastest.
    return mapping if type(mapping) is dict else dict(mapping)
