"""Text keeps to its line; paths keep to their folder."""

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.faults import ConfigurationError
from receiver.core.problems import Problem
from receiver.templates import Templates
from receiver.templates.templates import Dialect
from tests.support.mapped import FIELDS, Mapped


@pytest.mark.parametrize("character", ["\n", "\r", "\x85", "\u2028", "\t", "\0", "\x1b", "\ud800"])
def test_a_line_break_or_control_character_in_text_is_refused(mapped, character):
    violation = mapped.violation("a\n{{ fields.mrn }}", "text", mrn=f"secret{character}")
    assert (violation.schema or "").endswith("record.text.j2:2")
    assert violation.message.startswith("fields.mrn contains ")
    assert "secret" not in violation.message


@pytest.mark.parametrize("value", ["a|b", "^", "x^|y"])
def test_a_character_that_the_record_forbids_is_refused(mapped, value):
    dialect = Dialect(forbid="|^")
    with pytest.raises(Problem) as raised:
        mapped.render("{{ fields.mrn }}|x", dialect=dialect, mrn=value)
    assert "forbids" in raised.value.violations[0].message
    assert value not in str(raised.value.violations)
    assert mapped.render("{{ fields.mrn }}|x", dialect=dialect, mrn="a&b") == "a&b|x"


def test_text_is_otherwise_left_alone(mapped):
    assert mapped.render("<{{ fields.mrn }}>\n", "text", mrn="|&<\"'é\xa0\U0001f600") == "<|&<\"'é\xa0\U0001f600>\n"


def test_a_path_of_an_id_and_a_suffix(mapped):
    assert mapped.path("{{ delivery.id }}{{ document.suffix }}") == "AAAABBBBCCCCDDDDEEEE.pdf"
    assert mapped.path("{{ delivery.received_at.year }}/{{ fields.mrn }}.hl7") == "2026/007.hl7"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "_"),
        ("/abs", "_abs"),
        ("C:\\x", "C__x"),
        (".hidden", "hidden"),
        (" x ", "x"),
        ("x.", "x"),
        ("", "_"),
        ("a\0b\nc", "a_b_c"),
        ("a\u202eb\u200bc", "abc"),
        ("NUL", "_NUL"),
        ("con.txt", "_con.txt"),
        ("e\u0301", "é"),
        ('a<b>:"|?*', "a_b______"),
        ("\ud800", "_"),
        (None, "_"),
    ],
)
def test_a_value_becomes_a_safe_name(mapped, value, name):
    assert mapped.path("{{ fields.mrn }}", mrn=value) == name


def test_a_long_value_is_cut_between_characters(mapped):
    name = mapped.path("{{ fields.mrn }}{{ document.suffix }}", mrn="é" * 5000)
    assert name == "é" * 60 + ".pdf"


def test_a_name_that_is_too_long_as_a_whole_is_refused(mapped):
    with pytest.raises(Problem) as caught:
        mapped.path("{{ fields.mrn }}" * 3, mrn="x" * 500)
    assert "250 bytes" in caught.value.violations[0].message


def test_a_name_may_have_250_bytes_and_a_path_1024_however_few_characters_that_are(mapped):
    name = "{{ fields.mrn }}{{ fields.mrn }}{{ fields.end }}"
    assert mapped.path(name, mrn="é" * 60, end="é" * 5) == "é" * 125
    with pytest.raises(Problem) as caught:
        mapped.path(name, mrn="é" * 60, end="é" * 5 + "x")
    assert "250 bytes" in caught.value.violations[0].message
    names = "/".join([name] * 4 + ["{{ fields.last }}"])
    assert len(mapped.path(names, mrn="é" * 60, end="é" * 5, last="é" * 10).encode()) == 1024
    with pytest.raises(Problem) as caught:
        mapped.path(names, mrn="é" * 60, end="é" * 5, last="é" * 10 + "x")
    assert "1,024 bytes" in caught.value.violations[0].message


def test_a_path_that_is_too_deep_is_refused(mapped):
    with pytest.raises(Problem) as caught:
        mapped.path("/".join(["{{ fields.mrn }}"] * 10), mrn="x" * 120)
    assert "1,024 bytes" in caught.value.violations[0].message


@given(st.text(), st.text())
def test_no_value_leaves_its_folder(tmp_path_factory, first, second):
    mapped = compiled_once(tmp_path_factory)
    path = mapped.render({"fields": FIELDS | {"a": first, "b": second}})
    assert path.count("/") == 1
    for name in path.split("/"):
        assert name == unicodedata.normalize("NFC", name)
        assert name not in ("", ".", "..")
        assert name[0] not in ". "
        assert name[-1] not in ". "
        assert name.isprintable() or any(unicodedata.category(c) == "Cn" for c in name)
        assert len(name.encode()) <= 250
        assert not PureWindowsPath(name).is_reserved()
        assert PurePosixPath(name).name == PureWindowsPath(name).name == name


COMPILED: list = []


def compiled_once(tmp_path_factory):
    if not COMPILED:
        mapped = Mapped(tmp_path_factory.mktemp("site"))
        pattern = "{{ fields.a }}/{{ fields.a }}{{ fields.b }}"
        COMPILED.append(Templates(mapped.folder, mapped.site).path(pattern, "process.toml", 1, 1))
    return COMPILED[0]


@pytest.mark.parametrize(
    "pattern", ["/abs", "../x", ".x", "a\\b", "a:b", "a//b", "a/", "{{ nothing }}", "{{ fields.mrn"]
)
def test_a_pattern_that_leads_elsewhere_is_refused_at_its_place(mapped, pattern):
    with pytest.raises((ConfigurationError, Problem)) as caught:
        Templates(mapped.folder, mapped.site).path(pattern, "process.toml", 12, 20).render(mapped.names())
    if isinstance(caught.value, ConfigurationError):
        assert caught.value.faults[0].line == 12
        assert caught.value.faults[0].column >= 20


def test_conditions_hold_or_do_not(mapped):
    assert mapped.holds("fields.mrn is defined and fields.pages > 1")
    assert not mapped.holds('fields.nothing is defined or fields.mrn == "1"')
    assert not mapped.holds("fields.middle_name")


def test_a_condition_that_fails_names_its_line_and_field(mapped):
    with pytest.raises(Problem) as caught:
        mapped.holds('fields.mnr == "1"')
    assert caught.value.violations[0].where == "process.toml:7"
    assert 'did you mean "mrn"?' in caught.value.violations[0].message


@pytest.mark.parametrize(("condition", "column"), [("fields.mrn is", 9), ("a b", 11), ("fields.mrn | nosuch", 22)])
def test_a_condition_that_cannot_be_compiled_is_a_fault_at_its_place(mapped, condition, column):
    with pytest.raises(ConfigurationError) as caught:
        mapped.holds(condition)
    assert caught.value.faults[0].line == 7
    assert caught.value.faults[0].column >= column
