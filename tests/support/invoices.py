"""A site of one process whose metadata has a table of items."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from receiver.authoring.cases.cases import processes
from receiver.core.delivery import Arrival, Receipt, Section
from receiver.core.settings import Settings
from receiver.delivery import context, receive
from receiver.delivery.context import Context
from receiver.store import ledger

PROCESS = """
[auth]
open = true
[parts.file]
role = "document"
required = false
[parts."page_*"]
role = "document"
many = true
required = false
[parts.metadata]
role = "metadata"
[metadata]
schema = "any.json"
source_id = "id"
[fields]
repeated = ["code"]
[tables.items]
rows = "lines"
columns = { sku = "sku", qty = { value = "qty", confidence = "sure" } }
"""
EACH = """
[[records]]
template = "item.csv.j2"
each = "tables.items"
path = "{{ delivery.id }}-{{ item.sku }}.csv"
"""
ITEM = "{{ loop.index }},{{ loop.length }},{{ item.sku }},{{ item.qty }}\n"


class Invoices:
    def __init__(self, root: Path, process: str = EACH, template: str = ITEM) -> None:
        self.root = root
        self.folder = root / "mappings" / "invoices"
        self.folder.mkdir(parents=True)
        (root / "schemas").mkdir()
        (root / "schemas" / "any.json").write_text("true")
        self.write(process, template)

    def write(self, process: str, template: str = ITEM) -> None:
        (self.folder / "process.toml").write_text(PROCESS + process)
        (self.folder / "item.csv.j2").write_text(template)

    @property
    def settings(self) -> Settings:
        return Settings.from_environment({"RECEIVER_SITE": str(self.root), "RECEIVER_DATA": str(self.root / "var")})

    @contextlib.contextmanager
    def opened(self) -> Iterator[Context]:
        settings = self.settings
        settings.data.mkdir(exist_ok=True)
        ledger.create(settings.ledger)
        opened = context.open_context(settings, processes(settings, ["invoices"]))
        try:
            yield opened
        finally:
            opened.ledger.close()

    def deliver(self, lines: Any, *documents: tuple[str, str], **metadata: Any) -> Receipt:
        """Deliver some lines; a document is the name of its part, and its content. Raises `Problem`."""
        told = {"id": "1", "fields": [], "lines": lines, **metadata}
        sections = [
            Section(name, f"{name}.pdf", "application/pdf", content=[text.encode()]) for name, text in documents
        ]
        sections.append(Section("metadata", "m.json", "application/json", content=[json.dumps(told).encode()]))
        with self.opened() as opened:
            process = processes(self.settings, ["invoices"])["invoices"]
            return receive.receive(opened, process, sections, Arrival(datetime.now(UTC), ""))

    def records(self, receipt: Receipt) -> list[str]:
        """Return what was published as records, in the order of the receipt."""
        return [Path(each.target).read_text() for each in receipt.records]
