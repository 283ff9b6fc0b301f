"""The site that ours and every peer serve: the same schemas, and templates that print the same.

One process for each size of metadata. What is measured of ours is what a process owner would write, with the escaping
that comes by itself; a peer's templates name their filters.
"""

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
FIELDS = {"letters": 4, "forms": 20, "wide": 200, "reports": 20, "checked": 20}  # fields of each process's metadata
XML = ("reports",)
CHECKED = ("checked",)  # whose records must satisfy a schema too, which no peer does
TOKEN = "benchmark-4b1d6f0a92"

PROCESS = """\
title = "Benchmark: {name}"

[auth]
tokens = ["env:RECEIVER_TOKEN"]

[parts.file]
role = "document"
types = ["image/tiff", "application/pdf"]
[parts.metadata]
role = "metadata"
types = ["application/json", "application/xml"]

[metadata]
schema = "nextstep-metadata.{kind}"
source_id = "sourceId"

[fields]
schema = "{name}.fields.schema.json"

[notify]
command = ["/bin/true"]

[output]
directory = "{name}"
documents = "{{{{ delivery.id }}}}{{{{ document.suffix }}}}"

[[records]]
template = "record.json.j2"
path = "{{{{ delivery.id }}}}.json"
format = "json"
{json_check}
[[records]]
template = "record.hl7.j2"
path = "{{{{ delivery.id }}}}.hl7"
format = "hl7"
{hl7_check}"""
SEGMENTS = """\
MSH|^~\\&|RECEIVER|BENCH|EHR|CLINIC|{received}||MDM^T02^MDM_T02|{id}|P|2.5.1
EVN|T02|{received}
PID|1||4711^^^CLINIC^MR||Sample^Case
PV1|1|O
TXA|1|CN|IM|||||||||{id}^RECEIVER|||||DO||AV
"""


def field_names(count: int) -> list[str]:
    return [f"field_{number:03}" for number in range(count)]


def write(folder: Path) -> None:
    """Write the site anew."""
    shutil.rmtree(folder, ignore_errors=True)
    schemas = folder / "schemas"
    schemas.mkdir(parents=True)
    for name in ("nextstep-metadata.schema.json", "nextstep-metadata.xsd"):
        shutil.copy(ROOT / "schemas" / name, schemas)
    (schemas / "record.schema.json").write_text(json.dumps(_record_schema()))
    (folder / "peers").mkdir()
    for name, count in FIELDS.items():
        names = field_names(count)
        (schemas / f"{name}.fields.schema.json").write_text(json.dumps(_fields_schema(names)))
        _write_ours(folder / "mappings" / name, name, names)
        _write_peers(folder / "peers", name, names)


def _write_ours(folder: Path, name: str, names: list[str]) -> None:
    folder.mkdir(parents=True)
    (folder / "process.toml").write_text(
        PROCESS.format(
            name=name,
            kind="xsd" if name in XML else "schema.json",
            json_check='schema = "record.schema.json"\n' if name in CHECKED else "",
            hl7_check='schema = "hl7"\n' if name in CHECKED else "",
        )
    )
    values = {each: f"{{{{ fields.{each} }}}}" for each in names}
    ours = {"id": "{{ delivery.id }}", "received": "{{ delivery.received_at | hl7_ts }}"}
    (folder / "record.json.j2").write_text(_json_record(ours["id"], "{{ delivery.source_id }}", values))
    (folder / "record.hl7.j2").write_text(_message(ours, values))


def _write_peers(folder: Path, name: str, names: list[str]) -> None:
    quoted = {each: f"{{{{ fields.{each} | tojson }}}}" for each in names}
    escaped = {each: f"{{{{ fields.{each} | hl7 }}}}" for each in names}
    record = _json_record("{{ id | tojson }}", "{{ metadata.sourceId | tojson }}", quoted)
    (folder / f"{name}.json.j2").write_text(record)
    message = _message({"id": "{{ id }}", "received": "{{ received }}"}, escaped)
    (folder / f"{name}.hl7.j2").write_text(message.replace("\n", "\r"))


def _json_record(id_: str, source_id: str, values: dict[str, str]) -> str:
    lines = ",\n".join(f'    "{name}": {value}' for name, value in values.items())
    return f'{{\n  "id": {id_},\n  "sourceId": {source_id},\n  "fields": {{\n{lines}\n  }}\n}}\n'


def _message(names: dict[str, str], values: dict[str, str]) -> str:
    observed = (f"OBX|{i}|ST|{name}^^L||{value}||||||F\n" for i, (name, value) in enumerate(values.items(), 1))
    return SEGMENTS.format(**names) + "".join(observed)


def _fields_schema(names: list[str]) -> dict[str, object]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": names,
        "additionalProperties": False,
        "properties": {name: {"type": "string", "minLength": 1, "maxLength": 200} for name in names},
    }


def _record_schema() -> dict[str, object]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["id", "sourceId", "fields"],
        "properties": {"id": {"type": "string"}, "fields": {"additionalProperties": {"type": "string"}}},
    }
