"""Each shipped process against its own schema: whatever the schema lets in, the templates render.

Source of the kind: a DIP index that printed 02/30/1964 as it came, sex codes written small that became "unknown", and
an empty time that the schema let in. Free text is tried by test_any_value.py.
"""

import json
import re
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from receiver.authoring.cases.cases import cases, incoming
from receiver.authoring.cases.outcome import FROZEN
from receiver.core.delivery import Delivery, Reading
from receiver.core.problems import Problem
from receiver.delivery.parts import collect
from receiver.delivery.receive import read
from receiver.delivery.render import as_published, render
from receiver.formats.budget import MAX_DOCUMENT
from receiver.store.stage import Stage
from tests.shipped.shipping import EXAMPLES, MANY, ROOT, case, processes

ALL = {name: process for site in (ROOT, EXAMPLES) for name, process in processes(site).items()}
TABLED = sorted(name for name, process in ALL.items() if process.config.tables)
PROCESSES = sorted(ALL.keys() - TABLED)
TEXT = st.from_regex(r"[A-Za-z]{1,12}", fullmatch=True)  # what has no form of its own
NAMES = st.from_regex(r"[A-Z][a-z]{2,8}, [A-Z][a-z]{2,8}", fullmatch=True)
BY_NAME = {
    "patient_name": NAMES,
    "name": NAMES,
    "item_uom": st.sampled_from(["", "pcs", " KS "]),  # what its table knows, and nothing
    "time_zone": st.sampled_from(["", "UTC", "Central Standard Time", "Europe/Vienna"]),
}
SPAN = datetime(1900, 1, 1), datetime(2099, 12, 31)  # noqa: DTZ001 (as written, the offset follows)
MOMENTS = st.datetimes(*SPAN).map(lambda each: each.isoformat()[:19])
OFFSETS = st.sampled_from(["Z", "z", "+00:00", "-05:00", "+05:30"])


def values(name, schema, whole):
    """Return what a field's schema lets in, empty values among it."""
    while "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], 9_999)
    if schema.get("format") == "date":
        return st.dates(*(each.date() for each in SPAN)).map(str)
    if schema["type"] == "array":
        return st.lists(values(name, schema["items"], whole), max_size=schema["maxItems"])
    if name in BY_NAME:
        return BY_NAME[name]
    if schema.get("format") == "date-time":
        return st.builds(str.__add__, MOMENTS, OFFSETS)
    if "pattern" in schema and schema["pattern"] != r"\S":
        found = st.from_regex(schema["pattern"].replace("$", r"\Z"))
        return found | st.just("") if re.search(schema["pattern"], "") else found
    return TEXT if schema.get("minLength") else TEXT | st.just("")


class Process:
    """A shipped process with the parts of one of its samples."""

    def __init__(self, name: str, staged) -> None:
        site = EXAMPLES if name in processes(EXAMPLES) else ROOT
        self.process = processes(site)[name]
        config = self.process.config
        sample = next(each for each in cases(self.process) if not (each.expected / "problem.json").exists())
        came = incoming(case(name, sample.name), 10**9)
        collected = collect(config.parts, config.delivery.unknown_parts, came, staged)
        self.sample = read(self.process, collected)
        self.parts = as_published(self.process, collected.parts, staged)
        self.schemas = site / "schemas"

    def fields(self):
        return self.members(self.process.config.fields.schema)

    def rows(self, table):
        return st.lists(self.members(self.process.config.tables[table].schema), min_size=1, max_size=3)

    def members(self, schema):
        whole = json.loads((self.schemas / schema).read_text())
        members = {name: values(name, each, whole) for name, each in whole["properties"].items()}
        required = whole.get("required", [])
        optional = {name: each for name, each in members.items() if name not in required}
        return st.fixed_dictionaries({name: members[name] for name in required}, optional=optional)

    def refusals(self, fields, tables=None) -> list[str]:
        """Return why a delivery of these values is not rendered."""
        reading = Reading("42", fields, dict.fromkeys(fields, 1.0), {}, tables or self.sample.tables)
        delivery = Delivery("AAAABBBBCCCCDDDDEEEE", self.process.name, "42", FROZEN, 1)
        try:
            render(self.process, delivery, reading, self.parts, accept_rules=True)  # made-up lines hardly ever add up
        except Problem as problem:
            return [f"{each.where}: {each.message}" for each in problem.violations]
        return []


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("own")).open() as staged:
        made: dict[str, Process] = {}
        yield lambda name: made.get(name) or made.setdefault(name, Process(name, staged))


@pytest.mark.parametrize("name", PROCESSES)
@given(data=st.data())
@bounded(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_the_schema_lets_in_is_rendered(shipped, name, data):
    process = shipped(name)
    fields = data.draw(process.fields())
    if not process.process.metadata.fields_schema.violations(fields):
        assert process.refusals(fields) == []


@pytest.mark.parametrize("name", TABLED)
@given(data=st.data())
@bounded(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_the_schema_of_a_row_lets_in_is_rendered(shipped, name, data):
    process = shipped(name)
    fields = data.draw(process.fields())
    tables = {table.name: data.draw(process.rows(table.name)) for table in process.process.metadata.tables}
    sound = not process.process.metadata.fields_schema.violations(fields)
    for table in process.process.metadata.tables:
        sound = sound and not any(map(table.schema.violations, tables[table.name]))
    if sound:
        assert process.refusals(fields, tables) == []


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("day", ["02/30/1964", "02/29/1900", "04/31/2018", "00/10/2018", "13/01/2018", "2/3/2018"])
def test_a_day_that_is_not_in_the_calendar_is_refused_by_the_schema(shipped, name, day):
    schema = shipped(name).process.metadata.fields_schema
    assert any(each.where == "fields/patient_dob" for each in schema.violations({"patient_dob": day}, "fields"))


@pytest.mark.parametrize(
    ("name", "written", "printed"),
    [
        ("mdm-embedded", "f", "|F\r"),
        ("mdm-embedded", "Female ", "|F\r"),
        ("mdm-embedded", " male", "|M\r"),
        ("mdm-embedded", "non-binary", "|O\r"),
        ("fhir-bundle", "Female ", '"gender": "female"'),
        ("intake-forms", "f", "<gender>female</gender>"),
    ],
)
def test_a_sex_is_read_in_letters_of_any_size(shipped, name, written, printed):
    process = shipped(name)
    fields = {
        "patient_name": "Whitcombe, Laura",
        "patient_dob": "02/20/1964",
        "mrn": "142637A",
        "document_type": "Referral",
        "received": "2018-10-07T10:45:21Z",
        "gender": written,
    }
    assert not process.process.metadata.fields_schema.violations(fields)
    reading = Reading("42", fields, {}, {})
    delivery = Delivery("AAAABBBBCCCCDDDDEEEE", name, "42", FROZEN, 1)
    (record, *_) = render(process.process, delivery, reading, process.parts).records
    assert printed in record.content.decode()


@pytest.mark.parametrize("name", ["mdm-embedded", "fhir-bundle", "intake-forms"])
@pytest.mark.parametrize("written", ["Q", "feminine", "0", "F M"])
def test_a_sex_that_nobody_knows_is_refused(shipped, name, written):
    schema = shipped(name).process.metadata.fields_schema
    assert any(each.where == "fields/gender" for each in schema.violations({"gender": written}, "fields"))


@pytest.mark.parametrize("name", PROCESSES)
def test_a_document_that_is_taken_can_be_embedded(shipped, name):
    config = shipped(name).process.config
    embeds = any("| base64" in (config.folder / record.template).read_text() for record in config.records)
    if embeds:
        assert all(part.max_size and part.max_size <= MAX_DOCUMENT for part in config.parts)
