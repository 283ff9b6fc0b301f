"""Outputs that are read-only, foreign, or made anew on another disk: what the verbs say, and how the service heals."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from receiver.site import in_force
from receiver.site.in_force import establish
from tests.cli.test_operations import context, deliver, refuse, run  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount disks and give folders away")


@contextmanager
def mounted(folder: Path, options: str = "rw") -> Iterator[None]:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("verb", ["status", "prune", "recover"])
def test_a_read_only_output_is_told_in_words_and_ends_with_1(context, verb):  # noqa: F811
    deliver(context, "1")
    output = context.processes["referrals"].output
    with mounted(output, "ro"):
        told = run(verb)
    assert told.exit_code == 1
    assert f"could not write to the output folder {output} (EROFS: Read-only file system)" in told.output


@pytest.mark.parametrize("verb", ["status", "prune", "recover"])
def test_an_output_of_another_owner_is_told_in_words_and_ends_with_1(context, monkeypatch, verb):  # noqa: F811
    output = context.processes["referrals"].output
    accessible = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != output and accessible(path, mode))
    told = run(verb)
    assert told.exit_code == 1
    assert f"could not write to the output folder {output} (EACCES: Permission denied)" in told.output


def everything(*roots: Path) -> dict[Path, tuple[int, int]]:
    """Return each file and folder with its time of change, but for what SQLite keeps beside the ledger."""
    found = [path for root in roots for path in (root, *root.rglob("*")) if not path.name.startswith("ledger.db")]
    return {path: (path.lstat().st_mtime_ns, stat.S_IMODE(path.lstat().st_mode)) for path in found}


def test_status_changes_nothing_on_an_output_that_was_made_anew(context):  # noqa: F811
    output = context.processes["referrals"].output
    with mounted(output):
        before = everything(output, context.settings.data / "stage", context.settings.data / "quarantine")
        assert run("status").exit_code == 0
        assert everything(output, context.settings.data / "stage", context.settings.data / "quarantine") == before


def test_an_output_that_was_made_anew_on_another_disk_is_used_at_once(context):  # noqa: F811
    """The service found the output beside its data; then on another disk, without and with a stage; then back."""
    output = context.processes["referrals"].output
    deliver(context, "before")
    with mounted(output):
        deliver(context, "other disk")
        for path in output.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        deliver(context, "the same disk, and its stage is gone")
        with mounted(output):
            deliver(context, "yet another disk")
            assert len(list(output.glob("*.hl7"))) == 1
    deliver(context, "back again")
    assert len(list(output.glob("*.hl7"))) == 2


def test_a_ledger_that_was_removed_is_told_as_the_service_tells_it(context, monkeypatch):  # noqa: F811
    monkeypatch.setenv("RECEIVER_TOKEN", "a-token-of-the-test")
    with in_force.alone(context.settings.local):
        establish(context.settings)
    refuse(context, "1")
    away = context.ledger.path.rename(context.ledger.path.with_name("away"))
    told = run("status")
    assert told.exit_code == 1
    assert "the ledger cannot be used, for ledger.db is not where it was: put it back" in told.output
    assert "RECEIVER_DATA set" not in told.output
    context.ledger.close()
    for left in ("-wal", "-shm"):
        Path(f"{context.ledger.path}{left}").unlink(missing_ok=True)
    told = run("status")
    assert told.exit_code == 1
    assert f"there is no ledger {context.ledger.path}: restore it" in told.output
    assert not context.ledger.path.exists()
    away.rename(context.ledger.path)
    assert run("status").exit_code == 0


def test_a_wrong_data_folder_is_still_asked_about(context, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setenv("RECEIVER_DATA", str(tmp_path / "nothing-here"))
    told = run("status")
    assert told.exit_code == 2
    assert "is RECEIVER_DATA set as it is for the service?" in told.output
