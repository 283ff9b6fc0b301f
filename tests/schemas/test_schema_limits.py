"""The limits of what is read and said, each from both sides, and the words for every rule of JSON Schema and XSD."""

from dataclasses import replace
from decimal import Decimal

import pytest
from elementpath import ElementPathError
from xmlschema import XMLSchemaException

from receiver.schemas import encodings, json_text, xml_text, xsd_files
from receiver.schemas.encodings import MalformedError
from receiver.schemas.json_text import Written, exact, nearest
from receiver.schemas.xml_text import parse
from tests.support.schema_folder import Schemas

REFUSED = "refused"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("9" * 300, int("9" * 300)),
        ("9" * 301, REFUSED),
        ("0." + "1" * 298, 0.1111111111111111),
        ("0." + "1" * 299, REFUSED),
        ("1e308", 1e308),
        ("1e309", REFUSED),
        ("1e-999", 0.0),
        ("1e-0999", 0.0),
        ("1e-1000", REFUSED),
        ("1E-1000", REFUSED),
        ("0e1000", REFUSED),
        ("1E+0300", 1e300),
        ("[" * 64 + "]" * 64, None),
        ("[" * 65 + "]" * 65, REFUSED),
        ("[" + "0," * 59_999 + "0]", [0] * 60_000),
        ("[" + "0," * 60_000 + "0]", REFUSED),
        ('["a,",' + "0," * 59_998 + "0]", ["a,"] + [0] * 59_999),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\ude00"', REFUSED),
        ('{"a": {"b": 1}, "b": 2}', {"a": {"b": 1}, "b": 2}),
        ('[{"a": 1}, {"a": 1, "a": 2}]', REFUSED),
        ('["a", "a"]', ["a", "a"]),
        (" ", REFUSED),
    ],
)
def test_json_is_read_as_far_as_its_limits(text, read):
    if read is REFUSED:
        with pytest.raises(MalformedError):
            json_text.loads(text.encode())
    else:
        assert read is None or json_text.loads(text.encode()) == read


@pytest.mark.parametrize(
    ("literal", "printed"),
    [("1.10", "1.10"), ("-0", "-0"), ("-0.0", "-0.0"), ("1E5", "1E5"), ("12345678901234567.89",) * 2],
)
def test_a_number_prints_as_it_was_written(literal, printed):
    assert repr(json_text.parse(literal)) == printed
    assert exact({"a": [json_text.parse(literal)]}) == {"a": [Decimal(literal)]}


def test_a_decimal_is_a_plain_float_where_one_is_equal():
    assert type(nearest(Decimal("0.5"))) is float
    assert type(nearest(Decimal("1.10"))) is float
    assert repr(nearest(Decimal("12345678901234567.89"))) == "12345678901234567.89"
    document = {"a": [1.5, {"b": "x"}], "c": 2}
    assert exact(document) is document
    assert exact([[Written("1.10")], {"b": Written("2.50")}, "x"]) == [[Decimal("1.10")], {"b": Decimal("2.50")}, "x"]


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        (b"<a>" * 64 + b"</a>" * 64, True),
        (b"<a>" * 65 + b"</a>" * 65, False),
        (b"<a>" + b"<b/>" * 19_999 + b"</a>", True),
        (b"<a>" + b"<b/>" * 20_000 + b"</a>", False),
        (b"<a>" + b"<b c='1'/>" * 9_999 + b"</a>", True),
        (b"<a>" + b"<b c='1'/>" * 10_000 + b"</a>", False),
        (b"<a>" + b"<b></b><b><c/></b>" * 1_000 + b"</a>", True),
        (b"<a " + b" ".join(b'xmlns:x%d="u"' % n for n in range(100)) + b"/>", True),
        (b"<a " + b" ".join(b'xmlns:x%d="u"' % n for n in range(101)) + b"/>", False),
        (b"<a>" + b"<b xmlns='u'/>" * 100 + b"</a>", True),
        (b"<a>" + b"<b xmlns='u'/>" * 101 + b"</a>", False),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_xml_is_read_as_far_as_its_limits(content, taken):
    if taken:
        parse(content)
    else:
        with pytest.raises(MalformedError, match="than"):
            parse(content)


@pytest.mark.parametrize(
    ("content", "charset", "declared", "message"),
    [
        (b"\xff\xfe\x00", "", "", "it is not encoded in UTF-16-LE, as its byte order mark says"),
        (b"{}", "x" * 50, "", "the charset of its part is not an encoding that is known here; send UTF-8"),
        (b"{}", "", "none", "its XML declaration is not an encoding that is known here; send UTF-8"),
        (b"\xe9", "us-ascii", "", "it is not encoded in ASCII, as the charset of its part says"),
        (b"\xe9", "", "", "it is not encoded in UTF-8"),
        (b"{\0}\0", "", "", "it is not encoded in UTF-8; it looks like UTF-16, and has no byte order mark; send UTF-8"),
        (
            b"{\0\0\0",
            "iso-8859-2",
            "",
            "the charset of its part says ISO-8859-2, and its bytes look like UTF-32; send UTF-8, and say so",
        ),
        (
            b"\0{",
            "",
            "latin-1",
            "its XML declaration says ISO-8859-1, and its bytes look like UTF-16; send UTF-8, and say so",
        ),
        (b"{}", "utf-16", "", "the charset of its part says UTF-16, and its bytes are not; send UTF-8, and say so"),
        (
            b"\xc3\xa9",
            "latin-1",
            "",
            "the charset of its part says ISO-8859-1, and its bytes are UTF-8: say UTF-8, or send it as it says",
        ),
    ],
)
def test_an_encoding_that_cannot_be_is_told_with_who_says_so(content, charset, declared, message):
    with pytest.raises(MalformedError) as caught:
        encodings.decoded(content, charset, declared)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        (b"\xef\xbb\xbf\xc3\xa9", "latin-1", "é"),
        (b"\xe9", "latin-1", "é"),
        (b"\xc3", "cp1252", "Ã"),
        (b"a", "latin-1", "a"),
        (b"\xc3\xa9", "shift_jis", "ﾃｩ"),
        (b"\0\0\0{", "utf-32", "{"),
        (b"\0{", "utf-16", "{"),
        (b"{\0", "utf-16-le", "{"),
    ],
)
def test_bytes_are_read_as_they_say(content, charset, text):
    assert encodings.decoded(content, charset) == text


def test_what_is_our_own_is_not_suspected():
    assert encodings.decoded(b"\xc3\xa9", "latin-1", own=True) == "Ã©"


@pytest.mark.parametrize(
    ("schema", "instance", "message"),
    [
        ({"exclusiveMaximum": 3}, 3, "must be less than 3"),
        ({"minimum": 3}, 2, "must be at least 3"),
        ({"minProperties": 1}, {}, "must have at least 1 property"),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, "must have at most 1 property"),
        ({"minLength": 2}, "a", "must have at least 2 characters"),
        ({"maxLength": 1}, "ab", "must have at most 1 character"),
        ({"type": "object"}, 1, "must be an object"),
        ({"type": "array"}, 1, "must be an array"),
        ({"type": "number"}, "", "must be a number"),
        ({"type": "boolean"}, 1, "must be a boolean"),
        ({"format": "ipv4"}, "x", "must be an ipv4, such as 192.0.2.1"),
        ({"format": "uri"}, "x", "must be a uri, such as https://example.org/path"),
        ({"format": "json-pointer"}, "x", "must be a json-pointer"),
        ({"unevaluatedItems": False}, [1], "has more items than the schema knows"),
        ({"prefixItems": [True], "items": False}, [1, 2], "must not be here: the schema allows nothing in this place"),
        (
            {"oneOf": [{"type": "integer"}, {"type": "null"}]},
            "a",
            "must satisfy exactly one of these: (1) must be an integer; (2) must be null",
        ),
        (
            {"anyOf": [{"const": number} for number in range(6)]},
            "a",
            "must satisfy at least one of these: " + "; ".join(f"({n + 1}) must be {n}" for n in range(5)),
        ),
        (
            {"anyOf": [{"const": "x" * 195}, {"const": "y" * 195}, {"const": "z" * 195}]},
            "a",
            "must satisfy at least one of these: "
            + f'(1) must be "{"x" * 195}"; (2) must be "{"y" * 195}"; (3) must be "{"z" * 195}"'[:500]
            + "…",
        ),
        ({"pattern": "^a$", "description": "one a"}, "b", "must match ^a$ (one a)"),
        ({"items": {"pattern": "^a$", "description": "one a"}}, ["b"], "must match ^a$ (one a)"),
        ({"allOf": [{"pattern": "^a$", "description": "one\na"}]}, "b", "must match ^a$ (one a)"),
        ({"pattern": "^a$", "description": 5}, "b", None),
        (
            {"minLength": 2, "description": "two", "properties": {"pattern": True}},
            "b",
            "must have at least 2 characters",
        ),
    ],
)
def test_every_rule_of_json_schema_has_its_words(schemas: Schemas, schema, instance, message):
    if message is None:
        assert schemas.json_faults(schema)
    else:
        assert [each.message for each in schemas.json(schema).violations(instance)] == [message]


@pytest.mark.parametrize(("count", "more"), [(100, []), (101, ["1 more"])])
def test_a_hundred_violations_are_told_and_how_many_more_there_are(schemas: Schemas, count, more):
    found = schemas.json({"items": {"type": "string"}}).violations([1] * count, "fields")
    assert [each.message for each in found[100:]] == more
    assert len(found) == 100 + len(more)
    assert all(each.where == "fields" for each in found[100:])


@pytest.mark.parametrize(("depth", "costly"), [(11, False), (12, True)])
def test_a_schema_that_judges_a_value_too_often_is_refused(schemas: Schemas, depth, costly):
    names = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(depth)}
    schema = {"$ref": "#/$defs/d0", "$defs": names | {f"d{depth}": {"type": "string"}}}
    if not costly:
        assert schemas.json(schema).violations("a") == ()
    else:
        (fault,) = schemas.json_faults(schema)
        assert fault.code == "too-costly"


@pytest.mark.parametrize(
    "applied",
    [
        {"not": {"$ref": "#/$defs/d0"}},
        {"if": {"$ref": "#/$defs/d0"}, "then": True},
        {"if": True, "then": {"$ref": "#/$defs/d0"}},
        {"if": True, "else": {"$ref": "#/$defs/d0"}},
        {"anyOf": [{"$ref": "#/$defs/d0"}]},
        {"oneOf": [{"$ref": "#/$defs/d0"}]},
        {"dependentSchemas": {"a": {"$ref": "#/$defs/d0"}}},
    ],
)
def test_whatever_applies_a_costly_schema_is_refused_with_it(schemas: Schemas, applied):
    names = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(12)} | {"d12": {}}
    schema = {"allOf": [applied, applied], "$defs": names}
    assert [each.code for each in schemas.json_faults(schema)][:1] == ["too-costly"]


def facet(facets: str, base: str = "xs:string") -> str:
    restriction = f'<xs:restriction base="{base}">{facets}</xs:restriction>'
    return f'<xs:element name="a"><xs:simpleType>{restriction}</xs:simpleType></xs:element>'


@pytest.mark.parametrize(
    ("body", "content", "rule", "message"),
    [
        (facet('<xs:minInclusive value="3"/>', "xs:int"), "<a>2</a>", "minInclusive", "must be at least 3"),
        (facet('<xs:maxExclusive value="3"/>', "xs:int"), "<a>3</a>", "maxExclusive", "must be less than 3"),
        (
            facet('<xs:fractionDigits value="1"/>', "xs:decimal"),
            "<a>1.25</a>",
            "fractionDigits",
            "must have at most 1 digits after the point",
        ),
        (facet('<xs:pattern value="a"/><xs:pattern value="b"/>'), "<a>c</a>", "pattern", "must match a or b"),
        (facet("", "xs:boolean"), "<a>x</a>", "type", "must be of type boolean"),
        ('<xs:element name="a" type="xs:string"/>', "<a><b/></a>", "content", "must hold text only, no elements"),
        (
            '<xs:element name="a"><xs:complexType/></xs:element>',
            "<a>x</a>",
            "content",
            "must be empty",
        ),
        (
            (
                '<xs:element name="a"><xs:complexType><xs:choice><xs:element name="b"/><xs:element name="c"/>'
                "</xs:choice></xs:complexType></xs:element>"
            ),
            "<a/>",
            "content",
            'the content is not complete; expected "b" or "c"',
        ),
        (
            (
                '<xs:element name="a"><xs:complexType><xs:sequence><xs:element name="b"/></xs:sequence>'
                '</xs:complexType></xs:element><xs:element name="c"/>'
            ),
            "<a><c/></a>",
            "content",
            'the element "c" is not allowed here; expected "b"',
        ),
        (
            '<xs:element name="a"><xs:complexType/></xs:element><xs:element name="c"/>',
            "<a c='1'/>",
            "attribute",
            'the attribute "c" is not allowed here',
        ),
        ('<xs:element name="a"/><xs:element name="b"/>', "<x/>", "root", "the document element must be a or b"),
    ],
)
def test_every_rule_of_xsd_has_its_words(schemas: Schemas, body, content, rule, message):
    found = schemas.xsd(body).violations(parse(content.encode()))
    assert [(each.rule, each.message) for each in found][:1] == [(rule, message)]


@pytest.mark.parametrize(("count", "more"), [(100, 100), (101, 101)])
def test_a_hundred_violations_of_an_xsd_are_told_with_their_lines(schemas: Schemas, count, more):
    body = (
        '<xs:element name="a"><xs:complexType><xs:sequence><xs:element name="b" type="xs:int" maxOccurs="unbounded"/>'
        "</xs:sequence></xs:complexType></xs:element>"
    )
    content = b"<a>" + b"\n<b>x</b>" * count + b"</a>"
    found = schemas.xsd(body).violations(parse(content), "form ", lambda: xml_text.places(content))
    assert len(found) == more
    assert found[0].where == "form line 2, /a/b[1]"
    assert [each.rule for each in found[100:]] == ["more"] * (more - 100)


@pytest.mark.parametrize(
    "error", [XMLSchemaException("x"), ElementPathError("x"), OverflowError(), ValueError(), TypeError()]
)
def test_a_value_that_the_libraries_cannot_judge_is_refused(schemas: Schemas, error):
    class Given:
        def iter_errors(self, _document):
            raise error

    schema = replace(schemas.xsd('<xs:element name="a"/>'), _schema=Given())
    (violation,) = schema.violations(parse(b"<a/>"), "here")
    assert (violation.where, violation.rule) == ("here", "schema")
    assert violation.message == "holds a value that cannot be judged"


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        ({"type": "strin"}, 'did you mean "string"?'),
        ({"type": "text"}, 'write "string"'),
        ({"type": "qqqqqqqq"}, "write one of these"),
        ({"required": "mrn"}, 'write it as a list: ["mrn"]'),
        ({"items": 5}, 'write what is allowed as an object: { "type": "string" }'),
        ({"minimum": "5"}, "write it without quotes"),
        ({"minimum": []}, "write a number, or true or false"),
        ({"uniqueItems": "true"}, "write it without quotes"),
        ({"minLength": -1}, "write a number from 0 on"),
        ({"multipleOf": 0}, "write a number above 0"),
        ({"required": ["a", "a"]}, "remove one of the two"),
        ({"allOf": []}, "write at least one"),
    ],
)
def test_a_schema_that_breaks_its_draft_is_told_what_to_write(schemas: Schemas, schema, hint):
    (fault,) = schemas.json_faults(schema)
    assert fault.code == "invalid-schema"
    assert fault.hint == hint


def doubled(depth: int) -> str:
    """Return groups that each refer twice to the next one."""
    last = f'<xs:group name="g{depth}"><xs:sequence><xs:element name="b" type="xs:int"/></xs:sequence></xs:group>'
    return last + "".join(
        f'<xs:group name="g{n}"><xs:sequence><xs:group ref="g{n + 1}" minOccurs="0"/><xs:group ref="g{n + 1}"'
        ' minOccurs="0"/></xs:sequence></xs:group>'
        for n in range(depth)
    )


def united(depth: int) -> str:
    """Return simple types that each are the union of the next one twice."""
    last = f'<xs:simpleType name="t{depth}"><xs:restriction base="xs:string"/></xs:simpleType>'
    return last + "".join(
        f'<xs:simpleType name="t{n}"><xs:union memberTypes="t{n + 1} t{n + 1}"/></xs:simpleType>' for n in range(depth)
    )


@pytest.mark.parametrize(
    ("body", "count"),
    [(doubled(11), "14,332"), (doubled(10), ""), (united(12), "16,382"), (united(11), "")],
    ids=["groups", "fewer groups", "types", "fewer types"],
)
def test_an_xsd_whose_references_double_is_refused_before_the_library_unfolds_it(tmp_path, body, count):
    folder = tmp_path / "schemas"
    folder.mkdir()
    (folder / "main.xsd").write_text(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{body}</xs:schema>')
    files = xsd_files.Files(folder, tmp_path)
    files.add(folder / "main.xsd")
    assert files.faults == []
    found = [each.message for each in xsd_files.cost_faults(files)]
    assert len(found) == bool(count)
    assert all(f"it comes to {count} particles or types" in message for message in found)
