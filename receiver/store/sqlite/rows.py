"""Entries as rows of the table `deliveries`, and back: plain columns, JSON text for lists."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from receiver.core import units
from receiver.core.delivery import Status
from receiver.core.problems import Code, Violation
from receiver.store.entry import Attempt, DamagedRow, Entry, Kind, Output, PartLine

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

COLUMNS = (
    "id",
    "process",
    "source_id",
    "version",
    "status",
    "received_at",
    "committed_at",
    "published_at",
    "peer",
    "configuration",
    "parts",
    "documents",
    "records",
    "marker",
    "originals",
    "output",
    "stage",
    "code",
    "violations",
    "attempts",
    "attempt_count",
)


def row(entry: Entry) -> tuple[Any, ...]:
    """Return the values of `COLUMNS`."""
    return (
        entry.id,
        entry.process,
        entry.source_id,
        entry.version,
        entry.status.value,
        units.stamp(entry.received_at),
        entry.committed_at and units.stamp(entry.committed_at),
        entry.published_at and units.stamp(entry.published_at),
        entry.peer,
        entry.configuration,
        _text(map(_told, entry.parts)),
        *(_text(map(_output, entry.of_kind(kind))) for kind, _ in _OUTPUTS),
        entry.output,
        entry.stage,
        entry.code and entry.code.value,
        _text(map(_told, entry.violations)),
        f"[{','.join(map(attempt_text, entry.attempts))}]",
        entry.attempt_count,
    )


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
    outputs = [_read_output(kind, kept) for kind, name in _OUTPUTS for kept in json.loads(column.pop(name))]
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


_OUTPUTS = (
    (Kind.DOCUMENT, "documents"),
    (Kind.RECORD, "records"),
    (Kind.MARKER, "marker"),
    (Kind.ORIGINALS, "originals"),
)


def attempt_text(attempt: Attempt) -> str:
    """Return one of the column `attempts`."""
    return _encode(_told(attempt) | {"at": units.stamp(attempt.at)})


def _text(items: Iterable[dict[str, Any]]) -> str:
    told = list(items)
    return _encode(told) if told else "[]"


def _told(item: PartLine | Violation | Attempt) -> dict[str, Any]:
    """Return a flat value's fields; dataclasses.asdict would copy each of them deeply."""
    return {name: getattr(item, name) for name in item.__slots__}


def _output(output: Output) -> dict[str, Any]:
    return {
        "path": output.path,
        "target": output.target,
        "staged": output.staged,
        "size": output.size,
        "sha256": output.sha256,
    }


def _read_output(kind: Kind, kept: dict[str, Any]) -> Output:
    return Output(kind, kept["staged"], kept["path"], kept["target"], kept["size"], kept["sha256"])
