"""Every row of the table, over a real socket, against the real service."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.leftovers import left_in
from tests.support.running import Answer, Service

from .cases import TABLE
from .cases.building import FIELD, FILE_NAME, PLANTED, PROPERTY, PUBLISHED, QUARANTINE, SECTION, VALUE, Case
from .cases.names import ESCAPED
from .conftest import SITE
from .documented import faults, operation
from .outside import MOST, OWN, Watch
from .talking import exchange

ROWS = [pytest.param(case, id=f"{group}: {case.input}") for group, cases in TABLE.items() for case in cases]
METRICS = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def timed(service: Service, case: Case) -> tuple[float, list[Answer]]:
    """Send a row and return the seconds until its last answer, and all of them."""
    watch = Watch(service)
    found = exchange(service, case.raw, half_close=case.half_close, count=1 + len(case.answers))
    return watch.seconds, found


def planted_in(*texts: bytes) -> list[str]:
    """Return what was planted in values, names and headers and is found there."""
    return [planted for planted in PLANTED if any(planted.encode() in text for text in texts)]


def deliveries(service: Service) -> tuple[set[str], set[tuple[str, int]]]:
    """Return what lies in the output and in quarantine; where the same delivery came before, its reason is newer."""
    reasons = (file for file in files(service.data / "quarantine") if file.name == "problem.json")
    return {file.path for file in files(service.output)}, {(file.path, file.stat().st_mtime_ns) for file in reasons}


def files(folder: os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
    """Yield every file: there are thousands of this room's tests, which a `Path` each would make slow."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from files(entry)
            else:
                yield entry


@pytest.mark.parametrize("case", ROWS)
def test_a_row_of_the_table(hostile, case):
    output, quarantine = deliveries(hostile)
    took, (first, *others) = timed(hostile, case)
    new_output, new_quarantine = deliveries(hostile)

    assert (first.status, tuple(other.status for other in others)) == (case.status, case.answers), first.body
    assert not planted_in(first.body, *(other.body for other in others))
    if case.asks[0] == "POST" and (asked := operation(*case.asks)):
        assert faults(asked, first) == []
    if case.code:
        assert (first.headers["content-type"], first.json["code"]) == ("application/problem+json", case.code)
    assert case.says in first.body.decode()
    assert bool(new_output - output) == (PUBLISHED in case.kept)
    assert bool(new_quarantine - quarantine) == (QUARANTINE in case.kept)
    assert left_in(hostile.data / "stage") == []
    assert hostile.request(HEALTH).status == 200
    if took >= MOST:  # a disk may pause once; what is too much work takes as long again
        took, _ = timed(hostile, case)
    assert took < MOST


def test_nothing_was_written_beside_the_folders_of_the_service(hostile):
    found = {path.name for path in hostile.data.iterdir() if not path.name.startswith("ledger")}
    assert found <= OWN
    assert {path.name for path in hostile.data.parent.iterdir()} == {hostile.data.name, hostile.log.name}
    assert not [path for path in hostile.data.rglob("*") if ESCAPED in path.name]
    assert not list(Path("/tmp").glob(f"*{ESCAPED}*"))


def test_the_log_tells_every_refusal_and_nothing_that_was_planted(hostile):
    log = hostile.log.read_bytes()
    assert log.count(b" refused ") > 200
    assert planted_in(log) == []
    assert b"Traceback" not in log
    assert all(
        b"talkative/wsgi.py:" in line for line in log.splitlines() if b" defect" in line
    )  # those that are forced


def test_the_log_tells_which_process_a_wrong_token_was_for_and_no_name_that_there_is_not(hostile):
    lines = [line for line in hostile.log.read_text().splitlines() if " refused " in line]
    led_to = {
        code: {line.partition(" process=")[2].split()[0] for line in lines if f"code={code}" in line}
        for code in ("token-refused", "no-such-process")
    }
    assert {"scans"} <= led_to["token-refused"] <= {"-", *(path.name for path in SITE.glob("mappings/*"))}
    assert led_to["no-such-process"] == {"-"}


def test_neither_metrics_nor_the_ledger_hold_anything_that_was_planted(hostile):
    metrics = hostile.request(METRICS).body
    assert b"fields-invalid" in metrics
    ledger = b"".join(path.read_bytes() for path in hostile.data.glob("ledger*"))
    assert b"fields-invalid" in ledger
    assert planted_in(metrics, ledger) == []


def test_what_was_planted_was_really_sent(hostile):
    kept = b"".join(path.read_bytes() for path in hostile.data.glob("quarantine/*/*/*") if path.is_file())
    sent = b"".join(case.raw for cases in TABLE.values() for case in cases)
    assert planted_in(sent) == list(PLANTED)
    assert {VALUE, FIELD, PROPERTY, SECTION, FILE_NAME} <= set(planted_in(kept))
