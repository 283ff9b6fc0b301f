"""The ledger's entry of a delivery: no field values, no file names of the sender."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from mimetypes import MimeTypes
from types import MappingProxyType
from typing import Any, NamedTuple

from receiver.core import units
from receiver.core.batches import Addition
from receiver.core.delivery import Arrival, Kind, Output, Part, Receipt, Replay, Status
from receiver.core.problems import Code, Problem, Violation

FIRST_ATTEMPTS = 5  # kept for good: how a delivery came in
LAST_ATTEMPTS = 15  # and how it goes on; a sender in a loop must not grow the row without end

# A type is told if it is one that Python knows: what else a sender calls its parts may be data.
_KNOWN_TYPES = {*MimeTypes().types_map[True].values(), "application/dicom", "text/xml"}


class PartLine(NamedTuple):
    """What the ledger tells of a part."""

    name: str
    type: str
    role: str
    size: int  # bytes
    sha256: str

    @classmethod
    def of(cls, part: Part) -> "PartLine":
        """Return the line of a part, in no words of the sender's own."""
        kind = part.type if part.type in _KNOWN_TYPES else ""
        return cls(part.label, kind, part.role.value, part.size, part.sha256)


class Attempt(NamedTuple):
    """One time the delivery was sent, replayed or discarded, and what came of it."""

    at: datetime  # aware, UTC
    peer: str  # "" if it was not sent
    outcome: str  # accepted, duplicate, busy, held, refused, discarded, republished or restored
    code: str = ""  # of the problem, for busy, held and refused
    note: str = ""  # who did what, where it was not sent

    @classmethod
    def of(cls, arrival: Arrival, outcome: str, code: str = "") -> "Attempt":
        """Return the attempt that an arrival is, or the replay of it."""
        if arrival.replay:
            return cls(arrival.replay.at, "", outcome, code, arrival.replay.note)
        return cls(arrival.at, arrival.peer, outcome, code)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What must be known of a delivery in quarantine to tell whether it may stay."""

    id: str
    status: Status
    since: datetime  # aware, UTC: when it was last sent or replayed
    size: int  # bytes of its parts


NO_GROUPS: Mapping[str, int] = MappingProxyType({})


class Entry(NamedTuple):
    """One row of the ledger."""

    id: str
    process: str
    source_id: str
    version: int | None  # None while nothing is accepted under this id
    received_at: datetime  # aware, UTC
    peer: str
    configuration: str  # digest of the configuration that judged it
    parts: tuple[PartLine, ...] = ()
    outputs: tuple[Output, ...] = ()
    output: str = ""  # the process's output folder, absolute; folders are only created below it
    status: Status = Status.COMMITTED
    committed_at: datetime | None = None
    published_at: datetime | None = None
    stage: str = ""  # the folder in which its files lie until they are published, absolute
    code: Code | None = None  # why it was held or refused
    violations: tuple[Violation, ...] = ()
    attempts: tuple[Attempt, ...] = ()  # the first and the last ones
    attempt_count: int = 0  # all of them
    groups: Mapping[str, int] = NO_GROUPS  # whose other output folders are, as long as it is accepted
    additions: tuple[Addition, ...] = ()  # what it adds to batches; they have rows of their own
    replay: Replay | None = None  # what brings it here now; its row tells it as an attempt
    digests: tuple[str, ...] | None = None  # keyed ones of values that it is found by; None if the row is only read

    @property
    def arrival(self) -> Arrival:
        """How it came."""
        return Arrival(self.received_at, self.peer, self.replay)

    @property
    def file_count(self) -> int:
        """The number of documents and records; markers do not count."""
        return sum(output.kind in (Kind.DOCUMENT, Kind.RECORD) for output in self.outputs)

    def tried(self, attempt: Attempt, **changed: Any) -> "Entry":
        """Return the entry with one more attempt, and what that has changed."""
        attempts = (*self.attempts, attempt)
        if len(attempts) > FIRST_ATTEMPTS + LAST_ATTEMPTS:
            attempts = attempts[:FIRST_ATTEMPTS] + attempts[-LAST_ATTEMPTS:]
        return self._replace(attempts=attempts, attempt_count=self.attempt_count + 1, **changed)

    def of_kind(self, kind: Kind) -> list[Output]:
        """Return the outputs of one kind."""
        return [output for output in self.outputs if output.kind is kind]

    def receipt(self, *, duplicate: bool = False) -> Receipt:
        """Return what the platform is answered.

        Accepted is as good as published: nothing can take it back.
        """
        status = Status.PUBLISHED if self.status is Status.COMMITTED else self.status
        documents: list[Output] = []
        records: list[Output] = []
        for output in self.outputs:
            if output.kind is Kind.DOCUMENT:
                documents.append(output)
            elif output.kind is Kind.RECORD:
                records.append(output)
        known = self.id, status, self.process, self.source_id, self.version
        return Receipt(*known, tuple(documents), tuple(records), duplicate, again=self.attempt_count > 1)


@dataclass(frozen=True, slots=True)
class Unaccepted:
    """How many deliveries of a process were last refused or held for one reason."""

    process: str
    status: Status
    code: Code
    count: int


@dataclass(slots=True)
class Standing:
    """One process."""

    counts: dict[Status, int] = field(default_factory=dict)  # of what is not published
    oldest_unpublished: datetime | None = None  # when it was accepted; aware, UTC
    last_success: datetime | None = None  # among the last deliveries; aware, UTC


class DamagedRow(Problem):
    """A row that cannot be read any more."""

    def __init__(self, id: str, received_at: datetime | None) -> None:  # noqa: A002 (the column's name)
        super().__init__(
            Code.STORAGE_FAILED, f"the row of {id} in the ledger is damaged: restore a backup of the ledger"
        )
        self.id = id
        self.received_at = received_at  # None if that is damaged, too


OUTPUTS = {Kind.DOCUMENT: "documents", Kind.RECORD: "records", Kind.MARKER: "marker", Kind.ORIGINALS: "originals"}


def to_dict(entry: Entry, told: Callable[[str], str] = str) -> dict[str, Any]:
    """Return a delivery as JSON, for rows, kept deliveries and verbs.

    `told` is how a folder of its outputs is told.
    """
    return {
        "id": entry.id,
        "process": entry.process,
        "sourceId": entry.source_id,
        "version": entry.version,
        "status": entry.status.value,
        "code": entry.code and entry.code.value,
        "receivedAt": units.stamp(entry.received_at),
        "committedAt": entry.committed_at and units.stamp(entry.committed_at),
        "publishedAt": entry.published_at and units.stamp(entry.published_at),
        "peer": entry.peer,
        "configuration": entry.configuration,
        "parts": [part._asdict() for part in entry.parts],
        **_outputs(entry, told),
        "violations": list(map(asdict, entry.violations)),
        "attempts": list(map(attempt_to_dict, entry.attempts)),
        "attemptCount": entry.attempt_count,
    }


def _outputs(entry: Entry, told: Callable[[str], str]) -> dict[str, list[dict[str, Any]]]:
    """Return the published files by kind; with a root if not the process's own."""
    found: dict[str, list[dict[str, Any]]] = {"documents": [], "records": [], "marker": [], "originals": []}
    for output in entry.outputs:
        folder, slash, name = output.target.rpartition("/")
        written: dict[str, Any] = {
            "path": output.path,
            "target": told(folder) + slash + name,
            "staged": output.staged,
            "size": output.size,
            "sha256": output.sha256,
        }
        if output.root:
            written["root"] = told(output.root)
        found[OUTPUTS[output.kind]].append(written)
    return found


def attempt_to_dict(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as JSON has it."""
    return {
        "at": units.stamp(attempt.at),
        "peer": attempt.peer,
        "outcome": attempt.outcome,
        "code": attempt.code,
        "note": attempt.note,
    }
