"""The journal of an output: what was published there, beside it, for the day on which the ledger is restored.

A backup of the ledger knows nothing of what came after it. What importing systems have taken away meanwhile can be told
by this alone, so it lies with the output and not with the ledger: a line for each delivery, a file for each month.

A line is appended once all files of its delivery are in place, and not made durable by itself: a power cut may lose the
last seconds of the journal, while the ledger has them. Only a ledger that is lost within the same seconds misses them.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from receiver.core import units
from receiver.core.delivery import Kind, Output, Status
from receiver.store import folders
from receiver.store.data_version import require_known, stamped
from receiver.store.durable import storage
from receiver.store.entry import Entry, PartLine, to_dict

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


def note(entries: Sequence[Entry], at: datetime) -> None:
    """Append published deliveries to the journals of their outputs, if there are any. Raises Problem.

    Each line has its own line break before it: one that a crash has torn harms no other.
    """
    for entry in entries:
        if not os.path.isdir(f"{entry.output}/{FOLDER}"):  # as a rule: an attempt to open it would take longer
            continue
        name = f"{entry.output}/{FOLDER}/{at:%Y-%m}.jsonl"
        try:
            file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            with storage("open the journal of an output"):
                raise error from None
        try:
            with storage("write to the journal of an output"):
                os.write(file, b"\n" + _line(entry, at) + b"\n")
        finally:
            os.close(file)


def read(output: Path) -> Iterator[Entry]:
    """Yield what was published to an output folder, each delivery once, as the ledger had it. Raises Problem."""
    found: dict[str, Entry] = {}
    for path in _months(output):
        with storage("read the journal of an output"):
            content = path.read_bytes()
        for line in content.split(b"\n"):
            if entry := _entry(line):
                found[entry.id] = entry
    yield from found.values()


def prune(output: Path, before: datetime) -> int:
    """Remove the months that ended before a moment; return how many. Raises Problem."""
    over = [path for path in _months(output) if path.stem < f"{before:%Y-%m}"]
    for path in over:
        folders.remove(path)
    return len(over)


def is_kept(output: Path) -> bool:
    """Return whether an output folder has a journal."""
    return (output / FOLDER).is_dir()


def _months(output: Path) -> list[Path]:
    return sorted((output / FOLDER).glob("????-??.jsonl"))


def _line(entry: Entry, at: datetime) -> bytes:
    form = to_dict(entry)
    names = ("id", "process", "sourceId", "version", "receivedAt", "publishedAt", "peer", "configuration", "parts")
    described = {name: form[name] for name in names} | {
        "publishedAt": units.stamp(at),
        "outputs": [asdict(output) for output in entry.outputs],
    }
    return json.dumps(stamped(described), ensure_ascii=False).encode("utf-8", "backslashreplace")


def _entry(line: bytes) -> Entry | None:
    """Read one line; None for an empty one, and for one that a crash has torn. Raises Problem for a newer program's."""
    described: dict[str, Any] = {}
    with contextlib.suppress(ValueError):
        described = json.loads(line)
    if not described:
        return None
    require_known(described, "the journal of an output")
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
        outputs=tuple(Output(**each | {"kind": Kind(each["kind"])}) for each in described["outputs"]),
        status=Status.PUBLISHED,
        committed_at=at,
        published_at=at.astimezone(UTC),
    )
