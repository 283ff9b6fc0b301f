"""Patterns and the paths of keys: judged as the library judges them, in linear time and without all of Unicode."""

import re
from functools import cache

import pytest
from elementpath.regex import RegexError, UnicodeSubset, translate_pattern
from hypothesis import given, settings
from hypothesis import strategies as st
from xmlschema.validators.identities import XsdFieldSelector, XsdSelector

from receiver.schemas import xsd
from receiver.schemas.xml_text import parse
from tests.support.schema_folder import Schemas

PIECES = st.sampled_from((". / // @ | * : child:: attribute:: a b-1 é 名 1 [ " + "\n").split(" "))


@cache  # all of Unicode's letters take 0.1 s
def compiled(expression):
    """Return the expression that the library itself judges by."""
    return re.compile(translate_pattern(expression, back_references=False, lazy_quantifiers=False, anchors=False))


@pytest.mark.parametrize("selector", [XsdSelector, XsdFieldSelector])
@settings(deadline=None)  # compiling the expression with all letters takes 0.2 s
@given(path=st.lists(PIECES, max_size=8).map("".join))
def test_a_path_is_taken_exactly_where_the_library_takes_it(selector, path):
    judged = xsd.KeyPaths(selector._REGEXP).match(path)
    assert bool(judged) == bool(compiled(selector._REGEXP).match(path))


@pytest.mark.parametrize("selector", [XsdSelector, XsdFieldSelector])
def test_the_library_uses_it_once_an_xsd_is_compiled(selector):
    xsd.adapt()
    assert isinstance(selector.pattern, xsd.KeyPaths)
    assert selector.pattern.match(".//field")
    assert not selector.pattern.match("field[1]")


def test_no_name_that_a_document_holds_is_remembered(schemas: Schemas) -> None:
    schema = schemas.xsd('<xs:element name="doc"><xs:complexType><xs:sequence/></xs:complexType></xs:element>')

    def remembered() -> int:
        return sum(each.cache_info().currsize for each in schema._schema.maps.cache._caches.values())

    schema.violations(parse(b"<doc><first/></doc>"))
    before = remembered()
    for number in range(20):
        assert schema.violations(parse(f'<doc a{number}="1"><new{number}/></doc>'.encode()))
    assert remembered() == before


def test_a_path_in_ascii_needs_no_expression_with_all_letters(monkeypatch):
    monkeypatch.delattr(xsd, "translate_pattern")
    assert xsd.KeyPaths(XsdSelector._REGEXP).match(".//p:field-1/child::*|a_b")


def test_a_pattern_matches_the_whole_text_or_not():
    assert xsd.Linear("a|bc", "1.0").match("bc") is True
    for text in ("b", "bcd", "xbc", "a\n", "\na"):
        assert xsd.Linear("a|bc", "1.0").match(text) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("^a$", "^a$"), (r"\d\D", "1a"), (r"\w\W", "a."), (r"\s\S", "\ta"), (r"\\d", "\\d"), (r"\.\\", ".\\")],
)
def test_escapes_and_signs_mean_what_they_mean_in_xsd(pattern, text):
    assert xsd.Linear(pattern, "1.0").match(text)
    assert not xsd.Linear(pattern, "1.0").match("x" * len(text))


@pytest.mark.parametrize("pattern", [r"(a)\1", "a+?", "[a", "[a-b-c]"])
def test_what_is_no_pattern_of_xsd_is_refused(pattern):
    with pytest.raises(RegexError):
        xsd.Linear(pattern, "1.0")


def test_a_hyphen_may_stand_in_a_class_of_xsd_1_1():
    assert xsd.Linear("[a-b-c]", "1.1").match("-")  # XML Schema 1.1 Part 2, §G.4.2


def test_sets_of_characters_are_intersected():
    characters = UnicodeSubset("a-f")
    assert xsd._keep_common(characters, UnicodeSubset("d-z")) is characters
    assert characters == UnicodeSubset("d-f")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (r"(\w{1000}){1000}", "not a pattern, or one too large when its {n,m} are written out"),
        ("a{2,1}", "not a pattern"),
        ("[a", "unterminated"),
    ],
)
def test_a_pattern_that_is_refused_hides_no_other_fault(schemas: Schemas, pattern, message):
    faults = schemas.xsd_faults(
        f'<xs:simpleType name="t"><xs:restriction base="xs:string"><xs:pattern value="{pattern}"/></xs:restriction>'
        '</xs:simpleType>\n<xs:element name="a" type="t" default="x"/>\n<xs:element name="b" type="nope"/>'
    )
    assert any(message in fault.message and fault.line == 2 for fault in faults)
    assert any("nope" in fault.message and fault.line == 4 for fault in faults)
