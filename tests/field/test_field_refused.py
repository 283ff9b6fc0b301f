"""A value that no record can take is the sender's: told at its field, with the template's line that asks for it."""

import pytest

from receiver.core.problems import Code, Problem

LINE = "mappings/referrals/record.text.j2:2"


def refused(mapped, template: str, kind: str = "text", **fields) -> Problem:
    compiled = mapped.compile(template, kind)
    with pytest.raises(Problem) as caught:
        compiled.render(mapped.names(fields, {"patient": {"dob": "02/30/1964"}}))
    return caught.value


@pytest.mark.parametrize(
    ("expression", "value", "words"),
    [
        ('date("%m/%d/%Y")', "02/30/1964", "is no day of the calendar, or no time of a day"),
        ('date("%m/%d/%Y")', "13/01/1964", "is no day of the calendar, or no time of a day"),
        ('date("%m/%d/%Y")', "soon", "is not a date written as %m/%d/%Y"),
        ('date("iso", "%Y%m%d")', "1964-02", "does not tell the day"),
        ("hl7_ts", "0001-01-01T00:00:00", "is a date before 1850-01-01"),
        ("fhir_time", "1964-02-30", "is no day of the calendar"),
        ("number", "12,34,5", "is not a number"),
        ("number(0)", "1.5", "has more than 0 decimals"),
        ("int", "1O", "is not a whole number"),
        ("float", "1,5", "is not a number"),
        ("phone", "555", "is not a telephone number of 10 digits"),
        ('lookup("sex")', "Q", 'has a value that is not in the table "sex"'),
        ('fixed(3, "right", "0")', "1234", "does not fit into 3 bytes"),
        ('without("|")', "a|b", "has one of these"),
        ('person("family", order="comma")', "Ann Example", "has no comma"),
        ("trim", "a\nb", "contains"),
    ],
)
def test_a_value_that_a_filter_refuses_is_a_fault_of_its_field(mapped, expression, value, words):
    """Hyland's manual prints 02/30/1964; Mirth and NiFi forums: a value called a fault of the channel."""
    mapped.write("tables/sex.csv", "code,value\nF,female\n")
    problem = refused(mapped, "a\n{{ fields.mrn | " + expression + " }}", mrn=value)
    (violation,) = problem.violations
    assert (problem.code, violation.where, violation.schema) == (Code.FIELDS_INVALID, "fields/mrn", LINE)
    assert violation.message.startswith(f"fields.mrn {words}")
    assert value not in str(violation)
    assert value not in problem.detail


def test_what_is_read_through_a_loop_or_a_variable_is_told_at_its_field(mapped):
    template = 'a\n{% for each in fields.codes %}{% set c = each %}{{ c | date("%Y") }}{% endfor %}'
    assert refused(mapped, template, codes=["1964", "x"]).violations[0].where == "fields/codes"


def test_a_time_zone_that_nobody_knows_is_told_at_the_field_that_names_it(mapped):
    template = 'a\n{{ fields.seen | date("iso", "iso", zone=fields.zone) }}'
    problem = refused(mapped, template, seen="2026-01-02T10:00", zone="Nowhere/Land")
    assert [each.where for each in problem.violations] == ["fields/zone"]


def test_each_field_of_several_is_told(mapped):
    problem = refused(mapped, 'a\n{{ (fields.mrn ~ fields.items) | date("%Y") }}')
    assert [each.where for each in problem.violations] == ["fields/mrn", "fields/items"]


def test_what_is_read_from_the_metadata_itself_is_told_at_its_place(mapped):
    problem = refused(mapped, 'a\n{{ metadata.patient.dob | date("%m/%d/%Y") }}')
    assert (problem.code, problem.violations[0].where) == (Code.METADATA_INVALID, "/patient/dob")


def test_hl7_and_xml_places_refuse_a_value_at_its_field(mapped):
    problem = refused(mapped, "PID|1\nPV1|{{ fields.mrn }}", "hl7", mrn='""')
    assert (problem.code, problem.violations[0].where) == (Code.FIELDS_INVALID, "fields/mrn")
    problem = refused(mapped, "<a>\n{{ fields.mrn }}</a>", "xml", mrn="\0")
    assert (problem.code, problem.violations[0].where) == (Code.FIELDS_INVALID, "fields/mrn")


@pytest.mark.parametrize(
    "template",
    [
        "a\n{{ fields.absent }}",
        'a\n{{ "x" | date("%Y") }}',
        'a\n{{ fields.codes | date("%Y") }}',  # a list
        "a\n{{ fields.mrn | base64 }}",
        "a\n{{ fields.mrn | first }}",
        "a\n{{ fields.mrn | int(base=99) }}",
        "a\n{{ fields.pages / 0 }}",
        'a\n{{ delivery.id | date("%Y") }}',
    ],
)
def test_a_templates_own_mistake_stays_the_templates(mapped, template):
    problem = refused(mapped, template)
    assert (problem.code, problem.violations[0].where) == (Code.TEMPLATE_FAILED, LINE)


def test_the_sender_is_told_of_the_field_and_the_delivery_is_kept(home):
    """The shipped referrals, with a schema that lets any birthday come."""
    schema = home.root / "site" / "schemas" / "referrals.fields.schema.json"
    schema.write_text(schema.read_text().replace('"patient_dob": { "$ref": "#/$defs/date" }', '"patient_dob": {}'))
    entry = home.deliver(patient_dob="02/30/1964")
    assert entry.code is Code.FIELDS_INVALID
    assert {each.where for each in entry.violations} == {"fields/patient_dob"}
    assert all(".j2:" in each.schema for each in entry.violations)
    assert entry.id in home.waiting()
