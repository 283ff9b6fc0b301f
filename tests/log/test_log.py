import json
import logging
import os
import sys
from pathlib import Path

import pytest

from receiver import log
from receiver.core.delivery import Kind, Output, Receipt, Status
from receiver.core.problems import Code, Problem, Violation
from receiver.log import lines

PLANTED = "PLANTED-VALUE-4711"


def line(record: logging.LogRecord, form: str) -> str:
    return lines.formatter(form).format(record)


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, "receiver")
    return lambda form: [line(record, form) for record in caplog.records]


def record(message: str, *args: object, failed: bool = False) -> logging.LogRecord:
    information = sys.exc_info() if failed else None
    return logging.LogRecord("gunicorn.error", logging.INFO, "x.py", 1, message, args, information)


RECEIPT = Receipt(
    "A" * 20,
    Status.PUBLISHED,
    "referrals",
    "1",
    1,
    (Output(Kind.DOCUMENT, "1.tif", "a.tif", "/a.tif", 7, "0" * 64),),
    (Output(Kind.RECORD, "2", "a.hl7", "/a.hl7", 3, "0"),),
)


def test_a_delivery_is_one_line_that_a_person_can_read(told):
    log.accepted(RECEIPT, {"request": "r-1", "seconds": 0.0125, "steps": {"read": 0.001, "commit": 0.01}})
    (text,) = told("text")
    assert text.endswith(
        "Z INFO published id=AAAAAAAAAAAAAAAAAAAA process=referrals version=1 documents=1 records=1 written=10"
        " request=r-1 seconds=0.0125 read=0.0010 commit=0.0100"
    )


def test_a_delivery_is_one_json_object(told):
    log.accepted(RECEIPT, {"steps": {"read": 0.001}})
    (text,) = told("json")
    assert json.loads(text)["steps"] == {"read": 0.001}
    assert json.loads(text)["event"] == "published"
    assert json.loads(text)["level"] == "info"


def test_a_duplicate_writes_nothing(told):
    log.accepted(RECEIPT._replace(duplicate=True))
    assert "INFO duplicate id=" in told("text")[0]
    assert "written=0" in told("text")[0]


def test_a_refusal_tells_each_rule_and_where(told):
    violations = [Violation("/fields/0", "pattern", "."), Violation("/fields/1", "maxLength", ".")]
    log.refused(Problem(Code.FIELDS_INVALID, "The fields break their schema.", violations), "referrals")
    (text,) = told("text")
    assert 'WARNING refused process=referrals code=fields-invalid detail="The fields break their schema."' in text
    assert 'violations="/fields/0: pattern; /fields/1: maxLength"' in text


@pytest.mark.parametrize(("code", "level"), [(Code.DISK_FULL, "error"), (Code.PART_MISSING, "warning")])
def test_only_what_is_ours_is_an_error(told, code, level):
    log.refused(Problem(code, "."), "referrals")
    assert json.loads(told("json")[0])["level"] == level


@pytest.mark.parametrize("form", lines.FORMS)
def test_an_exception_is_told_by_its_kind_and_place_only(form):
    held = PLANTED
    try:
        try:
            int(held)
        except ValueError as error:
            raise RuntimeError(held) from error
    except RuntimeError:
        text = line(record("Error handling request", failed=True), form)
    assert PLANTED not in text
    assert "RuntimeError < " in text
    assert "ValueError < " in text
    assert "test_log.py:" in text


@pytest.mark.parametrize("form", lines.FORMS)
def test_what_a_sender_wrote_cannot_begin_a_line_of_its_own(form):
    assert "\n" not in line(record("odd %s", "a\nb"), form)


def test_a_line_is_written_whole_and_what_cannot_be_written_harms_nobody():
    entry = record("published")
    entry.fields = {"name": "lone \ud800", "filler": "x" * 50_000}
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as read, os.fdopen(writing, "wb") as pipe, Path("/dev/full").open("wb") as full:
        for descriptor in (full.fileno(), pipe.fileno()):
            handler = log.Standard(descriptor)
            handler.setFormatter(lines.formatter("text"))
            assert handler.handle(entry)
            handler.writer.flush()
        [written] = os.read(read.fileno(), 100_000).splitlines()
    assert written.endswith(b"filler=" + b"x" * 50_000)
    assert rb"lone \ud800" in written
