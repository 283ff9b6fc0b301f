"""A process.toml as values: defaults applied, sizes in bytes, spans as timedelta."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from receiver.core.batches import Closing
from receiver.core.delivery import Role
from receiver.core.faults import Fault, Severity
from receiver.site.config.source import Source

Below = Literal["publish", "hold", "refuse"]
OnInvalid = Literal["refuse", "hold"]
SameSourceId = Literal["publish", "refuse", "ignore"]
Unknown = Literal["low", "accept"]
WithoutRecords = Literal["hold", "refuse", "publish"]
UnknownParts = Literal["refuse", "ignore", "keep"]
RecordFormat = Literal["hl7", "json", "xml", "csv", "text"]


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Who may deliver: holders of one of the tokens, or anybody."""

    tokens: tuple[str, ...]  # as written: "env:NAME" or "sha256:…"
    open: bool


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """What leads to the process besides its own URL."""

    host: str | None  # in lower case
    default: bool


@dataclass(frozen=True, slots=True)
class PartConfig:
    """What one section must be, or with a glob as its name several."""

    name: str
    role: Role
    types: tuple[str, ...]  # empty: any; `parts.registered` has the names that each may be called by
    max_size: int | None  # bytes; None: only the whole request is bounded
    required: bool
    many: bool
    sniff: bool = True  # an empty part is refused, and one that does not begin as its type does
    convert: Literal["pdf"] | None = None  # what the document is published as, instead of what came
    scan: str | None = None  # "clamd:" and the path of its socket: who looks through the part first


@dataclass(frozen=True, slots=True)
class MetadataConfig:
    """The metadata's schema and where its document id stands."""

    schema: str  # a name in schemas/
    source_id: str  # JMESPath for JSON, XPath for XML

    @property
    def form(self) -> Literal["json", "xml"]:
        """What the metadata is, as its schema's ending tells."""
        return "xml" if self.schema.endswith(".xsd") else "json"


@dataclass(frozen=True, slots=True)
class PlaceConfig:
    """Where the metadata says where on a page the platform has read a field."""

    page: str
    box: str
    size: str | None = None  # None: boxes are fractions of the page


@dataclass(frozen=True, slots=True)
class FieldsConfig:
    """Where the fields stand in the metadata, and what they must be."""

    each: str
    name: str
    value: str
    confidence: str
    scale: float
    schema: str | None  # a name in schemas/
    repeated: tuple[str, ...]
    aliases: Mapping[str, str]  # the name that comes → the name that templates use
    place: PlaceConfig | None = None


@dataclass(frozen=True, slots=True)
class ColumnConfig:
    """Where one cell of a row stands."""

    value: str
    confidence: str | None = None


@dataclass(frozen=True, slots=True)
class TableConfig:
    """Where the rows of a table stand in the metadata, and what they must be."""

    rows: str
    within: str | None  # the table that has this one in each of its rows
    each: str | None  # None: `columns` says where the cells are
    name: str
    value: str
    confidence: str
    scale: float
    columns: Mapping[str, ColumnConfig]
    schema: str | None  # a name in schemas/, for one row
    place: PlaceConfig | None = None


@dataclass(frozen=True, slots=True)
class PersonsConfig:
    """How persons' names are written, which a name itself does not show."""

    order: str | None  # of a name without a comma; None: given name first, unless that is doubtful
    given_name: Literal["first", "last"]  # of several beside the family name
    family_names: int | None  # of a name without a comma; None: one, unless that is doubtful
    titles: tuple[str, ...]
    suffixes: tuple[str, ...]
    degrees: tuple[str, ...]
    particles: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfidenceConfig:
    """How sure the platform must be, from 0 to 1."""

    minimum: float
    fields: Mapping[str, float]
    below: Below
    unknown: Unknown = "low"  # of a field that comes without a confidence
    four_eyes: bool = False  # two people publish what is released or corrected in the console


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """What the console does with the deliveries of a process."""

    keys: tuple[str, ...]  # fields by whose values deliveries are found


@dataclass(frozen=True, slots=True)
class DeliveryConfig:
    """What happens to deliveries that are not as expected."""

    on_invalid: OnInvalid
    same_source_id: SameSourceId
    unknown_parts: UnknownParts
    without_records: WithoutRecords = "hold"
    identity: Literal["parts", "documents"] = "parts"  # what a delivery is known by, besides its sourceId


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """Where published files go."""

    directory: str  # under the root of all output, or absolute
    documents: str  # Jinja2 text
    marker: str | None  # Jinja2 text
    group: str | None = None  # who may take files away; None: the group of the service
    journal: bool = False  # what is published is noted beside it


@dataclass(frozen=True, slots=True)
class RecordConfig:
    """One file to render, or one record of a batch."""

    template: str
    path: str | None  # Jinja2 text; None: it goes into a batch
    format: RecordFormat
    when: str | None  # Jinja2 expression
    encoding: str
    schema: str | None  # a name in schemas/, "hl7" or "fhir"
    line_ends: Literal["lf", "crlf"] = "lf"  # of text, XML and JSON
    delimiter: str | None = None  # of CSV; None: as the template says, else a comma
    quote: Literal["needed", "always"] = "needed"  # of CSV
    forbid: str = ""  # characters that no value of a text may hold
    each: str | None = None  # Jinja2 expression: a list, and one record for each of its items
    batch: str | None = None  # the name of the batch that it goes into
    directory: str | None = None  # as of OutputConfig; None: the process's own
    group: str | None = None  # who may take files away from there


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """One kind of file that collects records of many deliveries."""

    name: str
    path: str  # Jinja2 text
    header: str | None  # a template
    trailer: str | None
    closing: Closing
    directory: str | None = None  # as of a record
    group: str | None = None


@dataclass(frozen=True, slots=True)
class RuleConfig:
    """A condition of the process's own that a delivery must meet."""

    name: str
    must: str  # Jinja2 expression
    message: str
    otherwise: Literal["hold", "refuse"]


@dataclass(frozen=True, slots=True)
class RetentionConfig:
    """How long things are kept, and how much of them."""

    originals: timedelta | None  # None: no originals are kept
    quarantine: timedelta | None  # None: until they are published
    quarantine_size: int  # bytes that refused deliveries may take
    ledger: timedelta | None  # None: forever


@dataclass(frozen=True, slots=True)
class NotifyConfig:
    """Who gets notices of faults, and of which."""

    command: tuple[str, ...] = ()
    webhook: str | None = None  # as written: a URL or "env:NAME"
    on: frozenset[str] = frozenset()
    refused: int = 1  # within an hour
    silence: timedelta | None = None  # None: longer than usual

    @property
    def wanted(self) -> bool:
        """Return whether notices are sent at all."""
        return bool(self.command or self.webhook)

    @property
    def variable(self) -> str:
        """The environment variable that holds the webhook's URL; "" if none does."""
        form, _, name = (self.webhook or "").partition(":")
        return name if form == "env" else ""


@dataclass(frozen=True, slots=True)
class ProcessConfig:
    """One process.toml, whole."""

    name: str
    title: str
    auth: AuthConfig
    route: RouteConfig
    parts: tuple[PartConfig, ...]
    metadata: MetadataConfig
    fields: FieldsConfig
    tables: Mapping[str, TableConfig]
    confidence: ConfidenceConfig
    console: ConsoleConfig
    delivery: DeliveryConfig
    output: OutputConfig
    rules: tuple[RuleConfig, ...]
    records: tuple[RecordConfig, ...]
    batches: tuple[BatchConfig, ...]
    retention: RetentionConfig
    persons: PersonsConfig
    notify: NotifyConfig
    folder: Path
    source: Source = field(compare=False, repr=False)

    def position(self, *path: str | int, key: bool = False) -> tuple[int, int]:
        """Return line and column of the value at a path, as ("records", 0, "template")."""
        return self.source.position(path, key=key)

    def fault(
        self,
        code: str,
        message: str,
        *path: str | int,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> Fault:
        """Return a fault of process.toml at the value that stands at `path`."""
        return self.source.fault(code, message, path, hint=hint, severity=severity)
