"""The examples: every sample becomes what stands beside it, and other readers find in it what the format asks for."""

import base64
import json
import re
from io import BytesIO
from pathlib import Path

import hl7
import pypdfium2
import pytest
import xmlschema
from click.testing import CliRunner
from fhir.resources.R4B.bundle import Bundle
from hl7apy.parser import parse_message
from hl7apy.validation import Validator
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from receiver import cli
from receiver.app import create_app
from receiver.authoring.cases.cases import Case, cases, incoming
from receiver.authoring.cases.outcome import run
from receiver.authoring.cases.verdict import Status, Verdict, judge
from receiver.core.settings import Settings
from receiver.site.compiling import compile_site
from tests.shipped.readers import LF, Message, dip, fixed, laserfiche, rows, transaction, ubl
from tests.shipped.shipping import ENVIRONMENT, EXAMPLES, ROOT, case, content, processes, record, settings

TYPES = {".tif": "image/tiff", ".pdf": "application/pdf", ".json": "application/json"}
US_CORE = "http://hl7.org/fhir/us/core"
PANEL = ["MSH", "PID", "OBR", "OBX", "OBX", "OBX"]
TOTALS = ["LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount", "PayableRoundingAmount", "PayableAmount"]
CASES = [case for process in processes(EXAMPLES).values() for case in cases(process)]
RECORDS = sorted(path for case in CASES for path in case.expected.iterdir())


def name(case: Case) -> str:
    return f"{case.process.name}/{case.name}"


def records(suffix: str, process: str = "", without: str = ""):
    found = [path for path in RECORDS if path.suffix == suffix and path.name != "problem.json"]
    found = [path for path in found if path.parents[3].name != without]
    found = [path for path in found if not process or path.parents[3].name == process]
    assert found
    return pytest.mark.parametrize("path", found, ids=lambda path: f"{path.parents[3].name}/{path.parents[1].name}")


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_sample_becomes_what_stands_beside_it(case):
    outcome = run(case.process, incoming(case, settings(EXAMPLES).max_body), version=case.version)
    assert judge(case, outcome) == Verdict(Status.OK)


def test_the_examples_have_no_fault():
    assert compile_site(settings(EXAMPLES), ENVIRONMENT)[1] == []


def test_every_example_has_samples_that_become_records_and_one_that_does_not():
    for process in processes(EXAMPLES).values():
        refused = [case.name for case in cases(process) if (case.expected / "problem.json").exists()]
        assert refused
        assert len(cases(process)) - len(refused) >= 2


def test_the_metadata_schema_is_the_one_of_the_shipped_site():
    names = "schemas/nextstep-metadata.schema.json"
    assert (EXAMPLES / names).read_bytes() == (ROOT / names).read_bytes()


@records(".hl7", without="hl7-batch")
def test_a_message_satisfies_the_standard_for_two_readers(path):
    text = path.read_bytes().decode()
    assert Validator.validate(parse_message(text, find_groups=True))
    parsed = hl7.parse(text)
    segments = {"mdm-embedded": ["MSH", "EVN", "PID", "PV1", "TXA", "OBX", "OBX"], "lab-panel": PANEL}
    assert [str(segment[0]) for segment in parsed] == segments[path.parents[3].name]
    assert str(parsed.segment("MSH")(10)) == path.stem


@records(".hl7", "hl7-batch")
def test_a_file_of_messages_is_read_as_one_batch(path):
    file = hl7.parse_file(path.read_bytes().decode())
    (batch,) = file
    assert str(file.header(11)) == str(batch.header(11)) == "1"
    assert int(str(batch.trailer(1))) == len(batch) == 1
    assert [str(segment[0]) for segment in batch[0]] == ["MSH", "EVN", "PID", "PV1", "TXA", "OBX"]
    assert Validator.validate(parse_message(str(batch[0]).replace("\n", "\r"), find_groups=True))


@records(".csv", "daily-index")
def test_a_daily_index_has_one_header_line_and_counts_its_pages(path):
    assert path.read_bytes().startswith(b"\xef\xbb\xbfmrn;")
    row, total = rows(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), ";")
    assert row.keys() == total.keys()
    assert (total["mrn"], total["pages"]) == ("1", row["pages"])


def test_each_result_of_a_panel_is_an_observation():
    message = hl7.parse(content("lab-panel", "text-results", ".hl7").decode())
    assert [(str(each(2)), str(each(3)[0][1])) for each in message.segments("OBX")] == [
        ("ST", "Nitrite"),
        ("ST", "C-reactive protein"),
        ("ST", "Colour \\F\\ odour"),
    ]


@pytest.mark.parametrize("sample", ["three-lines", "semicolon-and-formula"])
def test_each_line_of_an_invoice_is_a_row(sample):
    told = json.loads((EXAMPLES / "mappings/invoice-lines/samples" / sample / "metadata.json").read_bytes())
    lines = told["annotation"]["content"][2]["children"][0]["children"]
    amounts = [cell["content"]["value"] for line in lines for cell in line["children"] if "amount" in cell["schema_id"]]
    lines = rows(content("invoice-lines", sample, ".csv"), ";")
    assert [line["amount"].replace(",", ".") for line in lines] == amounts
    assert {line["supplier"] for line in lines} == {told["annotation"]["content"][1]["children"][0]["content"]["value"]}


@records(".xml", "ubl-invoice")
def test_a_ubl_invoice_adds_up(path):
    invoice = ubl(path.read_bytes())
    total = {name: invoice.amount("LegalMonetaryTotal", name) for name in TOTALS}
    assert invoice.amount("InvoiceLine", "LineExtensionAmount") == total["LineExtensionAmount"]
    assert invoice.amount("TaxTotal", "TaxSubtotal", "TaxAmount") == invoice.amount("TaxTotal", "TaxAmount")
    assert total["TaxExclusiveAmount"] + invoice.amount("TaxTotal", "TaxAmount") == total["TaxInclusiveAmount"]
    assert total["TaxInclusiveAmount"] + total["PayableRoundingAmount"] == total["PayableAmount"]
    assert invoice.texts("LineCountNumeric") == [str(len(invoice.texts("InvoiceLine", "ID")))]


def test_a_ubl_invoice_holds_what_was_read():
    invoice = ubl(content("ubl-invoice", "escaping", ".xml"))
    assert invoice.texts("ID") == ['A&B-"7" <2026>']
    assert invoice.texts("AccountingSupplierParty", "Party", "PartyName", "Name") == ["Müller & Søn <Łódź> ]]>"]
    assert invoice.texts("InvoiceLine", "Item", "Name") == ['Tape; 25 mm "skin-friendly" &amp; <b>soft</b>']
    assert invoice.texts("InvoiceLine", "LineExtensionAmount") == ["7.25"]


def test_a_ubl_invoice_has_a_credited_line_and_a_rounding():
    invoice = ubl(content("ubl-invoice", "credited-line-and-rounding", ".xml"))
    assert invoice.texts("InvoiceLine", "LineExtensionAmount") == ["1000.20", "-0.10"]
    assert [invoice.texts("LegalMonetaryTotal", name) for name in TOTALS[2:]] == [["1210.12"], ["-0.12"], ["1210.00"]]


def test_each_patient_of_a_fax_has_a_record():
    folder = EXAMPLES / "mappings/fax-of-several/samples/three-patients/expected"
    told = [json.loads(path.read_bytes()) for path in sorted(folder.iterdir())]
    assert [(each["mrn"], each["firstPage"], each["lastPage"], each["of"]) for each in told] == [
        ("00142637", 1, 2, 3),
        ("00142638", 3, 3, 3),
        ("00142639", 4, 6, 3),
    ]
    assert len({each["document"] for each in told}) == 1


def test_the_fax_comes_out_of_the_message_as_pdf():
    message = Message(content("mdm-embedded", "faxed-referral", ".hl7"))
    assert [message.leaf("OBX", 5, component) for component in (1, 2, 3, 4)] == ["", "application", "pdf", "Base64"]
    with pypdfium2.PdfDocument(BytesIO(base64.b64decode(message.leaf("OBX", 5, 5), validate=True))) as pdf:
        assert len(pdf) == int(message.leaf("OBX", 5, occurrence=1)) == 1


def test_a_pdf_comes_out_of_the_message_as_it_went_in():
    message = Message(content("mdm-embedded", "noise-in-the-name", ".hl7"))
    sent = EXAMPLES / "mappings/mdm-embedded/samples/noise-in-the-name/file--letter.pdf"
    assert base64.b64decode(message.leaf("OBX", 5, 5), validate=True) == sent.read_bytes()
    assert message.leaf("PID", 5, 3) == '"Ani" Gómez|^~\\&<>;'


def test_a_message_keeps_the_senders_clock():
    assert Message(content("mdm-embedded", "faxed-referral", ".hl7")).leaf("TXA", 6) == "20181007104521-0500"


@records(".json", "fhir-bundle")
def test_a_bundle_is_one_that_a_server_takes(path):
    whole = json.loads(path.read_bytes())
    Bundle.model_validate(whole)
    assert whole["type"] == "transaction"
    (entry,) = whole["entry"]
    resource, request = entry["resource"], entry["request"]
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", entry["fullUrl"]
    )
    assert (request["method"], request["url"]) == ("POST", resource["resourceType"])
    assert (resource["status"], resource["docStatus"]) == ("current", "final")
    assert resource["masterIdentifier"]["value"] == entry["fullUrl"]
    assert request["ifNoneExist"] == f"identifier=urn:ietf:rfc:3986|{entry['fullUrl']}"
    assert resource["meta"]["profile"] == [f"{US_CORE}/StructureDefinition/us-core-documentreference"]
    (category,) = resource["category"]
    assert [each["code"] for each in category["coding"]] == ["clinical-note"]
    assert resource["contained"][0]["gender"] in ("female", "male", "other", "unknown")
    contained = {f"#{inner['id']}" for inner in resource["contained"]}
    assert set(references(resource)) == contained == {"#patient"}
    assert all("contained" not in inner and "meta" not in inner for inner in resource["contained"])


def references(value):
    if isinstance(value, dict):
        yield from [value["reference"]] if "reference" in value else []
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from references(inner)


def test_a_bundle_carries_the_document():
    resource = json.loads(content("fhir-bundle", "faxed-referral", ".json"))["entry"][0]["resource"]
    (attachment,) = [part["attachment"] for part in resource["content"]]
    sent = EXAMPLES / "mappings/fhir-bundle/samples/faxed-referral/file--scan.tif"
    assert base64.b64decode(attachment["data"], validate=True) == sent.read_bytes()
    assert attachment["size"] == sent.stat().st_size
    assert attachment["creation"] == "2018-10-07T10:45:21-05:00"
    assert resource["contained"][0]["name"][0]["given"] == ["John", "Q"]


@records(".txt")
def test_an_index_file_is_one_that_dip_takes(path):
    (document,) = dip(path.read_bytes())
    assert all(len(f"{tag}:") <= 20 for tag, _ in document.tags)
    assert document.place(">>FileTypeNum") < document.place(">>FullPath")
    assert document.value(">>FullPath").startswith(document.value("Delivery ID"))
    assert re.fullmatch(r"\d\d/\d\d/\d{4}", document.value(">>DocDate"))
    assert document.value(">>FileTypeNum") == {".tif": "2", ".pdf": "16"}[document.value(">>FullPath")[-4:]]


def test_an_index_file_repeats_a_tag_for_each_value():
    (document,) = dip(content("onbase-dip", "faxed-referral", ".txt"))
    assert document.values("Diagnosis Code") == ["R06.09", "I10"]
    assert (document.value("Patient Last Name"), document.value("Pages")) == ("Smith", "2")


@records(".lstx")
def test_a_list_file_satisfies_its_schema(path):
    xmlschema.XMLSchema(EXAMPLES / "schemas" / "laserfiche-list.xsd").validate(path)
    assert laserfiche(path.read_bytes())["MRN"] == ["142637A"]


def test_a_list_file_names_each_page_of_a_fax():
    path = record("laserfiche-list", "faxed-referral", ".lstx")
    root = xmlschema.XMLResource(path).root
    pages = [(part.get("index"), part.find(f"{LF}fileref").get("ref")) for part in root.iter(f"{LF}imagepart")]
    assert pages == [("0", f"{path.stem}.tif"), ("1", f"{path.stem}.tif")]


def test_a_list_file_holds_what_was_sent():
    sent = json.loads(
        (EXAMPLES / "mappings/laserfiche-list/samples/noise-in-the-name/metadata.json").read_text("utf-8")
    )
    assert laserfiche(content("laserfiche-list", "noise-in-the-name", ".lstx"))["Patient"] == [
        field["value"] for field in sent["fields"] if field["name"] == "patient_name"
    ]


@pytest.mark.parametrize("sample", ["faxed-referral", "letter"])
def test_a_batch_counts_its_documents_and_names_its_transactions(sample):
    documents = transaction(content("filenet-batch", sample, ".dat"))
    folder, lines, files, name = content("filenet-batch", sample, ".eob").decode().split(" ")
    assert (folder, int(lines), int(files)) == ("/filenet/import/receiver", len(documents), len(documents))
    assert name.strip() == record("filenet-batch", sample, ".dat").name
    assert [document["class"] for document in documents] == ["01"]


def test_the_end_of_a_batch_is_written_last():
    sample = case("filenet-batch", "letter")
    rendered = run(sample.process, incoming(sample, settings(EXAMPLES).max_body)).rendered
    assert [record.path[-4:] for record in rendered.records] == [".dat", ".eob"]


def test_a_transaction_keeps_a_comma_within_its_property():
    (document,) = transaction(content("filenet-batch", "faxed-referral", ".dat"))
    assert document["properties"] == ["142637A", "Smith, John Q", "1964-02-20", "2018-000501", "2"]


def test_columns_are_where_they_belong():
    (line,) = fixed(content("fixed-width", "faxed-referral", ".dat"))
    assert line == {
        "type": "D",
        "delivery": record("fixed-width", "faxed-referral", ".dat").stem,
        "mrn": "142637A",
        "family": "Smith",
        "given": "John Q",
        "born": "19640220",
        "service": "20181005",
        "document": "REF",
        "pages": "00002",
        "cents": "0000123450",
        "file": record("fixed-width", "faxed-referral", ".dat").stem + ".tif",
    }


def test_columns_are_counted_in_bytes():
    (line,) = fixed(content("fixed-width", "accents", ".dat"))
    assert (line["family"], line["given"], line["service"], line["cents"]) == ("Gómez", "Zoë", "", "0000000000")


class Client:
    """The examples, served in this process."""

    def __init__(self, folder: Path) -> None:
        self.at = {"RECEIVER_SITE": str(EXAMPLES), "RECEIVER_DATA": str(folder / "var"), "RECEIVER_OUTPUT": str(folder)}
        self.app = create_app(Settings.from_environment(self.at))

    def send(self, process: str, sample: str):
        folder = EXAMPLES / "mappings" / process / "samples" / sample
        parts = {}
        for path in filter(Path.is_file, folder.iterdir()):
            part, _, name = path.name.rpartition("--")
            parts[part or path.stem] = FileStorage(BytesIO(path.read_bytes()), name, content_type=TYPES[path.suffix])
        boundary, body = encode_multipart(
            parts, "a-boundary"
        )  # Werkzeug's own is sometimes longer than RFC 2046 allows
        headers = {
            "Authorization": f"Bearer {ENVIRONMENT['RECEIVER_TOKEN']}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        return self.app.test_client().post(f"/api/nextstep/delivery/{process}", data=body, headers=headers)

    def close_batch(self, process: str) -> Path:
        """Close the open batch of a process, and return its file."""
        self._verb("batch", "close", process)
        told = json.loads(self._verb("batch", "list", process, "--json"))
        assert told["status"] == "published"
        return Path(self.at["RECEIVER_OUTPUT"]) / told["file"]["path"]

    def _verb(self, *arguments: str) -> str:
        result = CliRunner().invoke(cli.main, arguments, env=self.at, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture
def served(tmp_path, monkeypatch) -> Client:
    monkeypatch.setenv("RECEIVER_TOKEN", ENVIRONMENT["RECEIVER_TOKEN"])
    return Client(tmp_path)


def test_a_fax_of_several_is_delivered_once_whole(served, tmp_path):
    answer = served.send("fax-of-several", "three-patients")
    assert answer.status_code == 200
    assert [each["path"][-7:] for each in answer.json["records"]] == ["-1.json", "-2.json", "-3.json"]
    assert len(list((tmp_path / "fax-of-several").glob("*.json"))) == 3
    assert served.send("fax-of-several", "three-patients").json == {**answer.json, "duplicate": True}


def messages(content: bytes) -> list[str]:
    (batch,) = hl7.parse_file(content.decode())
    assert str(batch.trailer(1)) == str(len(batch))
    return [str(message.segment("MSH")(10)) for message in batch]


def listed(content: bytes) -> list[str]:
    *found, total = rows(content.removeprefix(b"\xef\xbb\xbf"), ";")
    assert (total["mrn"], total["pages"]) == (str(len(found)), str(sum(int(row["pages"]) for row in found)))
    return [row["file"][:20] for row in found]


OF_MANY = {  # process → its samples, and what reads the ids of the deliveries in its batch
    "hl7-batch": (["faxed-referral", "noise-in-the-name"], messages),
    "daily-index": (["faxed-referral", "noise-in-the-name"], listed),
    "onbase-dip-batch": (
        ["faxed-referral", "accents"],
        lambda content: [each.value("Delivery ID") for each in dip(content)],
    ),
    "filenet-transactions": (
        ["faxed-referral", "letter"],
        lambda content: [each["index"] for each in transaction(content)],
    ),
}


@pytest.mark.parametrize("process", OF_MANY)
def test_a_batch_of_two_deliveries_is_published_as_one_file(served, process):
    samples, read = OF_MANY[process]
    answers = [served.send(process, sample).json for sample in [*samples, samples[0]]]
    assert [(answer["status"], answer["duplicate"]) for answer in answers] == [
        ("published", False),
        ("published", False),
        ("published", True),
    ]
    file = served.close_batch(process)
    assert read(file.read_bytes()) == [answer["id"] for answer in answers[:2]]
    assert {path.name for path in file.parent.iterdir()} == {
        file.name,
        *(Path(answer["documents"][0]["path"]).name for answer in answers),
    }
