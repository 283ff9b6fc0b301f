"""`convert = "pdf"`, over a real socket: the PDF is published in the image's place, and the image kept where asked."""

import base64
import hashlib
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pypdfium2
import pytest

from tests.service.test_delivery import referral
from tests.support.running import ROOT, Service, multipart

FAX = (ROOT / "mappings" / "referrals" / "samples" / "faxed-letter" / "file--123456789.tif").read_bytes()
COUNT = 40  # more than two workers have turns at work
PATH = "/api/nextstep/delivery/scans"
PROCESS = """
[auth]
tokens = ["env:RECEIVER_TOKEN"]
[parts.file]
role = "document"
types = ["image/tiff", "application/pdf"]
convert = "pdf"
[parts.metadata]
role = "metadata"
[metadata]
schema = "nextstep-metadata.schema.json"
[[records]]
template = "scan.json.j2"
path = "{{ delivery.id }}.json"
[retention]
originals = "30d"
"""
RECORD = (
    '{"pages": {{ document.pages }}, "type": {{ document.type }}, "path": {{ document.path }}, '
    '"sha256": {{ document.sha256 }}, "filename": {{ document.filename }}, "mrn": {{ fields.mrn }}}\n'
)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    root = tmp_path_factory.mktemp("scans")
    site = root / "site"
    (site / "mappings" / "scans").mkdir(parents=True)
    (site / "mappings" / "scans" / "process.toml").write_text(PROCESS)
    (site / "mappings" / "scans" / "scan.json.j2").write_text(RECORD)
    shutil.copytree(ROOT / "schemas", site / "schemas")
    shutil.copytree(ROOT / "mappings" / "referrals", site / "mappings" / "referrals")
    service = Service(root / "data", site).start()
    yield service
    service.stop()


def delivery(content: bytes, source_id: str, type_: str = "image/tiff", **fields: str) -> bytes:
    named = [{"name": name, "value": value} for name, value in fields.items()]
    metadata = json.dumps({"sourceId": source_id, "fields": named}).encode()
    return multipart(
        ("file", "scan.tif", type_, content), ("metadata", "metadata.json", "application/json", metadata), path=PATH
    )


def test_the_pdf_stands_in_the_image_s_place_and_the_image_is_kept(scans):
    answer = scans.request(delivery(FAX, "one", mrn="1"))
    assert answer.status == 200, answer.body
    (document,) = answer.json["documents"]
    pdf = scans.output / document["path"]
    assert pdf.name == f"{answer.json['id']}.pdf"
    assert hashlib.sha256(pdf.read_bytes()).hexdigest() == document["sha256"]
    assert pdf.stat().st_size == document["size"]
    with pypdfium2.PdfDocument(pdf) as found:
        assert len(found) == 2
    record = json.loads((scans.output / answer.json["records"][0]["path"]).read_text())
    assert record == {
        "pages": 2,
        "type": "application/pdf",
        "path": pdf.name,
        "sha256": document["sha256"],
        "filename": "scan.tif",
        "mrn": "1",
    }
    kept = scans.data / "originals" / "scans" / answer.json["id"]
    assert FAX in [path.read_bytes() for path in kept.glob("*.tif")]
    assert list(kept.glob("*.pdf")) == []


def test_a_retry_of_the_image_gets_the_receipt_of_the_pdf(scans):
    request = delivery(FAX, "twice", mrn="1")
    first, second = scans.request(request).json, scans.request(request).json
    assert second == first | {"duplicate": True}


def test_the_delivery_s_id_is_that_of_what_came(scans):
    service = scans.request(delivery(FAX, "id", mrn="1")).json
    metadata = json.dumps({"sourceId": "id", "fields": [{"name": "mrn", "value": "1"}]}).encode()
    contents = sorted([[n, hashlib.sha256(c).hexdigest()] for n, c in (("file", FAX), ("metadata", metadata))])
    text = json.dumps(["scans", "id", contents], separators=(",", ":"))
    assert service["id"] == base64.b32encode(hashlib.sha256(text.encode()).digest())[:20].decode()


def test_an_image_that_cannot_be_converted_is_refused_and_kept_as_it_came(scans):
    answer = scans.request(delivery(FAX[:9000], "broken", mrn="1"))
    assert (answer.status, answer.json["code"]) == (422, "document-broken")
    assert answer.json["violations"] == [
        {
            "where": "file",
            "rule": "document",
            "message": "The document cannot be converted to PDF: its directory is damaged, or it is cut off.",
            "schema": None,
        }
    ]
    assert not list(scans.output.rglob("*broken*"))


def test_quarantine_keeps_the_image_alone_where_the_record_fails(scans):
    answer = scans.request(delivery(FAX, "no-mrn"))
    assert (answer.status, answer.json["code"]) == (422, "template-failed")
    (kept,) = [
        folder
        for folder in (scans.data / "quarantine" / "scans").iterdir()
        if json.loads((folder / "problem.json").read_text())["sourceId"] == "no-mrn"
    ]
    assert sorted(path.suffix for path in kept.iterdir()) == [".json", ".json", ".tif"]
    assert next(kept.glob("*.tif")).read_bytes() == FAX


def test_documents_that_wait_hold_neither_other_deliveries_nor_health_up(scans):
    """More of them than each worker has turns at work, while the processes that read documents do nothing."""
    assert scans.request(delivery(FAX, "awake", mrn="1")).status == 200
    service = psutil.Process(scans.process.pid)
    helpers = [each for each in service.children(recursive=True) if "receiver.documents" in each.cmdline()]
    for each in helpers:
        each.suspend()
    with ThreadPoolExecutor(COUNT) as threads:
        waiting = [threads.submit(scans.request, delivery(FAX, f"waits-{number}", mrn="1")) for number in range(COUNT)]
        try:
            begun = time.monotonic()
            for number in range(20):
                assert scans.request(referral(f"beside-{number}")).status == 200
                assert scans.request(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status == 200
            took = time.monotonic() - begun
        finally:
            for each in helpers:
                each.resume()
        answers = [each.result() for each in waiting]
    assert [answer.body for answer in answers if answer.status not in (200, 503)] == []
    assert took < 10  # seconds; the first of those that wait is given up after 60
