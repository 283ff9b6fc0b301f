"""Writes templates into a process's folder and renders them for one invented delivery."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.core.delivery import Delivery, Part, Reading, Role
from receiver.core.faults import ConfigurationError
from receiver.core.problems import Problem, Violation
from receiver.templates import Templates
from receiver.templates.names import DocumentView, names, with_documents
from receiver.templates.templates import Dialect

DELIVERY = Delivery(
    id="AAAABBBBCCCCDDDDEEEE",
    process="referrals",
    source_id="42",
    received_at=datetime(2026, 11, 23, 14, 11, 21, tzinfo=UTC),
    version=1,
)
FIELDS = {
    "patient_name": "Ann Example",
    "mrn": "007",
    "items": "seven",
    "codes": ["R06.09", "I10"],
    "pages": 2,
    "urgent": True,
    "middle_name": None,
}


class Mapped:
    def __init__(self, site: Path) -> None:
        self.site = site
        self.folder = site / "mappings" / "referrals"
        (self.folder / "tables").mkdir(parents=True)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8", newline="")

    def compile(self, text: str, kind: str, encoding: str = "utf-8", dialect: Dialect | None = None):
        self.write(f"record.{kind}.j2", text)
        return Templates(self.folder, self.site).record(f"record.{kind}.j2", kind, encoding, dialect)

    def names(self, fields: dict | None = None, metadata: object = None, documents: int = 1):
        known = FIELDS | (fields or {})
        reading = Reading("42", known, dict.fromkeys(known, 0.9), metadata)
        parts = [self.part(number) for number in range(documents)]
        views = [DocumentView(part, DELIVERY.process) for part in parts]
        for view in views:
            view["path"] = f"{view['name']}.pdf"
        return with_documents(names(DELIVERY, reading), views)

    def part(self, number: int) -> Part:
        file = f"part{number}"
        (self.site / file).write_bytes(b"%PDF-1.4\n")
        return Part(f"file{number}", "a.pdf", "application/pdf", Role.DOCUMENT, ".pdf", 9, "00" * 32, self.site, file)

    def render(
        self,
        text: str,
        kind: str = "text",
        /,
        metadata: object = None,
        dialect: Dialect | None = None,
        **fields: object,
    ) -> str:
        return self.compile(text, kind, dialect=dialect).render(self.names(fields, metadata))

    def lines(self, text: str, kind: str, **fields: object):
        """Return the place of each line of what is rendered."""
        return self.compile(text, kind).lines(self.names(fields))

    def path(self, pattern: str, **fields: object) -> str:
        return Templates(self.folder, self.site).path(pattern, "process.toml", 1, 1).render(self.names(fields))

    def holds(self, condition: str, **fields: object) -> bool:
        condition_ = Templates(self.folder, self.site).condition(condition, "process.toml", 7, 9)
        return condition_.holds(self.names(fields))

    def faults(self, text: str, kind: str = "text") -> list[str]:
        """Return every fault as `line:column code`."""
        return [f"{fault.line}:{fault.column} {fault.code}" for fault in self.fault_list(text, kind)]

    def fault_list(self, text: str, kind: str = "text", encoding: str = "utf-8"):
        try:
            self.compile(text, kind, encoding)
        except ConfigurationError as error:
            return error.faults
        return ()

    def violation(
        self, text: str, kind: str = "text", encoding: str = "utf-8", /, metadata: object = None, **fields: object
    ) -> Violation:
        """Return why a rendering stopped."""
        template = self.compile(text, kind, encoding)
        with pytest.raises(Problem) as caught:
            template.render(self.names(fields, metadata))
        assert caught.value.__context__ is None, "the problem would drag the frames that hold values along"
        return caught.value.violations[0]
