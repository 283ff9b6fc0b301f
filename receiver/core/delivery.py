"""The values that a delivery consists of: frozen, without outside effects.

Those that each delivery makes are named tuples as a rule: a frozen dataclass takes three times as long to make.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from receiver.core import units
from receiver.core.problems import Problem

ID_LENGTH = 20  # characters of base32: 100 bits of SHA-256, and the length of HL7 v2.5.1's MSH-10


class Role(StrEnum):
    """What a part is to its delivery."""

    DOCUMENT = "document"
    METADATA = "metadata"
    ATTACHMENT = "attachment"


class Status(StrEnum):
    """Where a delivery stands in the ledger (docs/architecture.md draws the states)."""

    COMMITTED = "committed"
    PUBLISHED = "published"
    HELD = "held"
    REFUSED = "refused"
    DISCARDED = "discarded"  # was held or refused, and is kept no longer


@dataclass(frozen=True, slots=True)
class Replay:
    """One time that somebody has a kept delivery judged anew."""

    at: datetime  # aware, UTC
    by: str  # who, as the ledger is to tell it
    accept_confidence: bool = False  # that person has looked: low confidence is no reason any more
    corrections: Mapping[str, str] | None = None  # name → value in place of the platform's; None: as it is kept
    accept_rules: bool = False  # neither is a broken rule whose deliveries are held for a person

    @property
    def note(self) -> str:
        """The text of it in the ledger, without values, and without names of fields.

        A sender may have made up a field's name.
        """
        count = len(self.corrections or ())
        corrected = f", {count} field{'' if count == 1 else 's'} corrected" if count else ""
        confidence = ", low confidence accepted" if self.accept_confidence else ""
        rules = ", broken rules accepted" if self.accept_rules else ""
        return f"replay by {self.by}{confidence}{rules}{corrected}"


class Arrival(NamedTuple):
    """When a delivery came in and from where; and where it is judged anew, by whom."""

    at: datetime  # aware, UTC: the first time
    peer: str  # network address; "" for one that did not come over a network
    replay: Replay | None = None


@dataclass(slots=True)
class Section:
    """One multipart section: its head as the sender wrote it, and its content.

    The names in it are data, never trusted as paths. Two are equal if their heads are.
    """

    name: str
    filename: str | None
    type: str  # media type in lower case, without parameters; "" if the sender named none
    charset: str = ""  # what the type's parameter says; "" if there is none
    content: Iterable[bytes] | Path = field(default=(), repr=False, compare=False)  # as it arrives, or kept in a file


class Part(NamedTuple):
    """One section, whose bytes lie in a stage or in quarantine."""

    name: str
    filename: str | None
    type: str
    role: Role
    suffix: str  # of our own choosing, from the type: ".tif"
    size: int  # bytes
    sha256: str  # hexadecimal
    folder: Path  # where its bytes lie
    file: str  # its name there; of what is small, only once it is written: `Staged.write`
    label: str = "part"  # how people, logs and the ledger are told of it: never a name that the sender made up
    held: bytes | None = None  # its bytes, of metadata that is small
    charset: str = ""  # of its text, as the sender named it; "" if it did not

    @property
    def path(self) -> Path:
        """The file of its bytes."""
        return self.folder / self.file

    def __repr__(self) -> str:
        """Tell of it without what it says."""
        return f"Part({self.label!r}, {self.type!r}, {self.size} bytes)"

    def read(self) -> bytes:
        """Return all of its bytes. May raise OSError."""
        return self.path.read_bytes() if self.held is None else self.held


Row = dict[str, Any]  # name → value of each cell; by the name of a table within it, the rows of that

NO_TABLES: Mapping[str, list[Row]] = MappingProxyType({})


class Region(NamedTuple):
    """Where on the pages of a document a field's value stands."""

    page: int  # from 1
    boxes: tuple[tuple[float, float, float, float], ...]  # left, top, right, bottom: fractions of the page as shown
    places: int = 1  # that have the value, of which this is one


class Cell(NamedTuple):
    """How sure the platform is of one cell of a table."""

    steps: tuple[str | int, ...]  # to it: ("tables", "items", 3, "sku"), rows counted from 0 as templates count them
    shown: str  # its name, or "(cell 2)" for one that is not configured, and so may be data
    name: str  # items.sku, as [confidence] names it
    confidence: float | None  # 0–1


class Reading(NamedTuple):
    """What the metadata of a delivery says, once it satisfied its schemas."""

    source_id: str
    fields: Mapping[str, Any]  # name → value; a list of values for a repeated field
    confidence: Mapping[str, float]  # name → 0–1; the lowest one for a repeated field
    document: Any  # the whole parsed metadata
    tables: Mapping[str, list[Row]] = NO_TABLES  # name → its rows
    cells: tuple[Cell, ...] = ()  # of all tables


class Previous(NamedTuple):
    """What was accepted under the same sourceId before a delivery."""

    id: str
    version: int
    received_at: datetime  # aware, UTC


class Delivery(NamedTuple):
    """One delivery that a template can be rendered for."""

    id: str
    process: str
    source_id: str
    received_at: datetime  # aware, UTC
    version: int  # 1 for the first content seen under this sourceId
    previous: Previous | None = None  # the version before, if there was one


class Record(NamedTuple):
    """One rendered file, not yet on disk, or one record of a batch."""

    path: str  # relative to the process's output folder, with forward slashes; "" in a batch
    content: bytes
    batch: str = ""  # the name of the batch that it goes into; "" for a file
    exported: Mapping[str, str] = MappingProxyType({})  # what it tells the header and trailer of its batch
    root: Path | None = None  # the output folder, if it is not the process's own

    @property
    def shown_path(self) -> str:
        """Its path, with the output folder before it if that is not the process's own."""
        return f"{self.root}/{self.path}" if self.root else self.path


class Kind(StrEnum):
    """What is published of a delivery, in the order in which it appears."""

    DOCUMENT = "document"
    RECORD = "record"
    MARKER = "marker"
    ORIGINALS = "originals"  # the folder that keeps the parts as they came, if the process wants them kept


class Output(NamedTuple):
    """One file on its way from the stage to its final name."""

    kind: Kind
    staged: str  # name in the stage's folder
    path: str  # in the receipt: relative to the root of all output; absolute for an output folder outside of it
    target: str  # the final name, absolute
    size: int  # bytes
    sha256: str
    root: str = ""  # the output folder, absolute, if it is not the process's own

    @property
    def folder(self) -> str:
        """The folder it goes to."""
        return self.target.rpartition("/")[0]


class Receipt(NamedTuple):
    """What the platform is answered, and what the ledger keeps."""

    id: str
    status: Status
    process: str
    source_id: str
    version: int | None  # None for what is held, which is not accepted yet
    documents: tuple[Output, ...] = ()
    records: tuple[Output, ...] = ()
    duplicate: bool = False
    again: bool = False  # it came before, and may lie in quarantine
    problem: Problem | None = None  # why it is held, if that was just found


_content = attrgetter("name", "sha256")
_encode = units.json_writer(json.JSONEncoder(separators=(",", ":")))  # in ASCII


def delivery_id(process: str, source_id: str, parts: Sequence[Part], identity: str = "parts") -> str:
    """Return the content-addressed id: the same on any host, in any year.

    It covers the process, the sourceId and every part's name and digest, in any order of the sections. JSON
    keeps the pieces apart: no two different deliveries spell the same text. The `identity` "documents" leaves the
    metadata out unless nothing else came: then a retry whose metadata has another timestamp has the same id.
    """
    if identity == "documents":
        parts = [part for part in parts if part.role is not Role.METADATA] or parts
    contents = sorted(map(_content, parts))
    digest = hashlib.sha256(_encode([process, source_id, contents]).encode("ascii")).digest()
    spelt = base64.b32encode(digest[:15])  # 24 characters: each five bytes are a turn in Python
    return spelt[:ID_LENGTH].decode("ascii")
