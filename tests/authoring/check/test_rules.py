"""Rules as `receiver check` proves them, and `receiver test --coverage` tells of them."""

import json

import pytest

from receiver.authoring.check import inspect
from receiver.site.compiling import compile_pieces
from tests.support.small_site import FIELDS, SmallSite

RULE = """
[[rules]]
name = "{name}"
must = '{must}'
message = "It is not so."
"""


@pytest.fixture
def site(tmp_path):
    made = SmallSite(tmp_path / "site")
    made.sample()
    return made


def inspected(site):
    return inspect(site.settings(), compile_pieces(site.settings(), {}), {})


def faults(site, *musts, name="rule-{}"):
    toml = site.folder / "process.toml"
    rules = (RULE.format(name=name.format(number), must=must) for number, must in enumerate(musts))
    toml.write_text(toml.read_text() + "".join(rules))
    return [fault for fault in inspected(site) if fault.file.endswith("process.toml") and fault.code != "token-missing"]


@pytest.mark.parametrize(
    ("must", "code", "message"),
    [
        ("fields.mrn |", "template-syntax", None),
        ("mrn == 1", "unknown-name", 'there is no "mrn" here'),
        ("fields.mrn | decimals == 1", "unknown-filter", 'there is no filter "decimals"'),
        ('fields.mrn | matches("(")', "bad-argument", None),
        ("fields.mnr | decimal == 1", "unknown-field", 'fields.schema.json knows no field "mnr"'),
        ('fields.gender == "f"', "unguarded-field", None),
        ("delivery.previus is defined", "unknown-attribute", 'delivery has nothing called "previus"'),
        ('fields.mrn | lookup("codes") == "1"', "unknown-table", 'there is no table "codes"'),
    ],
)
def test_a_rule_that_cannot_be_meant_is_found_at_its_line(site, must, code, message):
    found = {fault.code: fault for fault in faults(site, must)}
    assert code in found
    line = (site.folder / "process.toml").read_text().split("\n")[found[code].line - 1]
    assert line.startswith("must = ")
    assert message in (None, found[code].message)


def test_two_rules_of_one_name_are_found(site):
    (fault,) = faults(site, "true", "true", name="same")
    assert (fault.code, fault.message) == ("bad-name", 'a second rule is called "same"')


@pytest.mark.parametrize("name", ["Total", "total adds up", "-total", ""])
def test_a_name_that_a_metric_cannot_have_is_found(site, name):
    (fault,) = faults(site, "true", name=name)
    assert fault.code == "bad-name"


def test_a_rule_that_proves_a_field_to_be_there_guards_every_template(site):
    site.change("txt", "{{ fields.mrn }}", "{{ fields.mrn }} {{ fields.gender }}")
    assert "unguarded-field" in {fault.code for fault in inspected(site)}
    assert faults(site, "fields.gender is defined") == []
    assert "unguarded-field" not in {fault.code for fault in inspected(site)}


def test_a_sample_that_breaks_a_rule_and_is_to_be_published_is_an_error(site):
    assert site.receiver("test", "--update").exit_code == 0
    assert faults(site, 'fields.mrn == "1"') == []
    (refused,) = [fault for fault in inspected(site) if fault.code == "sample-refused"]
    assert "rule-broken: fields/mrn It is not so." in refused.message


def test_coverage_names_the_rules_that_no_case_breaks(site):
    site.sample("broken", FIELDS | {"mrn": "00000000"})
    assert faults(site, 'fields.mrn != "00000000"', "fields.name != fields.mrn") == []
    site.receiver("test", "--update")
    told = site.receiver("test", "--coverage").stdout
    assert "rules of notes that no case breaks: rule-1" in told
    problem = json.loads((site.folder / "samples" / "broken" / "expected" / "problem.json").read_text())
    assert (problem["status"], problem["code"]) == ("held", "rule-broken")
    toml = site.folder / "process.toml"
    toml.write_text("\n\n" + toml.read_text())
    assert site.receiver("test").exit_code == 0, "an edit above the rule does not change the case"
