"""The charset of a metadata part stays with it, wherever it is read again."""

import json

import pytest

from receiver.core.delivery import Arrival, Replay, Section
from receiver.core.problems import Problem
from receiver.delivery import receive
from receiver.delivery.form import section
from receiver.operations.replay import Result, replay
from tests.support.home import FAX, NOON, PEER, metadata

NAME = "Núñez"
HOW = Replay(NOON, "an operator", accept_confidence=True)


def deliver(home, charset: str, encoding: str, **changed):
    content = json.dumps(json.loads(metadata(patient_name=NAME, **changed)), ensure_ascii=False).encode(encoding)
    sections = [
        Section("file", "scan.tif", "image/tiff", content=[FAX]),
        Section("metadata", "metadata.json", "application/json", charset, content=[content]),
    ]
    try:
        id_ = receive.receive(home.context, home.context.processes["referrals"], sections, Arrival(NOON, PEER)).id
    except Problem as problem:
        id_ = problem.kept_as
    return home.ledger.find(id_)


def records(home) -> str:
    return " ".join(content.decode() for name, content in home.outputs().items() if name.endswith(".hl7"))


def test_the_head_of_a_section_tells_its_charset():
    for type_, charset in (
        (b"application/xml; charset=utf-8", "utf-8"),
        (b'application/xml; charset="ISO-8859-1"', "ISO-8859-1"),
        (b"application/xml; Charset=UTF8; boundary=x", "UTF8"),
        (b"application/xml", ""),
        (b'application/xml; charset="a b"', "unknown"),
        (b'application/xml; charset="' + b"x" * 50 + b'"', "unknown"),
    ):
        lines = [b'Content-Disposition: form-data; name="metadata"', b"Content-Type: " + type_]
        assert section(iter([*lines, b""]).__next__)[0].charset == charset


def test_metadata_is_read_by_its_charset(home):
    deliver(home, "iso-8859-1", "iso-8859-1")
    assert NAME in records(home)


def test_a_replay_reads_it_by_the_charset_that_it_came_with(home):
    held = deliver(home, "iso-8859-1", "iso-8859-1", confidence=0.5)
    assert records(home) == ""
    assert replay(home.context, held, HOW).result is Result.PUBLISHED
    assert NAME in records(home)


@pytest.mark.parametrize(
    ("charset", "how", "file"),
    [
        ("iso-8859-1", ("--real",), "request.http"),
        ("iso-8859-1", (), "metadata.json"),
        ("utf-8", ("--real",), "metadata.json"),  # as .NET's StringContent says of all: the file alone reads the same
    ],
)
def test_a_captured_sample_is_read_in_the_same_way(home, charset, how, file):
    held = deliver(home, charset, charset, confidence=0.5)
    home.close()
    assert home.receiver("capture", held.id, "--as", "real", *how).exit_code == 0
    assert (home.folder / "samples" / "real" / file).exists()
    tried = home.receiver("test")
    assert tried.exit_code == 0, tried.output
