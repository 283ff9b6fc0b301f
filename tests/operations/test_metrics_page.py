"""The page of metrics, asked for while workers come and go."""

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from receiver.operations import meters, metrics


def test_a_worker_that_is_just_starting_does_not_spoil_the_page(tmp_path, monkeypatch):
    meters.prepare(tmp_path, first=True)
    new = tmp_path / "metrics/counter_99.db"
    new.touch()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(new.parent))
    monkeypatch.setattr(metrics, "time", type("Clock", (), {"sleep": lambda _: new.write_bytes(bytes(1 << 20))}))
    assert metrics._page(registry) == b""
    assert new.stat().st_size == 1 << 20
