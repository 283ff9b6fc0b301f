"""Tokens: what the time of an answer tells of them, and how one is taken back while the service runs."""

import hashlib
import random
import shutil
import signal
import statistics
import time
from hmac import compare_digest

import pytest

from receiver.site.config import tokens
from receiver.site.config.tokens import Tokens
from tests.support.running import TOKEN, Service

from .cases.building import delivery, whole
from .conftest import SITE

KNOWN = ["k" * 40, "l" * 40, "m" * 40]
DOOR = Tokens(tuple(hashlib.sha256(token.encode()).digest() for token in KNOWN))
PRESENTED = ["x" * 40, "k" * 39 + "x", "k" * 40, "m" * 40, "l" * 20]


@pytest.mark.parametrize("presented", PRESENTED)
def test_every_token_is_compared_with_every_known_one_in_constant_time(monkeypatch, presented):
    compared = []
    monkeypatch.setattr(tokens.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or compare_digest(a, b))
    assert (DOOR.find(presented) is not None) == (presented in KNOWN)
    assert compared == [(hashlib.sha256(presented.encode()).digest(), known) for known in DOOR.digests]


def test_no_prefix_of_a_token_takes_longer_than_another():
    """Each token beside the others of its own round, in any order: a machine's fast and slow spells touch all alike."""
    wrong = ["x" * 40, "k" * 39 + "x", "m" * 39 + "x"]
    shares = {token: [] for token in wrong}
    for _ in range(500):
        took = {token: timed(token) for token in random.sample(wrong, len(wrong))}
        middle = statistics.median(took.values())
        for token, time_of_token in took.items():
            shares[token].append(time_of_token / middle)
    typical = [statistics.median(each) for each in shares.values()]
    assert max(typical) < 1.1 * min(typical)


def timed(token: str) -> float:
    """Return the seconds that 20 looks at a token take."""
    start = time.perf_counter()
    for _ in range(20):
        DOOR.find(token)
    return time.perf_counter() - start


def answered(service: Service, token: str) -> int:
    return service.request(delivery(*whole("revoked-1"), token=token)).status


def test_a_token_is_revoked_and_another_let_in_while_the_service_runs(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    config = site / "mappings" / "scans" / "process.toml"
    shipped = config.read_text()

    def let_in(token: str) -> None:
        digest = hashlib.sha256(token.encode()).hexdigest()
        config.write_text(shipped.replace("env:RECEIVER_TOKEN", f"sha256:{digest}"))

    let_in(TOKEN)
    service = Service(tmp_path / "data", site).start()
    try:
        assert service.request(delivery(*whole("revoked-1"))).status == 200
        let_in("another-token-7718")
        service.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while [answered(service, token) for token in (TOKEN, "another-token-7718") * 4] != [401, 200] * 4:
            assert time.monotonic() < deadline, "a worker of before takes requests until it is gone"
            time.sleep(0.1)
        assert service.process.poll() is None
    finally:
        service.stop()
