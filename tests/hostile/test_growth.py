"""Whatever reads a sender's bytes does at most twice the work for twice as many, whatever they are made of."""

import io
import json
import os
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.unreader import IterUnreader

from receiver.delivery import filenames, form
from receiver.delivery.parts import match
from receiver.formats.csv import check as csv
from receiver.formats.fhir import values as fhir_values
from receiver.formats.hl7 import check
from receiver.formats.hl7 import values as hl7_values
from receiver.formats.json import check as json_record
from receiver.formats.xml import check as xml_record
from receiver.log import lines
from receiver.metadata import fields
from receiver.schemas import json_check, json_text, xml_text, xsd
from receiver.schemas.xsd import compile as compile_xsd
from receiver.server.request import Request
from receiver.templates import Templates
from receiver.templates.filters import FILTERS
from receiver.web import deliveries

from .growth import ALLOWED, Reader, growth, inputs

CONFIG = Config()


@dataclass(frozen=True)
class Case:
    """One reader, and what its inputs are made of."""

    read: Reader
    special: str
    openings: tuple[str, ...] = ("",)
    ends: tuple[str, ...] = ("", "!")


def head_of(header: str) -> Reader:
    """Return a reader of a request's head with a text in one header; gunicorn bounds each to 8,190 bytes."""

    def read(text: str) -> None:
        raw = f"POST / HTTP/1.1\r\nHost: x\r\n{header}{text[:8_000]}\r\n\r\n".encode("utf-8", "replace")
        unreader = IterUnreader(iter([raw]))
        unreader.sock = types.SimpleNamespace(trusted=False, begin=lambda **_: None)
        try:
            Request(CONFIG, unreader, ("127.0.0.1", 1))
        except ParseException:
            return

    return read


def parameters_of(text: str) -> None:
    form.section(iter([f"Content-Disposition: form-data; name=a{text[:16_000]}".encode(), b""]).__next__)


def file_name(text: str) -> None:
    filenames.filename({"filename": text})


def pieces_of_a_name(text: str) -> None:
    filenames.filename({f"filename*{number}": piece for number, piece in enumerate(text.split(";"))})


def body(text: str) -> None:
    whole = b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\n" + text.encode() + b"\r\n--B--"
    for incoming in form.sections(io.BytesIO(whole), "multipart/form-data; boundary=B", None, 10**9):
        for _ in incoming.content:
            pass


def head_of_a_part(text: str) -> None:
    form_data = b"--B\r\nContent-Disposition: form-data; name=a\r\n" + text.encode() + b"\r\n\r\n\r\n--B--"
    list(form.sections(io.BytesIO(form_data), "multipart/form-data; boundary=B", None, 10**9))


DOOR = {
    "request line": Case(head_of("X: "), ' \t:;,="\\\x00\r\n\xff'),
    "Host": Case(head_of("Host: "), ' \t:;,="\\@[].'),
    "names of headers": Case(head_of(""), ' \t:;,="\\-_'),
    "X-Forwarded-For": Case(head_of("X-Forwarded-For: "), " \t:;,.[]%"),
    "Transfer-Encoding": Case(head_of("Transfer-Encoding: "), " \t,;="),
    "token": Case(lambda text: deliveries.bearer(f"Bearer {text}"), " \t,;=\xa0"),
    "parameters": Case(
        parameters_of,
        " \t;=\"\\*'%,?",
        ("", ";", "; x=", '; x="', '; filename="', "; filename=", "; filename*=utf-8''"),
    ),
    "boundary": Case(
        lambda text: form.boundary(f"multipart/form-data{text}"),
        " \t;=\"\\,\xa0-'",
        ("", "; boundary=", '; boundary="'),
    ),
    "file names": Case(file_name, "=?_%\\: /\"B'", ("", "=?utf-8?B?", "=?utf-8?q?", "C:\\")),
    "pieces of a file name": Case(pieces_of_a_name, ";%'", ("", "utf-8''")),
    "content": Case(body, "\r\n-B", ("", "\r\n--")),
    "heads of parts": Case(head_of_a_part, "\r\n-B :;\t", ("", "X: ", " ")),
    "name of a part": Case(lambda text: match((), text), "*?[]!-/\\."),
    "words of the log": Case(lambda text: lines._word(text), ' "\\\r\n=\x00\u2028'),
}

TEXTS = {
    "JSON": Case(lambda text: json_text.loads(text.encode()), '"\\{[,: -', ("", "[", '["', '{"', "[-", "[1e"), ("",)),
    "JSON of many values": Case(
        lambda text: json_text.loads(text.encode()), '"\\[', ("[1" + ",1" * 60_000 + ",",), ("!",)
    ),
    "XML": Case(
        lambda text: xml_text.parse(text.encode()),
        "<&'=/!? ",
        ("<a>", "<a ", '<a b="', "<!--", "<?", "<![CDATA[", "<!DOCTYPE a [", "<a xmlns:", "<a>&", "<?xml "),
        ("",),
    ),
    "confidence": Case(fields._NUMBER.fullmatch, " +-.eE0%,\t"),
}


@pytest.mark.parametrize("name", DOOR)
def test_the_door(name):
    assert too_much(DOOR[name]) == []


@pytest.mark.parametrize("name", TEXTS)
def test_metadata(name):
    assert too_much(TEXTS[name]) == []


def too_much(case: Case) -> list[tuple[float, str, str, str]]:
    """Return the inputs for which the work more than doubles."""
    found = [(growth(case.read, *made), *made) for made in inputs(case.special, case.openings, case.ends)]
    return [(ratio, opening[:20], unit, end) for ratio, opening, unit, end in found if ratio > ALLOWED]


PUNCTUATION = " \t,;:.-/()+#x'"
READ_CLOSELY = {
    "age",
    "ascii",
    "date",
    "days_between",
    "decimal",
    "extract",
    "matches",
    "plus",
    "digits",
    "fhir_time",
    "float",
    "hl7_ts",
    "int",
    "number",
    "phone",
    "round",
    "split",
}
CALLS: dict[str, tuple[Any, ...]] = {  # filter → its arguments, where it needs some
    "date": (["iso", "%m/%d/%Y", "%Y%m%d%H%M%S", "%B %d, %Y %I:%M %p", "%d.%m.%y %H:%M:%S.%f%z"],),
    "age": ("2026-01-01",),
    "days_between": ("2026-01-01",),
    "extract": ("([0-9 ]+)+x",),
    "matches": ("([0-9 ]+)+x",),
    "plus": ("30d",),
    "person": ("family",),
    "fixed": (9_999,),
    "without": ("|",),
    "replace": ("  ", " "),
    "split": (PUNCTUATION,),
    "default": ("x",),
    "batch": (3,),
    "slice": (3,),
    "round": (2,),
    "map": ("upper",),
    "reject": ("none",),
    "select": ("none",),
    "rejectattr": ("x",),
    "selectattr": ("x",),
    "groupby": ("x",),
}
OF_A_DOCUMENT = {"base64"}  # whose size is known


@pytest.fixture
def rendering(tmp_path) -> Callable[[str, str], Reader]:
    """Compile a template, which renders a text as `fields.a`."""
    folder = tmp_path / "mappings" / "p"
    folder.mkdir(parents=True)

    def compiled(source: str, kind: str) -> Reader:
        (folder / "a.j2").write_text(source)
        template = Templates(folder, tmp_path).record("a.j2", kind, "utf-8")
        return lambda text: template.render({"fields": {"a": text}})

    return compiled


@pytest.mark.parametrize("name", sorted(set(FILTERS) - OF_A_DOCUMENT))
def test_a_filter(name, rendering):
    arguments = ", ".join(map(json.dumps, CALLS.get(name, ())))
    read = rendering(f"{{{{ fields.a | {name}{f'({arguments})' if arguments else ''} }}}}", "text")
    special = PUNCTUATION if name in READ_CLOSELY or os.environ.get("FUZZ_EXAMPLES") else " "
    assert too_much(Case(read, special, ("1",), ("1",))) == []


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("hl7", "MSH|^~\\&|a\nPID|{{ fields.a }}\nNTE|1||{{ fields.a }}\n"),
        ("json", '{"a": {{ fields.a }}, "b": "x{{ fields.a }}"}'),
        ("xml", '<a b="{{ fields.a }}">{{ fields.a }}</a>'),
        ("csv", "{{ fields.a }},x\n"),
        ("text", "{{ fields.a }}"),
    ],
)
def test_the_escape_of_a_format(kind, source, rendering):
    assert too_much(Case(rendering(source, kind), "|^~\\&<>\"',;=\r\n\t\x00", ends=("",))) == []


def test_the_escape_of_a_path(tmp_path):
    path = Templates(tmp_path, tmp_path).path("{{ fields.a }}.txt", "process.toml", 1, 1)
    assert too_much(Case(lambda text: path.render({"fields": {"a": text}}), "/\\.:*?<>| \x00\u0301", ends=("",))) == []


MESSAGE = "MSH|^~\\&|a|b|c|d|20260101||ADT^A01|1|P|2.5.1\rEVN||20260101\r"
CHECKS = {
    "hl7": Case(
        lambda text: check.violations(f"{MESSAGE}{text[:16_000]}\r", by_standard=False),
        "|^~\\&\r ",
        ("", "PID|", "OBX|1|NM|"),
    ),
    "json": Case(lambda text: json_record.violations(text, None), '"\\{}[]:,', ("", "[", '["')),
    "xml": Case(lambda text: xml_record.violations(text.encode(), None), "<>&;'\"=/", ("<a>", "<a b='", "<!--")),
    "csv": Case(lambda text: csv.violations(text, ","), '",\r\n;', ("", '"')),
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_check_of_a_format(name):
    assert too_much(CHECKS[name]) == []


@pytest.mark.parametrize("kind", hl7_values.TYPES)
def test_a_type_of_hl7(kind):
    assert too_much(Case(lambda text: hl7_values.written(kind, text), "0+-. :", ("", "2026"))) == []


@pytest.mark.parametrize("kind", sorted(fhir_values.PRIMITIVES))
def test_a_type_of_fhir(kind):
    assert too_much(Case(lambda text: list(fhir_values.faults(text, kind)), "-+.:/=0TZ| ", ("", "2026", "urn:"))) == []


PATTERNS = ["(a+)+", "(a|a)*b", "([a1]*)*!", "(.*)(.*)(.*)x", "[a1 ]+[a1]+[a1]+-"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_of_a_schema(pattern):
    by_json = jsonschema_rs.validator_for({"pattern": f"^{pattern}$"}, pattern_options=json_check.LINEAR, mask="")
    by_xsd = xsd.Linear(pattern, "1.0")
    for read in (by_json.is_valid, by_xsd.match):
        assert too_much(Case(read, "a1 -!")) == []


BUILT_IN = """anyURI base64Binary boolean date dateTime decimal double duration gDay gMonthDay gYearMonth hexBinary
integer language Name NCName NMTOKENS normalizedString QName time token""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_type_of_xsd(name, tmp_path):
    (tmp_path / "schemas").mkdir()
    path = tmp_path / "schemas" / "a.xsd"
    path.write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="xs:{name}"/></xs:schema>'
    )
    schema = compile_xsd(path, path.parent, tmp_path)

    def read(text: str) -> None:
        schema.violations(xml_text.parse(f"<a>{text}</a>".encode()))

    special = " -" if name == "NMTOKENS" else "-+.:/=%0TZ"  # of a list, each item is judged, and that takes its time
    assert too_much(Case(read, special, ("", "1", "P1"), ("!",))) == []
