"""What is accepted without xmlschema is what xmlschema accepts; what is not known is left to it."""

import itertools
import re
from pathlib import Path

import pytest
from elementpath import ElementPathError
from hypothesis import given, settings
from hypothesis import strategies as st
from xmlschema import XMLSchemaException

from receiver.schemas import xsd, xsd_acceptor
from receiver.schemas.xml_text import parse
from receiver.schemas.xsd import Schema10, XmlSchema, adapt
from receiver.schemas.xsd_acceptor import Acceptor
from tests.support.schema_folder import XS, XSD_1_1, Schemas

ROOT = Path(__file__).parents[2]
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def compiled(body: str, attributes: str = "") -> Schema10:
    adapt()
    return Schema10(f"<xs:schema {XS} {attributes}>{body}</xs:schema>")


def judged(schema: Schema10, content: str) -> tuple[bool, bool]:
    """Return whether a document is accepted, and whether it is valid."""
    document = parse(content.encode())
    accepted = Acceptor(schema).accepts(document.root)
    try:
        return accepted, not list(schema.iter_errors(document.resource()))
    except ArithmeticError:
        return accepted, False


def accepted(schema: Schema10, content: str) -> bool:
    """Return whether a document is accepted; if and only if it is valid."""
    found, valid = judged(schema, content)
    assert found == valid, content
    return found


def complex_(content: str) -> str:
    return f'<xs:element name="a"><xs:complexType>{content}</xs:complexType></xs:element>'


def sequence(*particles: str, occurs: str = "") -> str:
    return f"<xs:sequence {occurs}>{''.join(particles)}</xs:sequence>"


def choice(*particles: str, occurs: str = "") -> str:
    return f"<xs:choice {occurs}>{''.join(particles)}</xs:choice>"


def child(name: str = "b", occurs: str = "") -> str:
    return f'<xs:element name="{name}" type="xs:int" {occurs}/>'


# the files of this project ------------------------------------------------------------------------------------------

SAMPLES = {
    "schemas/nextstep-metadata.xsd": ["mappings/lab-reports/samples/*/metadata.xml"],
    "schemas/intake-form.xsd": ["mappings/intake-forms/samples/*/expected/*.xml"],
    "examples/schemas/ubl-invoice.xsd": ["examples/mappings/ubl-invoice/samples/*/expected/*.xml"],
    "tests/sites/other-xml/schemas/capture.xsd": ["tests/sites/other-xml/mappings/scans/samples/*/index.xml"],
}
FILES = [
    (schema, file.relative_to(ROOT).as_posix())
    for schema, patterns in SAMPLES.items()
    for pattern in patterns
    for file in sorted(ROOT.glob(pattern))
]
_compiled: dict[str, XmlSchema] = {}


@pytest.mark.parametrize(("schema", "file"), FILES)
def test_samples_are_accepted_without_xmlschema(schema: str, file: str) -> None:
    path = ROOT / schema
    if schema not in _compiled:
        _compiled[schema] = xsd.compile(path, path.parent, path.parent.parent)
    document = parse((ROOT / file).read_bytes())
    valid = not list(_compiled[schema]._schema.iter_errors(document.resource()))
    assert _compiled[schema]._acceptor.accepts(document.root) == valid


def test_a_valid_document_does_not_reach_xmlschema(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = schemas.xsd('<xs:element name="a" type="xs:int"/>')
    monkeypatch.setattr(Schema10, "iter_errors", None)
    assert schema.violations(parse(b"<a>1</a>")) == ()


# content models -----------------------------------------------------------------------------------------------------

OCCURS = st.sampled_from([(1, 1)] * 4 + [(0, 1), (0, None), (1, None), (0, 2), (2, 2), (1, 3), (2, None), (2, 3)])


def particle(tag: str, occurs: tuple[int, int | None], content: str) -> str:
    least, most = occurs
    return f'<xs:{tag} minOccurs="{least}" maxOccurs="{"unbounded" if most is None else most}" {content}</xs:{tag}>'


def group(content: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    inner = st.lists(content, min_size=1, max_size=4).map(lambda each: f">{''.join(each)}")
    return st.builds(particle, st.sampled_from(["sequence", "choice"]), OCCURS, inner)


ELEMENT = st.builds(particle, st.just("element"), OCCURS, st.just('name="?" type="xs:string">'))
MODELS = group(st.recursive(ELEMENT, group, max_leaves=6))


@given(MODELS, st.data())
@settings(max_examples=20)
def test_children_that_are_accepted_are_valid(model: str, data: st.DataObject) -> None:
    names = itertools.count()
    schema = compiled(complex_(re.sub(r"\?", lambda _: f"e{next(names)}", model)))
    acceptor = Acceptor(schema)
    for _ in range(6):
        children, state = "", acceptor._roots["a"].start
        for _ in range(data.draw(st.integers(0, 7))):
            name = data.draw(st.sampled_from([*state.after] * 4 + ["e0", "e1"]))
            children += f"<{name}/>"
            state = state.after.get(name, state)
        document = parse(f"<a>{children}</a>".encode())
        assert not acceptor.accepts(document.root) or not list(schema.iter_errors(document.resource())), children


NONE, MANY, SOME = 'minOccurs="0"', 'maxOccurs="unbounded"', 'minOccurs="2" maxOccurs="3"'
MODEL = {  # a model of b and c → children that it takes, and those that it does not
    sequence(child()): ("b", " bb c cb"),
    sequence(child("b", NONE)): (" b", "bb"),
    sequence(child("b", MANY)): ("b bb bbb", " c bc"),
    sequence(child("b", f"{NONE} {MANY}")): (" b bbb", "c"),
    sequence(child("b", NONE), occurs=MANY): (" b bbb", "c"),
    sequence(child("b", SOME)): ("bb bbb", " b bbbb"),
    sequence(child("b", 'minOccurs="0" maxOccurs="2"')): (" b bb", "bbb"),
    sequence(child("b", f'minOccurs="3" {MANY}')): ("bbb bbbbb", " b bb"),
    sequence(child("b", 'minOccurs="0" maxOccurs="0"')): (" ", "b"),
    sequence(): (" ", "b"),
    sequence(sequence(child("b"), occurs=NONE), child("c")): ("c bc", " b cb bbc"),
    sequence(child("b", NONE), child("c", NONE)): (" b c bc", "cb bb"),
    choice(child("b"), child("c")): ("b c", " bc"),
    choice(child("b"), child("c"), occurs=f"{NONE} {MANY}"): (" b c bc ccb", "d"),
    choice(child("b", NONE), child("c")): (" b c", "bc"),
    choice(child("b"), child("c", NONE)): (" b c", "bc"),
    choice(sequence(child("b"), child("c")), sequence(child("d"), child("e"))): ("bc de", " b c d e be bcde"),
    sequence(child("b"), child("c", NONE), occurs='maxOccurs="2"'): ("b bb bc bcb bcbc", " c bbb bcc"),
    sequence(child("b"), child("c"), child("d")): ("bcd", " b bc cd bd"),
    sequence(sequence(child("b"), child("c"), occurs=NONE), child("d")): ("d bcd", " bc cd bd"),
    sequence(child("b"), sequence(child("c"), child("d"), occurs=NONE)): ("b bcd", " bc bd cd"),
    sequence(choice(child("b"), child("c")), child("d", NONE)): ("b c bd cd", " d bcd"),
    '<xs:group ref="g"/>': ("bc", " b cb"),
}
GROUP = f'<xs:group name="g">{sequence(child("b"), child("c"))}</xs:group>'


@pytest.mark.parametrize(("model", "taken", "refused"), [(model, *words) for model, words in MODEL.items()])
def test_each_kind_of_content_model_is_known(model: str, taken: str, refused: str) -> None:
    schema = compiled(complex_(model) + GROUP)
    for words, expected in ((taken, True), (refused, False)):
        for children in words.split(" "):
            content = "".join(f"<{name}>1</{name}>" for name in children)
            assert accepted(schema, f"<a>{content}</a>") == expected


def test_particles_that_the_next_name_does_not_tell_apart_are_left_to_xmlschema() -> None:
    once_or_twice = sequence(child("b", 'maxOccurs="2"'), occurs='minOccurs="2" maxOccurs="2"')
    assert not judged(compiled(complex_(once_or_twice)), "<a><b>1</b><b>1</b><b>1</b></a>")[0]


def test_a_type_may_stand_in_itself() -> None:
    tree = sequence(f'<xs:element name="a" type="t" {NONE} {MANY}/>')
    schema = compiled(f'<xs:element name="a" type="t"/><xs:complexType name="t">{tree}</xs:complexType>')
    assert accepted(schema, "<a><a/><a><a/></a></a>")
    assert not accepted(schema, "<a><a/><a><b/></a></a>")


def test_what_an_extension_adds_comes_after_the_rest() -> None:
    more = sequence(child("c"))
    schema = compiled(
        f'<xs:complexType name="t">{sequence(child("b"))}</xs:complexType>'
        + complex_(f'<xs:complexContent><xs:extension base="t">{more}</xs:extension></xs:complexContent>')
    )
    assert accepted(schema, "<a><b>1</b><c>1</c></a>")
    assert not accepted(schema, "<a><c>1</c><b>1</b></a>")
    assert not accepted(schema, "<a><b>1</b></a>")


@pytest.mark.parametrize(
    ("content", "valid"),
    [
        ("<a> <b>1</b>\n</a>", True),
        ("<a>x<b>1</b></a>", False),
        ("<a><b>1</b>x</a>", False),
        ("<a><b>1</b>x<b>1</b></a>", False),
        ("<a><!-- x --><b>1</b></a>", True),
        ("<a><b><c/></b></a>", False),
        ("<a><b>1<c/></b></a>", False),
        ("<b>1</b>", False),
    ],
)
def test_text_stands_where_it_may(content: str, valid: bool) -> None:
    assert accepted(compiled(complex_(sequence(child("b", 'maxOccurs="2"')))), content) == valid


def test_mixed_content_has_text_anywhere() -> None:
    schema = compiled(complex_(sequence(child())).replace("Type>", 'Type mixed="true">', 1))
    assert accepted(schema, "<a>x<b>1</b>y</a>")
    assert not accepted(schema, "<a>x</a>")


def test_an_element_that_is_empty_has_no_text_at_all() -> None:
    schema = compiled(complex_('<xs:attribute name="b" type="xs:int"/>'))
    assert accepted(schema, "<a b='1'/>")
    assert not accepted(schema, "<a b='1'>x</a>")
    assert judged(schema, "<a b='1'> </a>")[0] is False


def test_namespaces_are_part_of_names() -> None:
    body = complex_(sequence(child()))
    space = 'targetNamespace="urn:x"'
    qualified, local = compiled(body, space + ' elementFormDefault="qualified"'), compiled(body, space)
    assert accepted(qualified, "<a xmlns='urn:x'><b>1</b></a>")
    assert not accepted(qualified, "<x:a xmlns:x='urn:x'><b>1</b></x:a>")
    assert accepted(local, "<x:a xmlns:x='urn:x'><b>1</b></x:a>")
    assert not accepted(local, "<a xmlns='urn:x'><b>1</b></a>")
    assert not accepted(local, "<a><b>1</b></a>")


# values -------------------------------------------------------------------------------------------------------------

TYPES = (
    "anySimpleType string normalizedString token language Name NCName NMTOKEN anyURI boolean decimal integer long int "
    "short byte nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger unsignedLong unsignedInt "
    "unsignedShort unsignedByte float double duration dateTime time date gYear gYearMonth gMonth gMonthDay gDay "
    "hexBinary base64Binary"
)
TEXTS = (  # between semicolons
    ";;;0;1;-1;+1;-0;00; 1 ;1\n;1 2;1.;.1;.;1.50;1e3;1E-3;NaN;INF;+INF;-INF;inf;127;128;-128;-129;255;256;"
    "32767;32768;65536;2147483647;2147483648;-2147483649;4294967296;9223372036854775808;18446744073709551616;"
    "1_000;٣;½;0x1;true;false;TRUE;yes;é;a;\tb;a\u00a0b;a:b;:;-a;de-CH;de_CH;abcdefghi;😀;http://x/?a b;%zz;"
    "http://[::1;0fA;0fA0;AA==;AA=;A A A A;AAA;a b;2026-01-02;2026-1-2;2026-02-29;2024-02-29Z;"
    "2026-01-02+14:00;2026-01-02+14:01;0000-01-01;-0001-01-01;02026-01-02;12026-01-02;999999999999;"
    "999999999999-01-01;2026-01-02T03:04:05;2026-01-02T24:00:00;2026-01-02T24:00:01;2026-01-02T03:04:60;"
    "2026-01-02T03:04:05.678Z;03:04:05;3:04:05;24:00:00;--02-29;--02-30;--13;--12;---31;---32;2026;2026-13;"
    "2026-12;P1Y;P;PT;P1YT;-P1DT2H3.5S;P1M2W"
)


@pytest.fixture(scope="module")
def every_type() -> tuple[Schema10, Acceptor]:
    """Return a schema with an element of each type, and its acceptor."""
    schema = compiled("".join(f'<xs:element name="{name}" type="xs:{name}"/>' for name in TYPES.split()))
    return schema, Acceptor(schema)


@pytest.mark.parametrize("name", TYPES.split())
def test_values_of_a_type_are_judged_as_by_xmlschema(every_type: tuple[Schema10, Acceptor], name: str) -> None:
    schema, acceptor = every_type
    for text in [*TEXTS.split(";"), "9" * 5000]:
        document = parse(f"<{name}>{text}</{name}>".encode())
        try:
            valid = not list(schema.iter_errors(document.resource()))
        except (ArithmeticError, ValueError):
            valid = False
        assert acceptor.accepts(document.root) == valid, text[:40]


FACETS = {
    '<xs:restriction base="xs:string"><xs:length value="2"/></xs:restriction>': ("ab", "a"),
    '<xs:restriction base="xs:token"><xs:maxLength value="2"/></xs:restriction>': ("  ab ", "abc"),
    '<xs:restriction base="xs:string"><xs:whiteSpace value="collapse"/><xs:maxLength value="3"/></xs:restriction>': (
        " a  b\n",
        "a b c",
    ),
    '<xs:restriction base="xs:string"><xs:whiteSpace value="replace"/><xs:enumeration value="a b"/></xs:restriction>': (
        "a\nb",
        "a  b",
    ),
    r'<xs:restriction base="xs:string"><xs:pattern value="\d+"/><xs:pattern value="x"/></xs:restriction>': ("x", "y"),
    r'<xs:restriction base="xs:token"><xs:pattern value="a b"/></xs:restriction>': (" a  b ", "ab"),
    '<xs:restriction base="xs:decimal"><xs:minInclusive value="0"/><xs:maxInclusive value="1"/></xs:restriction>': (
        "0.97",
        "1.01",
    ),
    '<xs:restriction base="xs:decimal"><xs:totalDigits value="3"/><xs:fractionDigits value="1"/></xs:restriction>': (
        "12.3",
        "1.23",
    ),
    '<xs:restriction base="xs:date"><xs:minExclusive value="2026-01-01"/></xs:restriction>': (
        "2026-01-02",
        "2026-01-01",
    ),
    '<xs:restriction base="xs:int"><xs:enumeration value="1"/><xs:enumeration value="2"/></xs:restriction>': (
        " 01 ",
        "3",
    ),
    '<xs:restriction base="t"><xs:maxLength value="3"/></xs:restriction>': ("x12", "x1234"),
}


@pytest.mark.parametrize(("type_", "taken", "refused"), [(type_, *texts) for type_, texts in FACETS.items()])
def test_facets_are_judged_as_by_xmlschema(type_: str, taken: str, refused: str) -> None:
    base = '<xs:restriction base="xs:token"><xs:pattern value="x.*"/></xs:restriction>'
    simple = f'<xs:element name="a"><xs:simpleType>{type_}</xs:simpleType></xs:element>'
    schema = compiled(f'<xs:simpleType name="t">{base}</xs:simpleType>{simple}')
    assert accepted(schema, f"<a>{taken}</a>")
    assert not accepted(schema, f"<a>{refused}</a>")
    for text in ("", " ", "y", "y12"):
        accepted(schema, f"<a>{text}</a>")


def restriction(base: str, facets: str) -> str:
    return f'<xs:simpleType><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>'


def facet(name: str, value: object) -> str:
    return f'<xs:{name} value="{value}"/>'


def restricted_twice(base: str, facets: str, further: str) -> Schema10:
    return compiled(
        restriction(base, facets).replace("Type>", 'Type name="t">', 1)
        + f'<xs:element name="a">{restriction("t", further)}</xs:element>'
    )


NUMBERS = ("decimal", "integer", "int", "long", "unsignedByte", "nonPositiveInteger")
NUMBER = st.from_regex(r"\A[ +-]?[0-9]{0,3}\.?[0-9]{0,2} ?\Z") | st.sampled_from(
    ["1" * 18, "1" * 19, "-" + "9" * 18, "1." + "0" * 18, "1." + "0" * 18 + "1", "1_0", "٣", "1e1", "+", "0" * 5000]
)


@given(st.sampled_from(NUMBERS), st.lists(st.integers(0, 300), min_size=4, max_size=4), st.data())
@settings(max_examples=20)
def test_numbers_between_any_bounds_are_judged_as_by_xmlschema(
    base: str, bounds: list[int], data: st.DataObject
) -> None:
    sign, most = (-1, 300) if base == "nonPositiveInteger" else (1, 255)
    least, low, high, highest = sorted(sign * min(each, most) for each in bounds)
    outer = data.draw(st.sampled_from(["", facet("minInclusive", least), facet("maxInclusive", highest)]))
    inner = data.draw(st.sampled_from(["", facet("minInclusive", low), facet("maxInclusive", high)]))
    schema = restricted_twice(f"xs:{base}", outer, inner)
    texts = data.draw(st.lists(NUMBER, max_size=6))
    for bound in (least, low, high, highest):
        texts += [str(bound - 1), str(bound), f"{bound}.0", f"{bound}.000001", f" {bound}", str(bound + 1)]
    for text in texts:
        accepted(schema, f"<a>{text}</a>")


@given(st.sampled_from(["string", "normalizedString", "token", "anyURI"]), st.data())
@settings(max_examples=20)
def test_texts_of_any_length_are_judged_as_by_xmlschema(base: str, data: st.DataObject) -> None:
    least, shorter, longer, most = sorted(data.draw(st.lists(st.integers(0, 6), min_size=4, max_size=4)))
    outer = facet("minLength", least) + facet("maxLength", max(most, 1))
    inner = data.draw(
        st.sampled_from(
            ["", facet("minLength", shorter), facet("maxLength", max(longer, 1)), facet("length", max(shorter, 1))]
        )
    )
    schema = restricted_twice(f"xs:{base}", outer, inner)
    for text in data.draw(st.lists(st.text("ab \t\n é", max_size=8), max_size=8)):
        accepted(schema, f"<a>{text}</a>")
    for length in range(9):
        accepted(schema, f"<a>{'x' * length}</a>")


@pytest.mark.parametrize("base", ["string", "normalizedString", "token", "NMTOKEN"])
@pytest.mark.parametrize("space", ["", facet("whiteSpace", "collapse")])
def test_listed_values_are_judged_as_by_xmlschema(base: str, space: str) -> None:
    values = "".join(
        facet("enumeration", value) for value in ("a", "b", "a  b", " c ", "d") if base != "NMTOKEN" or value.isalpha()
    )
    for inner in (space, facet("enumeration", "b") + facet("enumeration", "d") + space, facet("maxLength", 1) + space):
        schema = restricted_twice(f"xs:{base}", values, inner)
        for text in ("a", " a", "b", "a  b", "a b", " c ", "c", "d", "d&#10;", "e", ""):
            accepted(schema, f"<a>{text}</a>")


@pytest.mark.parametrize(
    ("base", "facets", "text"),
    [
        ("string", facet("minLength", 1) + facet("maxLength", 3), "abc"),
        ("string", facet("length", 3), "abc"),
        ("string", facet("minLength", 2), "a" * 1000),
        ("normalizedString", facet("maxLength", 2), ""),
        ("token", facet("enumeration", "b") + facet("enumeration", "c"), "c"),
        ("decimal", facet("minInclusive", "-0.5") + facet("maxInclusive", "0.5"), "-0.5"),
        ("decimal", facet("maxInclusive", "1"), "1." + "0" * 16),
        ("decimal", facet("minInclusive", "0.5"), "+" + "9" * 17),
        ("int", "", "2147483647"),
        ("integer", "", "-" + "9" * 17),
        ("unsignedByte", "", "255"),
    ],
)
def test_what_is_written_plainly_is_accepted_at_a_glance(base: str, facets: str, text: str) -> None:
    type_ = compiled(f'<xs:element name="a">{restriction(f"xs:{base}", facets)}</xs:element>').elements["a"].type
    judge = xsd_acceptor._value(type_)
    del type_.white_space  # without it xmlschema judges nothing
    assert judge([text, text])


def test_a_text_that_is_always_empty_is_left_to_xmlschema() -> None:
    empty = '<xs:simpleType><xs:restriction base="xs:token"><xs:maxLength value="0"/></xs:restriction></xs:simpleType>'
    schema = compiled(f'<xs:element name="a">{empty}</xs:element>')
    assert judged(schema, "<a/>") == (False, True)
    assert judged(schema, "<a>x</a>") == (False, False)


def test_simple_content_may_be_restricted_as_well() -> None:
    schema = compiled(
        '<xs:complexType name="t"><xs:simpleContent><xs:extension base="xs:token"><xs:attribute name="b"/>'
        '</xs:extension></xs:simpleContent></xs:complexType><xs:element name="a"><xs:complexType><xs:simpleContent>'
        '<xs:restriction base="t"><xs:maxLength value="2"/></xs:restriction></xs:simpleContent></xs:complexType>'
        "</xs:element>"
    )
    assert accepted(schema, "<a b='1'> xy </a>")
    assert not accepted(schema, "<a>xyz</a>")


def test_a_value_that_must_be_empty_is_left_to_xmlschema() -> None:
    restricted = '<xs:restriction base="xs:token"><xs:maxLength value="0"/></xs:restriction>'
    empty = f'<xs:simpleType name="e">{restricted}</xs:simpleType>'
    simple = (
        f'{empty}<xs:complexType name="t"><xs:simpleContent>'
        '<xs:extension base="e"/></xs:simpleContent></xs:complexType><xs:element name="a" type="t"/>'
    )
    schema = compiled(simple)
    assert judged(schema, "<a/>") == (False, True)
    assert judged(schema, "<a> </a>") == (False, False)


# attributes ---------------------------------------------------------------------------------------------------------

LAX = 'processContents="lax"'
GLOBAL = '<xs:attribute name="g" type="xs:int"/>'
ATTRIBUTES = [
    ('<xs:attribute name="b" type="xs:int"/>', " b='1'", "", " b='x'"),
    ('<xs:attribute name="b" type="xs:int" use="required"/>', " b='1'", " b='1' ", ""),
    ('<xs:attribute name="b" type="xs:int"/>', "", " b='2'", " c='1'"),
    ('<xs:attribute name="b" type="xs:int" fixed="1"/>', " b='1'", "", " b='2'"),
    ('<xs:attribute name="b" type="xs:int" default="1"/>', " b='2'", "", " b='x'"),
    ('<xs:attribute ref="g"/>', " g='1'", "", " g='x'"),
    ('<xs:attribute name="b" type="xs:int" use="prohibited"/>', "", " ", " b='1'"),
    ('<xs:attribute name="b" type="xs:ID"/>', "", " ", " b='1'"),
    ('<xs:anyAttribute processContents="lax"/>', " b='1'", " b='x' c='y'", " g='x'"),
    ('<xs:anyAttribute processContents="skip" namespace="##local"/>', " b='1'", " c='2'", " xmlns:x='urn:x' x:b='1'"),
    ('<xs:anyAttribute namespace="##any"/>', "", " ", " b='1'"),
    ('<xs:anyAttribute processContents="lax" namespace="##other"/>', "", " ", " b='1'"),
]


@pytest.mark.parametrize(("attributes", "taken", "taken_too", "refused"), ATTRIBUTES)
def test_attributes_are_judged_as_by_xmlschema(attributes: str, taken: str, taken_too: str, refused: str) -> None:
    schema = compiled(complex_(attributes) + GLOBAL)
    assert accepted(schema, f"<a{taken}/>")
    assert accepted(schema, f"<a{taken_too}/>")
    assert not accepted(schema, f"<a{refused}/>")


# many of one type ---------------------------------------------------------------------------------------------------

MANY_OF_ONE_TYPE = compiled(
    f"""<xs:simpleType name="short"><xs:restriction base="xs:string">{facet("minLength", 1)}{facet("maxLength", 3)}
    </xs:restriction></xs:simpleType>
    <xs:simpleType name="share"><xs:restriction base="xs:decimal">{facet("minInclusive", 0)}{facet("maxInclusive", 1)}
    </xs:restriction></xs:simpleType>
    <xs:simpleType name="code"><xs:restriction base="xs:token">{facet("enumeration", "x")}{facet("enumeration", "y")}
    </xs:restriction></xs:simpleType>
    <xs:complexType name="field"><xs:simpleContent><xs:extension base="short">
    <xs:attribute name="name" type="xs:NCName" use="required"/><xs:attribute name="share" type="share"/>
    <xs:attribute name="code" type="code"/><xs:attribute name="fixed" type="xs:string" fixed="f"/>
    <xs:anyAttribute processContents="lax"/></xs:extension></xs:simpleContent></xs:complexType>
    <xs:complexType name="group"><xs:sequence><xs:element name="f" type="field" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="g" type="group" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
    <xs:element name="a" type="group"/>{GLOBAL}"""
)
FIELD = "<f name='n' share='0.5' code='x' fixed='f'>t</f>"
FIELDS = {
    FIELD: True,
    "<f name='n'>t</f>": True,
    "<f name='n' share='0.5' code='x' fixed='f' other='1'>abc</f>": True,
    "<f name='n' share=' 1 ' code=' y '>abc</f>": True,
    "<f>t</f>": False,
    "<f name='1'>t</f>": False,
    "<f name='n'/>": False,
    "<f name='n'>four</f>": False,
    "<f name='n' share='1.1'>t</f>": False,
    "<f name='n' share='-0.1'>t</f>": False,
    "<f name='n' share=''>t</f>": False,
    "<f name='n' code='z'>t</f>": False,
    "<f name='n' fixed='g'>t</f>": False,
    "<f name='n' g='x'>t</f>": False,
    "<f name='n' g='x' other='1'>t</f>": False,
    "<f name='n'>t<f name='n'>t</f></f>": False,
    f"{FIELD}t": False,
    f"t{FIELD}": False,
    f"<g>{FIELD}</g>": True,
    "<g><f name='n'/></g>": False,
    f"<g>t{FIELD}</g>": False,
    f"<g/>{FIELD}": False,
}


@pytest.mark.parametrize(("one", "valid"), FIELDS.items())
@pytest.mark.parametrize("others", [0, 1, 3])
def test_one_of_many_is_judged_as_by_xmlschema(one: str, valid: bool, others: int) -> None:
    assert accepted(MANY_OF_ONE_TYPE, f"<a>{others * FIELD}{one}</a>") == valid
    assert accepted(MANY_OF_ONE_TYPE, f"<a><g>{one}</g><g>{others * FIELD}</g></a>") == valid


def test_a_number_that_xmlschema_gives_up_at_is_not_accepted_beside_others() -> None:
    schema = compiled(complex_(sequence(child("b", MANY).replace("xs:int", "xs:decimal"))))
    assert accepted(schema, "<a><b>1</b><b>2</b></a>")
    assert not accepted(schema, f"<a><b>1</b><b>{'9' * 5000}</b></a>")


@given(
    st.recursive(
        st.sampled_from([*FIELDS]),
        lambda inner: st.lists(inner, max_size=4).map(lambda each: f"<g>{''.join(each)}</g>"),
    )
)
@settings(max_examples=50)
def test_any_of_many_are_judged_as_by_xmlschema(content: str) -> None:
    accepted(MANY_OF_ONE_TYPE, f"<a>{FIELD}{content}</a>")


# what is not known --------------------------------------------------------------------------------------------------

ANY = "<xs:any processContents='skip'/>"
UNIQUE = '<xs:unique name="u"><xs:selector xpath="b"/><xs:field xpath="."/></xs:unique>'
UNION = '<xs:simpleType><xs:union memberTypes="xs:int xs:date"/></xs:simpleType>'
LEFT = {  # what is valid, and left to xmlschema
    "a wildcard": (complex_(sequence(ANY)), "<a><b/></a>"),
    "any content": ('<xs:element name="a"/>', "<a><b/></a>"),
    "xs:all": (complex_(f"<xs:all>{child()}</xs:all>"), "<a><b>1</b></a>"),
    "a list": ('<xs:element name="a" type="xs:NMTOKENS"/>', "<a>b c</a>"),
    "a union": (f'<xs:element name="a">{UNION}</xs:element>', "<a>1</a>"),
    "an ID": (complex_('<xs:attribute name="b" type="xs:ID"/>'), "<a b='c'/>"),
    "a qualified name": ('<xs:element name="a" type="xs:QName"/>', "<a>b</a>"),
    "a qualified name that did not come": (complex_('<xs:attribute name="b" type="xs:QName" default="c"/>'), "<a/>"),
    "a default value": ('<xs:element name="a" type="xs:int" default="1"/>', "<a/>"),
    "a fixed value": ('<xs:element name="a" type="xs:int" fixed="1"/>', "<a>1</a>"),
    "nothing": ('<xs:element name="a" type="xs:int" nillable="true"/>', f"<a {XSI} xsi:nil='true'/>"),
    "a type that the document names": (
        '<xs:element name="a" type="xs:decimal"/>',
        f"<a {XSI} xmlns:xs='http://www.w3.org/2001/XMLSchema' xsi:type='xs:int'>1</a>",
    ),
    "a key": (complex_(sequence(child())).replace("</xs:element>", f"{UNIQUE}</xs:element>"), "<a><b>1</b></a>"),
    "a substitute": (
        complex_(sequence('<xs:element ref="b"/>')) + child() + child("c", 'substitutionGroup="b"'),
        "<a><c>1</c></a>",
    ),
    "an attribute that a wildcard judges": (complex_(f"<xs:anyAttribute {LAX}/>") + GLOBAL, "<a g='1'/>"),
    "an attribute that is prohibited, and a wildcard takes it": (
        complex_('<xs:attribute name="b" type="xs:int" use="prohibited"/><xs:anyAttribute processContents="lax"/>'),
        "<a b='1'/>",
    ),
    "an attribute of a namespace": (complex_(f"<xs:anyAttribute {LAX}/>"), "<a xmlns:x='urn:x' x:b='1'/>"),
    "what may be nothing, twice": (
        complex_(sequence(child("b", NONE), occurs='maxOccurs="2"')),
        "<a><b>1</b></a>",
    ),
    "a count of what may be nothing": (complex_(sequence(child("b", NONE), occurs=SOME)), "<a><b>1</b><b>1</b></a>"),
}


@pytest.mark.parametrize(("body", "content"), LEFT.values(), ids=LEFT)
def test_what_is_not_known_is_left_to_xmlschema(body: str, content: str) -> None:
    assert judged(compiled(body), content) == (False, True)


def test_a_type_that_a_document_names_may_be_declared_as_an_attribute() -> None:
    simple = '<xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute ref="xsi:type"/></xs:extension>'
    schema = compiled(
        f'<xs:import namespace="http://www.w3.org/2001/XMLSchema-instance"/>{complex_(simple + "</xs:simpleContent>")}',
        XSI,
    )
    assert accepted(schema, "<a>1.5</a>")
    assert not accepted(schema, f"<a {XSI} xmlns:xs='http://www.w3.org/2001/XMLSchema' xsi:type='xs:int'>1.5</a>")


def test_a_choice_of_nothing_accepts_nothing() -> None:
    assert not Acceptor(compiled(complex_(choice()))).accepts(parse(b"<a/>").root)


def test_what_is_abstract_is_not_accepted() -> None:
    abstract = f'<xs:complexType name="t" abstract="true">{sequence()}</xs:complexType>'
    assert not accepted(compiled(f'{abstract}<xs:element name="a" type="t"/>'), "<a/>")
    assert not accepted(compiled('<xs:element name="a" type="xs:int" abstract="true"/>'), "<a>1</a>")


def test_a_part_that_is_not_known_leaves_the_rest_known() -> None:
    wildcard = f'<xs:element name="x" {NONE}><xs:complexType>{sequence(ANY)}</xs:complexType></xs:element>'
    schema = compiled(complex_(sequence(wildcard, child())))
    assert judged(schema, "<a><b>1</b></a>") == (True, True)
    assert judged(schema, "<a><x><y/></x><b>1</b></a>") == (False, True)


def test_xsd_1_1_is_left_to_xmlschema(schemas: Schemas) -> None:
    schema = schemas.xsd('<xs:element name="a" type="xs:int"/>', XSD_1_1)
    document = parse(b"<a>1</a>")
    assert not schema._acceptor.accepts(document.root)
    assert schema.violations(document) == ()


def test_a_model_that_would_take_much_memory_is_left_to_xmlschema(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = compiled(complex_(choice(child("b", 'maxOccurs="9"'), child("c"))))
    monkeypatch.setattr(xsd_acceptor, "MOST_LINKS", 10)  # one to each of the nine, and one to the other
    assert judged(schema, "<a><b>1</b></a>") == (True, True)
    monkeypatch.setattr(xsd_acceptor, "MOST_LINKS", 9)
    assert judged(schema, "<a><b>1</b></a>") == (False, True)


@pytest.mark.parametrize(
    "particle", [child("b", 'maxOccurs="999999999"'), sequence(occurs='minOccurs="999999999" maxOccurs="999999999"')]
)
def test_a_count_in_the_millions_is_left_to_xmlschema(particle: str) -> None:
    assert not Acceptor(compiled(complex_(sequence(particle)))).accepts(parse(b"<a/>").root)


@pytest.mark.parametrize(
    "raised",
    [KeyError(), XMLSchemaException("x"), ElementPathError("x"), OverflowError(), ValueError(), TypeError()],
    ids=lambda each: type(each).__name__,
)
def test_whatever_a_value_makes_the_libraries_raise_is_not_accepted(raised: Exception) -> None:
    def refuse(_values: object) -> bool:
        raise raised

    acceptor = Acceptor(compiled('<xs:element name="a" type="xs:int"/>'))
    acceptor._roots["a"].text = refuse
    assert not acceptor.accepts(parse(b"<a>1</a>").root)
