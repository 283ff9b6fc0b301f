"""The names that a template sees."""

from collections.abc import Sequence

from receiver import documents
from receiver.core.delivery import Delivery, Part, Previous, Reading

NAMES = frozenset({"fields", "tables", "confidence", "metadata", "delivery", "documents", "document"})
OBJECTS = frozenset({"fields", "tables", "confidence", "delivery"})  # dicts, whatever the delivery, and never rebound
OF_BATCH = frozenset({"batch", "exported"})  # of header, trailer and path; `exported` has one for each record


class DocumentView(dict[str, object]):
    """A document as templates see it; `pages` are counted when a template asks.

    Templates reach items only, never Python attributes, so `part` stays out of their sight: its bytes are for the
    `base64` filter alone.
    """

    __slots__ = ("_process", "part")

    def __init__(self, part: Part, process: str) -> None:
        """Its path in the output is "" until it is known: it may depend on all else."""
        super().__init__(
            name=part.name,
            filename=part.filename,
            suffix=part.suffix,
            type=part.type,
            size=part.size,
            sha256=part.sha256,
            path="",
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
        "fields": dict(reading.fields),  # a dict itself, since the sandbox looks those up fastest
        "tables": dict(reading.tables),
        "confidence": _with_columns(reading) if reading.cells else dict(reading.confidence),
        "metadata": reading.document,
        "delivery": {
            "id": delivery.id,
            "process": delivery.process,
            "source_id": delivery.source_id,
            "received_at": delivery.received_at,
            "version": delivery.version,
            "previous": _previous(delivery.previous) if delivery.previous else None,
        },
    }


def with_documents(names: dict[str, object], views: Sequence[DocumentView]) -> dict[str, object]:
    """Add the documents that are published.

    If there is none, `document` is undefined.
    """
    return names | {"documents": views, **({"document": views[0]} if views else {})}


def _with_columns(reading: Reading) -> dict[str, object]:
    """Return the confidences of fields, and for each column the lowest of its cells."""
    lowest: dict[str, float] = {}
    for cell in reading.cells:
        if cell.confidence is not None:
            lowest[cell.name] = min(cell.confidence, lowest.get(cell.name, 1.0))
    return {**lowest, **reading.confidence}


def _previous(before: Previous) -> dict[str, object]:
    return {"id": before.id, "version": before.version, "received_at": before.received_at}
