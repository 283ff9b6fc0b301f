"""Batches as values: files that collect the records of many deliveries."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from receiver.core.delivery import Output, Record

MOST_RECORDS = 20_000  # of one batch: its header and trailer add up some columns within the budget of a template
MOST_BYTES = 1_000_000_000  # of one batch: importing systems and editors still open such a file
SET_BACK = timedelta(minutes=1)  # a clock that was set back by more would keep a batch open for longer than it says


class BatchStatus(StrEnum):
    """Where a batch stands in the ledger; no step is ever taken back."""

    OPEN = "open"  # takes records
    CLOSED = "closed"  # its records are settled, and its file is to be made
    COMMITTED = "committed"  # its file is whole, and is being published
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Closing:
    """When a batch closes, whichever comes first; by hand in any case."""

    count: int = MOST_RECORDS
    size: int = MOST_BYTES  # of its records
    after: timedelta | None = None  # since its first record
    at: time | None = None  # of the day, by the clock of the host

    def is_full(self, count: int, size: int) -> bool:
        """Return whether a batch of so many records and bytes takes no more."""
        return count >= self.count or size >= self.size

    def has_room(self, count: int, size: int) -> bool:
        """Return whether a batch may have so many records and bytes."""
        return count <= self.count and size <= self.size

    def is_due(self, opened_at: datetime, now: datetime) -> bool:
        """Return whether the time of a batch is over."""
        due_at = self.due_at(opened_at)
        return due_at is not None and (now >= due_at or now < opened_at - SET_BACK)

    def due_at(self, opened_at: datetime) -> datetime | None:
        """Return when a batch closes for its time; None if it never does."""
        moments = [opened_at + self.after] if self.after else []
        if self.at:
            local = opened_at.astimezone()
            day = local.date() if local.time() < self.at else local.date() + timedelta(days=1)
            moments.append(datetime.combine(day, self.at).astimezone(UTC))
        return min(moments, default=None)


@dataclass(frozen=True, slots=True)
class Addition:
    """The records that one delivery adds to one batch; they stay together."""

    batch: str  # its name
    closing: Closing
    records: tuple[Record, ...]

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return sum(len(record.content) for record in self.records)


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as the ledger has it."""

    process: str
    name: str
    number: int  # from 1 on, without gaps
    status: BatchStatus
    opened_at: datetime  # aware, UTC
    closed_at: datetime | None
    published_at: datetime | None
    closed_by: str  # the id of the delivery that filled it or came too late for it, "time", or who did it by hand
    count: int  # records
    size: int  # bytes of them, without header and trailer
    output: str = ""  # the output folder, absolute
    stage: str = ""  # the folder in which its file lies until it is published, absolute
    file: Output | None = None

    @property
    def id(self) -> str:
        """What people call it, such as referrals/daily/7."""
        return f"{self.process}/{self.name}/{self.number}"
