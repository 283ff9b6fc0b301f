"""The files of an XSD are read from one folder, each once; what else they ask for is a fault."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from receiver.core.faults import Fault
from receiver.schemas import xsd_files
from receiver.schemas.xml_text import parse
from receiver.schemas.xsd_files import Files
from tests.support.schema_folder import XS, Schemas

VC = 'xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning"'


@pytest.fixture
def files(schemas: Schemas) -> Files:
    return Files(schemas.folder, schemas.site)


def schema(body: str = "", attributes: str = "") -> str:
    return f"<xs:schema {XS} {attributes}>\n{body}\n</xs:schema>"


def test_a_file_is_read_once_with_all_that_it_refers_to(schemas: Schemas, files):
    path = schemas.write("main.xsd", schema('<xs:include schemaLocation=" sub/other%20one.xsd "/>'))
    other = schemas.write("sub/other one.xsd", schema('<xs:redefine schemaLocation="../main.xsd"/>'))
    document = files.add(path)
    assert files.add(path) is document
    assert list(files.documents) == [path, other]
    assert (document.path, document.file) == (path, "schemas/main.xsd")
    assert files.documents[other].file == "schemas/sub/other one.xsd"
    assert files.faults == []


@pytest.mark.parametrize(
    ("reference", "read"),
    [
        ('<xs:include schemaLocation="other.xsd"/>', True),
        ('<xs:import namespace="urn:x" schemaLocation="other.xsd"/>', True),
        ('<xs:override schemaLocation="other.xsd"/>', True),
        ('<xs:include namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="other.xsd"/>', True),
        ('<xs:import namespace="urn:x"/>', False),
        ('<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="other.xsd"/>', False),
        ('<xs:element name="a" schemaLocation="other.xsd"/>', False),
    ],
)
def test_a_reference_with_a_location_is_followed(schemas: Schemas, files, reference, read):
    schemas.write("other.xsd", schema())
    files.add(schemas.write("main.xsd", schema(reference)))
    assert len(files.documents) == 1 + read
    assert files.faults == []


@pytest.mark.parametrize(
    "location",
    ["nope.xsd", "folder.xsd", "link.xsd", "../outside.xsd", "http://localhost/other.xsd", "//localhost/other.xsd",
     "file:other.xsd", "sub\\\\..\\\\other.xsd", ""],
)  # fmt: skip
def test_a_location_that_leads_to_no_file_of_the_folder_is_a_fault(schemas: Schemas, files, location):
    schemas.write("other.xsd", schema())
    (schemas.folder / "sub\\\\..\\\\other.xsd").write_text(schema())
    (schemas.folder / "folder.xsd").mkdir()
    (schemas.site / "outside.xsd").write_text(schema())
    (schemas.folder / "link.xsd").symlink_to(schemas.site / "outside.xsd")
    files.add(schemas.write("main.xsd", schema(f'<xs:annotation/>\n<xs:include schemaLocation="{location}"/>')))
    (fault,) = files.faults
    assert (fault.file, fault.line, fault.column) == ("schemas/main.xsd", 3, 1)
    assert (fault.code, len(files.documents)) == ("unresolved-reference", 1)
    assert fault.message.endswith("leads to no file in schemas/")


def test_a_location_on_another_host_is_none_here(schemas: Schemas, files):
    other = schemas.write("other.xsd", schema())
    files.add(schemas.write("main.xsd", schema(f'<xs:include schemaLocation="//localhost{other}"/>')))
    assert [fault.code for fault in files.faults] == ["unresolved-reference"]


def test_a_file_outside_of_the_folder_is_not_read(schemas: Schemas, files):
    (schemas.site / "a.xsd").write_text(schema())
    assert files.add(schemas.site / "a.xsd") is None
    (fault,) = files.faults
    assert (fault.file, fault.line, fault.column, fault.code) == ("a.xsd", 1, 1, "outside-schemas")


@pytest.mark.parametrize(
    ("raised", "message"),
    [(PermissionError(13, "Permission denied"), "Permission denied"), (OSError(), "cannot be read")],
)
def test_a_file_that_cannot_be_read_is_told(schemas: Schemas, files, monkeypatch, raised, message):
    def refuse(_path):
        raise raised

    path = schemas.write("a.xsd", schema())
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert files.add(path) is None
    hint = "the service needs the right to read it"
    assert files.faults == [Fault("schemas/a.xsd", 1, 1, "unreadable-file", message, hint)]


def test_a_file_that_is_not_xml_is_told_where(schemas: Schemas, files):
    assert files.add(schemas.write("a.xsd", "<a>\n</b>")) is None
    (fault,) = files.faults
    assert (fault.file, fault.line, fault.column, fault.code) == ("schemas/a.xsd", 2, 3, "not-xml")
    assert fault.hint == "close each element under its own name, <a> … </a>, or as <a/>"


@pytest.mark.parametrize(
    ("name", "codec", "read"),
    [
        ("utf-8", "utf-8", True),
        ("iso-8859-1", "latin-1", True),
        ("utf-16", "utf-16", True),
        ("utf-32", "utf-32", False),  # the library's own error,
        ("x-sjis", "shift_jis", False),  # Python's for an unknown name,
        ("big5", "big5", False),  # and for what expat does not take
    ],
)
def test_a_file_is_read_in_the_encodings_that_the_library_reads(schemas: Schemas, files, name, codec, read):
    text = f'<?xml version="1.0" encoding="{name}"?>\n<xs:schema {XS}><!-- a --></xs:schema>'
    found = files.add(schemas.write("a.xsd", text.encode(codec)))
    if read:
        assert found is not None
        assert files.faults == []
    else:
        assert found is None
        hint = "save it as UTF-8, and declare that"
        message = "schemas are not read in this encoding"
        assert files.faults == [Fault("schemas/a.xsd", 1, 1, "not-xml", message, hint)]


def test_the_library_is_not_asked_about_plain_utf_8(schemas: Schemas, files, monkeypatch):
    monkeypatch.setattr(xsd_files, "_is_read_by_libraries", lambda path: pytest.fail(path.name))
    assert files.add(schemas.write("a.xsd", schema("<!-- é -->"))) is not None


def test_an_element_has_the_place_of_its_start(schemas: Schemas, files):
    document = files.add(schemas.write("a.xsd", schema('<xs:element name="a"/>\n <xs:element name="b"/>')))
    root = document.root
    assert [document.place(each) for each in (root, root[0], root[1])] == [(1, 1), (2, 1), (3, 2)]
    assert document.place(object()) == (1, 1)
    assert document.fault(root[1], "code", "message", "hint") == Fault("schemas/a.xsd", 3, 2, "code", "message", "hint")


def test_elements_that_the_library_left_out_shift_no_place(schemas: Schemas, files):
    kept = '<xs:element name="b"/>\n<xs:element name="a" type="t"/>\n<xs:group><xs:any/></xs:group>'
    document = files.add(schemas.write("a.xsd", schema('<xs:element name="a"/>\n' + kept)))
    kept = parse(schema(kept).encode())
    assert [place for _, place in document.places_in(kept.root)] == [(1, 1), (3, 1), (4, 1), (5, 1), (5, 11)]


def test_each_element_has_a_place(schemas: Schemas, files):
    document = files.add(schemas.write("a.xsd", schema("<xs:annotation/>")))
    document.places.pop()
    with pytest.raises(ValueError, match="shorter"):
        document.place(object())
    with pytest.raises(ValueError, match="shorter"):
        list(document.places_in(document.root))


@pytest.mark.parametrize(
    ("version", "is_1_1"), [(None, False), ("1.0", False), (" 1.0 ", False), ("", False), (" ", False), ("1.1", True)]
)
def test_a_version_above_1_0_asks_for_xsd_1_1(version, is_1_1):
    attribute = "" if version is None else f'{VC} vc:minVersion="{version}"'
    document = SimpleNamespace(root=parse(schema(attributes=attribute).encode()).root)
    assert xsd_files.is_1_1(document) is is_1_1


@pytest.mark.parametrize(
    ("element", "messages"),
    [
        ('<xs:assert test="@n > 3"/>', []),
        ('<xs:assert test="doc (&apos;x&apos;)"/>', ["the test reaches outside of the document"]),
        ('<xs:assertion test="fn:unparsed-text($value)"/>', ["the test reaches outside of the document"]),
        ('<xs:alternative test="fn:matches(@n, &apos;a&apos;)"/>', ["the test runs a pattern"]),
        (
            '<xs:assert test="matches(doc(@n), &apos;a&apos;)"/>',
            ["the test reaches outside of the document", "the test runs a pattern"],
        ),
        ('<xs:element name="a" test="doc(@n)"/>', []),
        ("<xs:assert/>", []),
    ],
)
def test_a_test_that_reaches_outside_or_runs_a_pattern_is_a_fault(schemas: Schemas, files, element, messages):
    files.add(schemas.write("a.xsd", schema(f"<xs:annotation/>\n{element}")))
    assert [each.code for each in files.faults] == ["unsafe-assertion"] * len(messages)
    assert all(each.line == 3 for each in files.faults)
    assert [each.message.partition(", which")[0] for each in files.faults] == messages


# what a schema costs ------------------------------------------------------------------------------------------------

GROUP = '<xs:group name="g"><xs:sequence><xs:element name="b"/><xs:any/></xs:sequence></xs:group>'


@pytest.mark.parametrize(
    ("body", "cost"),
    [
        ("<xs:complexType/>", 1),
        ("<xs:complexType><xs:sequence/></xs:complexType>", 2),
        ("<xs:complexType><xs:annotation><xs:appinfo/></xs:annotation></xs:complexType>", 2),
        ('<xs:complexType><xs:attribute name="a"><xs:simpleType/></xs:attribute></xs:complexType>', 2),
        ('<xs:complexType><xs:element name="a"><xs:complexType/></xs:element></xs:complexType>', 2),
        ('<xs:complexType><xs:group ref="p:g"/></xs:complexType>' + GROUP, 6),
        ('<xs:complexType><xs:group ref="h"/></xs:complexType>' + GROUP, 2),
        ('<xs:complexType><xs:attributeGroup ref="t"/></xs:complexType><xs:simpleType name="t"/>', 2),
        ('<xs:complexType><xs:extension base="g"/></xs:complexType>' + GROUP, 2),
        ('<xs:simpleType><xs:restriction base="t"/></xs:simpleType><xs:simpleType name="t"/>', 3),
        ('<xs:simpleType><xs:restriction base="t"/></xs:simpleType><xs:complexType name="t"/>', 3),
        ('<xs:simpleType><xs:list itemType="x:t"/></xs:simpleType><xs:simpleType name="t"/>', 3),
        ('<xs:simpleType><xs:union memberTypes="t x:t u"/></xs:simpleType><xs:simpleType name="t"/>', 4),
        ('<xs:simpleType name="t"><xs:union memberTypes="t t"/></xs:simpleType>', 2),
        ('<xs:simpleType><xs:union memberTypes="a"/></xs:simpleType><xs:element name="a"/>', 2),
        ('<xs:simpleType><xs:list/></xs:simpleType><xs:simpleType/><xs:complexType/>', 2),
    ],
)  # fmt: skip
def test_what_stands_for_one_value_is_counted(schemas: Schemas, files, body, cost):
    document = files.add(schemas.write("a.xsd", schema(body)))
    assert xsd_files._Cost(files).of(document.root[0]) == cost


def test_a_schema_may_cost_as_much_as_the_limit(schemas: Schemas, files, monkeypatch):
    monkeypatch.setattr(xsd_files, "MOST_PARTICLES", 3)
    schemas.write("b.xsd", schema("<xs:complexType>\n<xs:any/><xs:any/><xs:any/></xs:complexType>"))
    two = "<xs:complexType><xs:any/><xs:any/></xs:complexType>"
    element = '<xs:element name="a"><xs:any/><xs:any/><xs:any/></xs:element>'
    files.add(schemas.write("a.xsd", schema(f'<xs:include schemaLocation="b.xsd"/>{two}{element}')))
    (fault,) = xsd_files.cost_faults(files)
    assert (fault.file, fault.line, fault.code) == ("schemas/b.xsd", 2, "too-costly")
    assert fault.message.startswith("it comes to 4 particles or types")
    assert fault.hint == "at most 3: refer to each once"
