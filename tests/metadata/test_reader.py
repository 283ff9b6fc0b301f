"""Metadata becomes a reading, or a problem that tells everything at once and never a value."""

import json
import logging
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.delivery import Reading
from receiver.core.faults import ConfigurationError
from receiver.core.problems import Code, Problem
from receiver.metadata import xml as form
from receiver.metadata.fields import Absent, Layout
from receiver.metadata.reader import MetadataReader
from tests.support.metadata_of import JSON_SCHEMA, XSD, document, reader_of

ROOT = Path(__file__).parents[2]
SECRET = "Zebra-7731-Quagga"
JSON_READER = reader_of()
XML_READER = reader_of(schema=XSD)
FIELDS = {
    "type": "object",
    "required": ["mrn"],
    "properties": {"mrn": {"type": "string", "pattern": "^[0-9]{6}$"}, "dob": {"format": "date"}},
    "additionalProperties": False,
}

ANY_XML = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType>
    <xs:sequence><xs:any minOccurs="0" maxOccurs="9" processContents="skip"/></xs:sequence>
    <xs:anyAttribute processContents="skip"/></xs:complexType></xs:element></xs:schema>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with both shipped schemas, a schema that takes anything, and one of the fields."""
    folder = tmp_path / "schemas"
    folder.mkdir()
    for name in (JSON_SCHEMA, XSD):
        (folder / name).write_bytes((ROOT / "schemas" / name).read_bytes())
    (folder / "any.json").write_text("true")
    (folder / "fields.json").write_text(json.dumps(FIELDS))
    return folder


def problem(reader: MetadataReader, content: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        reader.read(content)
    return caught.value


def told(found: Problem) -> list[tuple[str, str]]:
    return [(each.where, each.rule) for each in found.violations]


def test_the_documented_metadata_is_read_as_json_and_as_xml() -> None:
    content = document(("patient_name", "John Smith", 0.8), ("mrn", "142637A", 0.9), source_id="123456789")
    xml = (ROOT / "mappings/lab-reports/samples/four-fields/metadata.xml").read_bytes()
    reading = JSON_READER.read(content)
    assert reading.source_id == "123456789"
    assert reading.fields == {"patient_name": "John Smith", "mrn": "142637A"}
    assert reading.confidence == {"patient_name": 0.8, "mrn": 0.9}
    assert reading.document["fields"][0]["name"] == "patient_name"
    reading = XML_READER.read(xml)
    assert reading.source_id == "123456789"
    assert reading.fields["patient_name"] == "John Smith"
    assert reading.confidence["date_of_encounter"] == 0.95
    assert str(reading.document.sourceId) == "123456789"


def test_everything_that_is_wrong_is_told_at_once(folder: Path) -> None:
    content = document(
        ("mrn", SECRET), ("dob", SECRET, 7), ("x", SECRET), ("dob", SECRET), {"value": SECRET}, source_id=SECRET * 20
    )
    found = problem(reader_of(folder, schema="any.json"), content)
    assert found.code is Code.METADATA_INVALID
    assert told(found) == [
        ("/sourceId", "source_id"),
        ("/fields/1", "confidence"),
        ("/fields/3", "repeated"),
        ("/fields/4", "name"),
    ]
    assert SECRET not in repr(found.violations)


def test_a_document_that_is_refused_is_found_by_its_source_id(folder: Path) -> None:
    found = problem(JSON_READER, document({"value": 1}, source_id="77"))
    assert (found.code, found.source_id) == (Code.METADATA_INVALID, "77")
    found = problem(reader_of(folder, fields_schema="fields.json"), document(("dob", "x"), source_id="77"))
    assert (found.code, found.source_id) == (Code.FIELDS_INVALID, "77")


def test_a_schema_violation_and_those_of_the_fields_come_together(folder: Path) -> None:
    reader = _with_fields_schema(folder)
    found = problem(reader, document(("mrn", SECRET, "0.9"), ("y", 1)))
    assert found.code is Code.METADATA_INVALID
    assert told(found) == [
        ("/fields/0/confidence", "type"),
        ("fields/mrn", "pattern"),
        ("/fields/1", "additionalProperties"),
    ]


def test_fields_that_break_their_schema_are_a_problem_of_their_own(folder: Path) -> None:
    found = problem(_with_fields_schema(folder), document(("mrn", SECRET), ("dob", SECRET)))
    assert found.code is Code.FIELDS_INVALID
    assert [(each.where, each.rule, each.schema) for each in found.violations] == [
        ("fields/mrn", "pattern", "fields.json#/properties/mrn/pattern"),
        ("fields/dob", "format", "fields.json#/properties/dob/format"),
    ]


def test_a_field_that_cannot_be_read_is_not_called_missing(folder: Path) -> None:
    found = problem(
        _with_fields_schema(folder, schema="any.json"), document({"name": "mrn", "value": "1", "confidence": "x"})
    )
    assert told(found) == [("/fields/0", "confidence")]


def test_a_source_id_in_xml_loses_the_white_space_of_xml_and_no_other() -> None:
    xml = "<document><sourceId>\n  a\u00a0 </sourceId><fields/></document>".encode()
    assert XML_READER.read(xml).source_id == "a\u00a0"


def test_what_the_schema_says_is_not_said_twice() -> None:
    assert told(problem(JSON_READER, document({"value": 1}, {"name": "a", "value": 1, "confidence": 7}))) == [
        ("/fields/0", "required"),
        ("/fields/1/confidence", "maximum"),
    ]
    xml = b"<document><sourceId/><fields><field>x</field><field name='a' confidence='7'/></fields></document>"
    assert told(problem(XML_READER, xml)) == [
        ("/document/sourceId", "minLength"),
        ("/document/fields/field[1]/@name", "required"),
        ("/document/fields/field[2]/@confidence", "maxInclusive"),
    ]
    assert told(problem(JSON_READER, b"[]")) == [("/", "type")]
    assert told(problem(JSON_READER, b'{"sourceId": "1", "fields": {"a": 1}}'))[0] == ("/fields", "type")


@pytest.mark.parametrize(
    ("content", "where"),
    [(b"", "line 1, column 1"), (b'{"a": 1,\n "a": 2}', "line 2, column 2"), (b"\xff", "line 1, column 1")],
)
def test_what_is_no_json_is_malformed(content: bytes, where: str) -> None:
    found = problem(JSON_READER, content)
    assert found.code is Code.METADATA_MALFORMED
    assert "JSON" in found.detail
    assert told(found) == [(where, "well-formed")]


def test_what_is_no_xml_is_malformed() -> None:
    found = problem(XML_READER, b"<a>\n<!DOCTYPE b></a>")
    assert found.code is Code.METADATA_MALFORMED
    assert "XML" in found.detail
    assert told(found) == [("line 2, column 3", "well-formed")]


@pytest.mark.parametrize(
    ("given", "source_id"),
    [("abc", "abc"), (123456789012345678901234567890, "123456789012345678901234567890"), (0, "0"), ("a b/ö", "a b/ö")],
)
def test_a_source_id_is_text_or_a_whole_number(given: Any, source_id: str) -> None:
    assert JSON_READER.read(document(source_id=given)).source_id == source_id


@pytest.mark.parametrize("given", [None, True, 1.5, "", "  ", "a\nb", "a\x00", "x" * 257, ["a"], {"a": 1}])
def test_any_other_source_id_is_refused(folder: Path, given: Any) -> None:
    found = problem(reader_of(folder, schema="any.json"), document(source_id=given))
    assert told(found) == [("/sourceId", "source_id")]


def test_a_document_without_source_id_or_fields_is_refused(folder: Path) -> None:
    reader = reader_of(folder, schema="any.json")
    assert told(problem(reader, b"{}")) == [("/sourceId", "source_id"), ("/fields", "fields")]
    assert told(problem(reader, b'{"sourceId": 1, "fields": "x"}')) == [("/fields", "fields")]


@pytest.mark.parametrize(
    ("expression", "source_id"),
    [("count(//b)", "2"), ("@n * 1.5", "4.5"), ("@n * 2", "6"), ("boolean(@n)", "true"), ("@n > 3", "false")],
)
def test_a_source_id_may_be_counted_or_reckoned(tmp_path: Path, expression: str, source_id: str) -> None:
    (tmp_path / "any.xsd").write_text(ANY_XML)
    reader = reader_of(tmp_path, schema="any.xsd", source_id=expression)
    assert reader.read(b'<a n="3"><b/><b/></a>').source_id == source_id


@pytest.mark.parametrize("source_id", [None, Absent.MISSING])
def test_a_source_id_that_is_not_there_is_called_missing(folder: Path, source_id: Any) -> None:
    content = document() if source_id is Absent.MISSING else document(source_id=None)
    reader = reader_of(folder, schema="any.json", source_id="sourceId" if source_id is None else "id")
    assert [each.message for each in problem(reader, content).violations] == ["the document has no source id"]


def test_several_things_at_a_path_are_told_apart_from_none(tmp_path: Path) -> None:
    (tmp_path / "any.xsd").write_text(ANY_XML)
    reader = reader_of(tmp_path, schema="any.xsd", source_id="@n", each="b", name="@k", value="c")
    found = problem(reader, b'<a n="1"><b k="one"><c/><c/></b><b k="two"/></a>')
    assert [(each.where, each.message) for each in found.violations] == [
        ("/a/b[1]", "more than one thing stands at c"),
    ]


def test_a_name_that_no_configuration_knows_is_never_told(folder: Path, tmp_path: Path) -> None:
    reader = reader_of(folder, schema="any.json", name="key", value="value.text", confidence="value.sure")
    unsure = {"text": "x", "sure": "very"}
    found = problem(reader, json.dumps({"sourceId": "1", "fields": {"key": unsure, SECRET: unsure}}).encode())
    assert [each.where for each in found.violations] == ["/fields/key", "/fields/(property 2)"]
    (tmp_path / "any.xsd").write_text(ANY_XML)
    reader = reader_of(tmp_path, schema="any.xsd", source_id="@n", each="*", name="@k", value="c")
    found = problem(reader, f'<a n="1"><{SECRET} k="one"><c/><c/></{SECRET}></a>'.encode())
    assert [each.where for each in found.violations] == ["/a/*"]


def test_a_field_of_xml_is_told_by_its_path_where_nothing_is_to_be_hidden() -> None:
    document = form.parse(b"<a><b k='one'/><b k='two'/></a>")
    found = form.fields(document, Layout(form.path("b"), form.path("@k"), form.path("."), form.path("@none")))
    assert found is not None
    assert found.place(1) == "/a/b[2]"


def test_what_the_schema_says_right_above_is_not_said_again(folder: Path) -> None:
    (folder / "short.json").write_text('{"properties": {"fields": {"maxItems": 1}}}')
    found = problem(reader_of(folder, schema="short.json"), document({"name": "a"}, {"name": "b"}))
    assert told(found) == [("/fields", "maxItems")]


@pytest.mark.parametrize("attributes", ['n="1" x:n="2"', 'x:n="2" n="1"'])
def test_an_attribute_without_a_namespace_wins_over_its_namesake(tmp_path: Path, attributes: str) -> None:
    (tmp_path / "any.xsd").write_text(ANY_XML)
    reader = reader_of(tmp_path, schema="any.xsd", source_id="@n")
    assert reader.read(f'<a xmlns:x="urn:x" {attributes}/>'.encode()).source_id == "1"
    assert reader.read(b'<a xmlns:x="urn:x" x:n="2"/>').source_id == "2"


def test_spaces_around_an_xml_source_id_do_not_count() -> None:
    content = b"<document><sourceId>\n  12 \n</sourceId><fields/></document>"
    assert XML_READER.read(content).source_id == "12"


def test_another_shape_of_json_is_a_matter_of_paths(folder: Path) -> None:
    reader = reader_of(
        folder,
        schema="any.json",
        source_id="doc.id",
        each="doc.values",
        name="key",
        value="value.text",
        confidence="value.score",
        scale=100,
    )
    reading = reader.read(b'{"doc": {"id": 7, "values": {"mrn": {"text": "1", "score": 90}, "dob": {"text": null}}}}')
    assert reading == Reading("7", {"mrn": "1"}, {"mrn": 0.9}, reading.document)
    reader = reader_of(
        folder, schema="any.json", each="pages[].items[]", source_id="join('-', [a, b])", name="n || name"
    )
    reading = reader.read(
        b'{"a": "x", "b": "y", "pages": [{"items": [{"n": "p", "value": 1}]},'
        b' {"items": [{"name": "q", "value": [2]}]}]}'
    )
    assert (reading.source_id, reading.fields) == ("x-y", {"p": 1, "q": [2]})


def test_another_shape_of_xml_is_a_matter_of_paths(folder: Path) -> None:
    (folder / "other.xsd").write_text(
        """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:other">
        <xs:element name="batch"><xs:complexType>
        <xs:sequence><xs:any maxOccurs="unbounded" processContents="skip"/></xs:sequence><xs:attribute name="id"/>
        </xs:complexType></xs:element></xs:schema>"""
    )
    content = b"""<o:batch xmlns:o="urn:other" id="77">
        <o:item><o:key> mrn</o:key><o:text>1<o:b>2</o:b>3</o:text></o:item>
        <x:item xmlns:x="urn:x" score="55"><x:key>dob</x:key><x:text/></x:item></o:batch>"""
    reader = reader_of(
        folder,
        schema="other.xsd",
        source_id="concat('B', @id)",
        each="item",
        name="normalize-space(key)",
        value="text",
        confidence="@score",
        scale=100,
    )
    reading = reader.read(content)
    assert (reading.source_id, reading.fields) == ("B77", {"mrn": "123", "dob": ""})
    assert reading.confidence == {"dob": 0.55}
    twice = content.replace(b"<x:text/>", b"<x:text/><x:text/>")
    assert told(problem(reader, twice)) == [("/batch/item[2]", "value")]


@pytest.mark.parametrize("each", ["/", "//r", "//f", "//f/@a", "//f/text()", "//g"])
@pytest.mark.parametrize(
    ("plain", "other"),
    [("@a", "./@a"), ("@b", "./@b"), ("@none", "./@none"), (".", "self::node()"), ("g/@a", "child::g/@a")],
)
def test_a_plain_xpath_finds_what_any_other_does(each: str, plain: str, other: str) -> None:
    content = b"<r xmlns:p='u' a='0'>s<f a='1' p:b='2'>t<g p:a='3' a=''/>u<!-- c -->v</f><f/></r>"
    document = form.parse(content)
    items = [(node, document) for node in form.path(each).select((document.tree, document))]
    assert items
    assert [form.path(plain).find(item) for item in items] == [form.path(other).find(item) for item in items]


@pytest.mark.parametrize("each", ["/", "//f", "//f | //n", "//f | //n[1]", "//f | //f/@a", "//f/text()", "//none"])
@pytest.mark.parametrize("expression", ["@a", "@none", "@nil", ".", "self::node()", "g", "g/@a"])
def test_an_xpath_finds_in_many_items_what_it_finds_in_each(each: str, expression: str) -> None:
    xsi = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
    content = f"<r {xsi}>s<f a='1'>t<g a='2'/>u</f><f/><n xsi:nil='false'/><n xsi:nil='true'/></r>".encode()
    document = form.parse(content)
    items = [(node, document) for node in form.path(each).select((document.tree, document))]
    path = form.path(expression)
    assert path.find_each(items) == [path.find(item) for item in items]


@pytest.mark.parametrize(("path", "count"), [("f", 2), ("none", 0), ("//f", 2), ("//none", 0), ("//f/@a", 1)])
def test_cells_are_all_nodes_that_a_path_selects(path: str, count: int) -> None:
    top = form.top(form.parse(b"<r><f a='1'/><f/></r>"))
    assert len(form.cells(top, form.path(path))) == count
    assert form.cells(top, form.path(f"count({path})")) is None


def test_attributes_and_texts_of_many_elements_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    document = form.parse(b"<r><f a='1'>t<g/>u</f><f/></r>")
    items = form.cells(form.top(document), form.path("f"))
    monkeypatch.setattr(form.Path, "find", None)
    assert form.path("@a").find_each(items) == ["1", Absent.MISSING]
    assert form.path(".").find_each(items) == ["tu", ""]


@pytest.mark.parametrize("each", ["//r", "//f", "//g", "//f/@a"])
@pytest.mark.parametrize(
    ("names", "other"),
    [
        ("f", "child::f"),
        ("g", "child::g"),
        ("f/g", "child::f/child::g"),
        ("f/f/g", "child::f/child::f/child::g"),
        (".//f", "descendant::f"),
        (".//g", "descendant::g"),
        (".//none", "descendant::none"),
    ],
)
def test_a_path_of_names_selects_what_any_other_does_in_the_same_order(each: str, names: str, other: str) -> None:
    content = b"<r xmlns:p='u'>s<f a='1'><f><g/><p:f><p:g/></p:f></f>t<g><f/></g></f><f><g/></f><!-- c --><g/></r>"
    document = form.parse(content)
    items = [(node, document) for node in form.path(each).select((document.tree, document))]
    assert items
    assert (form.path(names).names, form.path(other).names) == (True, False)
    found = [[id(element) for element in form.path(names).select(item)] for item in items]
    assert found == [[id(element) for element in form.path(other).select(item)] for item in items]


@pytest.mark.parametrize(
    ("key", "expression", "words"),
    [
        ("each", "fields[", "not a JMESPath: incomplete expression"),
        ("each", "a.b ]", "at its column 5"),
        ("each", "", "(at its column 1)"),
        ("name", "nope(@)", 'no function "nope"'),
        ("value", "a b", "not a JMESPath"),
        ("source_id", "$%", "not a JMESPath"),
    ],
)
def test_a_wrong_jmespath_is_a_fault_of_the_configuration(key: str, expression: str, words: str) -> None:
    _expect_wrong_path(JSON_SCHEMA, key, expression, words)


@pytest.mark.parametrize(
    ("key", "expression", "words"),
    [
        ("each", ".//", "unexpected end"),
        ("each", "a b", "unexpected name 'b' (at its column 3)"),
        ("name", "a b", "at its column 3"),
        ("value", "doc('http://127.0.0.1/')", "unknown function"),
        ("value", "matches(., '(a+)+')", "unknown function"),
        ("confidence", "$x", "unknown variable"),
        ("source_id", "p:id", "without a prefix"),
    ],
)
def test_a_wrong_xpath_is_a_fault_of_the_configuration(key: str, expression: str, words: str) -> None:
    _expect_wrong_path(XSD, key, expression, words)


def test_all_faults_of_the_configuration_are_told_at_once(folder: Path) -> None:
    (folder / "broken.json").write_text('{"type": "strin"}')
    with pytest.raises(ConfigurationError) as caught:
        reader_of(folder, schema="brokn.json", each="[", name="]")
    messages = [str(fault) for fault in caught.value.faults]
    assert len(messages) == 3
    assert any(
        'there is no "brokn.json" in schemas/' in each and 'did you mean "broken.json"?' in each for each in messages
    )
    with pytest.raises(ConfigurationError) as caught:
        reader_of(folder, schema="broken.json")
    assert [(each.file, each.code) for each in caught.value.faults] == [("schemas/broken.json", "invalid-schema")]


def test_warnings_of_both_schemas_are_kept(folder: Path) -> None:
    (folder / "any.json").write_text('{"requird": []}')
    assert [each.code for each in reader_of(folder, schema="any.json").warnings] == ["unknown-keyword"]


@pytest.mark.parametrize(
    "content",
    [
        document(*[(f"n{n}", "v", 0.5) for n in range(100_000)]),
        document(*[(f"n{n}", "v", 0.5) for n in range(6_000)]),
        document(*[("n", "v", 7)] * 5_000),
        document(*[1] * 24_000),
        b'{"a":' * 200_000,
    ],
    ids=["100,000 fields", "6,000 fields", "5,000 bad fields", "24,000 numbers", "deep"],
)
def test_large_counts_of_json_are_answered_within_a_second(content: bytes) -> None:
    start = time.process_time()
    assert len(problem(JSON_READER, content).violations) < 250
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "inside",
    [
        b"<field name='n'>v</field>" * 2_400,
        b"<field name='' confidence='3'/>" * 1_600,
        b"<fild/>" * 4_900,
        b"<field/>" * 100_000,
        b"".join(b"<field xmlns:a%d='u' name='n'/>" % n for n in range(99)) + b"<field name='n'/>" * 2_000,
        b"<field name='n'>" + b"x " * 500_000 + b"</field><field name='n'/>",
    ],
)
def test_large_counts_of_xml_are_answered_within_a_second(inside: bytes) -> None:
    start = time.process_time()
    content = b"<document><sourceId>1</sourceId><fields>" + inside + b"</fields></document>"
    assert len(problem(XML_READER, content).violations) < 250
    assert time.process_time() - start < 1


def test_no_value_is_in_a_problem_or_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    contents = [
        document((SECRET[:3], SECRET, SECRET), source_id=[SECRET]),
        document(("a", SECRET), ("a", SECRET), source_id=SECRET * 50),
        document(("a", SECRET), source_id="1")[:-5],
        b'{"sourceId": "' + SECRET.encode() + b"\xff",
        b'{"a": "' + SECRET.encode() + b'", "a": NaN}',
    ]
    for reader, content in [(JSON_READER, each) for each in contents] + [
        (XML_READER, f"<document><sourceId>{SECRET}</sourceId><fields>{SECRET}<field>{SECRET}".encode()),
        (XML_READER, f"<document><sourceId>{SECRET}\n{SECRET}</sourceId><fields>{SECRET}</fields></document>".encode()),
        (XML_READER, f"<x a='{SECRET}'>{SECRET}</x>".encode()),
    ]:
        with caplog.at_level(logging.DEBUG):
            found = problem(reader, content)
            logging.getLogger(__name__).error("refused", exc_info=found)
        shown = "".join(traceback.format_exception(found)) + repr(found) + repr(found.violations) + found.detail
        assert SECRET not in shown
        assert SECRET not in caplog.text
        assert found.__context__ is None


# whatever comes ---------------------------------------------------------------------------------------------------

_VALUES = st.recursive(
    st.just(SECRET) | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "value", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
_NAMES = st.sampled_from(["a", "b", "dob", ""]) | _VALUES
_FIELDS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"name": _NAMES, "value": _VALUES, "confidence": _VALUES | st.sampled_from(["0.5", "2", "x"])}
    )
    | _VALUES,
    max_size=5,
)


@given(content=st.binary(max_size=200), xml=st.booleans())
def test_any_bytes_are_a_reading_or_a_problem(content: bytes, xml: bool) -> None:
    _read(XML_READER if xml else JSON_READER, content)


@given(fields=_FIELDS | _VALUES, source_id=_VALUES, strict=st.booleans(), repeated=st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_document_is_a_reading_or_a_problem_without_values(
    fields: Any, source_id: Any, strict: bool, repeated: bool
) -> None:
    content = json.dumps({"sourceId": source_id, "fields": fields}).encode()
    _read(READERS[strict, repeated], content)


_XML_PIECES = st.sampled_from(
    [
        f"<field name='a' confidence='0.5'>{SECRET}</field>",
        f"<field name='{SECRET}'/>",
        "<field name='a' confidence='x'/>",
        "<field/>",
        "<fields>",
        "</fields>",
        "<sourceId>1</sourceId>",
        f"<sourceId>{SECRET}</sourceId>",
        "<x xmlns='u'/>",
        SECRET,
    ]
)


@given(pieces=st.lists(_XML_PIECES, max_size=8))
@settings(deadline=None)
def test_any_xml_is_a_reading_or_a_problem_without_values(pieces: list[str]) -> None:
    _read(XML_READER, f"<document>{''.join(pieces)}</document>".encode())
    _read(XML_READER, f"<document><sourceId>1</sourceId><fields>{''.join(pieces)}</fields></document>".encode())


def _readers(strict: bool, repeated: bool) -> MetadataReader:
    names = ("a",) if repeated else ()
    path = "value || x" if strict else "value"
    return reader_of(value=path, repeated=names, aliases={"dob": "b"})


READERS = {(strict, repeated): _readers(strict, repeated) for strict in (True, False) for repeated in (True, False)}


def _read(reader: MetadataReader, content: bytes) -> None:
    try:
        reading = reader.read(content)
    except Problem as found:
        violations, detail = found.violations, found.detail
    else:
        assert 0 < len(reading.source_id) <= 256
        assert set(reading.confidence) <= set(reading.fields)
        return
    assert violations
    assert SECRET not in detail + "".join(each.message + each.rule for each in violations).replace(f'"{SECRET}"', "")


def _expect_wrong_path(schema: str, key: str, expression: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        reader_of(schema=schema, **{key: expression})
    (fault,) = caught.value.faults
    assert fault.code == "wrong-path"
    assert words in fault.message or words in fault.hint
    assert fault.file == ("process.toml metadata.source_id" if key == "source_id" else f"process.toml fields.{key}")


def _with_fields_schema(folder: Path, schema: str = JSON_SCHEMA) -> MetadataReader:
    return reader_of(folder, schema=schema, fields_schema="fields.json")
