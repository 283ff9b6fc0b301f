import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.app import create_app
from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.delivery.context import House, opened
from receiver.operations.health import readiness
from receiver.operations.reload import watching
from receiver.site.process import compiling
from receiver.store import ledger

ROOT = Path(__file__).parent.parent


@pytest.fixture
def settings(tmp_path):
    made = Settings.from_environment({"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(tmp_path / "var")})
    ledger.create(made.ledger)
    return made


@pytest.fixture
def house(settings):
    return opened(settings, compiling.proven(settings, {"RECEIVER_TOKEN": "t" * 15 + "1"}))


def missing(house: House) -> dict[str, str]:
    return {check.name: check.reason for check in readiness.checks(house) if not check.ready}


def test_a_house_in_order_is_ready_and_says_why(house):
    found = readiness.checks(house)
    assert missing(house) == {}
    assert {check.name for check in found} == {"configuration", "ledger", "stage", "output", "space"}
    assert all(check.reason for check in found)


def test_asking_leaves_nothing_behind(house):
    before = sorted(house.settings.data.rglob("*"))
    readiness.checks(house)
    assert sorted(house.settings.data.rglob("*")) == before


def test_too_little_space_is_told_with_what_is_needed(house):
    short = replace(house, settings=replace(house.settings, min_free=10**18))
    assert "1000000 TB needed" in missing(short)["space"]


def test_a_full_disk_is_told_whatever_the_settings_ask_for(house, monkeypatch):
    careless = replace(house, settings=replace(house.settings, min_free=0))
    assert missing(careless) == {}
    monkeypatch.setattr(readiness, "free_space", lambda _: 50_000)
    assert "0 MB free at" in missing(careless)["space"]


def test_an_output_folder_that_is_gone_is_told(house):
    shutil.rmtree(house.processes["referrals"].output)
    assert missing(house) == {"output": "could not write to the output folder (ENOENT)"}


def test_an_output_folder_that_is_away_at_the_start_is_waited_for(house):
    process = house.processes["referrals"]
    away = process.output.rename(house.settings.data / "away")
    started = opened(house.settings, house.processes, create=False)
    assert missing(started) == {"output": "could not write to the output folder (ENOENT)"}
    with pytest.raises(Problem, match="ENOENT") as told:
        started.stage(process)
    assert told.value.code is Code.STORAGE_FAILED
    assert not process.output.exists()
    away.rename(process.output)
    assert started.stage(process).root == house.stage(process).root
    assert missing(started) == {}


def test_an_output_folder_that_comes_back_while_the_site_is_reloaded_keeps_no_edit_back(house):
    class Meanwhile(dict):
        def keys(self):
            house.stages.setdefault("back", house.stages["referrals"])  # as the thread of a delivery finds it
            return super().keys()

    assert watching.rebuilt(house, Meanwhile(house.processes)).stages["referrals"] is house.stages["referrals"]


def test_a_stage_that_is_gone_is_told(house):
    shutil.rmtree(house.stages["referrals"].root)
    assert missing(house)["stage"] == "could not create a folder in the stage (ENOENT)"


def test_a_ledger_that_is_no_ledger_any_more_is_told(house):
    house.ledger.close()
    house.ledger.path.write_bytes(b"this is no database, whatever its name says" * 100)
    assert missing(house) == {"ledger": "the ledger is damaged: stop the service, restore a backup of it and start"}


def test_a_site_without_a_process_is_not_ready(house):
    assert missing(replace(house, processes={}))["configuration"] == "the site has no process"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk, which only root may")
def test_an_output_on_a_disk_that_turned_read_only_is_told(house):
    output = house.processes["referrals"].output
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", output], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        assert missing(house) == {"output": "could not write to the output folder (EROFS)"}
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
    assert {"name": "stage", "ready": False, "reason": "could not create a folder in the stage (ENOENT)"} in (
        broken.get_json()["checks"]
    )


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
        house = opened(settings, compiling.proven(settings, {"RECEIVER_TOKEN": "t" * 15 + "1"}))
        assert any(each.is_relative_to(disk) for each in house.disks())
        assert "32 MB needed" in missing(house)["space"]
        with pytest.raises(Problem, match="too little free space"):
            house.require_space(house.processes["referrals"])
        house.ledger.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
