"""`receiver log` and `receiver show`: the audit trail as people and programs read it."""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from receiver.cli import deliveries
from tests.support.home import FAX, NOON, PEER, Home

PLANTED = "Planted-4711"


def ids(told):
    return re.findall(r"\b[A-Z2-7]{20}\b", told.stdout)


def test_the_log_tells_each_delivery_on_a_line_the_newest_first(home):
    first = home.deliver(source_id="S1")
    second = home.deliver(source_id="S2", mrn="wrong", at=NOON + timedelta(hours=1))
    told = home.receiver("log")
    heading, *lines = [re.split(r"  +", line) for line in told.stdout.splitlines()]
    assert told.exit_code == 0
    assert heading == ["TIME", "ID", "PROCESS", "SOURCEID", "VERSION", "STATUS", "CODE", "FILES"]
    assert lines == [
        ["2026-01-02 13:00:00Z", second.id, "referrals", "S2", "-", "refused", "fields-invalid", "0"],
        ["2026-01-02 12:00:00Z", first.id, "referrals", "S1", "1", "published", "-", "3"],
    ]


def test_the_log_is_filtered_by_process_status_source_id_and_time(home):
    old = home.deliver(source_id="S1", at=NOON)
    refused = home.deliver(source_id="S2", mrn="wrong", at=datetime.now(UTC) - timedelta(hours=5))
    new = home.deliver(source_id="S3", at=datetime.now(UTC) - timedelta(minutes=1))
    assert ids(home.receiver("log", "--process", "referrals")) == [new.id, refused.id, old.id]
    assert ids(home.receiver("log", "--status", "refused")) == [refused.id]
    assert ids(home.receiver("log", "--source-id", "S1")) == [old.id]
    assert ids(home.receiver("log", "--since", "2h")) == [new.id]
    assert ids(home.receiver("log", "--since", "3d")) == [new.id, refused.id]
    assert ids(home.receiver("log", "--since", "2026-01-02T12:00")) == [new.id, refused.id, old.id]
    assert ids(home.receiver("log", "--since", "2026-01-02T13:00+00:30")) == [new.id, refused.id]
    assert ids(home.receiver("log", "--limit", "1")) == [new.id]


def test_a_process_that_nobody_knows_is_misuse_and_one_that_only_the_ledger_knows_is_not(home):
    received = home.deliver()
    for verb in (["log"], ["replay", "--status", "held"]):
        told = home.receiver(*verb, "--process", "referals")
        assert told.exit_code == 2
        assert 'there is no process referals, and none in the ledger: did you mean "referrals"?' in told.stderr
    (home.root / "site" / "mappings" / "referrals").rename(home.root / "away")
    assert ids(home.receiver("log", "--process", "referrals")) == [received.id]


@pytest.mark.parametrize("arguments", [("--since", "yesterday"), ("--status", "lost"), ("--limit", "0")])
def test_a_filter_that_means_nothing_is_misuse(home, arguments):
    home.deliver()
    assert home.receiver("log", *arguments).exit_code == 2


def test_more_than_is_shown_is_told(home):
    for number in range(3):
        home.deliver(source_id=f"S{number}")
    assert "older" in home.receiver("log", "--limit", "2").stderr
    assert home.receiver("log", "--limit", "3").stderr == ""


def test_the_log_as_json_holds_all_of_it_page_by_page(home, monkeypatch):
    monkeypatch.setattr(deliveries, "PAGE", 3)
    known = [home.deliver(source_id=f"S{number}", at=NOON).id for number in range(2)]  # at the same moment
    known += [home.deliver(source_id=f"T{number}", at=NOON + timedelta(hours=number)).id for number in range(6)]
    lines = [json.loads(line) for line in home.receiver("log", "--json").stdout.splitlines()]
    assert sorted(line["id"] for line in lines) == sorted(known)
    assert [line["receivedAt"] for line in lines] == sorted((line["receivedAt"] for line in lines), reverse=True)


def test_the_log_as_csv_has_a_row_for_each_delivery_and_all_that_is_known_of_it(home):
    home.section('[retention]\noriginals = "30d"')
    first = home.deliver(source_id='a "quoted", one')
    refused = home.deliver(source_id="S2", mrn="wrong", at=NOON + timedelta(hours=1))
    home.deliver(source_id="S2", mrn="wrong", at=NOON + timedelta(hours=2))
    content = home.receiver("log", "--csv").stdout_bytes
    assert content.count(b"\r\n") == content.count(b"\n") == 3
    newer, older = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
    logged = [json.loads(line) for line in home.receiver("log", "--json").stdout.splitlines()]
    assert [set(each) - set(newer) for each in logged] == [set(), set()]
    assert (older["id"], older["sourceId"], older["version"]) == (first.id, 'a "quoted", one', "1")
    for file in (*logged[1]["documents"], *logged[1]["records"]):
        kind = "documents" if file in logged[1]["documents"] else "records"
        assert f"{file['path']} {file['size']} {file['sha256']}" in older[kind].split("; ")
    assert older["parts"].startswith(
        f"document file image/tiff {len(FAX)} {hashlib.sha256(FAX).hexdigest()}; metadata "
    )
    assert (newer["id"], newer["code"], newer["version"], newer["publishedAt"]) == (
        refused.id,
        "fields-invalid",
        "",
        "",
    )
    assert newer["violations"].startswith("fields/mrn pattern ")
    assert [line.split(" ")[1] for line in newer["attempts"].split("; ")] == ["refused", "refused"]
    assert newer["attemptCount"] == "2"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1"])
def test_no_source_id_is_a_formula_in_a_spreadsheet(home, name):
    home.deliver(source_id=name)
    (row,) = csv.DictReader(io.StringIO(home.receiver("log", "--csv").stdout))
    assert row["sourceId"] == f"'{name}"


def test_two_forms_at_once_are_misuse(home):
    home.deliver()
    assert home.receiver("log", "--csv", "--json").exit_code == 2


def test_no_value_is_in_the_log_or_shown(home):
    entry = home.deliver(patient_name="Zacharias Invented")
    home.deliver(source_id="S2", mrn="Wrong-1")
    told = home.receiver("log").output + home.receiver("log", "--json").output
    told += home.receiver("log", "--csv").output
    told += home.receiver("show", entry.id).output + home.receiver("show", entry.id, "--json").output
    assert "Zacharias" not in told
    assert "Wrong-1" not in told


def test_no_verb_that_tells_or_acts_tells_a_value(home, caplog):
    caplog.set_level("DEBUG")
    home.section('[retention]\noriginals = "30d"')
    published = home.deliver(patient_name=PLANTED, patient_dob="02/20/1964")
    refused = home.deliver(source_id="S2", mrn=PLANTED, patient_name=PLANTED)
    held = home.deliver(source_id="S3", patient_name=PLANTED, confidence=0.1)
    listing = home.root / "listing.csv"
    listing.write_text(f"sourceId,name\nS2,{PLANTED}\nS9,{PLANTED}\n")
    home.configure('"{{ delivery.id }}.hl7"', '"{{ fields.patient_name }}.hl7"')
    called = [("status",), ("log",), ("log", "--json"), ("log", "--csv"), ("verify",), ("reconcile", str(listing))]
    called += [("show", entry.id, *form) for entry in (published, refused, held) for form in ((), ("--json",))]
    called += [
        ("replay", refused.id),
        ("replay", held.id, "--dry-run"),
        ("replay", refused.id, "--dry-run"),
    ]
    called += [("replay", held.id), ("recover",), ("prune", "--dry-run"), ("prune",), ("notify", "referrals")]
    told = {arguments: home.receiver(*arguments) for arguments in called}
    assert [arguments for arguments, each in told.items() if PLANTED in each.output] == []
    assert all(each.exit_code in (0, 1) for arguments, each in told.items() if arguments[0] != "notify")
    assert PLANTED not in caplog.text


def test_a_delivery_is_shown_with_everything_that_is_known_of_it(home):
    home.section('[retention]\noriginals = "30d"')
    entry = home.deliver()
    home.deliver()
    (home.settings.output / "referrals" / f"{entry.id}.hl7").unlink()
    (home.settings.output / "referrals" / f"{entry.id}.json").write_text("{}")
    told = home.receiver("show", entry.id)
    lines = [re.split(r"  +", line.strip()) for line in told.stdout.splitlines()]
    assert told.exit_code == 0
    assert lines[0] == [entry.id, "published"]
    assert ["received", f"2026-01-02 12:00:00Z from {PEER}"] in lines
    assert [line[1] for line in lines if line[0] in ("document", "record", "originals")] == [
        "there",
        "gone",
        "changed",
        "there",
    ]
    assert any(line[:3] == ["file", "document", "image/tiff"] and len(line[4]) == 64 for line in lines)
    assert str(home.settings.output.absolute() / "referrals" / f"{entry.id}.tif") in told.stdout
    assert [line[1] for line in lines if line[0] == "2026-01-02 12:00:00Z"] == ["accepted", "duplicate"]


def test_a_refused_delivery_is_shown_with_its_violations_and_where_it_is_kept(home):
    entry = home.deliver(mrn="wrong")
    told = home.receiver("show", entry.id).stdout
    assert "fields/mrn  pattern" in told
    assert str(home.settings.data / "quarantine" / "referrals" / entry.id) in told
    shutil.rmtree(home.settings.data / "quarantine" / "referrals" / entry.id)
    assert "which is gone" in home.receiver("show", entry.id).stdout


def test_the_start_of_an_id_is_enough_where_there_is_one(home):
    known = sorted(home.deliver(source_id=f"S{number}").id for number in range(40))
    starts = [id_[0] for id_ in known]
    several = next(start for start in starts if starts.count(start) > 1)
    assert home.receiver("show", known[0][:12].lower()).stdout.startswith(known[0])
    told = home.receiver("show", several)
    assert told.exit_code == 2
    assert next(id_ for id_ in known if id_.startswith(several)) in told.stderr
    missing = home.receiver("show", "1")
    assert (missing.exit_code, missing.stdout) == (1, "")


def test_show_as_json_says_what_the_log_says_and_what_is_still_there(home):
    entry = home.deliver()
    (home.settings.output / "referrals" / f"{entry.id}.hl7").unlink()
    shown = json.loads(home.receiver("show", entry.id, "--json").stdout)
    logged = json.loads(home.receiver("log", "--json").stdout)
    assert shown.pop("onDisk") == {
        f"referrals/{entry.id}.tif": "there",
        f"referrals/{entry.id}.hl7": "gone",
        f"referrals/{entry.id}.json": "there",
    }
    assert shown.pop("quarantine") is None
    assert shown == logged
    assert [record["path"] for record in logged["records"]] == [
        f"referrals/{entry.id}.hl7",
        f"referrals/{entry.id}.json",
    ]


@pytest.mark.parametrize(
    "arguments", [("log",), ("show", "A"), ("replay", "A"), ("replay", "--status", "held"), ("recover",), ("prune",)]
)
def test_without_a_ledger_nothing_is_created_and_the_setting_is_named(home, arguments):
    told = home.receiver(*arguments)
    assert told.exit_code == 2
    assert "RECEIVER_DATA" in told.stderr
    assert not home.settings.data.exists()


def test_a_ledger_that_cannot_be_read_is_told_in_a_line(home):
    home.deliver()
    home.close()
    home.ledger.path.write_bytes(b"not a ledger at all" * 400)
    told = home.receiver("log")
    assert (told.exit_code, told.stdout) == (2, "")
    first, second = told.stderr.splitlines()
    assert first.startswith("the ledger is damaged")
    assert f"RECEIVER_DATA={home.settings.data}" in second


def test_colours_are_for_a_terminal_only(home):
    home.deliver()
    assert "\x1b[" not in home.receiver("log").stdout
    assert "\x1b[32mpublished" in home.receiver("log", color=True).stdout


@pytest.mark.skipif(os.getuid() != 0, reason="another user can be taken only by root")
def test_an_auditor_without_write_permission_reads_beside_the_service():
    script = "import os, receiver.cli.log; os.setgid(65534); os.setuid(65534); receiver.cli.main(['log'])"
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        entry = home.deliver()  # the ledger stays open, as the service has it
        for path in (home.root, home.settings.data):
            path.chmod(0o755)
        for path in home.settings.data.glob("ledger*"):
            path.chmod(0o644)
        environment = os.environ | home.environment
        called = [sys.executable, "-c", script]
        told = subprocess.run(called, env=environment, capture_output=True, text=True, cwd="/")
        home.close()
    assert told.returncode == 0, told.stderr
    assert entry.id in told.stdout
