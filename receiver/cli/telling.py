"""What the ledger says of a delivery, as the JSON that `log` and `show` print."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from receiver.store import rows
from receiver.store.entry import Entry, Kind, Output


def told(entry: Entry) -> dict[str, Any]:
    """Return a delivery with the names that its receipt has, where it has them."""
    return {
        "id": entry.id,
        "process": entry.process,
        "sourceId": entry.source_id,
        "version": entry.version,
        "status": entry.status,
        "code": entry.code,
        "receivedAt": _moment(entry.received_at),
        "committedAt": _moment(entry.committed_at),
        "publishedAt": _moment(entry.published_at),
        "peer": entry.peer,
        "configuration": entry.configuration,
        "parts": [asdict(part) for part in entry.parts],
        **{name: [_output(each) for each in entry.of_kind(kind)] for name, kind in _OUTPUTS.items()},
        "violations": [asdict(violation) for violation in entry.violations],
        "attempts": [asdict(attempt) | {"at": _moment(attempt.at)} for attempt in entry.attempts],
        "attemptCount": entry.attempt_count,
    }


_OUTPUTS = {
    "documents": Kind.DOCUMENT,
    "records": Kind.RECORD,
    "marker": Kind.MARKER,
    "originals": Kind.ORIGINALS,
}


def whereabouts(output: Output) -> str:
    """Tell whether what was published is still where it was put: there, changed or gone."""
    try:
        state = Path(output.target).lstat()
    except OSError:
        return "gone"
    whole = output.kind is Kind.ORIGINALS or state.st_size == output.size
    return "there" if whole else "changed"


def _output(output: Output) -> dict[str, Any]:
    return {
        "path": output.path,
        "target": output.target,
        "size": output.size,
        "sha256": output.sha256,
    }


def _moment(moment: datetime | None) -> str | None:
    return rows.stamp(moment) if moment else None
