"""XSDs judge and explain; what is wrong with one is found when it is compiled."""

import re
import socket
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from elementpath import ElementPathError
from elementpath.regex import translate_pattern
from hypothesis import given, settings
from hypothesis import strategies as st
from xmlschema import XMLSchemaException, XMLSchemaParseError

from receiver.core.faults import ConfigurationError
from receiver.schemas import xsd
from receiver.schemas.xml_text import parse, places
from receiver.schemas.xsd import MAX_VIOLATIONS, Linear, XmlSchema
from receiver.schemas.xsd_files import Files
from tests.support.schema_folder import XS, XSD_1_1, Schemas

ROOT = Path(__file__).parents[2]
SECRET = "Zebra-7731-Quagga"
FIELDS = "<document><sourceId>1</sourceId><fields>{}</fields></document>"


@pytest.fixture(scope="module")
def nextstep() -> XmlSchema:
    return xsd.compile(ROOT / "schemas/nextstep-metadata.xsd", ROOT / "schemas", ROOT)


def named(name: str, facets: str, base: str = "xs:string") -> str:
    return f'<xs:simpleType name="{name}"><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>'


def simple(facets: str, base: str = "xs:string") -> str:
    restriction = f'<xs:restriction base="{base}">{facets}</xs:restriction>'
    return f'<xs:element name="a"><xs:simpleType>{restriction}</xs:simpleType></xs:element>'


@pytest.mark.parametrize(
    ("content", "where", "rule", "message"),
    [
        ("<x/>", "/*", "root", "the document element must be document"),
        ("<document/>", "/document", "content", 'the content is not complete; expected "sourceId"'),
        (
            "<document><sourceId>1</sourceId><fields/><more/></document>",
            "/document",
            "content",
            "an element that the schema does not know is not allowed here",
        ),
        (
            f"<document><sourceId>1</sourceId><fields><field>{SECRET}</field></fields></document>",
            "/document/fields/field/@name",
            "required",
            'the attribute "name" is missing',
        ),
        (
            f"<document><sourceId>1</sourceId><fields>{SECRET}</fields></document>",
            "/document/fields",
            "content",
            "text is not allowed between the elements",
        ),
        (
            FIELDS.format(f"<field name='a'/><field name='b' confidence='{SECRET}'/>"),
            "/document/fields/field[2]/@confidence",
            "type",
            "must be of type decimal",
        ),
        (
            "<document><sourceId>1</sourceId><fields><field name='b' confidence='7'/></fields></document>",
            "/document/fields/field/@confidence",
            "maxInclusive",
            "must be at most 1",
        ),
        (
            "<document><sourceId> </sourceId><fields/></document>",
            "/document/sourceId",
            "minLength",
            "must have a length of at least 1",
        ),
    ],
)
def test_a_violation_says_what_was_expected(
    nextstep: XmlSchema, content: str, where: str, rule: str, message: str
) -> None:
    (violation,) = nextstep.violations(parse(content.encode()))
    assert (violation.where, violation.rule, violation.message) == (where, rule, message)
    assert SECRET not in repr(violation)


UNIQUE = """<xs:element name="a">
  <xs:complexType><xs:sequence><xs:element name="b" maxOccurs="9" type="xs:string"/></xs:sequence></xs:complexType>
  <xs:unique name="u"><xs:selector xpath="b"/><xs:field xpath="."/></xs:unique>
</xs:element>"""


@pytest.mark.parametrize(
    ("body", "content", "rule", "message"),
    [
        (simple(r'<xs:pattern value="\d{6}[A-Z]"/>'), f"<a>{SECRET}</a>", "pattern", r"must match \d{6}[A-Z]"),
        (
            simple('<xs:enumeration value="M"/><xs:enumeration value="F"/>'),
            f"<a>{SECRET}</a>",
            "enumeration",
            "must be one of M, F",
        ),
        (simple('<xs:maxLength value="3"/>'), f"<a>{SECRET}</a>", "maxLength", "must have a length of at most 3"),
        (simple('<xs:length value="3"/>'), f"<a>{SECRET}</a>", "length", "must have a length of exactly 3"),
        (simple('<xs:minExclusive value="3"/>', "xs:int"), "<a>3</a>", "minExclusive", "must be more than 3"),
        (
            simple('<xs:totalDigits value="3"/>', "xs:decimal"),
            "<a>12345</a>",
            "totalDigits",
            "must have at most 3 digits",
        ),
        (simple("", "xs:date"), f"<a>{SECRET}</a>", "type", "must be of type date"),
        ('<xs:element name="a" type="xs:positiveInteger"/>', "<a>0</a>", "type", "must be of type positive int"),
        (
            '<xs:element name="a" fixed="x" type="xs:string"/>',
            f"<a>{SECRET}</a>",
            "fixed",
            "must have the value that the schema fixes",
        ),
        (
            '<xs:element name="a"><xs:complexType/></xs:element>',
            f"<a b='{SECRET}'/>",
            "attribute",
            "an attribute that the schema does not know is not allowed here",
        ),
        (
            '<xs:element name="a"><xs:simpleType><xs:union memberTypes="xs:int xs:date"/></xs:simpleType></xs:element>',
            f"<a>{SECRET}</a>",
            "type",
            "must be of type int or date",
        ),
        (
            UNIQUE,
            f"<a><b>{SECRET}</b><b>{SECRET}</b></a>",
            "unique",
            "comes twice, where the schema wants it to be unique",
        ),
    ],
    ids=lambda value: value[:30],
)
def test_every_facet_is_told_from_the_schemas_side(
    schemas: Schemas, body: str, content: str, rule: str, message: str
) -> None:
    violations = schemas.xsd(body).violations(parse(content.encode()))
    assert [(each.rule, each.message) for each in violations] == [(rule, message)]
    assert SECRET not in repr(violations)


def test_a_violation_points_at_the_line_of_its_rule(schemas: Schemas) -> None:
    schema = schemas.xsd(
        '<xs:include schemaLocation="other.xsd"/>\n<xs:element name="a" type="t"/>',
        other=named("t", '\n<xs:pattern value="x"/>'),
    )
    assert [each.schema for each in schema.violations(parse(b"<a>y</a>"))] == ["other.xsd:3"]


def test_what_satisfies_the_schema_has_no_violations(nextstep: XmlSchema) -> None:
    content = b"<document><sourceId>1</sourceId><fields><field name='a' lang='en'>x</field></fields></document>"
    assert nextstep.violations(parse(content)) == ()


def test_no_more_than_a_hundred_violations_are_told_in_time(nextstep: XmlSchema) -> None:
    fields = b"<field name='' confidence='2'/>" * 1600
    document = parse(b"<document><sourceId>1</sourceId><fields>" + fields + b"</fields></document>")
    start = time.process_time()
    assert len(nextstep.violations(document)) == MAX_VIOLATIONS + 1
    assert time.process_time() - start < 1


def test_schema_locations_in_a_document_are_ignored(nextstep: XmlSchema) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.xsd"
        content = (
            f'<document xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x {url}"'
            f' xsi:noNamespaceSchemaLocation="{url}"><sourceId>1</sourceId><fields/></document>'
        )
        assert nextstep.violations(parse(content.encode())) == ()
        with pytest.raises(TimeoutError):
            server.accept()


def test_what_the_libraries_cannot_calculate_is_refused(schemas: Schemas, nextstep: XmlSchema) -> None:
    year = schemas.xsd('<xs:element name="a" type="xs:gYear"/>')
    assert [each.rule for each in year.violations(parse(b"<a>999999999999</a>"))] == ["schema"]
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    content = f"<document {xsi}><sourceId xsi:type='{SECRET}'>1</sourceId><fields/></document>"
    assert SECRET not in repr(nextstep.violations(parse(content.encode())))


# what a schema knows ----------------------------------------------------------------------------------------------


def test_a_schema_knows_its_files(schemas: Schemas) -> None:
    schemas.write("sub/other.xsd", f"<xs:schema {XS}/>")
    schema = schemas.xsd('<xs:include schemaLocation="sub/other.xsd"/>')
    assert (schema.file, schema.files) == ("main.xsd", {"main.xsd", "sub/other.xsd"})
    path = schemas.write("a:b.xsd", f"<xs:schema {XS}/>")
    assert xsd.compile(path, schemas.folder, schemas.site).files == {"a:b.xsd"}


def test_a_schema_knows_names_that_are_declared_or_referred_to(schemas: Schemas) -> None:
    schema = schemas.xsd(
        '<xs:element name="a"><xs:complexType><xs:sequence><xs:element ref="t:b"/></xs:sequence>'
        '<xs:attribute name="c"/></xs:complexType></xs:element><xs:element name="b"/>',
        'xmlns:t="urn:t" targetNamespace="urn:t"',
    )
    assert schema.known == {"a", "b", "c"}


def test_a_schema_in_a_site_behind_a_link_is_compiled(schemas: Schemas, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(schemas.site)
    schemas.write("other.xsd", f"<xs:schema {XS}><xs:element name='a' type='xs:int'/></xs:schema>")
    path = schemas.write("main.xsd", f"<xs:schema {XS}><xs:include schemaLocation='other.xsd'/></xs:schema>")
    site = tmp_path / "link"
    schema = xsd.compile(site / "schemas" / path.name, site / "schemas", site)
    assert [each.schema for each in schema.violations(parse(b"<a>x</a>"))] == ["main.xsd"]
    assert schema.files == {"main.xsd", "other.xsd"}


LINES = """<xs:element name="a"><xs:complexType><xs:sequence>
  <xs:element name="b" type="xs:int" maxOccurs="2"/>
</xs:sequence></xs:complexType></xs:element>"""


def test_a_violation_is_told_with_the_line_of_its_element(schemas: Schemas) -> None:
    schema = schemas.xsd(LINES)
    content = b"<a>\n<b>x</b>\n<b>1</b>\n<x/></a>"
    found = schema.violations(parse(content), "form ", lambda: places(content))
    assert [each.where for each in found] == ["form line 2, /a/b[1]", "form line 4, /a"]
    assert [each.where for each in schema.violations(parse(content))] == ["/a/b[1]", "/a"]
    assert [each.schema for each in found] == ["main.xsd", "main.xsd:2"]


def test_places_are_asked_for_only_where_something_is_wrong(schemas: Schemas) -> None:
    schema = schemas.xsd(LINES.replace("xs:sequence", "xs:all").replace('"2"', '"1"'))  # not judged without xmlschema
    assert schema.violations(parse(b"<a><b>1</b></a>"), "", lambda: pytest.fail("nothing is wrong")) == ()
    with pytest.raises(ValueError, match="shorter"):
        schema.violations(parse(b"<a><b>x</b></a>"), "", lambda: [(1, 1)])


@pytest.mark.parametrize(("where", "told"), [("", "/"), ("form", "form")])
def test_what_is_told_of_the_whole_document_stands_where_it_begins(schemas: Schemas, where: str, told: str) -> None:
    schema = schemas.xsd('<xs:element name="a" type="xs:gYear"/>')
    assert [each.where for each in schema.violations(parse(b"<a>999999999999</a>"), where)] == [told]
    many = schemas.xsd(LINES.replace('"2"', '"unbounded"')).violations(parse(b"<a>" + b"<b/>" * 101 + b"</a>"), where)
    assert (many[-1].where, many[-1].rule) == (told, "more")


def test_a_prefix_in_xsi_type_means_what_the_document_declares(schemas: Schemas) -> None:
    schema = schemas.xsd(
        '<xs:element name="a" type="xs:anyType"/>' + named("t", '<xs:maxLength value="1"/>'),
        'targetNamespace="urn:t" elementFormDefault="qualified"',
    )
    content = (
        "<p:a xmlns:p='urn:t' xmlns:q='urn:t' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='q:t'>{}</p:a>"
    )
    assert schema.violations(parse(content.format("x").encode())) == ()
    assert [each.rule for each in schema.violations(parse(content.format("xy").encode()))] == ["maxLength"]


# how it is compiled -----------------------------------------------------------------------------------------------


def test_what_the_library_warns_of_is_left_out_and_other_warnings_are_not(schemas: Schemas) -> None:
    before = list(warnings.filters)
    schemas.xsd('<xs:import namespace="urn:elsewhere"/><xs:element name="a"/>')
    assert warnings.filters == before


def test_a_namespace_without_a_file_is_not_looked_for_in_the_library(schemas: Schemas) -> None:
    xlink = "http://www.w3.org/1999/xlink"
    faults = schemas.xsd_faults(
        f'<xs:import namespace="{xlink}"/>\n'
        '<xs:element name="a"><xs:complexType><xs:attribute ref="l:href"/></xs:complexType></xs:element>',
        f'xmlns:l="{xlink}"',
    )
    assert {(each.code, each.line) for each in faults} == {("invalid-schema", 3)}


def test_the_library_is_adapted_before_it_compiles(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(xsd, "adapt", lambda: done.append("adapted"))
    schemas.xsd('<xs:element name="a"/>')
    assert done == ["adapted"]


@pytest.mark.parametrize(
    ("raised", "message", "hint"),
    [
        (ElementPathError("the path is wrong"), "the path is wrong", ""),
        (XMLSchemaParseError(None, "maxOccurs is wrong"), "maxOccurs is wrong", 'write a whole number, or "unbounded"'),
        (XMLSchemaException("x"), "XMLSchemaException", ""),
    ],
)
def test_a_library_that_gives_up_is_told_at_the_start_of_the_file(
    schemas: Schemas, monkeypatch: pytest.MonkeyPatch, raised: Exception, message: str, hint: str
) -> None:
    def give_up(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(xsd, "Schema10", give_up)
    (fault,) = schemas.xsd_faults('<xs:element name="a"/>')
    assert (fault.file, fault.line, fault.column, fault.code) == ("schemas/main.xsd", 1, 1, "invalid-schema")
    assert (fault.message, fault.hint) == (message, hint)


def test_a_fault_without_an_element_stands_at_the_root(schemas: Schemas) -> None:
    files = Files(schemas.folder, schemas.site)
    document = files.add(schemas.write("a.xsd", f"\n<xs:schema {XS}>\n<xs:annotation/></xs:schema>"))
    root = document.root
    assert xsd._place(document, root, root[0]) == (3, 1)
    assert xsd._place(document, root, None) == (2, 1)


@pytest.mark.parametrize(
    ("attributes", "message", "hint"),
    [
        ("", "unexpected child xs:assert", 'for XSD 1.1 say vc:minVersion="1.1" in xs:schema'),
        ("", "unexpected child xs:asser", "see what XML Schema lets stand at this place"),
        (XSD_1_1, "unexpected child xs:assert", "see what XML Schema lets stand at this place"),
        (XSD_1_1, "something", ""),
    ],
)
def test_an_assertion_asks_for_xsd_1_1(schemas: Schemas, attributes: str, message: str, hint: str) -> None:
    document = Files(schemas.folder, schemas.site).add(schemas.write("a.xsd", f"<xs:schema {XS} {attributes}/>"))
    assert xsd._hint(document, SimpleNamespace(message=message)) == hint


# patterns -------------------------------------------------------------------------------------------------------


def test_a_pattern_that_backtracks_elsewhere_takes_no_time_here(schemas: Schemas) -> None:
    bad = '<xs:pattern value="(a+)+b"/>'
    everywhere = f"""
      {named("bad", bad)}
      <xs:simpleType name="list"><xs:list itemType="bad"/></xs:simpleType>
      <xs:simpleType name="union"><xs:union memberTypes="bad xs:int"/></xs:simpleType>
      <xs:element name="a"><xs:complexType>
        <xs:choice maxOccurs="9">
          <xs:element name="bad" type="bad"/>
          <xs:element name="list" type="list"/>
          <xs:element name="union" type="union"/>
          {simple(bad, "xs:token").replace('"a"', '"own"')}
        </xs:choice>
        <xs:attribute name="bad" type="bad"/>
      </xs:complexType></xs:element>"""
    text = "a" * 20_000
    content = f"<a bad='{text}'><bad>{text}</bad><list>{text}</list><union>{text}</union><own>{text}</own></a>"
    start = time.process_time()
    assert len(schemas.xsd(everywhere).violations(parse(content.encode()))) == 5
    assert len(schemas.xsd(everywhere, XSD_1_1).violations(parse(content.encode()))) == 5
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "pattern",
    [r"\d{6}[A-Z]", r"[a-z-[aeiou]]+", r"\i\c*", r"\p{L}+", r"\P{Lu}*", r"a|b", r"(a|a)*b", r".{1,3}", r"\$\^", "a^b$",
     "[&&a]", r"[a\]\[]", r"\p{IsBasicLatin}+", r"[\d-]+", r"[^\d]", r"[\S\D]", r"[\s\S]{0,9}", r"\n\t", r"x\{2\}",
     r"[+\-*/]", "#/ ", "", "[~a-z&]", r"\\d", r"[%-+]{2,3}", r"[\^a]", r"[\\]", r"\d+(,\d{3})*"],
)  # fmt: skip
@given(text=st.text(st.sampled_from("ab019 \n\t\r[]\\-^&~$d٣é€中😀.@#/+*%X{}2,"), max_size=4))
@settings(max_examples=40)
def test_the_engine_matches_what_a_backtracking_one_matches(pattern: str, text: str) -> None:
    translated = translate_pattern(pattern, back_references=False, lazy_quantifiers=False, anchors=False)
    assert bool(Linear(pattern, "1.0").match(text)) == bool(re.match(translated, text))


def test_multi_character_escapes_are_those_of_xml_schema() -> None:
    assert Linear(r"\s*\S", "1.0").match("\u00a0")  # a no-break space is no white space in XML
    assert not Linear(r"\s", "1.0").match("\u00a0")
    assert not Linear(r"\w", "1.0").match("_")  # punctuation
    assert Linear(r"\w", "1.0").match("€")  # a symbol
    assert Linear(r"\d", "1.0").match("٣")


@pytest.mark.parametrize(
    ("type_", "hint"),
    [
        ("string", 'write the prefix of XML Schema before it: "xs:string"'),
        ("strng", 'did you mean "xs:string"?'),
        ("xs:strng", 'did you mean "xs:string"?'),
        ("phone", "define a type of this name, or write one of XML Schema's own"),
    ],
)
def test_a_type_that_is_not_there_is_told_with_the_one_that_may_be_meant(
    schemas: Schemas, type_: str, hint: str
) -> None:
    assert [each.hint for each in schemas.xsd_faults(f'<xs:element name="a" type="{type_}"/>')] == [hint]


# what is wrong with a schema ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "line", "column", "code", "words"),
    [
        ('<xs:element name="a" type="nope"/>', 2, 1, "invalid-schema", "nope"),
        ('<xs:elemen name="a"/>', 1, 1, "invalid-schema", "xs:elemen"),
        (simple('\n\n<xs:pattern value="[a"/>'), 4, 1, "invalid-schema", "unterminated"),
        (simple(r'<xs:pattern value="(\w{1000}){1000}"/>'), 2, 70, "invalid-schema", "too large"),
        ('<xs:include schemaLocation="http://127.0.0.1:1/x.xsd"/>', 2, 1, "unresolved-reference", "127.0.0.1"),
        ('<xs:include schemaLocation="../../outside.xsd"/>', 2, 1, "unresolved-reference", "outside.xsd"),
        ('<xs:include schemaLocation="/etc/passwd"/>', 2, 1, "unresolved-reference", "passwd"),
        ('<xs:include schemaLocation="file:///etc/passwd"/>', 2, 1, "unresolved-reference", "passwd"),
        ('<xs:include schemaLocation="file:main.xsd"/>', 2, 1, "unresolved-reference", "file:main.xsd"),
        ('<xs:include schemaLocation="link.xsd"/>', 2, 1, "unresolved-reference", "link.xsd"),
        ('<xs:import namespace="urn:x" schemaLocation="nope.xsd"/>', 2, 1, "unresolved-reference", "nope.xsd"),
        ('<xs:redefine schemaLocation="nope.xsd"/>', 2, 1, "unresolved-reference", "nope.xsd"),
        ("<xs:element", 3, 1, "not-xml", "invalid token"),
    ],
)  # fmt: skip
def test_a_faulty_schema_is_refused(schemas: Schemas, body: str, line: int, column: int, code: str, words: str) -> None:
    (schemas.site / "outside.xsd").write_text("<a/>")
    (schemas.folder / "link.xsd").symlink_to(schemas.site / "outside.xsd")
    (fault,) = schemas.xsd_faults(body)
    assert words in fault.message
    assert (fault.file, fault.line, fault.column, fault.code) == ("schemas/main.xsd", line, column, code)


def test_a_schema_with_a_doctype_is_refused(schemas: Schemas) -> None:
    path = schemas.write("doctype.xsd", "<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x'><a/>")
    with pytest.raises(ConfigurationError) as caught:
        xsd.compile(path, schemas.folder, schemas.site)
    assert [each.message for each in caught.value.faults] == ["a DOCTYPE is not accepted"]


def test_all_faults_are_told_also_those_of_included_files(schemas: Schemas) -> None:
    faults = schemas.xsd_faults(
        '<xs:include schemaLocation="sub/other.xsd"/>\n<xs:element name="a" type="nope"/>',
        **{"sub/other": '<xs:include schemaLocation="../main.xsd"/><xs:element name="b" type="neither"/>'},
    )
    assert {(each.file, each.line) for each in faults} == {("schemas/main.xsd", 3), ("schemas/sub/other.xsd", 2)}


def test_the_xml_namespace_needs_no_file(schemas: Schemas) -> None:
    schema = schemas.xsd(
        '<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="http://www.w3.org/2001/xml.xsd"/>'
        '<xs:element name="a"><xs:complexType><xs:attribute ref="xml:lang"/></xs:complexType></xs:element>'
    )
    assert schema.violations(parse(b"<a xml:lang='en'/>")) == ()


ASSERTED = """<xs:element name="a"><xs:complexType>
  <xs:attribute name="n" type="xs:int"/><xs:assert test="{}"/>
</xs:complexType></xs:element>"""


def test_assertions_need_xsd_1_1(schemas: Schemas) -> None:
    (fault,) = schemas.xsd_faults(ASSERTED.format("@n > 3"))
    assert "minVersion" in fault.hint
    schema = schemas.xsd(ASSERTED.format("@n > 3"), XSD_1_1)
    assert schema.violations(parse(b"<a n='4'/>")) == ()
    (violation,) = schema.violations(parse(b"<a n='2'/>"))
    assert (violation.rule, violation.message) == ("assertion", "must satisfy @n > 3")


@pytest.mark.parametrize("test", ["doc('http://127.0.0.1:1/')", "matches(@n, '(a+)+b')", "fn:replace (@n, 'a', 'b')"])
def test_assertions_that_reach_outside_or_backtrack_are_refused(schemas: Schemas, test: str) -> None:
    (fault,) = schemas.xsd_faults(ASSERTED.format(test), XSD_1_1)
    assert fault.code == "unsafe-assertion"


@pytest.mark.parametrize("file", sorted((ROOT / "schemas").glob("*.xsd")), ids=lambda file: file.name)
def test_the_shipped_schemas_have_no_faults(file: Path) -> None:
    assert xsd.compile(file, ROOT / "schemas", ROOT).warnings == ()


_VALUES = st.sampled_from(["", " ", "-1", "999999999999999999", "2026-01-31", "1e5", "NaN", "&lt;", SECRET])


@given(st.lists(st.tuples(st.sampled_from(["field", "fields", "sourceId", "x"]), _VALUES, _VALUES), max_size=6))
@settings(deadline=None)
def test_any_document_is_judged_without_a_value(nextstep: XmlSchema, members: list[tuple[str, str, str]]) -> None:
    inside = "".join(f"<{tag} name='{SECRET}' confidence='{one}'>{SECRET}{two}</{tag}>" for tag, one, two in members)
    violations = nextstep.violations(parse(f"<document><fields>{inside}</fields></document>".encode()))
    assert violations
    assert SECRET not in repr(violations)
