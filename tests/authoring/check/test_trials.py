"""Running: inputs that are made from schemas, and what is told of a template that fails with one of them."""

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.authoring.check.values import instance
from tests.authoring.check.corpus_of_faults import SOUND, change, faults_of

FIELDS = "schemas/referrals.fields.schema.json"
RECORD = "mappings/referrals/referral.json.j2"


@pytest.fixture
def site(tmp_path):
    return Path(shutil.copytree(SOUND, tmp_path / "site"))


@pytest.mark.parametrize(
    "pattern",
    [
        "^(0[1-9]|1[0-2])/(0[1-9]|[12][0-9]|3[01])/(19|20)[0-9]{2}$",
        "^((0[1-9]|1[0-2])/[0-9]{2})?$",
        "^[0-9]{6,10}[A-Z]?$",
        "^(([^0-9]*[0-9]){10}[^0-9]*)?$",
        r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$",
        r"^\d{3}-\w+\s\S$",
        "^a+b*c{2,}$",
    ],
)
def test_a_text_that_is_made_for_a_pattern_matches_it(pattern):
    short, long = instance(pattern, longest=False), instance(pattern, longest=True)
    assert re.search(pattern, short), short
    assert re.search(pattern, long), long
    assert len(short) <= len(long)


def test_a_pattern_that_python_does_not_read_makes_no_text():
    assert instance("^[0-9{6}$", longest=True) is None


@given(st.from_regex(r"\A[a-c0-9()|*+?.\[\]-]{0,20}\Z"))
def test_any_pattern_makes_a_text_or_none(pattern):
    made = instance(pattern, longest=True)
    assert made is None or isinstance(made, str)


def test_a_loop_is_tried_with_several_items_where_every_sample_has_one(site):
    change(site / RECORD, "{% if not loop.last %},{% endif %}", "")
    [fault] = faults_of(site)
    assert (fault.code, fault.file, fault.severity) == ("record-invalid", RECORD, "warning")
    assert "of two items" in fault.message


def test_a_fault_of_a_record_is_told_at_the_line_that_wrote_it(site):
    schema = json.loads((site / "schemas/referral.schema.json").read_text())
    schema["properties"]["mrn"] = {"type": "integer"}
    (site / "schemas/referral.schema.json").write_text(json.dumps(schema))
    [fault] = faults_of(site)
    assert (fault.code, fault.file, fault.line, fault.severity) == ("record-invalid", RECORD, 3, "error")


def test_a_warning_whose_line_refuses_a_sample_is_an_error(site):
    change(site / "mappings/referrals/note.hl7.j2", "{{ fields.mrn }}", "{{ fields.mnr }}")
    [fault] = faults_of(site)
    assert (fault.code, fault.severity) == ("unknown-field", "error")


def test_a_sample_that_expects_its_refusal_is_no_fault(site):
    sample = site / "mappings/referrals/samples/one-fax"
    change(sample / "metadata.json", "0.99", "0.10")
    assert [fault.code for fault in faults_of(site)] == ["sample-refused"]
    shutil.rmtree(sample / "expected")
    shutil.copytree(site / "mappings/referrals/samples/no-number/expected", sample / "expected")
    assert faults_of(site) == []


def test_no_record_for_one_value_of_an_enum_is_told(site):
    config = site / "mappings/referrals/process.toml"
    change(config, 'format = "hl7"', 'format = "hl7"\nwhen = \'fields.clinic == "NORTH" or fields.phone is defined\'')
    assert [fault.code for fault in faults_of(site)] == ["no-record"]


def test_values_of_samples_are_not_told(site):
    change(
        site / "schemas/referral.schema.json",
        '"mrn": { "type": "string" }',
        '"mrn": { "type": "string", "maxLength": 3 }',
    )
    assert all("0012345" not in str(fault) for fault in faults_of(site))
