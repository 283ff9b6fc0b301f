import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from receiver.app import create_app
from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.delivery.context import Context, open_context
from receiver.operations import health, reload
from receiver.site import compiling
from receiver.store import ledger
from receiver.store.database import Host

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path):
    made = Settings.from_environment({"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(tmp_path / "var")})
    ledger.create(made.ledger)
    return made


@pytest.fixture
def context(settings):
    return open_context(settings, compiling.proven(settings, {"RECEIVER_TOKEN": "t" * 15 + "1"}))


def missing(context: Context) -> dict[str, str]:
    return {check.name: check.reason for check in health.checks(context) if not check.ready}


def away_at(context: Context) -> str:
    """What is told of an output that is missing."""
    output = context.processes["referrals"].output
    return f"could not write to the output folder {output} (ENOENT: No such file or directory)"


def test_a_house_in_order_is_ready_and_says_why(context):
    found = health.checks(context)
    assert missing(context) == {}
    assert {check.name for check in found} == {"configuration", "ledger", "stage", "output", "space"}
    assert all(check.reason for check in found)


def test_asking_leaves_nothing_behind(context):
    before = sorted(context.settings.data.rglob("*"))
    health.checks(context)
    assert sorted(context.settings.data.rglob("*")) == before


def test_too_little_space_is_told_with_what_is_needed(context):
    short = replace(context, settings=replace(context.settings, min_free=10**18))
    assert "1000000 TB needed" in missing(short)["space"]


def test_a_full_disk_is_told_whatever_the_settings_ask_for(context, monkeypatch):
    careless = replace(context, settings=replace(context.settings, min_free=0))
    assert missing(careless) == {}
    monkeypatch.setattr(health, "free_space", lambda _: 50_000)
    assert "0 MB free at" in missing(careless)["space"]


def test_an_output_folder_that_is_gone_is_told(context):
    shutil.rmtree(context.processes["referrals"].output)
    assert missing(context) == {"output": away_at(context)}


def test_an_output_folder_that_is_away_at_the_start_is_waited_for(context):
    process = context.processes["referrals"]
    away = process.output.rename(context.settings.data / "away")
    started = open_context(context.settings, context.processes, create=False)
    assert missing(started) == {"output": away_at(context)}
    with pytest.raises(Problem, match="ENOENT") as told:
        started.stage(process)
    assert told.value.code is Code.STORAGE_FAILED
    assert not process.output.exists()
    away.rename(process.output)
    assert started.stage(process).root == context.stage(process).root
    assert missing(started) == {}


def test_an_output_folder_that_comes_back_while_the_site_is_reloaded_keeps_no_edit_back(context):
    class Meanwhile(dict):
        def keys(self):
            context.stages.setdefault("back", context.stages["referrals"])  # as the thread of a delivery finds it
            return super().keys()

    assert reload.rebuilt(context, Meanwhile(context.processes)).stages["referrals"] is context.stages["referrals"]


def test_a_host_that_serves_without_a_folder_in_our_stage_sees_another_disk(context):
    served, began = [], datetime(2026, 3, 1, 12, tzinfo=UTC)

    def host(name, seconds, site="x"):
        return Host(f"of-{name}", name, 1, "0.1", site, began, began + timedelta(seconds=seconds), 0.0)

    listed = [host("here", 60), host("there", 60), host("young", 1), host("idle", 60, site="")]
    hosts = SimpleNamespace(serve=served.append, listed=lambda: listed)
    shared = replace(context, ledger=SimpleNamespace(hosts=hosts, owner="of-here"))
    shared.announce()
    assert served == [shared.site_digest()]
    [told] = health._hosts(shared)
    assert (told.ready, told.reason) == (
        False,
        "RECEIVER_DATA is not the folder of there: all hosts need the same one",
    )
    replace(shared, ledger=SimpleNamespace(hosts=hosts, owner="of-there")).announce()
    assert [check.ready for check in health._hosts(shared)] == [True]


def test_a_stage_that_is_gone_is_told(context):
    shutil.rmtree(context.stages["referrals"].root)
    assert missing(context)["stage"] == "could not create a folder in the stage (ENOENT: No such file or directory)"


def test_a_ledger_that_is_no_ledger_any_more_is_told(context):
    context.ledger.close()
    context.ledger.path.write_bytes(b"this is no database, whatever its name says" * 100)
    assert missing(context) == {"ledger": "the ledger is damaged: stop the service, restore a backup of it and start"}


def test_a_site_without_a_process_is_not_ready(context):
    assert missing(replace(context, processes={}))["configuration"] == "the site has no process"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk, which only root may")
def test_an_output_on_a_disk_that_turned_read_only_is_told(context):
    output = context.processes["referrals"].output
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", output], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        assert missing(context) == {
            "output": f"could not write to the output folder {output} (EROFS: Read-only file system)"
        }
    finally:
        subprocess.run(["umount", output], check=True)


def test_the_page_answers_503_until_all_is_well(settings, monkeypatch):
    monkeypatch.setenv("RECEIVER_TOKEN", "t" * 15 + "1")
    client = create_app(settings).test_client()
    assert client.get("/healthz").get_json() == {"status": "alive"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    shutil.rmtree(settings.data / "stage")
    broken = client.get("/readyz")
    assert (broken.status_code, broken.get_json()["status"]) == (503, "not ready")
    assert {
        "name": "stage",
        "ready": False,
        "reason": "could not create a folder in the stage (ENOENT: No such file or directory)",
    } in (broken.get_json()["checks"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")
@pytest.mark.parametrize("place", ["ledger", "var", "out"])
def test_every_disk_that_is_written_to_is_looked_at(tmp_path, place):
    for name in ("ledger", "var", "out"):
        (tmp_path / name).mkdir()
    disk = tmp_path / place
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=True)
    try:
        folders = {"DATA": "var", "OUTPUT": "out", "LEDGER": f"sqlite:{tmp_path}/ledger/ledger.db", "MIN_FREE": "32 MB"}
        given = {
            f"RECEIVER_{name}": each if ":" in each or " " in each else str(tmp_path / each)
            for name, each in folders.items()
        }
        settings = Settings.from_environment(given | {"RECEIVER_SITE": str(ROOT)})
        ledger.create(settings.ledger)
        context = open_context(settings, compiling.proven(settings, {"RECEIVER_TOKEN": "t" * 15 + "1"}))
        assert any(each.is_relative_to(disk) for each in context.disks())
        assert "32 MB needed" in missing(context)["space"]
        with pytest.raises(Problem, match="too little free space"):
            context.stage_with_space(context.processes["referrals"])
        context.ledger.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
