"""Replays, pruning and the audit trail beside a running service."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest

from tests.service.test_delivery import REFERRALS, TIFF, metadata, multipart
from tests.support.running import ROOT, Service

MRN = '"^[0-9]{6,10}[A-Z]?$"'


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A service of its own over a copy of the shipped site, whose configuration a test may change for the verbs."""
    tmp_path = tmp_path_factory.mktemp("replay")
    for folder in ("schemas", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / "site" / folder)
    service = Service(tmp_path / "data", site=tmp_path / "site").start()
    yield service
    service.stop()


def receiver(service, *arguments):
    """Call the command line as an operator does, who knows no token."""
    variables = {name: value for name, value in service.variables().items() if name != "RECEIVER_TOKEN"}
    called = [sys.executable, "-m", "receiver.cli", *arguments]
    return subprocess.run(called, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)


def send(service, source_id, confidence=0.99, **values):
    told = json.loads(metadata(source_id, **values))
    for field in told["fields"]:
        field["confidence"] = confidence
    content = json.dumps(told).encode()
    parts = ("file", "scan.tif", "image/tiff", TIFF), ("metadata", "m.json", "application/json", content)
    return service.request(multipart(*parts, path=REFERRALS))


def allow_any_mrn(service):
    schema = service.site / "schemas" / "referrals.fields.schema.json"
    schema.write_text(schema.read_text().replace(MRN, '"."'))


def logged(service, *arguments):
    return [json.loads(line) for line in receiver(service, "log", "--json", *arguments).stdout.splitlines()]


def files(service):
    return [path for path in service.output.rglob("*") if path.is_file()]


def waiting(service):
    return list((service.data / "quarantine" / "referrals").iterdir())


def test_a_replay_beside_the_service_publishes_once_and_the_service_knows_it(running):
    assert send(running, "R1", mrn="wrong").status == 422
    [refused] = logged(running, "--status", "refused")
    assert f"id={refused['id']}" in running.log.read_text()
    allow_any_mrn(running)
    told = receiver(running, "replay", refused["id"])
    assert (told.returncode, told.stderr) == (0, "")
    answer = send(running, "R1", mrn="wrong")
    assert (answer.status, answer.json["duplicate"], answer.json["id"]) == (200, True, refused["id"])
    [image] = answer.json["documents"]
    assert (running.output / image["path"]).read_bytes() == TIFF
    assert not waiting(running)
    [entry] = logged(running, "--source-id", "R1")
    assert [attempt["outcome"] for attempt in entry["attempts"]] == ["refused", "accepted", "duplicate"]
    assert entry["receivedAt"] == refused["receivedAt"]


def test_a_held_delivery_is_released_by_a_person(running):
    answer = send(running, "H1", confidence=0.5)
    assert answer.status == 202
    id_ = answer.json["id"]
    assert receiver(running, "replay", id_).returncode == 1
    assert receiver(running, "replay", id_, "--accept-confidence").returncode == 0
    assert send(running, "H1", confidence=0.5).json["status"] == "published"


def test_senders_and_a_replay_of_the_same_deliveries_at_once_double_nothing(running):
    before = len(files(running))
    sources = [f"C{number}" for number in range(8)]
    for source in sources:
        assert send(running, source, confidence=0.5).status == 202
    over = threading.Event()
    answers = []

    def keep_sending():
        while not over.is_set():
            answers.extend(send(running, source, confidence=0.5) for source in sources)

    senders = [threading.Thread(target=keep_sending) for _ in range(3)]
    for sender in senders:
        sender.start()
    told = receiver(running, "replay", "--status", "held", "--accept-confidence")
    over.set()
    for sender in senders:
        sender.join()
    assert told.returncode in (0, 1)
    assert receiver(running, "replay", "--status", "held", "--accept-confidence").returncode == 0
    assert {answer.status for answer in answers} <= {200, 202, 503}
    for source in sources:
        [entry] = logged(running, "--source-id", source)
        assert (entry["status"], entry["version"]) == ("published", 1)
    assert len(files(running)) == before + 3 * len(sources)
    assert not waiting(running)


def test_pruning_and_recovery_beside_the_service_leave_what_it_works_on(running):
    process = running.site / "mappings" / "referrals" / "process.toml"
    process.write_text(process.read_text() + '\n[retention]\nquarantine_size = "1 B"\n')
    before = len(files(running))
    over = threading.Event()
    answers = []

    def keep_sending():
        number = 0
        while not over.is_set():
            number += 1
            answers.append(send(running, f"P{number}", mrn="" if number % 2 else "142637A").status)

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        for verb in ("prune", "recover", "prune"):
            assert receiver(running, verb).returncode == 0
    finally:
        over.set()
        sender.join()
    assert set(answers) == {200, 422}
    assert receiver(running, "prune").returncode == 0
    states = [entry["status"] for entry in logged(running) if entry["sourceId"].startswith("P")]
    assert (states.count("published"), states.count("discarded")) == (answers.count(200), answers.count(422))
    assert not waiting(running)
    assert len(files(running)) == before + 3 * answers.count(200)


QUICK = """
from functools import partial
from receiver.operations import retention
retention.start = partial(retention.start, pause=0.2)  # a minute is too long for a test
from receiver.app import create_app
app = create_app()
"""


def test_the_service_prunes_by_itself_in_one_worker(tmp_path):
    for folder in ("schemas", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / "site" / folder)
    process = tmp_path / "site" / "mappings" / "referrals" / "process.toml"
    process.write_text(process.read_text() + '\n[retention]\nquarantine_size = "1 B"\n')
    (tmp_path / "wsgi.py").write_text(QUICK)
    service = Service(tmp_path / "data", site=tmp_path / "site", options=("--pythonpath", str(tmp_path))).start()
    try:
        assert send(service, "A1", mrn="wrong").status == 422
        folder = service.data / "housekeeping"
        wait_for((folder / "README").exists)
        os.utime(folder, (0, 0))
        wait_for(lambda: not waiting(service))
        [entry] = logged(service)
        assert entry["status"] == "discarded"
        assert service.log.read_text().count("discarded") == 1
    finally:
        service.stop()


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
