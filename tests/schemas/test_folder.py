"""The schemas of a site: each compiled once, or its faults remembered."""

import pytest

from receiver.core.faults import ConfigurationError
from receiver.schemas import folder, json_schema
from tests.support.schema_folder import XS, Schemas


@pytest.fixture
def ready(schemas: Schemas) -> folder.Schemas:
    return folder.Schemas(schemas.folder, schemas.site)


def test_a_schema_is_compiled_once(schemas: Schemas, ready):
    schemas.write("a.json", {"maxLength": 1})
    schemas.write("a.xsd", f'<xs:schema {XS}><xs:element name="a"/></xs:schema>')
    assert ready.json("a.json") is ready.json("a.json")
    assert ready.xml("a.xsd") is ready.xml("a.xsd")
    assert [each.rule for each in ready.json("a.json").violations("ab")] == ["maxLength"]


def test_faults_are_remembered_with_their_file(schemas: Schemas, ready):
    path = schemas.write("a.json", {"type": "strin"})
    assert not ready.faulty()
    for _ in range(2):
        with pytest.raises(ConfigurationError) as caught:
            ready.json("a.json")
        assert [(each.file, each.line) for each in caught.value.faults] == [("schemas/a.json", 2)]
        path.write_text("true")
    assert ready.faulty()


def test_whatever_a_library_raises_is_a_fault_of_the_file(schemas: Schemas, ready, monkeypatch):
    def give_up(*_):
        raise RecursionError

    monkeypatch.setattr(json_schema, "compile", give_up)
    with pytest.raises(ConfigurationError, match=r"^schemas/a.json:1:1: unreadable-content"):
        ready.json("a.json")


def test_a_file_that_is_missing_is_told_with_the_nearest(schemas: Schemas, ready):
    schemas.write("lab/report.xsd", "")
    assert ready.missing("lab/report.xsd") is None
    assert ready.missing("lab/reprt.xsd") == (
        'there is no "lab/reprt.xsd" in schemas/',
        'did you mean "lab/report.xsd"?',
    )
    assert ready.missing("lab") == ('there is no "lab" in schemas/', "")


def test_the_files_in_use_are_those_asked_for_and_those_referred_to(schemas: Schemas, ready):
    schemas.write("a.json", {"$ref": "parts/b.json"})
    schemas.write("parts/b.json", {})
    schemas.write("c.json", {})
    schemas.write("a.xsd", f'<xs:schema {XS}><xs:include schemaLocation="parts/b.xsd"/></xs:schema>')
    schemas.write("parts/b.xsd", f"<xs:schema {XS}/>")
    assert ready.used() == set()
    ready.json("a.json")
    ready.xml("a.xsd")
    assert ready.used() == {"a.json", "parts/b.json", "a.xsd", "parts/b.xsd"}
