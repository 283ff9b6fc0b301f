"""What `make fuzz-parsers` feeds: each reader of a sender's bytes, by name; nothing but a refusal may come out."""

import io
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

import jsonschema_rs
from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.unreader import IterUnreader

from receiver.core.problems import Problem
from receiver.delivery import filenames, form
from receiver.formats.csv import check as csv
from receiver.formats.errors import RefusedError
from receiver.formats.fhir import values as fhir_values
from receiver.formats.hl7 import check
from receiver.formats.hl7 import values as hl7_values
from receiver.formats.json import check as json_record
from receiver.formats.xml import check as xml_record
from receiver.schemas import json_check, json_text, xml_text, xsd
from receiver.schemas.encodings import MalformedError
from receiver.schemas.xsd import XmlSchema
from receiver.schemas.xsd import compile as compile_xsd
from receiver.server.request import Request
from receiver.templates import Template, Templates
from receiver.templates.filters import dates, letters, numbers, patterns, persons, spans, texts

CONFIG = Config()
BOUNDARY = "B"
XSD = "http://www.w3.org/2001/XMLSchema"
READ = ["iso", "%m/%d/%Y", "%Y%m%d%H%M%S", "%B %d, %Y %I:%M %p", "%d.%m.%y"]


def request(data: bytes) -> None:
    """Read a request's head."""
    unreader = IterUnreader(iter([data]))
    unreader.sock = types.SimpleNamespace(trusted=False, begin=lambda **_: None)
    with suppress(ParseException, NoMoreData, StopIteration):
        Request(CONFIG, unreader, ("127.0.0.1", 1))


def content_type(data: bytes) -> None:
    """Read a boundary; one that is found is one that RFC 2046 allows."""
    found = form.boundary("multipart/form-data;" + data.decode("latin-1"))
    assert 0 < len(found) <= 70
    assert found.isascii()


def disposition(data: bytes) -> None:
    """Read a part's names; what is written again is read as the same."""
    section, _ = form.section(iter([b"Content-Disposition: form-data;" + data, b""]).__next__)
    again = form.parse(filenames.disposition(section.name, section.filename), "A part's", unquoted="")
    assert section.filename is None or filenames.filename(again) == section.filename or "\r" in section.filename


def body(data: bytes) -> None:
    """Read a body at once and byte by byte: the verdicts are the same."""
    assert _sections(data, len(data) or 1) == _sections(data, 1)


def _sections(data: bytes, size: int) -> object:
    stream = io.BytesIO(data)
    pieces = types.SimpleNamespace(read=lambda _: stream.read(size))
    try:
        found = form.sections(pieces, f"multipart/form-data; boundary={BOUNDARY}", None, 10**6)
        return [(section, b"".join(section.content)) for section in found]
    except Problem as problem:
        return problem.code


def json(data: bytes) -> None:
    """Read JSON metadata, and judge a JSON record."""
    with suppress(MalformedError):
        json_text.loads(data)
    json_record.violations(data.decode("utf-8", "replace"), None)


def xml(data: bytes) -> None:
    """Read XML metadata, and judge an XML record."""
    with suppress(MalformedError):
        xml_text.parse(xml_text.utf8(data))
    xml_record.violations(data, None)


RECORDS: tuple[Callable[[str], object], ...] = (
    lambda text: csv.violations(text, ","),
    lambda text: csv.violations(text, ";"),
    lambda text: check.violations(text, by_standard=False),
    lambda text: check.violations(text, by_standard=True),
    lambda text: [hl7_values.written(kind, text) for kind in hl7_values.TYPES],
    lambda text: [list(fhir_values.faults(text, kind)) for kind in fhir_values.PRIMITIVES],
)


def records(data: bytes) -> None:
    """Judge a record, or a value of one, in the format that the first byte chooses."""
    _chosen(RECORDS, data)


def _chosen(readers: Sequence[Callable[[str], object]], data: bytes) -> None:
    """Let the reader that the first byte chooses read the text after it: so each is found by itself."""
    if data:
        readers[data[0] % len(readers)](data[1:].decode("utf-8", "replace"))


SOURCES = {
    "hl7": "MSH|^~\\&|a|b|c|d|20260101||ADT^A01|1|P|2.5.1\nPID|{{ fields.a }}^{{ fields.a }}\nNTE|1||{{ fields.a }}\n",
    "json": '{"a": {{ fields.a }}, "b": "x{{ fields.a }}"}',
    "xml": '<a b="{{ fields.a }}">{{ fields.a }}</a>',
    "csv": "{{ fields.a }},x\n",
    "text": "{{ fields.a }}",
}
WELL_FORMED: dict[str, Callable[[str], Iterable[object]]] = {
    "hl7": lambda record: check.violations(record, by_standard=False),
    "json": lambda record: json_record.violations(record, None),
    "xml": lambda record: xml_record.violations(record.encode(), None),
    "csv": lambda record: csv.violations(record, ","),
    "text": lambda _: (),
}


def _escape(kind: str, template: Template) -> Callable[[str], None]:
    def escape(text: str) -> None:
        assert not WELL_FORMED[kind](template.render({"fields": {"a": text}}))

    return escape


def _escapes() -> Iterator[Callable[[str], None]]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for kind, source in SOURCES.items():
            (folder / kind).write_text(source)
            yield _escape(kind, Templates(folder, folder).record(kind, kind, "utf-8"))
        path = Templates(folder, folder).path("{{ fields.a }}.txt", "process.toml", 1, 1)
        yield lambda text: path.render({"fields": {"a": text}})


ESCAPES = tuple(_escapes())


def escapes(data: bytes) -> None:
    """Write a text into a record, or a path; the record is well-formed, whatever the text."""
    _chosen(ESCAPES, data)


BUILT_IN = """anyURI base64Binary boolean date dateTime decimal double duration gDay gMonthDay gYearMonth hexBinary
integer language Name NCName NMTOKENS normalizedString QName time token""".split()  # noqa: SIM905
PATTERN = "([a-z0-9]*)*(-[0-9]+)?!"


def _types() -> Iterator[Callable[[str], object]]:
    with TemporaryDirectory() as name:
        path = Path(name) / "a.xsd"
        for each in BUILT_IN:
            path.write_text(f'<xs:schema xmlns:xs="{XSD}"><xs:element name="a" type="xs:{each}"/></xs:schema>')
            yield partial(_judge, compile_xsd(path, path.parent, path.parent))
    yield jsonschema_rs.validator_for({"pattern": f"^{PATTERN}$"}, pattern_options=json_check.LINEAR, mask="").is_valid
    yield xsd.Linear(PATTERN, "1.0").match


def _judge(schema: XmlSchema, text: str) -> None:
    schema.violations(xml_text.parse(f"<a>{escape(text)}</a>".encode()))


SCHEMAS = tuple(_types())


def schemas(data: bytes) -> None:
    """Judge a value by a type of XML Schema, or by a pattern."""
    _chosen(SCHEMAS, data)


FILTERS: tuple[Callable[[str], object], ...] = (
    lambda text: dates.date(text, READ),
    dates.hl7_ts,
    dates.fhir_time,
    numbers.number,
    lambda text: persons.person(text, "family"),
    lambda text: texts.phone(text, extension=" x"),
    lambda text: texts.split(text, ",;"),
    lambda text: texts.fixed(text, 40),
    letters.ascii,
    lambda text: patterns.extract(text, "([0-9]+)-?[a-z]*$"),
    lambda text: spans.plus(text, "-13mo"),
    lambda text: spans.age(text, "2026-11-29"),
    lambda text: spans.days_between("2026-11-29", text),
)


def filters(data: bytes) -> None:
    """Let the filter that the first byte chooses read a text."""
    _chosen(FILTERS, data)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (request, content_type, disposition, body, json, xml, records, escapes, schemas, filters)
}
SEEDS: dict[str, tuple[bytes, ...]] = {
    "request": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na",),
    "content_type": (b' boundary="a b"', b"boundary=B; charset=utf-8"),
    "disposition": (
        b' name="a"; filename="=?utf-8?B?w5w=?="; filename*=utf-8\'\'%C3%9C',
        b" name=a; filename*0*=utf-8''%C3; filename*1*=%9C; filename*2=.tif",
    ),
    "body": (  # transport padding, a folded header
        (
            b'--B\r\nContent-Disposition: form-data; name="a"\r\nContent-Length: 1\r\n\r\nx'
            b"\r\n--B \r\nX: y\r\n z\r\n\r\n--B--"
        ),
    ),
    "json": (b'{"sourceId": "1", "fields": [{"name": "a", "value": -1.5e3, "x": "\\ud83d\\ude00"}, null, true]}',),
    "xml": (b'<?xml version="1.0" encoding="UTF-8"?><a xmlns:b="c" b:d="e">&lt;<![CDATA[f]]><!-- g --></a>',),
    "records": tuple(
        bytes([chosen]) + text
        for chosen in range(len(RECORDS))
        for text in (b"MSH|^~\\&|\rOBX|1|NM|-1.5\r", b'"a","b""c"\r\n1,2\r\n', b"20260101101500.1234+0100")
    ),
    "escapes": tuple(bytes([chosen]) + b"a|^~\\&<\"',=\r\n/\0" for chosen in range(len(ESCAPES))),
    "schemas": tuple(
        bytes([chosen]) + text
        for chosen in range(len(SCHEMAS))
        for text in (b"2026-01-01T10:15:00Z", b"-1.5e3", b"P1Y", b"a1-1!")
    ),
    "filters": tuple(
        bytes([chosen]) + text
        for chosen in range(len(FILTERS))
        for text in (b"Smith, John Q MD", b"2026-01-01T10:15:00.5Z", b"(555) 013-4217 ext. 5", b"$1,234.50")
    ),
}


def feed(name: str, data: bytes) -> None:
    """Feed one reader; a refusal is an answer."""
    with suppress(Problem, MalformedError, RefusedError):
        TARGETS[name](data)
