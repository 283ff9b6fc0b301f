"""An edit of the running site: in force in every worker within five seconds, or kept back and told."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from itertools import count
from pathlib import Path

import pytest

from tests.support.running import ROOT, Service, multipart

BUSY = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # what others do on this machine takes time as well
WITHIN = 5 * BUSY  # seconds from a save to its effect in every worker: five on a machine of one's own
PATIENCE = 60  # seconds in which what is not timed must have happened
TOML = "mappings/referrals/process.toml"
PAGE = next((ROOT / "mappings/referrals/samples").rglob("*.tif")).read_bytes()
NUMBERS = count()


@pytest.fixture
def site(tmp_path):
    for folder in ("schemas", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / "site" / folder)
    return tmp_path / "site"


@pytest.fixture
def service(tmp_path, site):
    running = Service(tmp_path / "data", site=site, environment={"RECEIVER_LOG": "json"}).start()
    yield running
    running.stop()


def request(process: str = "referrals", name: str = "") -> bytes:
    values = {"patient_name": "Ada Invented", "patient_dob": "02/20/1964", "mrn": "142637A"}
    fields = [{"name": name, "value": value, "confidence": 1} for name, value in values.items()]
    metadata = json.dumps({"sourceId": f"{time.time_ns()}-{next(NUMBERS)}", "fields": fields}).encode()
    raw = multipart(
        ("file", "page.tif", "image/tiff", PAGE),
        ("metadata", "metadata.json", "application/json", metadata),
        path=f"/api/nextstep/delivery/{process}",
    )
    return raw.replace(b"\r\n", f"\r\nX-Request-ID: {name or next(NUMBERS)}\r\n".encode(), 1)


def lines(service: Service) -> list[dict]:
    return [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]


def edited(site: Path, revision: int) -> str:
    """Return a process.toml whose every file name tells its revision."""
    return (ROOT / TOML).read_text().replace('"{{ delivery.id }}', f'"r{revision}-{{{{ delivery.id }}}}')


def revisions(receipt: dict) -> set[str]:
    """Return the revisions that the names of the published files tell."""
    return {Path(file["path"]).name.partition("-")[0] for kind in ("documents", "records") for file in receipt[kind]}


def by_worker(service: Service) -> dict[int, set[str]]:
    """Return what each of the two workers publishes now."""
    found: dict[int, set[str]] = {}
    deadline = time.monotonic() + PATIENCE
    while len(found) < 2 and time.monotonic() < deadline:
        answer = service.request(request(name=(name := f"probe-{next(NUMBERS)}")))
        assert answer.status == 200, answer.body
        [pid] = [line["pid"] for line in lines(service) if line.get("request") == name]
        found[pid] = revisions(answer.json)
    return found


def wait_until(true, within: float = PATIENCE) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def told(service: Service, event: str) -> list[dict]:
    return [line for line in lines(service) if line["event"].startswith(event)]


def workers(service: Service) -> set[str]:
    assert service.process
    pid = service.process.pid
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def status(service: Service) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "receiver.cli", "status"]
    return subprocess.run(command, env=service.variables(), capture_output=True, text=True, check=False)


def half_saved(site: Path, revision: int) -> str:
    """Return what an editor has written so far, within a text."""
    whole = edited(site, revision)
    return whole[: whole.index('"', 700) + 1]


def in_force(service: Service, revision: int) -> bool:
    return all(found == {f"r{revision}"} for found in by_worker(service).values())


def test_an_edit_is_in_force_in_every_worker_within_five_seconds(service, site):
    took = []
    for revision in (1, 2):
        began = time.monotonic()
        (site / TOML).write_text(edited(site, revision))
        wait_until(lambda: in_force(service, revision))  # noqa: B023
        took.append(time.monotonic() - began)
    assert min(took) < WITHIN
    assert len(told(service, "configured")) == 2  # once, not once for each worker


def test_a_faulty_edit_is_kept_back_and_told_until_it_is_mended(service, site):
    (site / TOML).write_text(edited(site, 1).replace("mdm_t02.hl7.j2", "mdm_t03.hl7.j2"))
    wait_until(lambda: told(service, "edit kept back"))
    [line] = told(service, "edit kept back")
    assert line["fault"].startswith(f"{TOML}:")
    assert 'did you mean "mdm_t02.hl7.j2"?' in line["fault"]
    assert line["level"] == "error"
    shown = status(service)
    assert shown.returncode == 0, shown.stderr
    assert TOML in shown.stdout
    ready = service.request(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert ready.status == 200
    assert TOML in ready.body.decode()
    assert not in_force(service, 1)
    (site / TOML).write_text(edited(site, 2))
    wait_until(lambda: in_force(service, 2))
    assert len(told(service, "edit kept back")) == 1
    assert len(told(service, "no edit is kept back")) == 1
    assert TOML not in status(service).stdout


def test_what_only_the_deeper_checks_find_keeps_an_edit_back_too(service, site):
    (site / TOML).write_text((ROOT / TOML).read_text().replace('"{{ delivery.id }}.json"', '"record.json"'))
    wait_until(lambda: told(service, "edit kept back"))
    assert "path-not-unique" in told(service, "edit kept back")[0]["fault"]
    assert service.request(request()).status == 200


def test_the_fault_of_one_process_keeps_no_other_back(service, site):
    (site / "mappings/lab-reports/process.toml").write_text("title = ")
    (site / TOML).write_text(edited(site, 1))
    wait_until(lambda: in_force(service, 1))
    assert "mappings/lab-reports/process.toml" in told(service, "edit kept back")[0]["fault"]


def test_a_process_comes_and_goes(service, site):
    added = site / "mappings" / "second"
    shutil.copytree(site / "mappings" / "referrals", added)
    text = (added / "process.toml").read_text().replace('directory = "referrals"', 'directory = "elsewhere/second"')
    (added / "process.toml").write_text(text)
    wait_until(lambda: told(service, "edit kept back"))
    assert "route.default leads to referrals already" in told(service, "edit kept back")[0]["fault"]
    assert service.request(request("second")).status == 404
    (added / "process.toml").write_text(text.replace("default = true", "default = false"))
    wait_until(lambda: service.request(request("second")).status == 200)
    assert list((service.output / "elsewhere" / "second").glob("*.hl7"))
    shutil.rmtree(added)
    wait_until(lambda: service.request(request("second")).status == 404)
    assert service.request(request()).status == 200


def test_a_worker_that_dies_over_a_half_saved_site_starts_with_what_is_in_force(service, site):
    (site / TOML).write_text(edited(site, 1))
    wait_until(lambda: in_force(service, 1))
    (site / TOML).write_text(half_saved(site, 2))
    before = workers(service)
    for pid in before:
        os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: len(workers(service) - before) == 2)
    service.wait_until_ready()
    assert in_force(service, 1)


def test_hup_over_a_faulty_site_starts_workers_with_what_is_in_force(service, site):
    (site / TOML).write_text(edited(site, 1))
    wait_until(lambda: in_force(service, 1))
    shutil.rmtree(site / "mappings")
    before = workers(service)
    assert service.process
    os.kill(service.process.pid, signal.SIGHUP)
    wait_until(lambda: len(workers(service)) == 2 and not workers(service) & before)
    service.wait_until_ready()
    assert in_force(service, 1)
    wait_until(lambda: told(service, "edit kept back"))
    assert "no-process" in told(service, "edit kept back")[0]["fault"]


def test_under_load_no_delivery_fails_or_is_judged_by_two_configurations(service, site):
    answers, stop = [], threading.Event()

    def send() -> None:
        while not stop.is_set():
            answers.append(service.request(request()))

    senders = [threading.Thread(target=send) for _ in range(3)]
    (site / TOML).write_text(edited(site, 1))
    wait_until(lambda: in_force(service, 1))
    for sender in senders:
        sender.start()
    for revision in (2, 3):
        (site / TOML).write_text(half_saved(site, revision))  # as an editor saves that takes its time
        time.sleep(0.2)
        (site / TOML).write_text(edited(site, revision))
        wait_until(lambda: in_force(service, revision))  # noqa: B023
        wait_until(lambda: any(f"/r{revision}-" in answer.body.decode() for answer in answers))  # noqa: B023
    stop.set()
    for sender in senders:
        sender.join()
    assert {answer.status for answer in answers} == {200}
    assert {len(revisions(answer.json)) for answer in answers} == {1}
    used = configurations(service)
    digests = defaultdict(set)
    for answer in answers:
        digests[used[answer.json["id"]]] |= revisions(answer.json)
    assert sorted(map(sorted, digests.values())) == [["r1"], ["r2"], ["r3"]]


def configurations(service: Service) -> dict[str, str]:
    """Return the digest that the ledger has for each delivery."""
    command = [sys.executable, "-m", "receiver.cli", "log", "--json", "--limit", "100000"]
    listed = subprocess.run(command, env=service.variables(), capture_output=True, text=True, check=True).stdout
    return {entry["id"]: entry["configuration"] for entry in map(json.loads, listed.splitlines())}
