"""A refusal by an XSD says what was expected, without the value and without names that the schema does not hold."""

from types import SimpleNamespace

import pytest
from xmlschema import validators

from receiver.schemas import xsd_explain
from receiver.schemas.xml_text import parse
from tests.support.schema_folder import XSD_1_1, Schemas

KNOWN = frozenset({"a", "b", "c"})


def error(reason: str | None = None, path: str | None = None, validator: object = None) -> SimpleNamespace:
    return SimpleNamespace(reason=reason, path=path, validator=validator)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/a/b[2]/c", "/a/b[2]/c"),
        ("/a/x[2]/@y", "/a/*[2]/@*"),
        ("/p:a/q:b[1]/@p:c", "/a/b[1]/@c"),
        ("/{urn:x}a/{urn:y/z}b", "/a/b"),
        ("/*/a", "/*/a"),
        ("/", "/"),
    ],
)
def test_a_path_has_no_prefixes_and_stars_for_unknown_names(path, written):
    assert xsd_explain.path_of(path, KNOWN) == written


@pytest.mark.parametrize(
    ("reason", "path", "place"),
    [
        (None, None, "/"),
        ("", "/a", "/a"),
        ("attribute b='1': too short", "/a", "/a/@b"),
        ("attribute b='1': too short", None, "//@b"),
        ("missing required attribute 'b'", "/a", "/a/@b"),
        ("missing required attribute 'x'", "/a", "/a/@*"),
        ("value attribute b=missing required attribute 'b'", "/a", "/a"),
        ("x", "/" + "a/" * 1000 + "a", "/" + "a/" * 999 + "a…"),
    ],
)
def test_a_place_is_that_of_the_attribute_if_it_is_one(reason, path, place):
    assert xsd_explain.place(error(reason, path), KNOWN) == place


@pytest.mark.parametrize(
    ("reason", "rule", "message"),
    [
        ("missing required attribute 'b'", "required", 'the attribute "b" is missing'),
        ("'b' not allowed for element", "attribute", 'the attribute "b" is not allowed here'),
        ("attribute '{urn:x}c' not found", "attribute", 'the attribute "c" is not allowed here'),
        ("'x' attribute not allowed for element", "attribute", "an attribute that the schema does not know"),
        ("must have the fixed value 'x'", "fixed", "must have the value that the schema fixes"),
        ("xsi:nil attribute must have a boolean value", "nillable", "xsi:nil is not used as the schema allows"),
        ("duplicated value ('x',)", "unique", "comes twice, where the schema wants it to be unique"),
        ("missing key field 'b'", "key", "a part of the key is missing"),
        ("IDREF 'x' not found in XML document", "IDREF", "an IDREF names no ID of the document"),
        ("what is told: duplicated value", "type", "must be of its type"),
        ("told: missing required attribute 'b'", "type", "must be of its type"),
        ("told: 'b' not allowed for element", "type", "must be of its type"),
        (None, "type", "must be of its type"),
    ],
)
def test_a_reason_is_told_by_how_it_begins(reason, rule, message):
    found = xsd_explain.rule_and_message(error(reason), KNOWN)
    assert found[0] == rule
    assert found[1].startswith(message)


def test_a_type_that_a_function_checks_is_told_by_its_name():
    def non_negative_int_validator() -> None: ...

    assert xsd_explain.rule_and_message(error("x", validator=non_negative_int_validator), KNOWN) == (
        "type",
        "must be of type non negative int",
    )


@pytest.mark.parametrize(
    ("type_", "content", "message"),
    [
        ("xs:int", "x", "must be of type int"),
        ("list", "1 x", "must be of type int"),
        ("union", "x", "must be of type union"),
        ("derived", "x", "must be of type int"),
    ],
)
def test_a_type_is_told_by_its_name(schemas: Schemas, type_, content, message):
    schema = schemas.xsd(
        f'<xs:element name="a" type="{type_}"/>'
        '<xs:simpleType name="list"><xs:list itemType="xs:int"/></xs:simpleType>'
        '<xs:simpleType name="union"><xs:union memberTypes="xs:int xs:date"/></xs:simpleType>'
        '<xs:simpleType name="derived"><xs:restriction base="xs:int"/></xs:simpleType>'
    )
    (found,) = schema.violations(parse(f"<a>{content}</a>".encode()))
    assert (found.rule, found.message) == ("type", message)


NAMED, NAMELESS = SimpleNamespace(local_name="t"), SimpleNamespace(local_name=None)


@pytest.mark.parametrize(
    ("name", "attributes", "told"),
    [
        ("u", {"member_types": [NAMED], "primitive_type": NAMED}, "u"),
        (None, {"member_types": [NAMED, NAMELESS, NAMED]}, "t or t"),
        (None, {"member_types": [], "primitive_type": NAMED}, "t"),
        (None, {"primitive_type": NAMELESS}, "that the schema gives it"),
        (None, {}, "that the schema gives it"),
    ],
)
def test_a_type_without_a_name_is_told_by_what_it_is_made_of(name, attributes, told):
    assert xsd_explain._type(SimpleNamespace(local_name=name, **attributes)) == told


COMPLEX = '<xs:element name="a"><xs:complexType><xs:sequence>{}</xs:sequence></xs:complexType></xs:element>'


@pytest.mark.parametrize(
    ("body", "content", "rule", "message"),
    [
        (COMPLEX.format('<xs:element name="b"/>'), "<a>x<b/></a>", "content", "text is not allowed between"),
        (COMPLEX.format('<xs:element name="b"/>'), "<a><b/><b/></a>", "content", 'the element "b" is not allowed here'),
        (COMPLEX.format('<xs:any namespace="urn:x"/>'), "<a/>", "content", "the content is not complete"),
        (
            COMPLEX.format('<xs:element ref="b"/>')
            + '<xs:element name="b" abstract="true"/><xs:element name="c" substitutionGroup="b"/>',
            "<a><b/></a>",
            "abstract",
            "must be one of the elements that stand for this abstract one",
        ),
        (
            '<xs:element name="a" type="xs:string"/>',
            "<a xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'/>",
            "nillable",
            "xsi:nil is not allowed here",
        ),
        (
            (
                '<xs:element name="a"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value="x"/>'
                '<xs:enumeration value="y"/></xs:restriction></xs:simpleType></xs:element>'
            ),
            "<a>z</a>",
            "enumeration",
            "must be one of x, y",
        ),
        (
            '<xs:element name="a"><xs:simpleType><xs:restriction base="xs:string">'
            + "".join(f'<xs:enumeration value="{"x" * 60}{n}"/>' for n in range(10, 20))
            + "</xs:restriction></xs:simpleType></xs:element>",
            "<a>z</a>",
            "enumeration",
            "must be one of " + ", ".join("x" * 60 + str(n) for n in range(10, 20))[:500] + "…",
        ),
    ],
)
def test_a_refusal_says_what_was_expected(schemas: Schemas, body, content, rule, message):
    found = schemas.xsd(body).violations(parse(content.encode()))
    assert (found[0].rule, found[0].message[: len(message)]) == (rule, message)


IDS = """<xs:element name="a"><xs:complexType><xs:sequence><xs:element name="b" maxOccurs="2"><xs:complexType>
  <xs:attribute name="i" type="{}"/><xs:attribute name="r" type="xs:IDREF"/>
</xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
<xs:simpleType name="id"><xs:restriction base="xs:ID"/></xs:simpleType>"""


@pytest.mark.parametrize("type_", ["xs:ID", "id"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<b i='x'/><b i='x'/>", ("/a/b[2]/@i", "ID", "the ID comes twice in the document")),
        ("<b i='x'/><b r='y'/>", ("/a", "IDREF", "an IDREF names no ID of the document")),
        ("<b i='1'/>", ("/a/b/@i", "pattern", r"must match [\i-[:]][\c-[:]]*")),
    ],
)
def test_ids_are_told_as_what_they_are(schemas: Schemas, type_, content, told):
    found = schemas.xsd(IDS.format(type_)).violations(parse(f"<a>{content}</a>".encode()))
    assert {(each.where, each.rule, each.message) for each in found} == {told}


def test_a_time_zone_that_must_be_there_is_told(schemas: Schemas):
    schema = schemas.xsd(
        '<xs:element name="a"><xs:simpleType><xs:restriction base="xs:date"><xs:explicitTimezone value="required"/>'
        "</xs:restriction></xs:simpleType></xs:element>",
        XSD_1_1,
    )
    assert [each.message for each in schema.violations(parse(b"<a>2026-01-02</a>"))] == ["a time zone is required"]


def test_what_nothing_else_explains_is_not_as_the_schema_describes_it(schemas: Schemas):
    component = schemas.xsd('<xs:element name="a"/>')._schema.elements["a"]
    assert isinstance(component, validators.XsdComponent)
    assert xsd_explain.rule_and_message(error("x", validator=component), KNOWN) == (
        "schema",
        "is not as the schema describes it here",
    )
