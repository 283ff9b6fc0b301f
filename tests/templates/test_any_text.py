"""Any text, through every format and place, reads back as it was by an independent parser, or is refused by name.

The number of texts for each place is FUZZ_EXAMPLES, 100 unless told.
"""

import csv
import io
import json
import os
from xml.etree import ElementTree

import pytest
from hl7apy.parser import parse_message
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from receiver.core.problems import Problem
from tests.support.mapped import Mapped

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
SPECIAL = [
    *"|^~\\&<>\"',;=+-@/#{}[]:%\t\r\n\v\f\0\x1b\x1c\x7f\x85\xa0",
    *["\r\n", "\\F\\", "\\.br\\", "\\X0D\\", '""', "''", "]]>", "-->", "&amp;", "\\u0000", "\\n", "{{", "{%", "=1+1"],
    *["e\u0301", "\u200b", "\u202e", "\u2028", "\ufeff", "\ufffe", "\ufffd", "\ud800", "\U0001f600", "  ", "-12.5"],
]
TEXTS = st.lists(st.sampled_from(SPECIAL) | st.characters() | st.text(max_size=4), max_size=12).map("".join)
BREAKS = "\n\r\v\f\x85\u2028\u2029"

any_text = given(TEXTS)
quickly = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def rendered(template, mapped: Mapped, value: str) -> str | None:
    """Return the record, or None where the value was refused by its field's name."""
    try:
        text = template.render(mapped.names({"mrn": value}))
    except Problem as problem:
        event("refused")
        (violation,) = problem.violations
        assert violation.rule == "character" or (violation.rule == "hl7_null" and is_ditto(value))
        assert violation.message.startswith(("fields.mrn contains ", "fields.mrn is nothing but quotation marks"))
        return None
    event("came back")
    return text


def is_ditto(value: str) -> bool:
    return '"' in value and not value.replace('"', "").strip()


def is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character < "\xa0"


def is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return Mapped(tmp_path_factory.mktemp("any"))


@pytest.fixture(scope="module")
def json_template(site):
    return site.compile(
        '{"v": {{ fields.mrn }}, "s": "a{{ fields.mrn }}b", {{ fields.mrn ~ "k" }}: [{{ [fields.mrn] }}]}', "json"
    )


@any_text
@quickly
def test_json(site, json_template, value):
    text = rendered(json_template, site, value)
    if text is None:
        assert any(map(is_surrogate, value))
        return
    found = json.loads(text)
    key = value + "k"
    if key in ("v", "s"):
        return
    assert found == {"v": value, "s": f"a{value}b", key: [[value]]}
    text.encode()


@pytest.fixture(scope="module")
def xml_template(site):
    return site.compile(
        "<r a=\"{{ fields.mrn }}\" b='{{ fields.mrn }}'>{{ fields.mrn }}<c/>{{ fields.mrn }}</r>", "xml"
    )


@any_text
@quickly
def test_xml(site, xml_template, value):
    text = rendered(xml_template, site, value)
    if text is None:
        assert any(is_surrogate(c) or c in "\ufffe\uffff" or (is_control(c) and c not in "\t\r\n") for c in value)
        return
    root = ElementTree.fromstring(text.encode())
    assert [root.get("a"), root.get("b"), root.text or "", root[0].tail or ""] == [value] * 4


@pytest.fixture(scope="module")
def csv_template(site):
    return site.compile(
        'h,{{ fields.mrn }},"{{ fields.mrn }}","x{{ fields.mrn }}",{{ fields.mrn | unguarded }}\nz,1,2,3,4\n', "csv"
    )


@any_text
@quickly
def test_csv(site, csv_template, value):
    text = rendered(csv_template, site, value)
    if text is None:
        assert any(is_surrogate(c) or (is_control(c) and c not in "\t\r\n") for c in value)
        return
    first, second = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert second == ["z", "1", "2", "3", "4"]
    assert first[0] == "h"
    assert first[3:] == [f"x{value}", value]
    for cell in first[1:3]:
        assert cell in (value, f"'{value}")
        assert cell[:1] not in tuple("=@\t\r\n") or not cell
        assert cell[:1] not in ("+", "-") or cell[1:].replace(".", "", 1).isdecimal()


@pytest.fixture(scope="module")
def text_template(site):
    return site.compile("a{{ fields.mrn }}b\nc", "text")


@any_text
@quickly
def test_text(site, text_template, value):
    text = rendered(text_template, site, value)
    if text is None:
        assert is_ditto(value) or any(is_control(c) or is_surrogate(c) or c in BREAKS for c in value)
        return
    assert text.splitlines() == [f"a{value}b", "c"]


@pytest.fixture(scope="module")
def narrow_template(site):
    return site.compile("a{{ fields.mrn }}b", "text", "windows-1252")


@any_text
@quickly
def test_in_an_encoding_of_few_characters(site, narrow_template, value):
    try:
        text = narrow_template.render(site.names({"mrn": value}))
    except Problem as problem:
        event("refused")
        (violation,) = problem.violations
        assert violation.message.startswith("fields.mrn ")
        assert violation.rule == "character" or value.encode("windows-1252", "replace").decode("windows-1252") != value
    else:
        event("came back")
        assert text.encode("windows-1252").decode("windows-1252") == f"a{value}b"


HL7 = """MSH|^~\\&|{{ fields.mrn }}|B|C|D|20261123||ADT^A01^ADT_A01|1|P|2.5.1
PID|1||{{ fields.mrn }}^^^X~{{ fields.mrn }}||{{ fields.mrn }}&a^{{ fields.mrn }}
NTE|1||{{ fields.mrn }}|end
ZZZ|{{ fields.mrn | hl7_text }}
"""
LETTERS = {"F": "|", "S": "^", "R": "~", "T": "&", "E": "\\", ".br": "\n"}


@pytest.fixture(scope="module")
def hl7_template(site):
    return site.compile(HL7, "hl7")


def leaf(text: str) -> str:
    """Read a leaf back: the sequences between two escape characters stand for others (HL7 v2.5.1 §2.7)."""
    pieces = text.split("\\")
    assert len(pieces) % 2 == 1
    return "".join(LETTERS[piece] if index % 2 else piece for index, piece in enumerate(pieces))


def one_line(value: str, line_break: str) -> str:
    value = value.replace("\r\n", "\n").replace("\t", " ")
    return "".join(line_break if character in BREAKS else character for character in value)


@any_text
@quickly
def test_hl7(site, hl7_template, value):
    text = rendered(hl7_template, site, value)
    if text is None:
        assert is_ditto(value) or any(is_surrogate(c) or (is_control(c) and c not in BREAKS + "\t") for c in value)
        return
    assert text.endswith("\r")
    assert "\n" not in text
    segments = [segment.split("|") for segment in text[:-1].split("\r")]
    assert [segment[0] for segment in segments] == ["MSH", "PID", "NTE", "ZZZ"]
    flat, formatted = one_line(value, " "), one_line(value, "\n")
    assert leaf(segments[0][2]) == flat
    assert [[leaf(c) for c in each.split("^")] for each in segments[1][3].split("~")] == [[flat, "", "", "X"], [flat]]
    assert [[leaf(s) for s in each.split("&")] for each in segments[1][5].split("^")] == [[flat, "a"], [flat]]
    assert [leaf(segments[2][3]), segments[2][4]] == [formatted, "end"]
    assert leaf(segments[3][1]) == formatted


@any_text
@settings(quickly, max_examples=max(EXAMPLES // 4, 1))
def test_hl7_by_another_reader(site, hl7_template, value):
    text = rendered(hl7_template, site, value)
    if text is None:
        return
    message = parse_message(text, find_groups=False)
    assert [segment.name for segment in message.children] == ["MSH", "PID", "NTE", "ZZZ"]
    assert message.pid.pid_3[0].cx_4.value == "X"
    assert leaf(message.pid.pid_3[1].to_er7()).strip() == one_line(value, " ").strip()


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=10)


@pytest.fixture(scope="module")
def json_value_template(site):
    return site.compile("[{{ fields.mrn }}]", "json")


@given(VALUES)
@quickly
def test_any_json_value(site, json_value_template, value):
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, UnicodeEncodeError):
        with pytest.raises(Problem) as caught:
            json_value_template.render(site.names({"mrn": value}))
        assert caught.value.violations[0].message.startswith("fields.mrn ")
    else:
        text = json_value_template.render(site.names({"mrn": value}))
        assert json.loads(text, parse_constant=pytest.fail) == [value]
