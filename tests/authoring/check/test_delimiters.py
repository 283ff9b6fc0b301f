"""What may be printed between the delimiters of a text record, and which ids are not read by their place."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from receiver.authoring.check import values
from tests.authoring.check.codes_in_source import ROOT
from tests.authoring.check.corpus_of_faults import SOUND, change, faults_of

EXAMPLES = ROOT / "examples"
PROCESS = "mappings/referrals/process.toml"
SCHEMA = "schemas/referrals.fields.schema.json"
RECORD = """
[[records]]
template = "index.txt.j2"
path = "{{ delivery.id }}.txt"
"""
RECORD_OF_ROW = """
[[records]]
template = "index.txt.j2"
path = "{{ delivery.id }}-{{ loop.index }}.txt"
each = "tables.results"
"""


@pytest.fixture
def site(tmp_path):
    return Path(shutil.copytree(SOUND, tmp_path / "site"))


def found(site, template, more=""):
    """Return the hints for a text record."""
    (site / "mappings/referrals/index.txt.j2").write_text(template + "\n")
    with (site / PROCESS).open("a") as file:
        file.write(RECORD + more)
    return [fault.hint for fault in faults_of(site) if fault.code == "open-delimiter"]


def test_what_to_forbid_is_said_with_what_is_forbidden_already(site):
    hints = found(site, "{{ fields.mrn }}|{{ fields.patient_name }};^{{ document.pages }}", 'forbid = "^"\n')
    assert hints == ['write forbid = "^|;" under [[records]], or let the schema refuse it (pattern)']


def test_what_is_forbidden_is_in_order(site):
    assert found(site, "{{ fields.mrn }}\t{{ fields.patient_name }}", 'forbid = "\\t"\n') == []


@pytest.mark.parametrize(
    "template",
    [
        '{{ fields.mrn }}|{{ fields.clinic }}|{{ fields.diagnosis_code | default([]) | join(" ") }}',
        "{{ delivery.id }}|{{ delivery.received_at }}|{{ document.pages }}|{{ loop.index if false else 1 }}",
        '{{ fields.mrn }}|{{ fields.patient_name | without("|") }}|{{ fields.patient_name | replace("|", "/") }}',
        "{% for code in fields.diagnosis_code | default([]) %}{{ code }}~{% endfor %}{{ document.type }}",
        "Name: {{ fields.patient_name }}\n| {{ fields.patient_name }}, {{ fields.patient_name }}",
    ],
)
def test_what_cannot_hold_the_delimiter_needs_no_forbid(site, template):
    assert found(site, template) == []


@pytest.mark.parametrize(("cell", "expected"), [("flag", []), ("title", ["index.txt.j2"])])
@pytest.mark.parametrize("each", [None, "tables.results"])
def test_the_schema_of_a_row_says_what_its_cells_hold(tmp_path, each, cell, expected):
    process = tmp_path / "site/mappings/lab-panel"
    shutil.copytree(EXAMPLES / "schemas", tmp_path / "site/schemas")
    shutil.copytree(EXAMPLES / "mappings/lab-panel", process)
    line = f'{{{{ item.code }}}}|{{{{ item.{cell} | default("") }}}}\n'
    loop = f"{{% for item in tables.results %}}\n{line}{{% endfor %}}\n"
    (process / "index.txt.j2").write_text(line if each else loop.replace("item", "result"))
    change(process / "process.toml", "[[records]]", f"{RECORD if not each else RECORD_OF_ROW}\n[[records]]")
    found = [fault.file for fault in faults_of(tmp_path / "site") if fault.code == "open-delimiter"]
    assert [Path(file).name for file in found] == expected


@pytest.mark.parametrize("schema", ['"pattern": "^[^|]+$"', '"enum": ["A", "B"]', '"format": "date"'])
def test_a_schema_that_refuses_the_delimiter_is_enough(site, schema):
    change(site / SCHEMA, '"patient_name": { "type": "string", "pattern": "\\\\S" }', f'"patient_name": {{ {schema} }}')
    assert found(site, "{{ fields.mrn }}|{{ fields.patient_name }}") == []


WITHOUT = [r"\d{2}", "[^|]", "[a-z ]*", "(a|b)", "(?:x[^0-9|]){1,3}", "[!-{]?", r"(?:\w|-)+"]


@given(some.lists(some.sampled_from(WITHOUT), min_size=1, max_size=4).map("".join), some.data())
def test_a_pattern_that_is_said_to_exclude_a_character_matches_no_text_that_has_it(pattern, data):
    assert not values.may_hold(f"^{pattern}$", "|")
    assert "|" not in data.draw(some.from_regex(pattern, fullmatch=True))


@pytest.mark.parametrize(
    ("pattern", "may"),
    [(r"^[0-9]{6}$", False), ("^[^|]*$", False), ("[0-9]", True), ("^.*$", True), (r"^(a|b\|)$", True), ("^(", True)],
)
def test_whether_a_pattern_lets_a_character_in(pattern, may):
    assert values.may_hold(pattern, "|") is may


@pytest.mark.parametrize(
    "path",
    ["fields[?name=='fax'].value | [0]", "fax.id", "pages[0].id", "fields.fax[0].value", "max_by(fields, &n).value"],
)
def test_an_id_that_is_chosen_by_a_name_is_in_order(site, path):
    change(site / PROCESS, 'source_id = "sourceId"', f'source_id = "{path}"')
    assert "id-by-place" not in {fault.code for fault in faults_of(site)}


@pytest.mark.parametrize(
    "path", ["field[@name='fax']/value", "field[name='fax'][1]/value", "page[1]/@id", "my-field[1]"]
)
def test_an_id_that_is_chosen_by_a_name_in_xml_is_in_order(site, path):
    change(site / "mappings/lab-reports/process.toml", 'source_id = "sourceId"', f'source_id = "{path}"')
    assert "id-by-place" not in {fault.code for fault in faults_of(site)}
