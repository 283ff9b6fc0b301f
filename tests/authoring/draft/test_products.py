"""Samples of the shapes that platforms are known to send, of invented persons: read, rendered, and nothing lost unsaid.

Sources: the public descriptions of .NET's serializers, Azure Document Intelligence, Docsumo, Kofax, Google Document AI,
Rossum and ABBYY Vantage.
"""

import json
import tomllib
from pathlib import Path

import pytest

from tests.support.new_sites import made

HERE = Path(__file__).parent / "products"
AZURE = ("--source-id", "createdDateTime")  # the shape has no id of the document

# shape → each, value, confidence, source_id, what the record says, what is named as left out
FOUND = {
    "dotnet": (
        ("fields", "value", "confidence", "documentId"),
        {"patient_dob": "1964-02-20", "visit_date": "2018-10-07", "middle_name": None, "mrn": "142637A"},
        ["processedAt"],
    ),
    "azure": (
        ("analyzeResult.documents[0].fields", "not_null(value.content)", "value.confidence", "createdDateTime"),
        {"PatientName": "Laura Whitcombe", "DateOfBirth": "1964-02-20", "Amount": "12.50", "Signed": None},
        ["analyzeResult.modelId", "analyzeResult.documents[].fields.*.valueArray[].valueObject.Code.content"],
    ),
    "docsumo": (
        ("merge(data.Patient || `{}`, data.Referrer || `{}`)", "value.value", "value.confidence", "data.doc_id"),
        {"Name": "Laura Whitcombe", "Date of birth": "1964-02-20", "Doctor": "Ama Oseibo", "Phone": "555-0100"},
        ["data.title", "data.Lines.Codes[].Code.value"],
    ),
    "kofax": (
        ("documents[].fields[]", "text", None, "documents[0].id"),
        {"PatientName": "Whitcombe, Laura", "DateOfBirth": "1964-02-20", "Items": None},
        ["documents[].imageName", "documents[].fields[].table[].Code"],
    ),
    "google": (
        ("document.entities", "mentionText", None, "document.docid"),
        {"patient_name": "Laura Whitcombe", "address": "1 Example Road, Sampleton"},
        ["document.uri", "document.entities[].properties[].mentionText"],
    ),
    "rossum": (
        ("content[].children[]", "content.value", "content.rir_confidence", "id"),
        {"patient_name": "Whitcombe, Laura", "urgency": "routine"},
        ["url"],
    ),
    "abbyy": (
        (
            "Transaction.Documents[].ExtractedData.RootObject.Fields[]",
            "List[0].Value",
            "List[0].ConfidenceLevel",
            "Transaction.Id",
        ),
        {"Patient name": "Laura Whitcombe", "Date of birth": "1964-02-20", "MRN": "142637A"},
        ["Transaction.SkillId"],
    ),
    "keyed": (
        (None, "not_null(value.value)", "value.confidence", "id"),
        {"Name": "Laura Whitcombe", "DOB": "1964-02-20", "Middle": None, "Address.city": "Sampleton"},
        [],
    ),
}


@pytest.fixture
def site(tmp_path):
    return made(tmp_path)


def test_every_sample_is_expected():
    assert {path.stem for path in HERE.iterdir()} == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_the_shape_is_read_and_its_own_sample_rendered(site, name):
    paths, said, left_out = FOUND[name]
    told = site.new("scans", "json", HERE / f"{name}.json", *(AZURE if name == "azure" else ()))
    config = tomllib.loads(site.text("mappings/scans/process.toml"))
    fields = config["fields"]
    found = (
        fields.get("each"),
        fields.get("value", "value"),
        fields.get("confidence"),
        config["metadata"]["source_id"],
    )
    assert found == (paths[0] if paths[0] != "fields" else None, paths[1], _configured(paths[2]), paths[3])
    (record,) = site.folder.glob("mappings/scans/samples/*/expected/*.json")
    rendered = json.loads(record.read_text())["fields"]
    assert {key: rendered[key] for key in said} == said
    assert [path for path in left_out if f"  {path}\n" not in told] == []
    assert "1 case: 1 ok" in site.run("test").stdout


def _azure(sample):
    for number, field in enumerate(sample["analyzeResult"]["documents"][0]["fields"].values()):
        field["boundingRegions"] = [{"pageNumber": 1, "polygon": [1, number, 2, number, 2, number + 1, 1, number + 1]}]


def _google(sample):
    corners = [{"y": 0.1}, {"x": 0.5, "y": 0.1}, {"x": 0.5, "y": 0.2}, {"y": 0.2}]
    for entity in sample["document"]["entities"]:
        entity["pageAnchor"] = {"pageRefs": [{"boundingPoly": {"normalizedVertices": corners}}]}


def _rossum(sample):
    for section in sample["content"]:
        for point in section["children"]:
            point["content"]["position"] = [916, 168, 1190, 222]


PLACED = {
    "azure": (_azure, "value.boundingRegions[0].polygon", "analyzeResult.pages[].[width, height]"),
    "google": (_google, "pageAnchor.pageRefs[0].boundingPoly.normalizedVertices[].[x || `0`, y || `0`]", None),
    "rossum": (_rossum, None, None),  # pixels of a page whose size nothing says
}


@pytest.mark.parametrize("name", PLACED)
def test_where_a_field_stands_on_its_page_is_read_too(site, tmp_path, name):
    add, box, size = PLACED[name]
    sample = json.loads((HERE / f"{name}.json").read_text())
    add(sample)
    (tmp_path / "sample.json").write_text(json.dumps(sample))
    told = site.new("scans", "json", tmp_path / "sample.json", *(AZURE if name == "azure" else ()))
    assert (f"at {box}\n" in told) == bool(box)
    place = tomllib.loads(site.text("mappings/scans/process.toml"))["fields"].get("place", {})
    assert (place.get("box"), place.get("size")) == (box, size)
    assert site.run("check", "scans").exit_code == 0


def _configured(path):
    return path if path != "confidence" else None


@pytest.mark.parametrize("name", FOUND)
def test_every_single_value_is_a_field_or_named_as_left_out(site, name):
    told = site.new("scans", "json", HERE / f"{name}.json", *(AZURE if name == "azure" else ()))
    listed = told.partition("Left out")[2]
    (record,) = site.folder.glob("mappings/scans/samples/*/expected/*.json")
    printed = record.read_text()
    sample = json.loads((HERE / f"{name}.json").read_text())
    for key, value in _scalars("", sample):
        read = json.dumps(value, ensure_ascii=False) in printed or key in (
            "confidence",
            "rir_confidence",
            "ConfidenceLevel",
        )
        is_name = str(value) in printed
        is_date = str(value)[:4] in ("1964", "2018", "02/2")
        assert read or is_name or is_date or key in listed or value is None, key


def _scalars(key, value):
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _scalars(name, member)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(key, item)
    else:
        yield key, value


def test_a_shape_without_an_id_of_the_document_is_refused_with_what_to_say(site):
    told = site.run("new", "scans", "--from", HERE / "azure.json", code=1)
    assert "--source-id PATH" in told.output
    assert "modelId" not in site.folder.as_posix()


def test_a_mere_null_has_no_type(site):
    site.new("scans", "json", HERE / "dotnet.json")
    schema = json.loads(site.text("schemas/scans.fields.schema.json"))
    assert "type" not in schema["properties"]["middle_name"]
