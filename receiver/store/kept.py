"""Deliveries kept whole: a folder with the parts, and a file that describes them.

Quarantine and originals have this same shape, so that a person, or `receiver replay`, needs nothing else to read
them. Only here stand the names that the sender gave its files: those are data, and may name a patient.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.core import units
from receiver.core.delivery import Part, Replay, Role, Status
from receiver.core.problems import Code, Problem, Violation
from receiver.store import durable, folders, stage
from receiver.store.data_version import require_known, stamped
from receiver.store.durable import storage
from receiver.store.entry import Entry, PartLine, to_dict

SCRATCH = ".stage"  # beside the folders of the processes: what is being copied or removed; swept after a crash


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery that lies in a folder of its own."""

    folder: Path
    entry: Entry
    detail: str  # what the sender was told; "" for originals
    parts: tuple[Part, ...]

    @property
    def corrections(self) -> Mapping[str, str]:
        """Values that people put in the platform's place at the last judgement.

        By field or cell.
        """
        return (self.entry.replay and self.entry.replay.corrections) or {}


def describe(entry: Entry, parts: Sequence[Part], detail: str = "") -> bytes:
    """Return the JSON text that makes a folder of parts readable without the ledger."""
    form = to_dict(entry)
    described = {
        **{name: form[name] for name in ("id", "process", "sourceId", "receivedAt", "peer", "configuration")},
        "replay": entry.replay and _replayed(entry.replay),
        "status": form["status"],
        "code": form["code"],
        "detail": detail,
        "violations": form["violations"],
        "parts": [_told(part) for part in parts],
    }
    return json.dumps(stamped(described), ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace") + b"\n"


def put(part: Part, folder: Path) -> None:
    """Put a part in a folder under its name; durable once the folder is synced.

    Raises Problem.
    """
    target = folder / part.file
    if part.path != target:
        durable.link_or_copy(part.path, target)


def take_away(place: Path) -> None:
    """Remove a kept delivery, all of it at one instant. Raises Problem."""
    aside = beside(place)
    if move_aside(place, aside):
        stage.discard(aside)


def beside(place: Path) -> Path:
    """Return the name, with process and id, under which a kept delivery is put aside."""
    return place.parents[1] / SCRATCH / f"{place.parent.name}.{place.name}.{durable.new_name()}"


def is_aside(folder: Path) -> bool:
    """Return whether a folder was put aside; others there are still being filled."""
    return "." in folder.name


def move_aside(place: Path, aside: Path) -> bool:
    """Move a kept delivery aside, all of it at one instant; False if it is not there.

    Raises Problem.
    """
    with storage("move a kept delivery aside"), contextlib.suppress(FileNotFoundError):
        aside.parent.mkdir(mode=folders.FOLDER_MODE, exist_ok=True)
        durable.move_new(place, aside)
        return True
    return False


def _replayed(replay: Replay) -> dict[str, Any]:
    return {
        "at": units.stamp(replay.at),
        "by": replay.by,
        "acceptConfidence": replay.accept_confidence,
        "acceptRules": replay.accept_rules,
        "corrections": dict(replay.corrections or {}),
    }


def _told(part: Part) -> dict[str, Any]:
    return {
        "file": part.file,
        "name": part.name,
        "label": part.label,
        "filename": part.filename,
        "type": part.type,
        "charset": part.charset,
        "role": part.role,
        "suffix": part.suffix,
        "size": part.size,
        "sha256": part.sha256,
    }


def load(description: Path) -> Kept:
    """Read what `describe` wrote.

    Raises Problem if it is missing or damaged, or a newer program wrote it.
    """
    with storage("read a kept delivery"):
        content = description.read_bytes()
    try:
        described = json.loads(content)
        require_known(described, f"the {description.name} of a kept delivery")
        return _read(description.parent, described)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Problem(Code.STORAGE_FAILED, "the description of a kept delivery is damaged") from None


def _read(folder: Path, described: dict[str, Any]) -> Kept:
    parts = tuple(_part(folder, part) for part in described["parts"])
    entry = Entry(
        id=described["id"],
        process=described["process"],
        source_id=described["sourceId"],
        version=None,
        received_at=units.moment(described["receivedAt"]),
        peer=described["peer"],
        replay=described["replay"] and _replay(described["replay"]),
        configuration=described["configuration"],
        parts=tuple(map(PartLine.of, parts)),
        status=Status(described["status"]),
        code=described["code"] and Code(described["code"]),
        violations=tuple(Violation(**violation) for violation in described["violations"]),
    )
    return Kept(folder, entry, described["detail"], parts)


def _replay(described: dict[str, Any]) -> Replay:
    return Replay(
        units.moment(described["at"]),
        described["by"],
        described["acceptConfidence"],
        described.get("corrections", {}),
        described.get("acceptRules", False),
    )


def _part(folder: Path, described: dict[str, Any]) -> Part:
    file = Path(described["file"]).name
    rest = {name: described[name] for name in ("name", "label", "filename", "type", "suffix", "size", "sha256")}
    charset = described.get("charset", "")  # parts that were kept before it was
    return Part(role=Role(described["role"]), folder=folder, file=file, charset=charset, **rest)
