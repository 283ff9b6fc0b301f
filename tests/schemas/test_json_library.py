"""The schemas of a folder are found by their files and by the names they give themselves; nothing else is."""

from pathlib import Path

import pytest
from referencing import jsonschema as drafts
from referencing.exceptions import Unresolvable

from receiver.core.faults import Fault, Severity
from receiver.schemas.json_library import Library, dialect, identity
from tests.support.schema_folder import Schemas


@pytest.fixture
def library(schemas: Schemas) -> Library:
    return Library(schemas.folder, schemas.site)


@pytest.mark.parametrize(
    ("contents", "draft"),
    [
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, drafts.DRAFT4),
        ({"$schema": "https://json-schema.org/draft/2019-09/schema"}, drafts.DRAFT201909),
        ({"$schema": "https://example.org/mine"}, drafts.DRAFT202012),
        ({"$schema": 5}, drafts.DRAFT202012),
        ({}, drafts.DRAFT202012),
        (True, drafts.DRAFT202012),
    ],
)
def test_a_schema_says_by_which_draft_it_is_written(contents, draft):
    assert dialect(contents) is draft


@pytest.mark.parametrize(
    ("contents", "name"),
    [
        ({"$id": "urn:a"}, "urn:a"),
        ({"$id": "urn:a#", "id": "urn:b"}, "urn:a"),
        ({"id": "urn:b#"}, "urn:b"),
        ({"$id": 5}, None),
        ({}, None),
        (True, None),
    ],
)
def test_a_schema_is_called_by_its_id(contents, name):
    assert identity(contents) == name


def test_a_file_is_read_once(schemas: Schemas, library):
    path = schemas.write("sub folder/a.json", {"maxLength": 1})
    document = library.add(path)
    assert library.add(path) is document
    assert (document.uri, document.file) == ("file:///sub%20folder/a.json", "schemas/sub folder/a.json")
    assert document.name() == "sub folder/a.json"
    assert library.contents(document.uri) == {"maxLength": 1}
    assert library.documents == {document.uri: document}


def test_a_fault_points_at_a_value_or_its_key(schemas: Schemas, library):
    document = library.add(schemas.write("a.json", '{\n "type": "x"}'))
    assert document.fault(("type",), "code", "message") == Fault("schemas/a.json", 2, 10, "code", "message")
    found = document.fault(("type",), "code", "message", "hint", key=True, severity=Severity.INFO)
    assert found == Fault("schemas/a.json", 2, 2, "code", "message", "hint", Severity.INFO)


def test_a_file_outside_of_the_folder_is_not_read(schemas: Schemas, library):
    (schemas.site / "a.json").write_text("{}")
    assert library.add(schemas.site / "a.json") is None
    (fault,) = library.faults
    assert (fault.file, fault.line, fault.column, fault.code) == ("a.json", 1, 1, "outside-schemas")


@pytest.mark.parametrize(
    ("raised", "message"),
    [(PermissionError(13, "Permission denied"), "Permission denied"), (OSError(), "cannot be read")],
)
def test_a_file_that_cannot_be_read_is_told(schemas: Schemas, library, monkeypatch, raised, message):
    def refuse(_path):
        raise raised

    path = schemas.write("a.json", "{}")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert library.add(path) is None
    hint = "the service needs the right to read it"
    assert library.faults == [Fault("schemas/a.json", 1, 1, "unreadable-file", message, hint)]


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        ("{“type”: 1}", (1, 2), "“ is no quote here"),
        ("{\n  “type”: 1\n}\n", (2, 3), "“ is no quote here"),
        ("\ufeff{“type”: 1}", (1, 2), "“ is no quote here"),
        ("{'type': 1}", (1, 2), "' is no quote here"),
        ("{type: 1}", (1, 2), "a name in double quotes is expected here"),
        ("", (1, 1), "it is empty"),
        ('{"a": 1'.encode("utf-16"), (1, 8), "a comma or the end of the object or array is expected here"),
        (b'{"a": "\xff"}', (1, 8), "it is not encoded in UTF-8"),
    ],
)
def test_a_file_that_is_not_json_is_told_where(schemas: Schemas, library, content, place, message):
    assert library.add(schemas.write("a.json", content)) is None
    (fault,) = library.faults
    assert (fault.file, fault.line, fault.column, fault.code) == ("schemas/a.json", *place, "not-json")
    assert fault.message == message


def test_a_file_behind_a_link_that_leads_out_is_not_found(schemas: Schemas, library):
    (schemas.site / "outside.json").write_text("{}")
    (schemas.folder / "link.json").symlink_to(schemas.site / "outside.json")
    (schemas.folder / "folder.json").mkdir()
    for uri in ("file:///link.json", "file:///nope.json", "file:///folder.json", "file:///../outside.json", "urn:a"):
        with pytest.raises(KeyError):
            library.contents(uri)
    assert library.faults == []


def test_a_schema_is_found_by_the_name_it_gives_itself_first_file_first(schemas: Schemas, library, monkeypatch):
    for name in ("c", "b", "d"):
        schemas.write(f"{name}.json", {"$id": "urn:mine", "title": name})
    schemas.write("a.json", {"$id": "urn:other"})
    schemas.write("a-broken.json", "{")
    (schemas.folder / "also.json").mkdir()
    schemas.write("an.xsd", {"$id": "urn:mine"})
    by_name = sorted(schemas.folder.rglob("*.json"), reverse=True)
    monkeypatch.setattr(Path, "rglob", lambda _folder, _pattern: iter(by_name))
    assert library.contents("urn:mine")["title"] == "b"
    assert library.faults == []
    assert library.names() == {"urn:mine": "b.json", "file:///b.json": "b.json"}


def test_the_registry_finds_files_and_drafts_and_nothing_else(schemas: Schemas, library):
    schemas.write("a.json", {"$schema": "http://json-schema.org/draft-07/schema#", "$defs": {"b": {"const": 1}}})
    resolver = library.registry().resolver("file:///")
    assert resolver.lookup("a.json").contents == library.contents("file:///a.json")
    assert resolver.lookup("https://json-schema.org/draft/2020-12/schema").contents["$id"].endswith("2020-12/schema")
    with pytest.raises(Unresolvable):
        resolver.lookup("nope.json")


def test_a_folder_behind_a_link_is_its_own(schemas: Schemas, tmp_path: Path):
    schemas.write("a.json", {})
    (tmp_path / "link").symlink_to(schemas.site)
    library = Library(tmp_path / "link/schemas", tmp_path / "link")
    document = library.add(tmp_path / "link/schemas/a.json")
    assert (document.uri, document.file) == ("file:///a.json", "schemas/a.json")
