"""What is delivered: the cases, and the request of each as it goes over the socket."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks import site

SOURCE_ID = "@@@@-SOURCE-ID-@@@@"  # what load/main.go replaces, at each sending by another of the same length
BOUNDARY = "----benchmark7MA4YWxkTrZu0gW"
BEGIN = {"image/tiff": b"II*\x00\x08\x00\x00\x00", "application/pdf": b"%PDF-1.4\n"}
VALUES = ("Zoë O’Brien", "07/04/1987", "00071234", "12 Main St, Apt #4 | 2nd floor", 'says "no" & waits', "plain words")


@dataclass(frozen=True)
class Case:
    """One thing that is delivered, how often at once, and what its answer must be."""

    name: str
    told: str
    process: str
    document: int  # bytes
    type: str = "image/tiff"
    connections: int = 16
    count: int = 0  # deliveries of one round; 0: as many as go into its time
    answer: int = 200
    duplicates: bool = False  # the same delivery again and again, after a first one
    peers: tuple[str, ...] = ()  # all, unless named
    memory_disk: bool = False  # everything lies in memory: what remains is our own work
    valid: bool = True


DURABLE = ("receiver", "flask-equal", "flask-tuned", "starlette", "express", "go", "limit")
OTHERS = (*DURABLE, "flask-naive", "nginx")
CASES = (
    Case("forms", "100 KB image, 20 fields, 2 records", "forms", 100_000),
    Case("letters", "1 MB PDF, 4 fields, 2 records", "letters", 1_000_000, "application/pdf", peers=OTHERS),
    Case("page", "1 MB image, one at a time", "letters", 1_000_000, connections=1, count=20, peers=("receiver",)),
    Case("flood", "50 MB image, 32 at once", "letters", 50_000_000, connections=32, count=32, peers=("receiver",)),
    Case(
        "scan", "300 MB image, one at a time", "letters", 300_000_000, connections=1, count=1, peers=("disk", *DURABLE)
    ),
    Case(
        "reports",
        "100 KB image, XML against XSD, 20 fields",
        "reports",
        100_000,
        peers=("receiver", "flask-equal", "flask-tuned", "flask-naive"),
    ),
    Case("wide", "100 KB image, 200 fields", "wide", 100_000, peers=(*DURABLE, "flask-naive")),
    Case(
        "checked",
        "as forms, each record held against HL7 2.5.1 or its JSON Schema",
        "checked",
        100_000,
        peers=("receiver",),
    ),
    Case("duplicates", "as forms, all of it received before", "forms", 100_000, duplicates=True, peers=("receiver",)),
    Case(
        "refusals",
        "as forms, a field missing: 422, and ours is kept in quarantine",
        "forms",
        100_000,
        answer=422,
        valid=False,
        peers=("receiver", "flask-tuned", "starlette", "express"),
    ),
    Case(
        "memory",
        "as forms, on a disk in memory: nothing waits for an fsync",
        "forms",
        100_000,
        memory_disk=True,
        peers=("receiver", "silent", "flask-tuned", "go", "nginx"),
    ),
)


def write_request(case: Case, path: Path) -> None:
    """Write the request of a case."""
    content = BEGIN[case.type] + os.urandom(case.document - len(BEGIN[case.type]))
    names = site.field_names(site.FIELDS[case.process])
    fields = {name: VALUES[number % len(VALUES)] for number, name in enumerate(names if case.valid else names[:-1])}
    if case.process in site.XML:
        metadata, kind = _xml(fields), "application/xml"
    else:
        metadata, kind = _json(fields), "application/json"
    body = _part("file", "scan.tif", case.type, content) + _part("metadata", "metadata", kind, metadata)
    body += f"--{BOUNDARY}--\r\n".encode()
    head = (
        f"POST /api/nextstep/delivery/{case.process} HTTP/1.1\r\nHost: bench.example\r\n"
        f"Authorization: Bearer {site.TOKEN}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    path.write_bytes(head.encode() + body)


def _part(name: str, filename: str, kind: str, content: bytes) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: {kind}\r\n\r\n".encode() + content + b"\r\n"


def _json(fields: Mapping[str, str]) -> bytes:
    told = [{"name": name, "value": value, "confidence": 0.97} for name, value in fields.items()]
    return json.dumps({"sourceId": SOURCE_ID, "fields": told}, ensure_ascii=False, indent=2).encode()


def _xml(fields: Mapping[str, str]) -> bytes:
    told = "".join(
        f'    <field name="{name}" confidence="0.97">{escape(value)}</field>\n' for name, value in fields.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<document>\n  <sourceId>{SOURCE_ID}</sourceId>\n'
        f"  <fields>\n{told}  </fields>\n</document>\n"
    ).encode()
