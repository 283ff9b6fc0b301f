"""Whatever a library raises on a schema is a fault with its line, and no schema takes minutes."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from receiver.core import faults
from receiver.core.faults import ConfigurationError, Fault
from receiver.schemas import folder
from receiver.schemas.json_check import MOST_JUDGEMENTS as MOST
from receiver.schemas.xml_text import parse
from tests.support.schema_folder import XSD_1_1, Schemas


def told(schemas: Schemas, name: str) -> tuple[Fault, ...]:
    """Return the faults of a schema as the service compiles it."""
    ready = folder.Schemas(schemas.folder, schemas.site)
    with pytest.raises(ConfigurationError) as caught:
        ready.xml(name) if name.endswith(".xsd") else ready.json(name)
    return caught.value.faults


def element(content: str) -> str:
    return f'<xs:element name="a">\n{content}\n</xs:element>'


def restricted(base: str, facet: str) -> str:
    return element(f'<xs:simpleType>\n<xs:restriction base="{base}">\n{facet}\n</xs:restriction>\n</xs:simpleType>')


def unique(selector: str) -> str:
    return element(
        f'<xs:complexType/><xs:unique name="u">\n<xs:selector xpath="{selector}"/><xs:field xpath="."/></xs:unique>'
    )


XS = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'

# What is wrong, and the line it stands in. Beside ours: issues of sissaschool/xmlschema where such a schema ended in
# a traceback or never ended.
XSDS = {
    "a path of a key that leads nowhere": (unique("/"), 3),
    "an empty simple type": (element("<xs:simpleType/>"), 3),
    "an empty restriction": (element("<xs:simpleType><xs:restriction/></xs:simpleType>"), 3),
    "an empty list": (element("<xs:simpleType><xs:list/></xs:simpleType>"), 3),
    "an empty union": (element("<xs:simpleType><xs:union/></xs:simpleType>"), 3),
    "empty complex content": (element("<xs:complexType>\n<xs:complexContent/>\n</xs:complexType>"), 4),
    "a year that nobody can calculate with": (restricted("xs:date", '<xs:minInclusive value="999999999999-01-01"/>'), 5),  # noqa: E501
    "a duration that nobody can calculate with": (restricted("xs:duration", '<xs:minInclusive value="P9999999999999Y"/>'), 5),  # noqa: E501
    "a group with a name where a reference was meant": (element('<xs:complexType><xs:group name="x"/></xs:complexType>'), 3),  # noqa: E501
    "a redefinition of nothing": ("<xs:redefine/>", 2),
    "a redefinition of itself (issues 88 and 99)": ('<xs:redefine schemaLocation="main.xsd"/>', 2),
    "a group of itself (issue 58)": ('<xs:group name="g"><xs:sequence>\n<xs:group ref="g" minOccurs="0"/></xs:sequence></xs:group>', 2),  # noqa: E501
    "a type of itself": ('<xs:complexType name="t"><xs:complexContent><xs:extension base="t"/></xs:complexContent></xs:complexType>', 2),  # noqa: E501
    "a union of itself": ('<xs:simpleType name="t"><xs:union memberTypes="t xs:int"/></xs:simpleType>', 2),
    "heads of each other": ('<xs:element name="a" substitutionGroup="b"/>\n<xs:element name="b" substitutionGroup="a"/>', 3),  # noqa: E501
    "facets that no union has": (restricted("u", '<xs:minInclusive value="3"/>') + '<xs:simpleType name="u"><xs:union memberTypes="xs:int xs:date"/></xs:simpleType>', 4),  # noqa: E501
    "particles that cannot be told apart": (
        element('<xs:complexType><xs:sequence>\n<xs:element name="b" minOccurs="0"/>\n<xs:element name="b"/></xs:sequence></xs:complexType>'),  # noqa: E501
        3,
    ),
    "a wildcard of no namespace": (element('<xs:complexType><xs:sequence>\n<xs:any namespace="##some"/></xs:sequence></xs:complexType>'), 4),  # noqa: E501
    "a bound of 5,000 digits": (element(f'<xs:complexType><xs:sequence>\n<xs:element name="b" maxOccurs="{"9" * 5000}"/></xs:sequence></xs:complexType>'), 4),  # noqa: E501
    "a chain of 900 types": (
        "".join(f'<xs:simpleType name="t{i}"><xs:restriction base="t{i + 1}"/></xs:simpleType>\n' for i in range(900))
        + '<xs:simpleType name="t900"><xs:restriction base="xs:int"/></xs:simpleType><xs:element name="a" type="t0"/>',
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "line"), XSDS.values(), ids=XSDS)
def test_whatever_is_raised_on_an_xsd_is_a_fault_with_its_line(schemas: Schemas, body: str, line: int | None) -> None:
    schemas.write("main.xsd", f"{XS}\n{body}\n</xs:schema>")
    faults = told(schemas, "main.xsd")
    assert {fault.file for fault in faults} == {"schemas/main.xsd"}
    assert line is None or line in {fault.line for fault in faults}


def test_a_fault_of_an_included_file_is_told_there(schemas: Schemas) -> None:
    schemas.write(
        "main.xsd",
        f'{XS}<xs:include schemaLocation="b.xsd"/></xs:schema>',
    )
    schemas.write("b.xsd", f"{XS}\n\n{unique('/')}</xs:schema>")
    assert [(fault.file, fault.line) for fault in told(schemas, "main.xsd")] == [("schemas/b.xsd", 4)]


VERSIONED = """<xs:element name="a"><xs:complexType><xs:sequence>
  <xs:element name="b" type="xs:int"/>
  <xs:element name="c" vc:minVersion="{}"><xs:simpleType><xs:restriction base="xs:string"/></xs:simpleType></xs:element>
  <xs:element name="d" type="xs:date"/>
</xs:sequence></xs:complexType></xs:element>"""
VC = 'xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning"'


def test_what_is_meant_for_another_version_of_xsd_is_left_out(schemas: Schemas) -> None:
    schema = schemas.xsd(VERSIONED.format("1.1"), VC)
    assert schema.violations(parse(b"<a><b>1</b><d>2026-01-02</d></a>")) == ()
    (violation,) = schema.violations(parse(b"<a><b>1</b><d>x</d></a>"))
    assert (violation.where, violation.rule) == ("/a/d", "type")
    (fault,) = schemas.xsd_faults(VERSIONED.format("1.1").replace("xs:date", "xs:day"), VC)
    assert fault.line == 5
    both = schemas.xsd(VERSIONED.format("1.1"), XSD_1_1)
    assert both.violations(parse(b"<a><b>1</b><c>x</c><d>2026-01-02</d></a>")) == ()


@pytest.mark.parametrize(
    "pattern",
    [
        r"m[\w-[^aeiou]][\w-[^aeiou]]t",
        r"[\w-[^\d]]" * 8,
        r"[\w-[^aeiou-[e]]]+",
        r"[\p{L}-[^\p{Lu}]]*",
        r"[\c-[^\P{Lu}]]",
    ],
)
def test_a_pattern_that_subtracts_classes_compiles_at_once(schemas: Schemas, pattern: str) -> None:
    started = time.process_time()
    schemas.xsd(restricted("xs:string", f'<xs:pattern value="{pattern}"/>'))
    assert time.process_time() - started < 1  # character by character it took the library seconds


def test_what_remains_of_a_class_is_what_both_hold(schemas: Schemas) -> None:
    schema = schemas.xsd(restricted("xs:string", r'<xs:pattern value="m[\w-[^aeiou]][\w-[^aeiou]]t"/>'))
    assert schema.violations(parse(b"<a>meat</a>")) == ()
    assert [each.rule for each in schema.violations(parse(b"<a>mint</a>"))] == ["pattern"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # within gc's callbacks: raised again
def test_a_schema_that_takes_too_long_is_a_fault(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "READING_SECONDS", 0.2)
    choices = "".join(f'<xs:element name="v{number}"/>' for number in range(3000))
    body = element(f'<xs:complexType><xs:choice maxOccurs="100000">\n{choices}</xs:choice></xs:complexType>')
    schemas.write("main.xsd", f"{XS}\n{body}\n</xs:schema>")
    assert [(fault.file, fault.code) for fault in told(schemas, "main.xsd")] == [("schemas/main.xsd", "too-costly")]


def test_what_a_library_catches_ends_in_time_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "READING_SECONDS", 0.05)
    monkeypatch.setattr(faults, "REPEATED_SECONDS", 0.05)
    with pytest.raises(ConfigurationError), faults.reading("schemas/main.xsd"):  # noqa: PT012
        try:
            while True:
                pass
        except BaseException:  # noqa: BLE001 (as a library does that swallows everything)
            while True:
                pass


def test_a_library_that_panics_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        pass

    with (
        pytest.raises(ConfigurationError, match=r"^a.json:1:1: unreadable-content .* \(Panic\)$"),
        faults.reading("a.json"),
    ):
        raise Panic("Zebra-7731-Quagga")


def groups(levels: int) -> str:
    each = '<xs:group name="g{0}"><xs:sequence><xs:group ref="g{1}"/><xs:group ref="g{1}"/></xs:sequence></xs:group>\n'
    last = f'<xs:group name="g{levels}"><xs:sequence><xs:element name="b" minOccurs="0"/></xs:sequence></xs:group>\n'
    content = '<xs:complexType><xs:group ref="g0"/></xs:complexType>'
    return "".join(each.format(n, n + 1) for n in range(levels)) + last + element(content)


def unions(levels: int) -> str:
    each = '<xs:simpleType name="t{0}"><xs:union memberTypes="t{1} t{1}"/></xs:simpleType>\n'
    last = f'<xs:simpleType name="t{levels}"><xs:restriction base="xs:int"/></xs:simpleType>\n'
    return "".join(each.format(n, n + 1) for n in range(levels)) + last + '<xs:element name="a" type="t0"/>'


@pytest.mark.parametrize("body", [groups, unions])
def test_references_of_an_xsd_that_multiply_are_a_fault(schemas: Schemas, body: Callable[[int], str]) -> None:
    """Compiled in milliseconds, such a schema judged an empty element for minutes."""
    schemas.xsd(body(8)).violations(parse(b"<a>1</a>"))
    (fault,) = schemas.xsd_faults(body(20))
    assert (fault.file, fault.line, fault.code) == ("schemas/main.xsd", 2, "too-costly")


# JSON ---------------------------------------------------------------------------------------------------------------


def doubling(levels: int, keyword: str) -> Any:
    definitions = {f"d{n}": {keyword: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": definitions | {f"d{levels}": {"minProperties": 5}}}


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_references_that_multiply_are_a_fault(schemas: Schemas, keyword: str) -> None:
    schemas.write("main.json", doubling(20, keyword))
    (fault,) = told(schemas, "main.json")
    assert (fault.code, fault.line) == ("too-costly", 1)
    assert f"{2**22 - 2:,} times" in fault.message
    below = {"properties": {"a": doubling(20, keyword) | {"$id": "urn:below"}}}
    schemas.write("main.json", json.dumps(below).replace('"a": {', '\n"a": {'))
    assert [(fault.code, fault.line) for fault in told(schemas, "main.json")] == [("too-costly", 2)]


@pytest.mark.parametrize(
    "content",
    [
        doubling(11, "allOf"),
        {"$ref": "#"},
        {"anyOf": [{"type": "string"}, {"$ref": "#"}]},
        {
            "properties": {"a": {"$ref": "#"}},
            "items": {"$ref": "#"},
            "not": {"$ref": "#/$defs/b"},
            "$defs": {"b": False},
        },
        {"dependencies": {"a": ["b"], "c": {"$ref": "#"}}, "$schema": "http://json-schema.org/draft-07/schema#"},
    ],
)
def test_references_that_do_not_multiply_are_fine(schemas: Schemas, content: Any) -> None:
    assert MOST > 2**13 - 2
    schemas.json(content).violations({"a": [{}]})


# python-jsonschema/referencing raises ValueError for each of these, not the exception that it documents.
@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ({"$id": "http://["}, "invalid-schema", 2),
        ({"$defs": {"a": {"$id": "http://[::"}}}, "invalid-schema", 4),
        ({"$ref": "http://["}, "unresolved-reference", 2),
        ({"$ref": "#/type/x", "type": "object"}, "unresolved-reference", 2),
        ({"$ref": "#/$defs/a/allOf/x", "$defs": {"a": {"allOf": [{}]}}}, "unresolved-reference", 2),
    ],
)
def test_what_is_no_uri_is_a_fault_with_its_line(schemas: Schemas, content: Any, code: str, line: int) -> None:
    schemas.write("main.json", content)
    assert [(fault.code, fault.line) for fault in told(schemas, "main.json")] == [(code, line)]
