"""A site of one process whose records go into a batch: a row of CSV for each delivery, with a header and a total."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from receiver.core.delivery import Arrival, Receipt, Section
from receiver.core.settings import Settings
from receiver.delivery import receive
from receiver.delivery.context import Context, open_context
from receiver.site import compiling
from receiver.store import ledger

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROCESS = """
[auth]
open = true
[parts.file]
role = "document"
required = false
[parts.metadata]
role = "metadata"
[metadata]
schema = "metadata.schema.json"
[[records]]
template = "row.csv.j2"
batch = "daily"
[batches.daily]
path = "index-{{ batch.number }}.csv"
header = "header.csv.j2"
trailer = "trailer.csv.j2"
close = { count = 3, after = "1d" }
"""
TEMPLATES = {
    "row.csv.j2": (
        "{% set exported.amount = fields.amount %}{{ fields.name }},{{ fields.amount }},{{ delivery.source_id }}\n"
    ),
    "header.csv.j2": "name,amount,document\n",
    "trailer.csv.j2": "{{ batch.count }},{{ exported | sum_of('amount') }},{{ batch.number }}",
}


@dataclass
class BatchSite:
    """The site on disk, and what is received there."""

    root: Path

    @classmethod
    def at(cls, root: Path, process: str = PROCESS, templates: dict[str, str] = TEMPLATES) -> "BatchSite":
        (root / "schemas").mkdir(parents=True)
        (root / "schemas" / "metadata.schema.json").write_text('{"type": "object"}')
        (root / "mappings" / "index").mkdir(parents=True)
        made = cls(root)
        made.write("process.toml", process)
        for name, text in templates.items():
            made.write(name, text)
        return made

    def write(self, name: str, text: str) -> None:
        (self.root / "mappings" / "index" / name).write_text(text, "utf-8", newline="")

    @property
    def settings(self) -> Settings:
        return Settings.from_environment({"RECEIVER_SITE": str(self.root), "RECEIVER_DATA": str(self.root / "var")})

    def context(self) -> Context:
        """Open what the service works with, as it lies there now."""
        ledger.create(self.settings.ledger)
        return open_context(self.settings, compiling.proven(self.settings, {}))

    @property
    def output(self) -> Path:
        return self.settings.output / "index"

    def files(self) -> dict[str, str]:
        """Return what is published, but for documents."""
        found = [path for path in self.output.rglob("*") if path.is_file() and path.suffix != ".tif"]
        return {path.name: path.read_bytes().decode() for path in sorted(found)}


def sections(source_id: str, document: bool = False, **fields: object) -> Iterable[Section]:
    values = {"name": "Ada Invented", "amount": "1.50"} | fields
    listed = [{"name": name, "value": value} for name, value in values.items()]
    metadata = json.dumps({"sourceId": source_id, "fields": listed}).encode()
    parts = [Section("metadata", "metadata.json", "application/json", content=[metadata])]
    if document:
        parts.append(Section("file", "scan.tif", "image/tiff", content=[b"II*\0" + source_id.encode()]))
    return parts


def deliver(context: Context, source_id: str, document: bool = False, **fields: object) -> Receipt:
    process = context.processes["index"]
    return receive.receive(context, process, sections(source_id, document, **fields), Arrival(AT, "192.0.2.1"))


def without_batches(context: Context) -> Context:
    """Return the context after an edit that took the batches away."""
    process = replace(context.processes["index"], batches={})
    return replace(context, processes={"index": process})
