"""Entries as rows of the table `deliveries`, and back: plain columns, JSON text for lists."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any, TypeAlias

from receiver.core import units
from receiver.core.delivery import Kind, Output, Status
from receiver.core.problems import Code, Violation
from receiver.store.entry import OUTPUTS, Attempt, DamagedRow, Entry, PartLine, attempt_to_dict, to_dict

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_JSON_NAMES = {  # by column: what `to_dict` calls it
    "id": "id",
    "process": "process",
    "source_id": "sourceId",
    "version": "version",
    "status": "status",
    "received_at": "receivedAt",
    "committed_at": "committedAt",
    "published_at": "publishedAt",
    "peer": "peer",
    "configuration": "configuration",
    "parts": "parts",
    "documents": "documents",
    "records": "records",
    "marker": "marker",
    "originals": "originals",
    "output": "output",
    "stage": "stage",
    "code": "code",
    "violations": "violations",
    "attempts": "attempts",
    "attempt_count": "attemptCount",
}
COLUMNS = tuple(_JSON_NAMES)
Row: TypeAlias = tuple[Any, ...]  # in the order of COLUMNS

_in_order = itemgetter(*_JSON_NAMES.values())


def row(entry: Entry) -> Row:
    """Return the values of `COLUMNS`."""
    values = to_dict(entry)
    values["output"], values["stage"] = entry.output, entry.stage
    found = _in_order(values)
    return tuple([(_encode(each) if each else "[]") if isinstance(each, list) else each for each in found])


def list_text(items: list[Any]) -> str:
    """Return a list of a row as its column has it."""
    return _encode(items)


def attempt_text(attempt: Attempt) -> str:
    """Return one of the column `attempts`."""
    return _encode(attempt_to_dict(attempt))


def entry(values: Sequence[Any]) -> Entry:
    """Return the entry of a row that was selected as `COLUMNS`, texts as such or as bytes. Raises DamagedRow."""
    try:
        return _entry(each.decode() if isinstance(each, bytes) else each for each in values)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _damaged(values) from None


def _damaged(values: Sequence[Any]) -> DamagedRow:
    column = {
        name: each.decode(errors="replace") if isinstance(each, bytes) else str(each)
        for name, each in zip(COLUMNS, values, strict=True)
    }
    with suppress(ValueError):
        return DamagedRow(column["id"], units.moment(column["received_at"]))
    return DamagedRow(column["id"], None)


def _entry(values: Iterable[Any]) -> Entry:
    column = dict(zip(COLUMNS, values, strict=True))
    for name in ("parts", "violations", "attempts"):
        column[name] = json.loads(column[name])
    outputs = [_read_output(kind, kept) for kind, name in OUTPUTS.items() for kept in json.loads(column.pop(name))]
    column |= {
        "status": Status(column["status"]),
        "received_at": units.moment(column["received_at"]),
        "committed_at": column["committed_at"] and units.moment(column["committed_at"]),
        "published_at": column["published_at"] and units.moment(column["published_at"]),
        "parts": tuple(PartLine(**part) for part in column["parts"]),
        "outputs": tuple(outputs),
        "code": column["code"] and Code(column["code"]),
        "violations": tuple(Violation(**violation) for violation in column["violations"]),
        "attempts": tuple(Attempt(**kept | {"at": units.moment(kept["at"])}) for kept in column["attempts"]),
    }
    return Entry(**column)


def _read_output(kind: Kind, kept: dict[str, Any]) -> Output:
    return Output(
        kind, kept["staged"], kept["path"], kept["target"], kept["size"], kept["sha256"], kept.get("root", "")
    )
