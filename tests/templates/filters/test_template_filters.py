"""The filters, each by example."""

import base64

import pytest

from receiver.core.faults import ConfigurationError
from receiver.templates import Templates


@pytest.fixture
def tables(mapped):
    mapped.write("tables/sex.csv", "code,word,hl7\nF,female,F\nM,male,M\n7,seven,U\nW,female,F\n")
    return mapped


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("'07/04/1987' | date('%m/%d/%Y', '%Y%m%d')", "19870704"),
        ("' 7/4/1987 ' | date('%m/%d/%Y', '%Y-%m-%d')", "1987-07-04"),
        ("'1987-07-04' | date(['%m/%d/%Y', '%Y-%m-%d'], '%d.%m.%Y')", "04.07.1987"),
        ("delivery.received_at | date('', '%Y%m%d')", "20261123"),
        ("delivery.received_at | hl7_ts", "20261123141121+0000"),
        ("'2026-11-23T08:11:21-06:00' | hl7_ts", "20261123081121-0600"),
        ("'2026-11-23T08:11:21.5' | hl7_ts", "20261123081121.5"),
        ("'2026-11-23T08:11:21Z' | hl7_ts", "20261123081121+0000"),
        ("'2026-11-23' | hl7_ts", "20261123"),
        ("'1987-01-02' | hl7_ts", "19870102"),
        ("'(555) 013-4217 x٣' | digits", "5550134217"),
        ("42 | digits", "42"),
        ("'ab' | fixed(4) ~ '|'", "ab  |"),
        ("'é' | fixed(4, 'right')", "  é"),
        ("7 | fixed(3, 'right', '0')", "007"),
        ("'é' | fixed(2, encoding='latin-1') ~ '|'", "é |"),
        ("none | fixed(2) ~ '|'", "  |"),
        ("none | upper", ""),
        ("true | upper", "TRUE"),
        ("'a b' | title", "A B"),
        ("12 | string", "12"),
        ("' a ' | trim", "a"),
        ("'aXb' | replace('X', 1)", "a1b"),
        ("'12' | int + 1", "13"),
        ("'x' | int(0)", "0"),
        ("'ff' | int(base=16)", "255"),
        ("'ff' | int(0, 16)", "255"),
        ("'x' | int(default=7)", "7"),
        ("'x' | int(none)", ""),
        ("'x' | float(default=1.5)", "1.5"),
        ("'1.5' | float", "1.5"),
        ("'x' | float(2.5)", "2.5"),
        ("2.345 | round(2)", "2.35"),
        ("[1, 2.5] | sum", "3.5"),
        ("'%05d' | format(42)", "00042"),
        ("'%s-%s' | format('a', none)", "a-"),
        ("'%(a)s' | format(a='x')", "x"),
        ("['b', 'a'] | sort | join(',')", "a,b"),
        ("[{'a': 1}, {'a': 2}] | map(attribute='a') | join(',')", "1,2"),
        ("[{'a': 1}, {'a': 2}] | selectattr('a', 'gt', 1) | map(attribute='a') | first", "2"),
        ("[1, none, 2] | reject('none') | list | length", "2"),
        ("[1, 2, 3] | batch(2) | list | length", "2"),
        ("{'a': 1} | items | list | length", "1"),
        ("'one two three' | truncate(6)", "one..."),
        ("'one two' | wordwrap(3) | replace('\\n', '/')", "one/two"),
        ("'a b' | urlencode", "a%20b"),
        ("'ab' | center(6) ~ '|'", "  ab  |"),
        ("fields.codes[0]", "R06.09"),
        ("fields.codes[-1][:2]", "I1"),
        ("fields.codes | last", "I10"),
    ],
)
def test_a_filter_prints(mapped, expression, printed):
    assert mapped.render("{{ " + expression + " }}") == printed


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("fields.mrn | date('%m/%d/%Y', '%Y')", "fields.mrn is not a date written as %m/%d/%Y."),
        ("fields.mrn | date(['%Y', '%y'], '%Y')", "fields.mrn is not a date written as %Y or %y."),
        ("fields.middle_name | date('%Y', '%Y')", "fields.middle_name is not a date written as %Y."),
        ("fields.mrn | hl7_ts", "fields.mrn is not an ISO-8601 time (read another one with `date`)."),
        ("fields.mrn | fixed(3)", "fields.mrn does not fit into 3 bytes."),
        ("fields.mrn | int", "fields.mrn is not a whole number."),
        ("fields.mrn | float", "fields.mrn is not a number."),
        ("fields.mrn | lookup('sex')", 'fields.mrn has a value that is not in the table "sex".'),
        ("fields.mrn | base64", "fields.mrn is not a document: write {{ document | base64 }}."),
        (
            "fields.codes | upper",
            "fields.codes is a list, not a single value (print its items in a loop, or use `join`).",
        ),
    ],
)
def test_a_filter_refuses_what_it_cannot_take_by_name(tables, expression, message):
    assert tables.violation("{{ " + expression + " }}", mrn="secret").message == message


def test_a_documents_bytes_are_embedded(mapped):
    assert base64.b64decode(mapped.render("{{ document | base64 }}")) == b"%PDF-1.4\n"
    assert mapped.render("{% for d in documents %}{{ d | base64 | length }}{% endfor %}") == "12"


def test_without_documents_the_document_is_missing(mapped):
    template = mapped.compile("{{ document is defined }}{{ documents | length }}", "text")
    assert template.render(mapped.names(documents=0)) == "false0"


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("'F' | lookup('sex')", "female"),
        ("'M' | lookup('sex', 'hl7')", "M"),
        ("'male' | lookup('sex', 'code', key='word')", "M"),
        ("'female' | lookup('sex', 'code', key='word')", "F"),
        ("'X' | lookup('sex', default='unknown')", "unknown"),
        ("'X' | lookup('sex', default=none)", ""),
        ("7 | lookup('sex')", "seven"),
        ("fields.middle_name | lookup('sex', default='-')", "-"),
    ],
)
def test_a_code_is_looked_up(tables, expression, printed):
    assert tables.render("{{ " + expression + " }}") == printed


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("'F' | lookup('sxe')", "1:17 unknown-table"),
        ("'F' | lookup('../sex')", "1:17 unknown-table"),
        ("'F' | lookup(fields.mrn)", "1:10 unknown-table"),
        ("'F' | lookup", "1:10 bad-argument"),
        ("'F' | lookup('sex', 'nothing')", "1:24 unknown-table"),
        ("'F' | lookup('sex', key='nothing')", "1:28 unknown-table"),
        ("'F' | date('%Q', '%Y')", "1:10 bad-argument"),
        ("'F' | date(['%Y', '%'], '%Y')", "1:10 bad-argument"),
    ],
)
def test_constant_arguments_are_proven_at_once(tables, expression, fault):
    assert tables.faults("{{ " + expression + " }}") == [fault]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("a\n1\n", "tables/bad.csv:1:1: bad-table"),
        ("", "tables/bad.csv:1:1: bad-table"),
        ("a,a\n1,2\n", "tables/bad.csv:1:1: bad-table"),
        ("a,b\n1,2\n1,3\n", "tables/bad.csv:3:1: bad-table"),
        ("a,b\n1\n", "tables/bad.csv:2:1: bad-table"),
        ('a,b\n"1,2\n', "tables/bad.csv:2:1: bad-table"),
    ],
)
def test_a_bad_table_is_a_fault_at_its_own_line(mapped, table, fault):
    mapped.write("tables/bad.csv", table)
    (found,) = mapped.fault_list("{{ 'F' | lookup('bad') }}")
    assert str(found).startswith(f"mappings/referrals/{fault} ")


def test_a_template_tells_the_files_that_it_is_made_of(tables):
    tables.write("part.j2", "{{ fields.mrn }}")
    template = tables.compile("{% include 'part.j2' %}{{ 'F' | lookup('sex') }}", "text")
    folder = "mappings/referrals"
    assert template.files == (f"{folder}/record.text.j2", f"{folder}/part.j2", f"{folder}/tables/sex.csv")


def test_all_faults_are_told_at_once(tables):
    tables.write("part.j2", "{{ nothing }}\n{{ 1 | nofilter }}")
    template = "{% include 'part.j2' %}\n{{ x }}\n{{ 1 | y }}\n{% if 1 is z %}{% endif %}\n{{ 'F' | lookup('q') }}"
    faults = tables.fault_list(template)
    found = [(fault.file.removeprefix("mappings/referrals/"), fault.line, fault.code) for fault in faults]
    assert found == [
        ("part.j2", 1, "unknown-name"),
        ("part.j2", 2, "unknown-filter"),
        ("record.text.j2", 2, "unknown-name"),
        ("record.text.j2", 3, "unknown-filter"),
        ("record.text.j2", 4, "unknown-test"),
        ("record.text.j2", 5, "unknown-table"),
    ]


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("a\n  {{ fields.mrn", "2:3 template-syntax"),
        ("{{ fields. }}", "1:12 template-syntax"),
        ("{% if x %}", "1:4 template-syntax"),
        ("{% endif %}", "1:4 template-syntax"),
        ("a\n{{ 1 + }}", "2:8 template-syntax"),
        ("a\n{{ ? }}", "2:4 template-syntax"),
        ("{{ 'a }}", "1:4 template-syntax"),
        ("{{ (1 }}", "1:7 template-syntax"),
        ("{# a", "1:3 template-syntax"),
        ("{% nothing %}", "1:4 template-syntax"),
        ("{{ '\\x' }}", "1:4 template-syntax"),
        ("{% set loop = 1 %}{% for x in [1] %}{% set loop = 1 %}{% endfor %}", "1:44 template-syntax"),
    ],
)
def test_a_syntax_error_is_a_fault_at_its_place(mapped, template, fault):
    assert mapped.faults(template) == [fault]


def test_a_template_that_does_not_exist_is_a_fault(mapped):
    with pytest.raises(ConfigurationError) as caught:
        Templates(mapped.folder, mapped.site).record("nothing.j2", "text")
    assert str(caught.value).startswith("mappings/referrals/nothing.j2:1:1: unknown-template")
