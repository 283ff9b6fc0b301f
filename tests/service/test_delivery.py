"""Deliveries over a real socket, into a real gunicorn, onto a real disk."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.support.leftovers import left_in
from tests.support.running import ROOT, TOKEN, multipart

SAMPLES = ROOT / "mappings" / "referrals" / "samples"
REFERRALS = "/api/nextstep/delivery/referrals"
CAPTURED = (SAMPLES / "documented-request" / "request.http").read_bytes()
TIFF = (SAMPLES / "faxed-letter" / "file--123456789.tif").read_bytes()


def metadata(source_id: str, **changed: str) -> bytes:
    values = {
        "patient_name": "Ada Example",
        "patient_dob": "02/20/1964",
        "date_of_encounter": "01/30/2018",
        "mrn": "142637A",
    } | changed
    fields = [{"name": name, "value": value, "confidence": 0.99} for name, value in values.items()]
    return json.dumps({"sourceId": source_id, "fields": fields}).encode()


def referral(
    source_id: str, path: str = "/api/nextstep/delivery/referrals", token: str = TOKEN, **changed: str
) -> bytes:
    return multipart(
        ("file", "scan.tif", "image/tiff", TIFF),
        ("metadata", "metadata.json", "application/json", metadata(source_id, **changed)),
        path=path,
        token=token,
    )


def published(service, answer) -> list[Path]:
    return [service.output / file["path"] for kind in ("documents", "records") for file in answer.json[kind]]


def test_the_platforms_documented_request_becomes_a_record_beside_its_image(service):
    answer = service.request(CAPTURED)
    assert answer.status == 200, answer.body
    receipt = answer.json
    assert (receipt["process"], receipt["sourceId"], receipt["status"]) == ("referrals", "123456789", "published")
    image, message, record = published(service, answer)
    assert image.read_bytes() == TIFF
    assert message.read_bytes().startswith(b"MSH|^~\\&|")
    assert b"\n" not in message.read_bytes()
    assert image.name.encode() in message.read_bytes()
    assert json.loads(record.read_bytes())["patient"]["mrn"] == "142637A"


def test_the_receipt_tells_size_and_digest_of_every_file(service):
    answer = service.request(referral("receipt-1"))
    for kind in ("documents", "records"):
        for file in answer.json[kind]:
            content = (service.output / file["path"]).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])


def test_a_retry_gets_the_same_receipt_and_writes_nothing(service):
    first = service.request(referral("retry-1"))
    before = sorted(service.output.rglob("*"))
    second = service.request(referral("retry-1"))
    assert second.status == 200
    assert second.json == first.json | {"duplicate": True}
    assert sorted(service.output.rglob("*")) == before


def test_the_order_of_the_sections_does_not_matter(service):
    first = service.request(referral("order-1"))
    swapped = multipart(
        ("metadata", "metadata.json", "application/json", metadata("order-1")),
        ("file", "scan.tif", "image/tiff", TIFF),
        path=REFERRALS,
    )
    assert service.request(swapped).json == first.json | {"duplicate": True}


def test_other_content_under_the_same_source_id_is_version_2(service):
    assert service.request(referral("version-1")).json["version"] == 1
    answer = service.request(referral("version-1", patient_name="Ada B. Example"))
    assert answer.json["version"] == 2
    assert all(path.exists() for path in published(service, answer))


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], f"{TOKEN} trailing"])
def test_a_wrong_token_is_refused_before_the_body_is_read(service, token):
    head, _, _ = referral("token-1", token=token).partition(b"\r\n\r\n")
    answer = service.request(head + b"\r\n\r\n")  # no byte of the body is ever sent
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json["code"] == "token-refused"


def test_a_doubled_authorization_header_is_refused(service):
    raw = referral("token-2").replace(b"Host:", f"Authorization: Bearer {TOKEN}\r\nHost:".encode(), 1)
    assert service.request(raw).status == 401


def test_an_unknown_process_is_not_found(service):
    answer = service.request(referral("process-1", path="/api/nextstep/delivery/nothing"))
    assert (answer.status, answer.json["code"]) == (404, "no-such-process")


@pytest.mark.parametrize(("path", "method", "status"), [("/other", "POST", 404), (REFERRALS, "GET", 405)])
def test_other_urls_and_methods_are_answered_as_problems(service, path, method, status):
    answer = service.request(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")


def test_every_fault_of_the_parts_is_told_at_once(service):
    answer = service.request(
        multipart(
            ("file", "a.gif", "image/gif", b"GIF89a"),
            ("file", "b.tif", "image/tiff", TIFF),
            ("surprise", "c.txt", "text/plain", b"?"),
            path=REFERRALS,
        )
    )
    rules = sorted(violation["rule"] for violation in answer.json["violations"])
    assert answer.status == 415
    assert rules == ["part-missing", "part-repeated", "part-type", "part-unknown"]


def test_what_is_refused_is_kept_whole_in_quarantine(service):
    answer = service.request(referral("refused-1", mrn="not an mrn"))
    assert (answer.status, answer.json["code"]) == (422, "fields-invalid")
    assert "not an mrn" not in answer.body.decode()
    problems = [
        json.loads(path.read_text()) | {"at": path} for path in service.data.glob("quarantine/*/*/problem.json")
    ]
    [kept] = [problem for problem in problems if problem["sourceId"] == "refused-1"]
    parts = {part["name"]: kept["at"].parent / part["file"] for part in kept["parts"]}
    assert parts["file"].read_bytes() == TIFF
    assert parts["metadata"].read_bytes() == metadata("refused-1", mrn="not an mrn")


def test_low_confidence_is_held_where_the_process_says_so(service):
    uncertain = json.loads(metadata("held-1"))
    uncertain["fields"][3]["confidence"] = 0.5
    answer = service.request(
        multipart(
            ("file", "scan.tif", "image/tiff", TIFF),
            ("metadata", "metadata.json", "application/json", json.dumps(uncertain).encode()),
            path=REFERRALS,
        )
    )
    assert (answer.status, answer.json["status"]) == (202, "held")
    assert (answer.json["documents"], answer.json["version"]) == ([], None)


def test_nothing_is_left_in_the_stage(service):
    service.request(referral("stage-1"))
    service.request(referral("stage-2", mrn="wrong"))
    service.request(referral("stage-3")[:-200], half_close=True)
    assert left_in(service.data / "stage") == []
