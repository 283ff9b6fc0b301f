"""A process drafted from samples passes every check untouched, whatever shape the samples have."""

import json
import tomllib

import pytest

from receiver.authoring.draft.draft import TEMPLATES
from tests.support.new_sites import REQUEST, ROOT, SHAPES, TOKEN, made

TWENTY = ROOT / "mappings" / "intake-forms" / "samples" / "twenty-fields" / "metadata.json"
PAGE = ROOT / "receiver" / "authoring" / "draft" / "site" / "page.pdf"
NEXTSTEP_XML = ROOT / "mappings" / "lab-reports" / "samples" / "four-fields" / "metadata.xml"

# shape → its files, where the fields and the id are found, and the fields
FOUND = {
    "pages": (["pages.json", "pages-2.json"], "pages[].fields[]", "batch.documentId", 5),
    "by-name-json": (["by-name.json"], "extraction", "id", 7),
    "flat-json": (["flat.json"], "@", "docId", 5),
    "items": (["items.xml"], "Index/Item", "Header/Reference", 3),
    "by-name-xml": (["by-name.xml"], "index/*", "@guid", 4),
    "flat-xml": (["flat.xml"], "*", "DocumentId", 4),
    "attributes": (["attributes.xml"], "fields/f", "header/@transactionId", 2),
}


@pytest.fixture
def site(tmp_path):
    return made(tmp_path)


def config(site, process):
    return tomllib.loads(site.text(f"mappings/{process}/process.toml"))


def fields_schema(site, process):
    return json.loads(site.text(f"schemas/{process}.fields.schema.json"))


@pytest.mark.parametrize("shape", FOUND)
def test_fields_and_id_are_found_in_any_shape(site, shape):
    files, each, source_id, count = FOUND[shape]
    told = site.new("scans", "json", *(SHAPES / name for name in files))
    assert "of a shape of its own" in told
    found = config(site, "scans")
    assert (found["fields"]["each"], found["metadata"]["source_id"]) == (each, source_id)
    assert len(fields_schema(site, "scans")["properties"]) == count
    assert site.run("check", "--strict").stdout == "1 process: no fault; receiver test tells what the samples become\n"


@pytest.mark.parametrize("form", TEMPLATES)
@pytest.mark.parametrize("shape", FOUND)
def test_a_draft_in_any_format_passes_check_and_test_untouched(site, shape, form):
    site.new("scans", form, *(SHAPES / name for name in FOUND[shape][0]))
    site.run("check", "--strict")
    told = site.run("test").stdout
    assert told.count("ok  ") == len(FOUND[shape][0])
    assert not list(site.folder.glob("mappings/*/samples/*/expected/problem.json"))


@pytest.mark.parametrize("form", TEMPLATES)
def test_every_value_of_the_samples_comes_into_the_record(site, form):
    site.new("intake", form, TWENTY)
    [record] = site.folder.glob("mappings/intake/samples/*/expected/*")
    content = record.read_text()
    for value in ("00071234", "OSEI" if form != "hl7" else "XQ", "R06.09", "E11.9", "1234567893"):
        assert value in content


@pytest.mark.parametrize(("file", "schema"), [(TWENTY, ".schema.json"), (NEXTSTEP_XML, ".xsd")])
def test_the_platforms_own_shape_needs_no_paths(site, file, schema):
    assert "as nextstep-metadata" in site.new("intake", "json", file)
    found = config(site, "intake")
    assert found["metadata"] == {"schema": f"nextstep-metadata{schema}", "source_id": "sourceId"}
    assert set(found["fields"]) <= {"schema", "repeated"}
    assert not list(site.folder.glob("schemas/intake.metadata*"))


def test_percent_is_seen(site):
    site.new("scans", "json", SHAPES / "pages.json")
    assert config(site, "scans")["fields"] | {"schema": ""} == {
        "each": "pages[].fields[]",
        "name": "label",
        "value": "result.text",
        "confidence": "result.certainty",
        "scale": 100,
        "repeated": ["Diagnosis"],
        "schema": "",
    }
    shown = site.run("try", "scans", SHAPES / "pages.json", PAGE).stdout
    assert "0.97" in shown


def test_more_samples_tell_what_is_optional_and_what_form_a_value_has(site):
    site.new("one", "json", SHAPES / "pages.json")
    site.new("two", "json", SHAPES / "pages.json", SHAPES / "pages-2.json")
    one, two = fields_schema(site, "one"), fields_schema(site, "two")
    assert one["required"] == ["PatientName", "PatientId", "Birth Date", "Diagnosis", "Remarks"]
    assert two["required"] == ["PatientName", "PatientId", "Birth Date"]
    assert "pattern" not in one["properties"]["PatientId"]
    assert two["properties"]["PatientId"]["pattern"] == "^[0-9]+$"
    assert two["properties"]["Diagnosis"] == {"type": "array", "items": {"type": "string"}}


def test_a_field_that_only_came_empty_is_optional(site):
    site.new("scans", "json", SHAPES / "by-name.xml")
    assert "Notes" not in fields_schema(site, "scans")["required"]


def test_schemas_and_configuration_hold_no_value(site):
    site.new("scans", "hl7", SHAPES / "pages.json", SHAPES / "pages-2.json")
    site.new("intake", "xml", SHAPES / "by-name.xml")
    written = "".join(
        path.read_text() for path in site.folder.rglob("*") if path.is_file() and "samples" not in path.parts
    )
    for value in ("Sample", "0012345", "1961", "I10", "cane", "CAP-2026", "6f1c"):
        assert value not in written


def test_a_metadata_schema_lets_through_what_the_platform_adds(site):
    site.new("scans", "json", SHAPES / "pages.json")
    document = json.loads((SHAPES / "pages.json").read_text())
    document["engine"] = "7.1"
    document["pages"][0]["fields"][0]["verified"] = True
    document["pages"][0]["fields"].append({"label": "New", "result": {"text": None, "certainty": 1}, "box": []})
    more = site.folder / "more.json"
    more.write_text(json.dumps(document))
    site.run("try", "scans", more, PAGE)


def test_an_xml_schema_lets_fields_of_new_names_through(site):
    site.new("scans", "json", SHAPES / "by-name.xml")
    more = site.folder / "more.xml"
    more.write_text((SHAPES / "by-name.xml").read_text().replace("</index>", '<Ward score="1">B</Ward></index>'))
    site.run("try", "scans", more, PAGE)


def test_a_captured_request_becomes_a_sample_without_its_token(site):
    site.new("referrals", "hl7", REQUEST)
    sample = site.folder / "mappings/referrals/samples/request/request.http"
    assert b"uthorization" in REQUEST.read_bytes()
    assert b"uthorization" not in sample.read_bytes()
    assert len(REQUEST.read_bytes()) - len(sample.read_bytes()) < 100
    assert config(site, "referrals")["parts"]["file"]["types"] == ["application/pdf", "image/tiff"]
    site.run("check", "--strict")
    site.run("test")


def test_documents_beside_the_metadata_go_into_the_sample(site):
    image = ROOT / "mappings/intake-forms/samples/twenty-fields/file--page.png"
    site.new("intake", "json", TWENTY, image)
    assert (site.folder / "mappings/intake/samples/metadata/file--page.png").read_bytes() == image.read_bytes()
    assert config(site, "intake")["parts"]["file"]["types"] == ["image/png"]
    site.run("test")


def test_only_the_first_process_answers_at_the_bare_url(site):
    site.new("one", "json", TWENTY)
    site.new("two", "json", TWENTY)
    assert config(site, "one")["route"] == {"default": True}
    assert "route" not in config(site, "two")
    site.run("check", "--strict")


def test_nothing_is_overwritten(site):
    site.new("one", "json", TWENTY)
    before = {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()}
    told = site.run("new", "one", "--from", TWENTY, code=2)
    assert "is there already" in told.stderr
    (site.folder / "schemas/two.fields.schema.json").write_text("{}")
    site.run("new", "two", "--from", TWENTY, code=2)
    assert not (site.folder / "mappings/two").exists()
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", b'{"a": 1,}', "no JSON that can be read: line 1, column 9"),
        ("a.xml", b"<a><b></a>", "no XML that can be read: line 1"),
        ("a.json", b'{"pages": []}', "nothing in it looks like names with values"),
        ("a.json", b'{"fields": [{"name": "colour", "value": "red"}]}', "looks like the document's own id"),
        ("a.txt", b"hello", "none of the files is metadata"),
        ("a.http", b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\nhello", "a.http: "),
    ],
)
def test_samples_of_no_use_are_told_and_nothing_is_written(site, name, content, told):
    file = site.folder / name
    file.write_bytes(content)
    assert told in site.run("new", "scans", "--from", file, code=1).stderr
    assert not list((site.folder / "mappings").iterdir())


def test_what_is_in_a_table_is_told_apart_from_what_is_left_out(site):
    file = site.folder / "a.json"
    lines = [{"cells": [{"name": "sku", "value": value}]} for value in ("A", "B")]
    file.write_text(
        json.dumps({"id": 1, "fields": [{"name": "mrn", "value": "7"}], "lines": lines, "batch": {"no": 3}})
    )
    told = site.new("scans", "csv", file)
    assert "said of one:\n  batch.no\nLeft out of the template, but in tables" in told
    assert "  lines[].cells[].value\n" in told.partition("in tables")[2]


def test_an_id_among_the_fields_is_found(site):
    file = site.folder / "a.json"
    file.write_text('{"fields": [{"name": "Document Id", "value": "D-1"}, {"name": "mrn", "value": "7"}]}')
    site.new("scans", "json", file)
    assert config(site, "scans")["metadata"]["source_id"] == "fields[?name=='Document Id'].value | [0]"
    site.run("test")


def test_a_confidence_in_words_is_left_alone(site):
    file = site.folder / "a.json"
    file.write_text('{"id": 1, "fields": [{"name": "mrn", "value": "7", "confidence": "high"}]}')
    site.new("scans", "json", file)
    assert config(site, "scans")["fields"]["confidence"] == "`null`"
    site.run("check", "--strict")


NUMBERED = '{"id": "D-1", "fields": [{"name": "mrn", "value": "7"}, {"name": "name", "value": "Ruth Sample"}]}'


@pytest.mark.parametrize(
    "second", [NUMBERED.replace('"7"', '""'), NUMBERED.replace('"7"', "null"), NUMBERED.replace('"mrn"', '"ward"')]
)
def test_an_identifier_that_may_be_missing_is_no_half_identifier(site, second):
    files = [site.folder / "a.json", site.folder / "b.json"]
    for file, text in zip(files, (NUMBERED, second.replace("D-1", "D-2")), strict=True):
        file.write_text(text)
    site.new("scans", "hl7", *files)
    site.run("check", "--strict")
    records = sorted(path.read_text() for path in site.folder.glob("mappings/scans/samples/*/expected/*.hl7"))
    assert sorted("7^^^CLINIC^MR" in record for record in records) == [False, True]
    assert not any("||^^^CLINIC" in record for record in records)


def test_an_identifier_that_always_came_may_not_come_empty(site):
    site.new("scans", "csv", TWENTY)
    assert fields_schema(site, "scans")["properties"]["mrn"] == {"type": "string", "minLength": 1}


@pytest.mark.parametrize("name", ["Refer rals", "../out", ""])
def test_a_bad_name_is_misuse(site, name):
    site.run("new", name, "--from", TWENTY, code=2)


def test_a_folder_that_is_no_site_is_misuse(tmp_path):
    site = made(tmp_path)
    (site.folder / "mappings").rmdir()
    assert "receiver init makes one" in site.run("new", "one", "--from", TWENTY, code=2).stderr


def test_the_token_of_the_tests_is_in_no_file(site):
    site.new("one", "json", TWENTY)
    assert not [path for path in site.folder.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


@pytest.mark.parametrize(("written", "delimiter"), [(";", ";"), ("tab", "\t"), ("|", "|"), (",", None)])
def test_a_csv_of_another_delimiter_passes_check_and_test_untouched(site, written, delimiter):
    site.run("new", "scans", "--from", SHAPES / "pages.json", "--format", "csv", "--delimiter", written)
    assert config(site, "scans")["records"][0].get("delimiter") == delimiter
    assert site.run("check", "--strict").stdout == "1 process: no fault; receiver test tells what the samples become\n"
    assert "1 case: 1 ok" in site.run("test").stdout
    (record,) = site.folder.rglob("expected/*.csv")
    header, row = record.read_bytes().decode().split("\r\n")[:2]
    assert header.startswith(f"delivery_id{delimiter or ','}source_id")
    assert (delimiter or ",") in row


def test_a_delimiter_of_what_is_no_csv_is_misuse(site):
    told = site.run("new", "scans", "--from", SHAPES / "pages.json", "--format", "xml", "--delimiter", ";", code=2)
    assert "--delimiter is for --format csv" in told.stderr
