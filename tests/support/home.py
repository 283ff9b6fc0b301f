"""An installation over the shipped referrals whose configuration may change from one step to the next."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from receiver import cli
from receiver.authoring.cases.cases import processes
from receiver.core.delivery import Arrival, Section
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.delivery import receive
from receiver.delivery.context import Context, open_context
from receiver.store import ledger, quarantine

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PEER = "192.0.2.7"
FAX = b"II*\0 two invented pages"


def metadata(source_id="S1", confidence=0.99, **changed):
    values = {"patient_name": "Ada Example", "patient_dob": "02/20/1964", "mrn": "142637A"} | changed
    fields = [{"name": name, "value": value, "confidence": confidence} for name, value in values.items()]
    return json.dumps({"sourceId": source_id, "fields": fields}).encode()


class Home:
    """One site and one data folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "schemas", root / "site" / "schemas")
        shutil.copytree(ROOT / "mappings" / "referrals", self.folder)
        self.environment = {"RECEIVER_SITE": str(root / "site"), "RECEIVER_DATA": str(root / "var")}
        self.settings = Settings.from_environment(self.environment)
        self._opened: Context | None = None

    @property
    def folder(self) -> Path:
        return self.root / "site" / "mappings" / "referrals"

    @property
    def context(self) -> Context:
        if self._opened is None:
            ledger.create(self.settings.ledger)
            self._opened = open_context(self.settings, processes(self.settings))
        return self._opened

    @property
    def ledger(self) -> ledger.Ledger:
        return self.context.ledger

    def configure(self, old: str, new: str, file: str = "process.toml") -> None:
        """Change the configuration, as an owner would; what is done next goes by it."""
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        self.close()

    def section(self, text: str) -> None:
        """Add a section to process.toml."""
        self.configure("[output]\n", f"{text}\n\n[output]\n")

    def close(self) -> None:
        if self._opened:
            self._opened.ledger.close()
        self._opened = None

    def deliver(self, content: bytes | None = None, at: datetime = NOON, fax: bytes = FAX, **values):
        """Have a delivery judged as by the service; return its entry."""
        sections = [
            Section("file", "scan.tif", "image/tiff", content=[fax]),
            Section("metadata", "metadata.json", "application/json", content=[content or metadata(**values)]),
        ]
        process = self.context.processes["referrals"]
        try:
            id_ = receive.receive(self.context, process, sections, Arrival(at, PEER)).id
        except Problem as problem:
            id_ = problem.kept_as
        return self.ledger.find(id_)

    def receiver(self, *arguments: str, **options):
        """Call the command line on this installation."""
        called = CliRunner().invoke(cli.main, arguments, env=self.environment, catch_exceptions=False, **options)
        self.close()
        return called

    def outputs(self) -> dict[str, bytes]:
        root = self.settings.output
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def waiting(self) -> set[str]:
        """The ids of what lies in quarantine."""
        return {place.name for place in quarantine.places(self.settings.data)}
