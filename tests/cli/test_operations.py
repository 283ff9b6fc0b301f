"""The verbs of whoever runs the service: status, verify, reconcile, backup."""

import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest
from click.testing import CliRunner

from receiver import cli
from receiver.cli import status
from receiver.core.delivery import Arrival, Receipt, Section
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.delivery import receive
from receiver.delivery.context import Context, open_context
from receiver.operations import verify
from receiver.operations.notify import alerts
from receiver.operations.notify.notices import Condition
from receiver.site import compiling
from receiver.site.config.model import AuthConfig
from receiver.site.config.tokens import Tokens, Usage, last_used
from receiver.store import folders, ledger
from receiver.store.sqlite.connections import Connections

ROOT = Path(__file__).parent.parent.parent
TOKEN = "an-invented-token-of-the-platform"


@pytest.fixture
def context(tmp_path, monkeypatch):
    variables = {"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(tmp_path / "var")}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment(variables)
    ledger.create(settings.ledger)
    return open_context(settings, compiling.proven(settings, {"RECEIVER_TOKEN": TOKEN}))


def deliver(context: Context, source_id: str, mrn: str = "142637A") -> Receipt:
    values = {"patient_name": "Ada Example", "patient_dob": "02/20/1964", "mrn": mrn}
    fields = [{"name": name, "value": value, "confidence": 1} for name, value in values.items()]
    metadata = json.dumps({"sourceId": source_id, "fields": fields}).encode()
    sections = [
        Section("file", "scan.tif", "image/tiff", content=[b"II*\0fax"]),
        Section("metadata", "metadata.json", "application/json", content=[metadata]),
    ]
    arrival = Arrival(datetime.now(UTC), "127.0.0.1")
    receipt = receive.receive(context, context.processes["referrals"], sections, arrival)
    context.ledger.connections.flush()  # the mark, for which no delivery waits
    return receipt


def refuse(context: Context, source_id: str) -> Path:
    with pytest.raises(Problem) as caught:
        deliver(context, source_id, mrn="no number")
    return context.settings.data / "quarantine" / "referrals" / caught.value.kept_as


def run(*arguments: object):
    return CliRunner().invoke(cli.main, list(map(str, arguments)), env={"COLUMNS": "160"}, catch_exceptions=False)


def test_status_tells_what_waits_and_since_when(context):
    deliver(context, "1")
    refuse(context, "2")
    told = run("status")
    assert told.exit_code == 0
    assert told.stdout.startswith("ready for deliveries")
    (row,) = [line for line in told.stdout.splitlines() if line.startswith("referrals") and "env:" not in line]
    assert re.fullmatch(r"referrals +\d+ s ago +0 +1 +0 +3, oldest \d+ s", row.rstrip())


def test_status_ends_with_1_where_nothing_would_be_taken(context, monkeypatch):
    monkeypatch.setenv("RECEIVER_MIN_FREE", "999999 TB")
    told = run("status")
    assert told.exit_code == 1
    assert "NOT ready" in told.stdout
    assert "999999 TB needed" in told.stdout


def test_status_tells_when_each_token_was_used_last(context):
    process, usage = context.processes["referrals"], Usage(context.settings.data)
    assert re.search(r"^referrals +env:RECEIVER_TOKEN +- +never$", run("status").stdout, re.MULTILINE)
    for token in (None, "no token of ours", TOKEN):
        usage.note(process.name, process.tokens, process.tokens.find(token))
    (note,) = (context.settings.data / "tokens" / "referrals").iterdir()
    used = hashlib.sha256(TOKEN.encode()).hexdigest()[:12]
    assert note.name == f"env-RECEIVER_TOKEN.{used}"
    os.utime(note, (time.time() - 7200,) * 2)
    told = run("status").stdout
    assert re.search(rf"^referrals +env:RECEIVER_TOKEN +{used} +2 h ago$", told, re.MULTILINE)
    assert TOKEN not in told


def test_a_token_is_noted_once_a_minute_by_each_worker_and_never_fails_a_delivery(context, monkeypatch):
    process, usage = context.processes["referrals"], Usage(context.settings.data)
    usage.note(process.name, process.tokens, process.tokens.find(TOKEN))
    (note,) = (context.settings.data / "tokens" / "referrals").iterdir()
    os.utime(note, (0, 0))
    usage.note(process.name, process.tokens, process.tokens.find(TOKEN))
    assert note.stat().st_mtime == 0
    Usage(context.settings.data).note(process.name, process.tokens, process.tokens.find(TOKEN))  # another worker
    assert time.time() - note.stat().st_mtime < 60
    os.utime(note, (0, 0))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    usage.note(process.name, process.tokens, process.tokens.find(TOKEN))
    assert time.time() - note.stat().st_mtime < 60
    shutil.rmtree(context.settings.data / "tokens")
    monkeypatch.setattr(time, "monotonic", lambda: now + 122)
    usage.note(process.name, process.tokens, process.tokens.find(TOKEN))


def test_both_tokens_of_a_rotation_are_told_apart(context):
    old, new = (f"an-invented-token-{number}" for number in range(2))
    digests = [hashlib.sha256(token.encode()).digest() for token in (old, new)]
    written = tuple(f"sha256:{digest.hex()}" for digest in digests)
    process = context.processes["referrals"]
    config = replace(process.config, auth=AuthConfig(written, open=False))
    process = replace(process, config=config, tokens=Tokens(tuple(digests), sources=written))
    Usage(context.settings.data).note(process.name, process.tokens, process.tokens.find(new))
    first, second = last_used(context.settings.data, process.name, process.config)
    assert (first.source, first.fingerprint, first.at) == ("sha256", digests[0].hex()[:12], None)
    assert (second.fingerprint, second.at is None) == (digests[1].hex()[:12], False)


def test_status_tells_what_people_were_told_and_is_not_well_again(context):
    earlier = datetime.now(UTC) - timedelta(hours=3)
    folders.ensure_folder(context.settings.data / alerts.FOLDER, "")
    alerts.write(context.settings.data, {"referrals": {Condition.HELD: earlier}, "labs": {}})
    shown = run("status").stdout
    assert re.search(r"^not well\n  referrals  held  told 3 h ago$", shown, re.MULTILINE)
    assert "labs" not in shown


def test_verify_agrees_with_a_house_in_order(context):
    deliver(context, "1")
    refuse(context, "2")
    told = run("verify")
    assert (told.exit_code, told.stdout) == (0, "2 deliveries: 5 files agree, 0 were taken away, 0 findings\n")


def test_verify_takes_a_published_file_that_is_gone_for_taken(context):
    record = deliver(context, "1").records[0]
    (context.settings.output / record.path).unlink()
    assert run("verify").stdout == "1 deliveries: 2 files agree, 1 were taken away, 0 findings\n"


def test_verify_waits_for_a_delivery_that_is_just_being_published(context, monkeypatch):
    with monkeypatch.context() as unwritten:
        unwritten.setattr(Connections, "flush", lambda _: None)
        deliver(context, "1")
    monkeypatch.setattr(verify.time, "sleep", lambda _: context.ledger.connections.flush())
    assert run("verify").stdout == "1 deliveries: 3 files agree, 0 were taken away, 0 findings\n"


def test_verify_finds_what_differs_or_is_missing(context):
    receipt = deliver(context, "1")
    changed = context.settings.output / receipt.documents[0].path
    content = changed.read_bytes()
    changed.write_bytes(content[:-1] + b"?")
    gone = next(refuse(context, "2").glob("*.tif"))
    gone.unlink()
    shutil.rmtree(refuse(context, "3"))
    stranger = refuse(context, "4")
    shutil.copytree(stranger, stranger.parent / ("A" * 20))
    told = run("verify")
    assert told.exit_code == 1
    assert f"{receipt.id}  the document {receipt.documents[0].path} differs from what was published" in told.stdout
    assert f"its kept file {gone.name} is gone" in told.stdout
    assert "is kept, and its folder cannot be read" in told.stdout
    assert f"{'A' * 20}  lies in quarantine, and the ledger does not say so" in told.stdout
    assert "4 findings" in told.stdout


LISTS = {
    "ids.json": '["1", "2", "3", "4"]',
    "objects.json": '{"total": 4, "documents": [{"sourceId": "1"}, {"sourceId": 2}, {"sourceId": 3}, {"sourceId": 4}]}',
    "list.csv": "Source ID,pages\r\n1,2\r\n2,1\r\n3,1\r\n4,9\r\n",
    "semicolons.csv": "\ufeffid;source_id\n9;1\n8;2\n7;3\n6;4\n",
    "one.csv": "DocumentId\n1\n2\n3\n4\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_reconcile_tells_what_is_missing_not_published_and_extra(context, tmp_path, name):
    for source_id in ("1", "2", "5"):
        deliver(context, source_id)
    refuse(context, "3")
    (tmp_path / name).write_text(LISTS[name], encoding="utf-8", newline="")
    told = run("reconcile", tmp_path / name, "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout) == {"missing": ["4"], "notPublished": ["3"], "inBatch": [], "extra": ["5"]}


def test_reconcile_is_fine_where_nothing_is_missing(context, tmp_path):
    deliver(context, "1")
    (tmp_path / "list.csv").write_text("number,note\n1,x\n")
    told = run("reconcile", tmp_path / "list.csv", "--column", "number")
    assert (told.exit_code, told.stdout) == (0, "1 listed: 0 missing, 0 extra, 0 not published\n")


@pytest.mark.parametrize(("text", "hint"), [("a,b\n1,2\n", "--column: a, b"), ("{", "no JSON"), ("", "none")])
def test_a_list_without_source_ids_is_misuse(context, tmp_path, text, hint):
    (tmp_path / "list").write_text(text)
    told = run("reconcile", tmp_path / "list")
    assert told.exit_code == 2
    assert hint in told.stderr


def test_a_ledger_is_restored_from_its_backup(context, tmp_path):
    receipt = deliver(context, "1")
    assert run("backup", tmp_path / "copy.db").exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("copy.db*")) == ["copy.db"]
    assert oct((tmp_path / "copy.db").stat().st_mode)[-3:] == "640"
    deliver(context, "2")
    context.ledger.close()
    for path in context.ledger.path.parent.glob("ledger.db*"):
        path.unlink()
    shutil.copy(tmp_path / "copy.db", context.ledger.path)
    ledger.create(context.settings.ledger)
    assert deliver(context, "1") == receipt._replace(duplicate=True)
    assert [entry.source_id for entry in context.ledger.search()] == ["1"]
    assert apsw.Connection(str(context.ledger.path)).pragma("journal_mode") == "wal"


def test_a_backup_is_never_written_over_something(context, tmp_path):
    (tmp_path / "copy.db").write_text("here already")
    told = run("backup", tmp_path / "copy.db")
    assert (told.exit_code, (tmp_path / "copy.db").read_text()) == (1, "here already")
    assert "name a new file" in told.stderr


def test_a_backup_into_a_folder_that_is_not_there_names_the_folder(context, tmp_path):
    told = run("backup", tmp_path / "away" / "copy.db")
    assert told.exit_code == 1
    assert f"there is no folder {tmp_path / 'away'}" in told.stderr


def test_status_is_watched_until_somebody_ends_it(context, monkeypatch):
    looks = iter([None, None, KeyboardInterrupt])

    def sleep(_seconds):
        if next(looks):
            raise KeyboardInterrupt
        deliver(context, "while it is watched")

    monkeypatch.setattr(status, "time", SimpleNamespace(sleep=sleep))  # of this verb alone: others sleep, too
    told = run("status", "--watch")
    assert told.exit_code == 0
    assert told.stdout.count("ready for deliveries") == 3
