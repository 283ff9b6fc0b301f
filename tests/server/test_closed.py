"""A worker that cannot open the ledger answers everybody at once, and tries again, ever more seldom."""

from typing import Any

import pytest
from werkzeug.test import Client

from receiver import log
from receiver.core.problems import Code, Problem
from receiver.server import refusals
from receiver.server.refusals import Closed

PROBLEM = Problem(Code.STORAGE_FAILED, "the ledger is damaged")


def test_every_request_is_answered_at_once() -> None:
    client = Client(Closed(PROBLEM))
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["checks"][0]["reason"]) == (503, "the ledger is damaged")
    refused = client.post("/api/nextstep/delivery/referrals", data=b"anything")
    assert (refused.status_code, refused.get_json()["code"]) == (503, "storage-failed")
    assert "Retry-After" in refused.headers
    assert client.get("/metrics").status_code == 503


def test_it_tries_again_ever_more_seldom_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    told: list[tuple[str, float]] = []
    failures: list[Any] = [*[Problem(Code.DISK_FULL, "full")] * 8, ValueError(), None]

    def begin() -> None:
        if error := failures.pop(0):
            raise error

    monkeypatch.setattr(refusals.time, "sleep", pauses.append)
    monkeypatch.setattr(log, "not_opened", lambda problem, seconds: told.append((problem.detail, seconds)))
    Closed(PROBLEM).try_again(begin)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert told == [("the ledger is damaged", 1), *(("full", pause) for pause in pauses[1:])]
