"""Every row of the table, over a real socket, against the real service."""

import time
from pathlib import Path

import pytest
from running import Service

from .cases import TABLE
from .cases.building import PUBLISHED, QUARANTINE
from .cases.names import ESCAPED
from .talking import exchange

ROWS = [pytest.param(case, id=f"{group}: {case.input}") for group, cases in TABLE.items() for case in cases]
MOST = 1.0  # seconds until the answer
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def deliveries(service: Service) -> tuple[set[Path], set[tuple[Path, int]]]:
    """Return what lies in the output and in quarantine; where the same delivery came before, its reason is newer."""
    kept = {(path.parent, path.stat().st_mtime_ns) for path in service.data.glob("quarantine/*/*/problem.json")}
    return {path for path in service.output.rglob("*") if path.is_file()}, kept


@pytest.mark.parametrize("case", ROWS)
def test_a_row_of_the_table(hostile, case):
    output, quarantine = deliveries(hostile)
    start = time.monotonic()
    first, *others = exchange(hostile, case.raw, half_close=case.half_close, count=1 + len(case.answers))
    took = time.monotonic() - start
    new_output, new_quarantine = deliveries(hostile)

    assert (first.status, tuple(other.status for other in others)) == (case.status, case.answers), first.body
    assert took < MOST
    if case.code:
        assert (first.headers["content-type"], first.json["code"]) == ("application/problem+json", case.code)
    assert bool(new_output - output) == (case.kept == PUBLISHED)
    assert bool(new_quarantine - quarantine) == (case.kept == QUARANTINE)
    assert [path for path in (hostile.data / "stage").iterdir() if path.is_dir()] == []
    assert hostile.request(HEALTH).status == 200


def test_nothing_was_written_beside_the_folders_of_the_service(hostile):
    known = {"stage", "output", "quarantine", "originals"}
    found = {path.name for path in hostile.data.iterdir() if not path.name.startswith("ledger")}
    assert found <= known
    assert {path.name for path in hostile.data.parent.iterdir()} == {hostile.data.name, hostile.log.name}
    assert not [path for path in hostile.data.rglob("*") if ESCAPED in path.name]
    assert not list(Path("/tmp").glob(f"*{ESCAPED}*"))


def test_the_log_has_no_traceback(hostile):
    assert "Traceback" not in hostile.log.read_text()
    assert "defect" not in hostile.log.read_text()
