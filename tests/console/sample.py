"""Deliveries of invented patients."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOKEN = "an-invented-token-for-tests"
PASSWORD = "an-invented-password"
FAX = (ROOT / "mappings/referrals/samples/faxed-letter/file--123456789.tif").read_bytes()
FIELDS = {
    "patient_name": ("Ada Example", 0.97),
    "patient_dob": ("02/20/1964", 0.99),
    "date_of_encounter": ("01/30/2026", 0.95),
    "mrn": ("142637A", 0.98),
}


def request_of(
    source_id: str,
    changes: dict[str, Any],
    filename: str = "",
    agent: str = "",
    lines: Any = None,
    pdf: bytes | None = None,
) -> dict[str, Any]:
    """Return what werkzeug builds a request of: a fax, or a PDF, and its metadata; None leaves a field out.

    Behind value and confidence there may be the field's page and box.
    """
    fields = {name: field for name, field in {**FIELDS, **changes}.items() if field}
    keys = ("value", "confidence", "page", "box")
    told = [{"name": name, **dict(zip(keys, field, strict=False))} for name, field in fields.items()]
    more = {"lines": lines} if lines else {}
    metadata = json.dumps({"sourceId": source_id, "fields": told, **more}).encode()
    part = b'--cut\r\nContent-Disposition: form-data; name="%s"\r\nContent-Type: %s\r\n\r\n%s\r\n'
    document = part % ((b"file", b"application/pdf", pdf) if pdf else (b"file", b"image/tiff", FAX))
    body = document + part % (b"metadata", b"application/json", metadata) + b"--cut--\r\n"
    if filename:
        body = body.replace(b'name="file"', b'name="file"; filename="%s"' % filename.encode())
    headers = {
        "User-Agent": agent,
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "multipart/form-data; boundary=cut",
    }
    return {"path": "/api/nextstep/delivery/referrals", "data": body, "headers": headers}
