"""Metadata at its limits, and the exact words and places of what is wrong with it."""

import json
from typing import Any

import pytest
from elementpath import ElementPathError

from receiver.core.delivery import Cell
from receiver.core.faults import ConfigurationError
from receiver.core.problems import Code, Problem
from receiver.metadata import json as as_json
from receiver.metadata import xml as as_xml
from receiver.metadata.fields import Absent, Layout, WrongPathError, cells_below_minimum, source_id_fault
from tests.support.metadata_of import document, reader_of

REFUSED = None


def told(content: bytes, **settings: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(Problem) as caught:
        reader_of(**settings).read(content)
    return [(each.where, each.rule, each.message) for each in caught.value.violations]


def found_in(any_json, *fields: Any, **settings: Any) -> list[tuple[str, str, str]]:
    return told(document(*fields), folder=any_json, schema="any.json", **settings)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("x" * 256, ""),
        ("x" * 257, "the source id must have at most 256 characters"),
        (" a ", ""),
        ("", "the source id is empty"),
        (" \t", "the source id is empty"),
        (None, "the document has no source id"),
        (Absent.MISSING, "the document has no source id"),
        (Absent.SEVERAL, "the document has no source id"),
        (1, "the source id must be text or a whole number"),
        ("a\x1fb", "the source id must have no control characters"),
        ("a\x7fb", "the source id must have no control characters"),
        ("a\x9fb", "the source id must have no control characters"),
        ("a\u2028b", "the source id must have no control characters"),
        ("a\u2029b", "the source id must have no control characters"),
        ("a\xa0b", ""),
        ("a\u200bb", ""),
    ],
)
def test_a_source_id_is_text_of_some_length(given, fault):
    assert source_id_fault(given) == fault


@pytest.mark.parametrize(("given", "read"), [(7, "7"), (True, REFUSED), (1.5, REFUSED), ("7", "7"), ([], REFUSED)])
def test_a_source_id_in_json_may_be_a_whole_number(any_json, given, read):
    reader = reader_of(any_json, schema="any.json")
    if read is REFUSED:
        assert found_in_source(reader, given) == [("/sourceId", "source_id")]
    else:
        assert reader.read(document(source_id=given)).source_id == read


def found_in_source(reader, given):
    with pytest.raises(Problem) as caught:
        reader.read(document(source_id=given))
    assert caught.value.source_id == ""
    return [(each.where, each.rule) for each in caught.value.violations]


TOO_LONG = "the field's name must have at most 200 characters, none of them control"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("x" * 200, ""),
        ("x" * 201, TOO_LONG),
        ("a\u2028", TOO_LONG),
        ("a\u200b", ""),
        (" a", ""),
        (" ", "the field's name must be text that is not empty"),
        (5, "the field's name must be text that is not empty"),
    ],
)
def test_the_name_of_a_field_is_plain_text_of_some_length(any_json, name, fault):
    if fault:
        assert found_in(any_json, (name, "v")) == [("/fields/0", "name", fault)]
    else:
        reading = reader_of(any_json, schema="any.json").read(document((name, "v")))
        assert reading.fields == {name: "v"}


@pytest.mark.parametrize("name", ["x" * 201, "a\u2028", " "])
def test_a_name_that_a_schema_or_an_alias_holds_is_judged_like_any_other(any_json, name):
    (any_json / "held.json").write_text(json.dumps({"type": "object", "properties": {name: {}}}))
    told = found_in(any_json, (name, "v"), fields_schema="held.json", aliases={name: "b"})
    assert [(where, rule) for where, rule, _ in told] == [("/fields/0", "name")]


def test_a_field_without_a_name_or_with_a_wrong_confidence_is_told_in_words(any_json):
    assert found_in(any_json, {"value": 1}, ("a", 1, "x"), ("b", 1, 101), scale=100) == [
        ("/fields/0", "name", "nothing stands at name"),
        ("/fields/1", "confidence", "the confidence must be a number"),
        ("/fields/2", "confidence", "the confidence must be from 0 to 100"),
    ]


def test_a_field_that_is_null_or_has_no_value_is_as_if_it_had_not_come(any_json):
    reader = reader_of(any_json, schema="any.json", repeated=("code",))
    reading = reader.read(document(("a", None), {"name": "b"}, ("code", None), ("c", 0), ("a", 2)))
    assert reading.fields == {"c": 0, "a": 2}
    assert reading.confidence == {}


@pytest.mark.parametrize(
    ("given", "kept"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5), ("0", 0.0), ("1.", 1.0), (".5", 0.5), (-0.0, 0.0)]
)
def test_a_confidence_may_be_the_least_and_the_most(any_json, given, kept):
    reading = reader_of(any_json, schema="any.json").read(document(("a", "x", given)))
    assert reading.confidence == {"a": kept}


@pytest.mark.parametrize(("given", "scale"), [(100.5, 100), (-0.001, 1), (1.001, 1), ("1e1", 1), ("9" * 21, 1)])
def test_a_confidence_beyond_the_scale_is_refused(any_json, given, scale):
    assert [rule for _, rule, _ in found_in(any_json, ("a", "x", given), scale=scale)] == ["confidence"]


@pytest.mark.parametrize(("count", "more"), [(100, []), (101, ["1 more"]), (150, ["50 more"])])
def test_a_hundred_fields_that_are_wrong_are_told_and_how_many_more(any_json, count, more):
    found = found_in(any_json, *([{"value": 1}] * count))
    assert [message for _, _, message in found[100:]] == more
    assert [where for where, _, _ in found[:100]] == [f"/fields/{index}" for index in range(100)]


@pytest.mark.parametrize(("count", "most"), [(5_000, False), (5_001, True)])
def test_five_thousand_fields_are_read_and_no_more(any_json, count, most):
    fields = [(f"f{number}", 1) for number in range(count)]
    reader = reader_of(any_json, schema="any.json", each="items")
    content = json.dumps(
        {"sourceId": "1", "items": [dict(zip(("name", "value"), each, strict=True)) for each in fields]}
    )
    if not most:
        assert len(reader.read(content.encode()).fields) == count
    else:
        with pytest.raises(Problem) as caught:
            reader.read(content.encode())
        (violation,) = caught.value.violations
        assert (violation.where, violation.rule, violation.message) == ("/", "more", "has more than 5,000 fields")


def test_repeats_of_another_name_count_as_one_field(any_json):
    found = found_in(any_json, ("x", 1, 0.1), ("y", 2), ("x", 3), aliases={"x": "y"})
    assert found == [
        ("/fields/1", "repeated", "the field comes more than once"),
        ("/fields/2", "repeated", "the field comes more than once"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"sourceId": "1"}', [("/fields", "fields", "there are no fields here")]),
        (b'{"sourceId": "1", "fields": 5}', [("/fields", "fields", "there are no fields here")]),
        (b'{"sourceId": "1", "fields": null}', [("/fields", "fields", "there are no fields here")]),
    ],
)
def test_metadata_without_a_list_of_fields_is_refused(any_json, content, message):
    assert told(content, folder=any_json, schema="any.json") == message


def test_an_object_is_a_list_of_fields_by_name(any_json):
    reader = reader_of(any_json, schema="any.json", name="key", value="value.v", confidence="value.c")
    content = json.dumps({"sourceId": 1, "fields": {"a": {"v": "x", "c": 0.5}, "b": {"v": "y"}}}).encode()
    reading = reader.read(content)
    assert (reading.fields, reading.confidence) == ({"a": "x", "b": "y"}, {"a": 0.5})
    content = json.dumps({"sourceId": 1, "fields": {"Ada": {"v": "x", "c": 7}, "name": {"c": 8, "v": 1}}}).encode()
    with pytest.raises(Problem) as caught:
        reader.read(content)
    assert [each.where for each in caught.value.violations] == ["/fields/(property 1)", "/fields/(property 2)"]


def test_a_malformed_document_is_told_its_line(any_json):
    with pytest.raises(Problem) as caught:
        reader_of(any_json, schema="any.json").read(b'{\n "a" 1}')
    assert (caught.value.code, caught.value.detail) == (
        Code.METADATA_MALFORMED,
        "The metadata is not JSON that can be read.",
    )
    assert [(each.where, each.rule) for each in caught.value.violations] == [("line 2, column 6", "well-formed")]


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        ("a", "b", "b"),
        ("a", "5", "5"),
        (4, "5", 5),
        (4, "5.5", 5.5),
        (4.5, "5", 5),
        (4, "x", "x"),
        (4, "true", "true"),
        (4, '"5"', '"5"'),
        (True, "5", "5"),
        (None, "5", "5"),
    ],
)
def test_a_correction_has_the_type_of_what_it_corrects(any_json, before, text, after):
    reader = reader_of(any_json, schema="any.json")
    reading = reader.read(document(("mrn", before, 0.2), ("dose", 1, 0.3)), "", {"mrn": text})
    assert (reading.fields["mrn"], type(reading.fields["mrn"])) == (after, type(after))
    assert reading.confidence == {"mrn": 1.0, "dose": 0.3}


def test_fields_can_be_looked_at_whatever_schemas_say(any_json):
    reader = reader_of(any_json, schema="any.json", fields_schema="any.json")
    seen = reader.peek(document(("a", 1, 0.5), {"value": 1}, source_id=""), "")
    assert (seen.source_id, seen.fields, seen.confidence, seen.document) == ("", {"a": 1}, {"a": 0.5}, None)
    assert [reader.peek(document(source_id=each), "").source_id for each in ("7", None, [1])] == ["7", "", ""]
    with pytest.raises(Problem):
        reader.peek(b"{", "")


# paths ----------------------------------------------------------------------------------------------------------

ITEM = {"a": {"b": 1, "n": None}, "l": [{"b": 1}, {"b": 2}], "s": "text"}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("a.b", 1),
        ("a.n", None),
        ("a.x", Absent.MISSING),
        ("s.x", Absent.MISSING),
        ("x", Absent.MISSING),
        ("l[0].b", 1),
        ("l[-1].b", 2),
        ("l[].b", [1, 2]),
        ("x[0]", None),
        ("length(l)", 2),
        ("length(`5`)", Absent.MISSING),
        ('"a"."b"', 1),
        ("a.[b]", [1]),
        ("a.{x: b}", {"x": 1}),
    ],
)
def test_a_jmespath_finds(expression, found):
    assert as_json.path(expression).find(ITEM) == found


@pytest.mark.parametrize(
    ("expression", "column", "message", "hint"),
    [
        ("a..b", 3, "not a JMESPath", "steps are names joined by dots"),
        ("$.a.b", 1, "not a JMESPath", "write a.b"),
        ("/a/b", 1, "not a JMESPath", "write a.b"),
        ("a-b", 2, "not a JMESPath", "write it in single quotes: '\"a-b\"'"),
        ("lenght(a)", 1, 'JMESPath has no function "lenght"', 'did you mean "length"?'),
        ("a[?qqqqqqqqqq(b)]", 4, 'JMESPath has no function "qqqqqqqqqq"', "a path needs none: document.id"),
        ("a[", 3, "not a JMESPath: incomplete expression", "steps are names joined by dots"),
        ("a.", 3, "not a JMESPath: it cannot be read", "steps are names joined by dots"),
        ("", 1, "not a JMESPath: cannot be empty.", "steps are names joined by dots"),
        ("document/first name", 9, "not a JMESPath: unknown token /", "in single quotes: 'document.\"first name\"'"),
    ],
)
def test_a_wrong_jmespath_is_told_with_its_column(expression, column, message, hint):
    with pytest.raises(WrongPathError) as caught:
        as_json.path(expression)
    assert caught.value.message.startswith(message)
    assert caught.value.message == caught.value.message.rstrip(": ")
    assert caught.value.column == column
    assert hint in caught.value.hint


def test_the_place_of_a_jmespath_is_a_pointer_if_it_is_plain():
    places = [as_json.place({}, as_json.path(each)) for each in ("a.b", "a[0].b", "join('-', a)")]
    assert places == ["/a/b", "/a[0].b", "/join('-', a)"]


@pytest.mark.parametrize(
    ("expression", "attribute", "names", "owner"),
    [
        ("A/b_c", "", True, ""),
        (".//A", "", True, ""),
        ("é", "", False, ""),
        ("@Id", "Id", False, ""),
        ("@*", "", False, ""),
        ("./@id", "", False, ""),
        ("A/b/@C", "", False, "A/b"),
        ("A/@b | c", "", False, ""),
    ],
)
def test_an_xpath_that_is_plain_is_known_as_such(expression, attribute, names, owner):
    found = as_xml.path(expression)
    assert (found.attribute, found.names, found.owner) == (attribute, names, owner)


@pytest.mark.parametrize(("expression", "column"), [("a b", 3), ("", 1), ("a[", 2), ("true()[$z]", 8), ("$x", 1)])
def test_a_wrong_xpath_is_told_with_its_column(expression, column):
    with pytest.raises(WrongPathError) as caught:
        as_xml.path(expression)
    assert caught.value.column == column


XML = b"""<o:order xmlns:o="urn:o" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" o:id="7" id2="8">
<a>1</a><b>2 <i>3</i></b><b>4</b><n xsi:nil="true"/><m xsi:nil=" 1 "> </m><k xsi:nil="false"/><t xsi:nil="true">x</t>
<e/></o:order>"""


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("a", "1"),
        ("b", Absent.SEVERAL),
        ("b[1]", "2 3"),
        ("b/i", "3"),
        (".//i", "3"),
        ("x", Absent.MISSING),
        ("@id", "7"),
        ("@id2", "8"),
        ("@x", Absent.MISSING),
        ("b/@x", Absent.MISSING),
        ("./@id", "7"),
        ("n", None),
        ("m", None),
        ("k", ""),
        ("t", "x"),
        ("e", ""),
        ("count(b)", "2"),
        ("count(b) div 4", "0.5"),
        ("count(b) = 2", "true"),
        ("count(b) = 3", "false"),
        ("string(a)", "1"),
        ("a/text()", "1"),
        ("n/@nil", "true"),
        ("b/@x | a", "1"),
        ("a | a", "1"),
        ("1 div 0", "inf"),
        ("id(a)", Absent.MISSING),
    ],
)
def test_an_xpath_finds(expression, found):
    parsed = as_xml.parse(XML)
    assert as_xml.path(expression).find(as_xml.top(parsed)) == found


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("a[", "steps are names with / between them"),
        ("o:a/o:b", "names stand without a prefix here: write a/b"),
        ("$x", "steps are names with / between them"),
    ],
)
def test_a_wrong_xpath_is_told_with_what_to_write(expression, hint):
    with pytest.raises(WrongPathError) as caught:
        as_xml.path(expression)
    assert caught.value.message.startswith("not an XPath: ")
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("expression", "known", "where"),
    [
        ("a/b", None, "/order/a/b"),
        ("/order/a", None, "/order/a"),
        ("a", frozenset({"order"}), "/order/a"),
        ("a", frozenset({"a"}), "/*/a"),
    ],
)
def test_the_place_of_an_xpath_is_told_from_the_root(expression, known, where):
    assert as_xml.place(as_xml.parse(XML), as_xml.path(expression), known) == where


def test_what_xml_itself_names_loses_its_namespace_too():
    assert as_xml.parse(b"<a xml:lang='de'/>").root.attrib == {"lang": "de"}


@pytest.mark.parametrize(
    ("expression", "place"), [("/order/a/@x", "/order/a/@x"), ("a/@x", "/order/a/@x"), ("a/text()", "/"), ("/", "/")]
)
def test_a_field_that_is_no_element_has_the_place_of_what_it_is_in(expression, place):
    document = as_xml.parse(b"<order><a x='1'>t</a></order>")
    found = as_xml.fields(document, Layout(*map(as_xml.path, (expression, ".", ".", "."))))
    assert found.place(0) == place
    assert as_xml.fields(document, Layout(*map(as_xml.path, ("count(a)", ".", ".", ".")))) is None


def test_namespaces_are_left_out_and_a_plain_attribute_goes_before_its_namesake():
    parsed = as_xml.parse(b"<p:a xmlns:p='u' p:x='1' x='2' p:y='3'><p:b/><c/></p:a>")
    assert (parsed.root.tag, dict(parsed.root.attrib)) == ("a", {"x": "2", "y": "3"})
    assert [child.tag for child in parsed.root] == ["b", "c"]
    assert parsed.parsed.root.tag == "{u}a"
    assert dict(as_xml.parse(b"<a xml:lang='de'/>").root.attrib) == {"lang": "de"}  # declared by XML itself
    plain = as_xml.parse(b"<a b='1'/>")
    assert plain.root is plain.parsed.root


@pytest.mark.parametrize(("count", "more"), [(100, []), (101, ["1 more"])])
def test_a_hundred_cells_below_their_minimum_are_told(count, more):
    cells = [Cell(("tables", "items", n, "sku"), "sku", "items.sku", 0.1) for n in range(count)]
    found = cells_below_minimum(cells, 0.5, {}, accept_unknown=False)
    assert [each.message for each in found[100:]] == more
    assert (found[0].where, found[0].message) == ("tables/items/0/sku", "the confidence is below 0.5")


def test_cells_are_judged_by_their_columns_minimum_and_what_was_not_measured_as_the_process_says():
    cells = [
        Cell(("tables", "items", 0, "sku"), "(cell 1)", "items.sku", None),
        Cell(("tables", "items", 0, "n"), "n", "items.n", 0.5),
        Cell(("tables", "items", 1, "n"), "n", "items.n", 0.79),
    ]
    found = cells_below_minimum(cells, 0.4, {"items.n": 0.79}, accept_unknown=False)
    assert [(each.where, each.message) for each in found] == [
        ("tables/items/0/(cell 1)", "there is no confidence, and its minimum is 0.4"),
        ("tables/items/0/n", "the confidence is below 0.79"),
    ]
    assert len(cells_below_minimum(cells, 0.4, {"items.n": 0.79}, accept_unknown=True)) == 1


def test_every_fault_of_the_paths_is_told_with_its_column(any_json):
    with pytest.raises(ConfigurationError) as caught:
        reader_of(any_json, schema="any.jsn", source_id="a[", each="b[", fields_schema="nothing.json")
    assert sorted((each.file, each.code) for each in caught.value.faults) == [
        ("process.toml fields.each", "wrong-path"),
        ("process.toml fields.schema", "missing-file"),
        ("process.toml metadata.schema", "missing-file"),
        ("process.toml metadata.source_id", "wrong-path"),
    ]
    wrong = [each.message for each in caught.value.faults if each.code == "wrong-path"]
    assert all("(at its column 3)" in message for message in wrong)


def test_a_path_that_a_library_cannot_hold_is_a_fault_of_its_own_key(any_json):
    nested = "(" * 3_000 + "a" + ")" * 3_000
    with pytest.raises(ConfigurationError) as caught:
        reader_of(any_json, schema="any.json", source_id=nested)
    (fault,) = caught.value.faults
    assert (fault.file, fault.code) == ("process.toml metadata.source_id", "unreadable-content")


@pytest.mark.parametrize("error", [ElementPathError("x"), OverflowError(), ValueError(), TypeError()])
def test_a_function_that_dislikes_what_it_is_given_finds_nothing(error):
    class Token:
        def select(self, _context):
            raise error

    found = as_xml.Path("f()", "", False, Token()).find(as_xml.top(as_xml.parse(XML)))
    assert found is Absent.MISSING
