"""The names that a template sees."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from receiver.delivery import Delivery, Part, Reading

NAMES = frozenset({"fields", "confidence", "metadata", "delivery", "documents", "document"})


class Document(dict[str, object]):
    """A document as templates see it: plain items. Its bytes are for the `base64` filter alone.

    Templates reach items only, never Python attributes, so `file` stays out of their sight.
    """

    __slots__ = ("file",)

    def __init__(self, part: Part, path: str) -> None:
        super().__init__(
            name=part.name,
            filename=part.filename,
            suffix=part.suffix,
            type=part.type,
            size=part.size,
            sha256=part.sha256,
            path=path,
        )
        self.file: Path = part.path


def names(delivery: Delivery, reading: Reading, documents: Sequence[tuple[Part, str]]) -> dict[str, object]:
    """Return what a template is rendered with. Each document comes with its path in the output folder.

    Where there is no document, `document` is undefined.
    """
    views = [Document(part, path) for part, path in documents]
    found: dict[str, object] = {
        "fields": _plain(reading.fields),
        "confidence": _plain(reading.confidence),
        "metadata": reading.document,
        "delivery": {
            "id": delivery.id,
            "process": delivery.process,
            "source_id": delivery.source_id,
            "received_at": delivery.received_at,
            "version": delivery.version,
        },
        "documents": views,
    }
    if views:
        found["document"] = views[0]
    return found


def _plain(mapping: Mapping[str, object]) -> dict[str, object]:
    # A dict itself, since the sandbox looks those up fastest.
    return mapping if type(mapping) is dict else dict(mapping)
