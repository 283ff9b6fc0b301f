"""Numbers of JSON as they come from the field: each is printed as it was written, and counted exactly by `number`."""

import copy

import pytest

from receiver.authoring.scrub import json as scrubbing
from receiver.formats import budget
from receiver.formats.csv import escape as csv
from receiver.formats.hl7 import escape as hl7
from receiver.formats.json import escape as json_format
from receiver.formats.text import escape as text_format
from receiver.formats.xml import escape as xml_format
from receiver.metadata.json import path
from receiver.schemas.encodings import MalformedError
from receiver.schemas.folder import Schemas
from receiver.schemas.json_text import loads
from receiver.templates.filters import FILTERS

LITERALS = [  # literal, `| number`, source
    ("12345678901234567.89", "12345678901234567.89", "HL7-dotnetcore: amounts as double"),
    ("1.10", "1.10", "jolt #1013: trailing zeros"),
    ("0.0000001", "0.0000001", "NiFi: 1E-7 in the record"),
    ("9007199254740993.0", "9007199254740993.0", "RFC 8259 §6: beyond 2**53"),
    ("9007199254740993", "9007199254740993", "RFC 8259 §6: beyond 2**53"),
    ("0.1", "0.1", "the plain case"),
    ("100.00", "100.00", "amounts"),
    ("1E5", "100000", "a Java BigDecimal"),
    ("1e5", "100000", "JavaScript"),
    ("1.0E+2", "100", "a Java BigDecimal"),
    ("-0.00", "-0.00", "an amount"),
    ("1234567890123456789012.345", "1234567890123456789012.345", "more digits than any float has"),
]


@pytest.fixture(autouse=True)
def _rendering():
    budget.start()


@pytest.mark.parametrize(("literal", "exact", "source"), LITERALS)
def test_a_number_is_printed_as_it_was_written(literal, exact, source):
    value = loads(literal.encode())
    for kind, place in ((csv, csv.START), (text_format, text_format.START), (json_format, json_format.START)):
        assert kind.escaper(place, None)(value).lstrip("'") == literal, source
    assert hl7.escaper(hl7.advance(hl7.START, "PID|"), None)(value) == literal
    assert xml_format.escaper(xml_format.advance(xml_format.START, "<a>"), None)(value) == literal
    assert json_format.value([value, {"a": value}]) == f'[{literal}, {{"a": {literal}}}]'
    assert format(FILTERS["number"](value), "f") == exact
    assert str(copy.deepcopy(value)) == literal


def test_minus_zero_is_kept_and_is_zero():
    assert str(loads(b"-0")) == "-0"
    assert loads(b"-0") == 0


def test_it_counts_and_compares_as_a_number():
    value = loads(b"1.10")
    assert (value + 1, value * 2, -value, value == 1.1, value < 2) == (2.1, 2.2, -1.1, True, True)
    assert FILTERS["int"](loads(b"9007199254740993.0")) == 9007199254740993
    assert str(FILTERS["round"](loads(b"12345678901234567.895"), 2)) == "12345678901234567.90"
    assert str(FILTERS["round"](loads(b"2.675"), 2)) == "2.68"


def test_jmespath_takes_it_for_a_number():
    assert path("sum(a)").find(loads(b'{"a": [1.10, 2.20]}')) == pytest.approx(3.3)
    assert path("a[?b > `1`].b | [0]").find(loads(b'{"a": [{"b": 1.10}]}')) == 1.1


@pytest.mark.parametrize(
    ("rule", "fine", "wrong"),
    [
        ('"const": 9007199254740993', "9007199254740993.0", "9007199254740992.0"),
        ('"const": 0.0000001', "0.00000010", "0.00000011"),
        ('"enum": [1.10]', "1.1", "1.1000000000000000001"),
        ('"maximum": 12345678901234567.89', "12345678901234567.890", "12345678901234567.90"),
        ('"multipleOf": 0.01', "12345678901234567.89", "12345678901234567.891"),
        ('"type": "integer"', "1.00", "1.0000000000000000000001"),
        ('"not": {"minimum": 2}', "1.10", "2.10"),
        ('"if": {"type": "number"}, "then": {"maximum": 2}', "1.10", "2.10"),
    ],
)
def test_a_schema_judges_the_number_that_was_written(tmp_path, rule, fine, wrong):
    (tmp_path / "one.schema.json").write_text('{"properties": {"a": {' + rule + "}}}")
    schema = Schemas(tmp_path, tmp_path).json("one.schema.json")
    assert schema.violations(loads(f'{{"a": {fine}}}'.encode())) == ()
    (violation,) = schema.violations(loads(f'{{"a": {wrong}}}'.encode()))
    assert violation.where == "/a"


def test_what_would_be_thousands_of_zeros_is_refused():
    for literal in (b"1e-1000", b"0e-99999999999", b"0E+1000"):
        with pytest.raises(MalformedError, match="exponent"):
            loads(literal)
    assert loads(b"0e0000000001") == 0


def test_a_captured_sample_keeps_its_numbers():
    content = b'{"a": [1.10, 1E5], "b": {}, "c": []}'
    assert scrubbing.values(content) == ["1.10", "1E5"]
    assert loads(scrubbing.rewritten(content, ["2.20", "3E5"])) == {"a": [2.2, 3e5], "b": {}, "c": []}
    assert b"2.20" in scrubbing.rewritten(content, ["2.20", "3E5"])
