"""The starter template of each format, as a whole: one field of each kind, beside its text in drafts/."""

from pathlib import Path

import pytest

from receiver.formats.csv import draft as csv
from receiver.formats.hl7 import draft as hl7
from receiver.formats.json import draft as json
from receiver.formats.slot import Slot
from receiver.formats.text import draft as text
from receiver.formats.xml import draft as xml

DRAFTS = Path(__file__).with_name("drafts")
PLAIN = {"optional": False, "many": False, "date": None, "empty": False, "breaks": False, "role": ""}


def slot(name, **rest):
    return Slot(**{"name": name, "expression": f"fields.{name}", **PLAIN, **rest})


SLOTS = [
    slot("mrn", role="mrn"),
    slot("name", role="name"),
    slot("dob", role="dob", date="%m/%d/%Y"),
    slot("ward"),
    slot("room", optional=True),
    slot("seen", date="iso", optional=True),
    slot("sent", date="iso", empty=True),
    slot("codes", many=True),
    slot("notes", many=True, optional=True, breaks=True),
    slot("comment", breaks=True),
    slot('a, "b" {c', expression='fields["x"]'),
]


@pytest.mark.parametrize("draft", [csv, hl7, json, text, xml], ids=lambda draft: draft.SUFFIX)
def test_a_draft_prints_each_kind_of_field_in_its_own_way(draft):
    assert draft.template(SLOTS, "Ward #1 {x}-y") == (DRAFTS / f"template{draft.SUFFIX}").read_text()


@pytest.mark.parametrize(
    ("delimiter", "header", "row"),
    [
        (",", '"a,b",c;d,codes', '{{ fields.codes | join("; ") }}'),
        (";", 'a,b;"c;d";codes', '{{ fields.codes | join(", ") }}'),
        ("|", "a,b|c;d|codes", '{{ fields.codes | join("; ") }}'),
    ],
)
def test_csv_quotes_a_name_that_has_the_delimiter(delimiter, header, row):
    slots = [slot("a,b"), slot("c;d"), slot("codes", many=True)]
    _, names, cells, *_ = csv.template(slots, "Ward", delimiter).splitlines()
    assert names.endswith(f"received_at{delimiter}{header}{delimiter}document")
    assert row in cells


@pytest.mark.parametrize(
    ("slots", "line"),
    [
        ([], "PID|1||||^||"),
        ([slot("family", role="family")], "PID|1||||{{ fields.family }}^||"),
        ([slot("given", role="given")], "PID|1||||^||"),
        (
            [slot("last", role="family", optional=True), slot("first", role="given")],
            'PID|1||||{{ fields.last | default("") }}^{{ fields.first }}||',
        ),
        (
            [slot("first", role="given"), slot("name", role="name", optional=True), slot("last", role="family")],
            (
                'PID|1||||{{ (fields.name | default("")) | person("family") }}'
                '^{{ (fields.name | default("")) | person("given") }}||'
            ),
        ),
        (
            [slot("mrn", role="mrn", empty=True)],
            "PID|1||{% if fields.mrn %}{{ fields.mrn }}^^^CLINIC^MR{% endif %}||^||",
        ),
        (
            [slot("mrn", role="mrn", optional=True)],
            "PID|1||{% if fields.mrn is defined and fields.mrn %}{{ fields.mrn }}^^^CLINIC^MR{% endif %}||^||",
        ),
        ([slot("born", role="dob")], "PID|1||||^||{{ fields.born }}"),
        ([slot("mrn", role="mrn"), slot("id", role="mrn")], "PID|1||{{ fields.mrn }}^^^CLINIC^MR||^||"),
        ([slot("mrn", role="mrn", many=True)], "PID|1||||^||"),
    ],
)
def test_hl7_names_the_patient_by_what_is_there(slots, line):
    assert hl7.template(slots, "Ward").splitlines()[4] == line


@pytest.mark.parametrize(("name", "label"), [(" a|b\n%c ", "a b c"), ("^~", "field"), ("dose", "dose")])
def test_hl7_names_an_observation_without_delimiters(name, label):
    assert f"OBX|2|ST|{label}^{label}^L||" in hl7.template([slot(name)], "Ward")


def test_hl7_prints_the_parts_of_a_name_as_observations_where_there_is_a_whole_one():
    lines = hl7.template([slot("name", role="name"), slot("last", role="family")], "Ward").splitlines()
    assert lines[-1] == "OBX|2|ST|last^last^L||{{ fields.last }}||||||F"


def test_hl7_prints_a_given_name_alone_as_an_observation():
    lines = hl7.template([slot("first", role="given")], "Ward").splitlines()
    assert lines[-1] == "OBX|2|ST|first^first^L||{{ fields.first }}||||||F"


def test_json_writes_a_name_as_it_is():
    assert '"größe": {{ fields.größe }}' in json.template([slot("größe")], "Ward")


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("dose_1.a-b", "<dose_1.a-b>{{ fields.x }}</dose_1.a-b>"),
        ("1st", '<field name="1st">{{ fields.x }}</field>'),
        ("XmlThing", '<field name="XmlThing">{{ fields.x }}</field>'),
        ("a<b", '<field name="a&lt;b">{{ fields.x }}</field>'),
    ],
)
def test_xml_says_a_name_that_no_element_can_have_in_an_attribute(name, tags):
    assert xml.template([slot(name, expression="fields.x")], "Ward").splitlines()[-2] == f"  {tags}"
