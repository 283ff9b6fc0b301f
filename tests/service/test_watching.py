"""What a running service tells of itself: log lines and metrics, over all workers."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.running import ROOT, Answer, Service, multipart

PLANTED = "PLANTED-VALUE-4711"
PATIENCE = 60  # seconds
CASE = ROOT / "mappings" / "referrals" / "samples" / "faxed-letter"


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    running = Service(tmp_path_factory.mktemp("watched") / "data", environment={"RECEIVER_LOG": "json"}).start()
    yield running
    running.stop()


def request(source_id: str, mrn: str = "142637A", **head: str) -> bytes:
    values = {"patient_name": f"Ada {PLANTED}", "patient_dob": "02/20/1964", "mrn": mrn}
    fields = [{"name": name, "value": value, "confidence": 1} for name, value in values.items()]
    metadata = json.dumps({"sourceId": source_id, "fields": fields}).encode()
    raw = multipart(
        ("file", f"{PLANTED}.tif", "image/tiff", next(CASE.glob("*.tif")).read_bytes()),
        ("metadata", "metadata.json", "application/json", metadata),
        path="/api/nextstep/delivery/referrals",
    )
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in head.items())
    return raw.replace(b"\r\n", b"\r\n" + extra.encode(), 1)


def deliver(service: Service, source_id: str, **head: str) -> Answer:
    return service.request(request(source_id, **head))


def lines(service: Service) -> list[dict]:
    return [json.loads(line) for line in service.log.read_text().splitlines()]


def line_of(service: Service, name: str) -> dict:
    (found,) = [line for line in lines(service) if line.get("request") == name]
    return found


def metrics(service: Service) -> dict[tuple[str, ...], float]:
    answer = service.request(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.status == 200
    families = text_string_to_metric_families(answer.body.decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_every_line_is_json_also_those_of_gunicorn(watched):
    events = {line["event"] for line in lines(watched)}
    assert any(event.startswith("Listening at") for event in events)


def test_a_delivery_is_one_line_with_its_steps_sizes_and_request_id(watched):
    answer = deliver(watched, "one-line", X_Request_ID="proxy-77.a")
    assert (answer.status, answer.headers["x-request-id"]) == (200, "proxy-77.a")
    line = line_of(watched, "proxy-77.a")
    assert line["id"] == answer.json["id"]
    assert (line["event"], line["documents"], line["records"]) == ("published", 1, 2)
    assert set(line["steps"]) == {"receive", "read", "render", "commit", "publish"}
    assert 0 < sum(line["steps"].values()) < line["seconds"]
    assert min(line["received"], line["written"]) > 18_000


@pytest.mark.parametrize("name", ["Smith, John", "x" * 65, ""])
def test_a_request_id_that_could_be_data_is_not_taken_over(watched, name):
    made = deliver(watched, "named", X_Request_ID=name).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", made)
    assert line_of(watched, made)["peer"] == "127.0.0.1"


def test_a_refusal_is_one_line_too(watched):
    answer = watched.request(request("refused", mrn=f"{PLANTED} is no mrn", X_Request_ID="refused-1"))
    assert answer.status == 422
    line = line_of(watched, "refused-1")
    assert (line["event"], line["level"], line["code"]) == ("refused", "warning", answer.json["code"])
    assert set(line["steps"]) == {"receive", "read", "quarantine"}


def test_what_is_counted_is_one_sum_whichever_worker_answers(watched):
    before = metrics(watched)
    for number in range(6):
        assert deliver(watched, f"counted-{number}").status == 200
    deliver(watched, "counted-0")
    watched.request(request("counted", mrn="?"))
    watched.request(request("lost").replace(b"/referrals ", b"/nowhere ", 1))
    for after in (metrics(watched) for _ in range(6)):
        assert grown(before, after, "receiver_deliveries_total", "referrals", "published") == 6
        assert grown(before, after, "receiver_deliveries_total", "referrals", "duplicate") == 1
        assert grown(before, after, "receiver_deliveries_total", "referrals", "refused") == 1
        assert grown(before, after, "receiver_problems_total", "-", "no-such-process") == 1
        assert grown(before, after, "receiver_step_seconds_count", "commit") == 6
        assert grown(before, after, "receiver_refused", "referrals") == 1
        assert grown(before, after, "receiver_received_bytes_total", "referrals") > 8 * 18_000
        assert after["receiver_in_flight",] == 0


def grown(before: dict, after: dict, *name: str) -> float:
    """Return by how much a metric grew; its labels come in the order of the page, which is that of their names."""
    found = [key for key in after if key[0] == name[0] and set(key[1:]) == set(name[1:])]
    assert len(found) == 1, (name, [key for key in after if key[0] == name[0]])
    return after[found[0]] - before.get(found[0], 0)


def test_counts_outlive_the_worker_that_counted_them(watched):
    deliver(watched, "before")
    before = metrics(watched)
    assert watched.process
    workers = [int(pid) for pid in children(watched.process.pid)]
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(set(children(watched.process.pid)) - set(workers)) == 2)
    watched.wait_until_ready()
    after = metrics(watched)
    assert grown(before, after, "receiver_deliveries_total", "referrals", "published") == 0
    assert deliver(watched, "after").status == 200
    assert grown(before, metrics(watched), "receiver_deliveries_total", "referrals", "published") == 1


def test_what_a_killed_worker_had_in_flight_is_in_flight_no_longer(watched):
    whole = request("half")
    with watched.connect() as connection:
        connection.sendall(whole[: len(whole) // 2])
        wait_until(lambda: metrics(watched)["receiver_in_flight",] == 1)
        assert watched.process
        for worker in children(watched.process.pid):
            os.kill(worker, signal.SIGKILL)
        time.sleep(0.5)
        watched.wait_until_ready()
        wait_until(lambda: metrics(watched)["receiver_in_flight",] == 0)


def test_gauges_tell_what_waits_and_since_when(watched):
    started = time.time()
    assert deliver(watched, "gauged").status == 200
    told = metrics(watched)
    deadline = time.monotonic() + PATIENCE
    while told["receiver_unpublished", "referrals"] and time.monotonic() < deadline:  # the mark follows the answer
        told = metrics(watched)
    assert told["receiver_last_success_timestamp_seconds", "referrals"] == pytest.approx(started, abs=5)
    assert told["receiver_output_files", "referrals"] >= 3
    assert told["receiver_output_oldest_timestamp_seconds", "referrals"] <= time.time()
    assert told["receiver_unpublished", "referrals"] == 0
    assert ("receiver_oldest_unpublished_timestamp_seconds", "referrals") not in told
    assert told["receiver_ledger_up",] == 1
    assert any(name == "receiver_free_bytes" and value > 10**6 for (name, *_), value in told.items())


def test_a_start_begins_at_zero_and_knows_the_last_success(tmp_path):
    service = Service(tmp_path / "data").start()
    assert deliver(service, "1").status == 200
    service.stop()
    service.start()
    told = metrics(service)
    service.stop()
    assert told["receiver_last_success_timestamp_seconds", "referrals"] == pytest.approx(time.time(), abs=30)
    assert sum(value for (name, *_), value in told.items() if name == "receiver_deliveries_total") == 0


def test_no_value_is_told_in_any_line_or_metric(watched):
    deliver(watched, "planted")
    page = watched.request(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").body.decode()
    assert PLANTED not in page + watched.log.read_text()


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until(true) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if true():
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.05)
    raise AssertionError("it did not come to that in time")
