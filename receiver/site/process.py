"""A process: one folder under mappings/, compiled and proven."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from receiver.core.batches import Closing
from receiver.formats.checking import Check
from receiver.metadata.reader import MetadataReader
from receiver.site.config.model import ProcessConfig, RuleConfig
from receiver.site.config.tokens import Tokens
from receiver.templates import Condition, Items, Template


@dataclass(frozen=True, slots=True)
class RecordRule:
    """One record of a process, ready to render."""

    template: Template
    path: Template | None  # None: it goes into a batch
    when: Condition | None
    encoding: str
    line_end: str
    check: Check
    each: Items | None = None  # a record for each item, in the place of one
    batch: "BatchRule | None" = None
    root: Path | None = None  # the output folder, if it is not the process's own


@dataclass(frozen=True, slots=True)
class BatchRule:
    """One kind of batch of a process, ready to be closed.

    Header and trailer are written as its records are.
    """

    name: str
    path: Template
    header: Template | None
    trailer: Template | None
    encoding: str
    line_end: str
    closing: Closing
    root: Path | None = None  # as of a record


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition that a delivery must meet, ready to judge."""

    config: RuleConfig
    must: Condition
    place: str  # where it stands, without its line: the same after an edit of what is above it

    @property
    def name(self) -> str:
        """The name that problems, the log and the metrics call it by."""
        return self.config.name


@dataclass(frozen=True, slots=True)
class Process:
    """One configured flow of documents. Shared by all threads; nothing in it changes."""

    name: str  # its folder's, and the last segment of its URL
    config: ProcessConfig
    tokens: Tokens
    metadata: MetadataReader
    documents: Template  # renders the path of one document
    marker: Template | None
    rules: tuple[Rule, ...]
    records: tuple[RecordRule, ...]
    batches: Mapping[str, BatchRule]
    output: Path  # the output folder
    group: int | None  # whose files and folders there are, by number; None: the service's own
    digest: str  # hexadecimal SHA-256 of every file that was compiled
    further: Mapping[Path, int | None]  # other output folders of records and batches, and whose they are
