"""A delivery whose record is not right: the problem names the record, its line and the field, for all of them."""

import json
import shutil
from pathlib import Path

import pytest

from receiver.authoring.cases.outcome import run
from receiver.core.delivery import Section
from receiver.core.problems import Code
from receiver.core.settings import Settings
from receiver.site.compiling import proven

ROOT = Path(__file__).parents[2]
PROCESS = """
[auth]
open = true
[parts.metadata]
role = "metadata"
[metadata]
schema = "nextstep-metadata.schema.json"
"""


@pytest.fixture
def refused(tmp_path):
    """Return the problem of a process that makes these records, each (name, encoding, schema, template)."""

    def outcome(*records, **fields):
        folder = tmp_path / "mappings" / "small"
        folder.mkdir(parents=True)
        shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
        toml = PROCESS
        for name, encoding, schema, template in records:
            (folder / f"{name}.j2").write_text(template)
            toml += f'[[records]]\ntemplate = "{name}.j2"\npath = "{name}"\nencoding = "{encoding}"\n'
            toml += f'schema = "{schema}"\n' if schema else ""
        (folder / "process.toml").write_text(toml)
        settings = Settings.from_environment({"RECEIVER_SITE": str(tmp_path), "RECEIVER_DATA": str(tmp_path / "var")})
        metadata = {"sourceId": "1", "fields": [{"name": name, "value": value} for name, value in fields.items()]}
        section = Section("metadata", "metadata.json", "application/json", content=[json.dumps(metadata).encode()])
        found = run(proven(settings)["small"], [section])
        assert found.rendered is None
        return found.problem

    return outcome


def test_every_record_tells_its_own_lines(refused):
    problem = refused(
        ("a.csv", "utf-8", "", "a,b\n1,2\n{{ fields.mrn }}\n"),
        ("b.json", "utf-8", "referral.schema.json", '{\n "id": {{ fields.mrn }}\n}'),
        ("c.hl7", "iso-8859-1", "", "MSH|^~\\&|A\nPID|1||{{ fields.mrn }}\nNTE|1||{{ fields.name }}\n"),
        mrn="142637A",
        name="Łukasz",
    )
    assert problem.code is Code.RECORD_INVALID
    told = {(violation.where, violation.rule) for violation in problem.violations}
    assert told >= {
        ("mappings/small/a.csv.j2:3, record line 3", "well-formed"),
        ("mappings/small/b.json.j2:2, record line 2, /id", "pattern"),
        ("mappings/small/b.json.j2:1, record line 1, /", "required"),
        ("fields/name", "encoding"),
    }
    assert "142637A" not in str([problem.detail, *problem.violations])


def test_an_escaped_separator_in_the_type_of_a_message_is_told_as_such(refused):
    head = "{% macro head(type) %}MSH|^~\\&|A|B|C|D|20260101||{{ type }}|1|P|2.5.1{% endmacro %}"
    problem = refused(("a.hl7", "utf-8", "hl7", head + '{{ head("ADT^A04^ADT_A01") }}\nEVN|A04|20260101\nPID|1\n'))
    (found,) = problem.violations
    assert found.where.endswith("record line 1, MSH-9")
    assert "in the template" in found.message
