"""The journal beside an output of what was published, for a restored ledger.

A backup of the ledger knows nothing of what came after it. What importing systems have taken away meanwhile can be told
by this alone, so it lies with the output and not with the ledger: a line for each delivery, a file for each month.

A line is appended once all files of its delivery are in place, and not made durable by itself: a power cut may lose the
last seconds of the journal, while the ledger has them. Only a ledger that is lost within the same seconds misses them.

Paths are told as rows tell them, from the roots on.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from receiver.core import units
from receiver.core.batches import Batch, BatchStatus
from receiver.core.delivery import Status
from receiver.store import folders
from receiver.store.data_version import require_known, stamped
from receiver.store.durable import storage
from receiver.store.entry import Entry, PartLine, to_dict
from receiver.store.rows import Roots, output_of, output_to_dict

BatchedRecord = tuple[str, int, str]  # id of its delivery, size in bytes, SHA-256

FOLDER = ".published"
MODE = 0o600  # a sourceId may name a patient, and importing systems have no need of it
README = """\
What was published here, a line for each delivery and a file for each month: `receiver recover --after-restore`
completes a restored ledger by it. Importing systems must pass this folder over.
"""


def ensure_folder(output: Path) -> None:
    """Begin to keep a journal of an output folder, if there is none. Raises Problem."""
    folder = output / FOLDER
    folders.ensure_folder(folder, README)
    with storage("close the journal to others"):
        folder.chmod(0o700)


def note(entry: Entry, at: datetime, roots: Roots, *, batched: bool = False) -> None:
    """Append a published delivery to the journal of its output, which has one. Raises Problem.

    One that is `batched` has records in batches: its last word is the line of the batch.
    """
    _append(entry.output, at, _described(entry, at, roots, waits=batched or bool(entry.additions)))


def note_batch(output: str, batch: Batch, records: Sequence[BatchedRecord], at: datetime, roots: Roots) -> None:
    """Append a published batch to the journal of its output, if there is one.

    Raises Problem.
    """
    described = {
        "batch": [batch.process, batch.name, batch.number],
        "openedAt": units.stamp(batch.opened_at),
        "closedAt": units.stamp(batch.closed_at or at),
        "publishedAt": units.stamp(at),
        "closedBy": batch.closed_by,
        "size": batch.size,
        "file": batch.file and output_to_dict(batch.file, roots),
        "records": [list(record) for record in records],
    }
    _append(output, at, described)


def _append(output: str, at: datetime, described: dict[str, Any]) -> None:
    """Append a line.

    Each has its own line break before it: one that a crash has torn harms no other.
    """
    name = f"{output}/{FOLDER}/{at:%Y-%m}.jsonl"
    text = json.dumps(stamped(described), ensure_ascii=False)
    line = f"\n{text}\n".encode("utf-8", "backslashreplace")
    try:
        file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, MODE)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        with storage("open the journal of an output"):
            raise error from None
    try:
        with storage("write to the journal of an output"):
            while line:  # a disk that is nearly full takes a part of it first, and refuses the rest
                line = line[os.write(file, line) :]
    finally:
        os.close(file)


def read(output: Path, roots: Roots) -> Iterator[Entry]:
    """Yield what was published to an output folder, each delivery once.

    As the ledger had it.

    Not what has records in batches none of which was published: only sent again is that whole.

    Raises Problem.
    """
    settled = {id_ for _, records in batches(output, roots) for id_, _, _ in records}
    found: dict[str, Entry] = {}
    for described in _lines(output):
        if "batch" not in described and (not described.get("waits") or described["id"] in settled):
            found[described["id"]] = _entry(described, roots)
    yield from found.values()


def batches(output: Path, roots: Roots) -> list[tuple[Batch, list[BatchedRecord]]]:
    """Return batches published to an output folder, with their records.

    Raises Problem.
    """
    found = {tuple(each["batch"]): _batch(each, roots) for each in _lines(output) if "batch" in each}
    return list(found.values())


def _lines(output: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines but those that a crash has torn.

    Raises Problem, also for a newer program's.
    """
    for path in _months(output):
        with storage("read the journal of an output"):
            content = path.read_bytes()
        for line in content.split(b"\n"):
            described: dict[str, Any] = {}
            with contextlib.suppress(ValueError):
                described = json.loads(line)
            if described:
                require_known(described, "the journal of an output")
                yield described


def prune(output: Path, before: datetime) -> int:
    """Remove the months that ended before a moment; return how many. Raises Problem."""
    over = [path for path in _months(output) if path.stem < f"{before:%Y-%m}"]
    for path in over:
        folders.remove(path)
    return len(over)


def is_kept(output: str | Path) -> bool:
    """Return whether an output folder has a journal."""
    return os.path.isdir(f"{output}/{FOLDER}")


def _months(output: Path) -> list[Path]:
    return sorted((output / FOLDER).glob("????-??.jsonl"))


def _described(entry: Entry, at: datetime, roots: Roots, *, waits: bool) -> dict[str, Any]:
    form = to_dict(entry)
    names = ("id", "process", "sourceId", "version", "receivedAt", "publishedAt", "peer", "configuration", "parts")
    return (
        {name: form[name] for name in names}
        | {"publishedAt": units.stamp(at), "outputs": [output_to_dict(output, roots) for output in entry.outputs]}
        | ({"waits": True} if waits else {})
    )


def _batch(described: dict[str, Any], roots: Roots) -> tuple[Batch, list[BatchedRecord]]:
    process, name, number = described["batch"]
    file = described["file"]
    records = [(str(id_), int(size), str(sha256)) for id_, size, sha256 in described["records"]]
    batch = Batch(
        process=process,
        name=name,
        number=number,
        status=BatchStatus.PUBLISHED,
        opened_at=units.moment(described["openedAt"]),
        closed_at=units.moment(described["closedAt"]),
        published_at=units.moment(described["publishedAt"]),
        closed_by=described["closedBy"],
        count=len(records),
        size=described["size"],
        file=file and output_of(file, roots),
    )
    return batch, records


def _entry(described: dict[str, Any], roots: Roots) -> Entry:
    at = units.moment(described["publishedAt"])
    return Entry(
        id=described["id"],
        process=described["process"],
        source_id=described["sourceId"],
        version=described["version"],
        received_at=units.moment(described["receivedAt"]),
        peer=described["peer"],
        configuration=described["configuration"],
        parts=tuple(PartLine(**part) for part in described["parts"]),
        outputs=tuple(output_of(each, roots) for each in described["outputs"]),
        status=Status.PUBLISHED,
        committed_at=at,
        published_at=at.astimezone(UTC),
    )
