"""A site of one process that writes a record of every format; quick to compile, for it has no XSD."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from receiver import cli
from receiver.authoring.cases.cases import Case, incoming, processes
from receiver.authoring.cases.outcome import run
from receiver.core.delivery import Arrival, Section
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.delivery import context as context
from receiver.delivery import receive
from receiver.store import ledger

PROCESS = """
title = "Notes"
[auth]
tokens = ["env:NOBODY_SETS_THIS_TOKEN"]
[parts.file]
role = "document"
required = false
[parts.metadata]
role = "metadata"
[metadata]
schema = "metadata.schema.json"
source_id = "sourceId"
[fields]
schema = "fields.schema.json"
repeated = ["code"]
[confidence]
minimum = 0.5
below = "hold"
[output]
marker = "{{ delivery.id }}.done"
"""
RECORD = """
[[records]]
template = "note.{name}.j2"
path = "{{{{ delivery.id }}}}.{name}"
format = "{format}"
"""
TEMPLATES = {
    "hl7": """MSH|^~\\&|RECEIVER|NOTES|EHR|CLINIC|{{ delivery.received_at | hl7_ts }}||MDM^T02|{{ delivery.id }}|P|2.5.1
PID|1||{{ fields.mrn }}^^^CLINIC^MR||{{ fields.name }}
{% for code in fields.code | default([]) %}
DG1|{{ loop.index }}||{{ code }}
{% endfor %}
""",
    "json": """{
  "name": {{ fields.name }},
  "codes": [{% for code in fields.code | default([]) %}{% if not loop.first %}, {% endif %}{{ code }}{% endfor %}]
}
""",
    "xml": """<note mrn="{{ fields.mrn }}">
  <name>{{ fields.name }}</name>
  {% if fields.gender is defined %}
  <gender>{{ fields.gender }}</gender>
  {% else %}
  <unknown/>
  {% endif %}
</note>
""",
    "csv": "mrn,name\n{{ fields.mrn }},{{ fields.name }}\n",
    "txt": "{{ fields.name }}\n{{ fields.mrn }}\n",
}
FORMATS = {"txt": "text"}
METADATA_SCHEMA = {"type": "object", "required": ["sourceId", "fields"]}
FIELDS_SCHEMA = {
    "type": "object",
    "required": ["name", "mrn"],
    "properties": {
        "name": {"type": "string"},
        "mrn": {"type": "string", "pattern": "^[0-9]{6,10}$"},
        "gender": {"enum": ["female", "male"]},
        "code": {"type": "array"},
    },
}
FIELDS = {"name": "Ada Invented", "mrn": "00071234", "code": ["R06.09", "I10"]}


def metadata(fields=FIELDS, confidence=0.9, source_id="note-1"):
    """Return metadata as the platform would send it."""
    lists = {key: value if isinstance(value, list) else [value] for key, value in fields.items()}
    pairs = [(key, each) for key, values in lists.items() for each in values]
    listed = [{"name": key, "value": value, "confidence": confidence} for key, value in pairs]
    return json.dumps({"sourceId": source_id, "fields": listed}, ensure_ascii=False).encode()


class SmallSite:
    """The site, and what a process owner does with it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "mappings" / "notes"
        (root / "schemas").mkdir(parents=True)
        self.folder.mkdir(parents=True)
        for name, schema in {"metadata": METADATA_SCHEMA, "fields": FIELDS_SCHEMA}.items():
            (root / "schemas" / f"{name}.schema.json").write_text(json.dumps(schema))
        records = "".join(RECORD.format(name=name, format=FORMATS.get(name, name)) for name in TEMPLATES)
        (self.folder / "process.toml").write_text(PROCESS + records)
        for name, template in TEMPLATES.items():
            self.template(name, template)

    def template(self, name, text):
        (self.folder / f"note.{name}.j2").write_text(text)

    def change(self, name, old, new):
        text = (self.folder / f"note.{name}.j2").read_text()
        assert old in text
        self.template(name, text.replace(old, new))

    def sample(self, name="plain", fields=FIELDS, confidence=0.9, source_id="note-1"):
        """Write a sample case without its expected/."""
        folder = self.folder / "samples" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metadata.json").write_bytes(metadata(fields, confidence, source_id))
        return folder

    def settings(self):
        return Settings.from_environment({"RECEIVER_SITE": str(self.root), "RECEIVER_DATA": str(self.root / "var")})

    def case(self, name="plain"):
        process = processes(self.settings(), ["notes"])["notes"]
        return Case(process, self.folder / "samples" / name)

    def outcome(self, name="plain"):
        case = self.case(name)
        return run(case.process, incoming(case, 10**6))

    def deliver(self, *sections, retention=False):
        """Have a delivery judged and kept as by the service. A section is a name, filename, type and content."""
        if retention:
            toml = self.folder / "process.toml"
            toml.write_text(toml.read_text() + '[retention]\noriginals = "1d"\n')
        settings = self.settings()
        compiled = processes(settings, ["notes"])
        settings.data.mkdir(exist_ok=True)
        ledger.create(settings.ledger)
        opened = context.open_context(settings, compiled)
        sent = [Section(name, filename, kind, content=[content]) for name, filename, kind, content in sections]
        try:
            with contextlib.suppress(Problem):
                receive.receive(opened, compiled["notes"], sent, Arrival(datetime.now(UTC), ""))
            (entry,) = opened.ledger.search(limit=1)
            return entry.id
        finally:
            opened.ledger.close()

    def receiver(self, *arguments, **options):
        """Call the command line on this site."""
        environment = {"RECEIVER_SITE": str(self.root), "RECEIVER_DATA": str(self.root / "var")}
        return CliRunner().invoke(cli.main, [*map(str, arguments)], env=environment, catch_exceptions=False, **options)
