"""An output with a group, as two users: the service, who is a member of it, and an importing system, who is another.

Each runs in a process of its own that gives root up. Importers take files away under a user of their own, and the umask
of whoever starts a service is anything.
"""

import multiprocessing
import os
import shutil
import stat
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.core.problems import Problem
from receiver.store import folders, publish
from receiver.store.stage import stage_for
from tests.support.place import Place, Sent, entry_of

SERVICE, IMPORTER = 10001, 10002
GROUP = 20001

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become two users")


def run_as(user: int, groups: list[int], work, *arguments, umask: int = 0o077) -> None:
    """Run a function as another user; what it raises fails the test."""

    def run() -> None:
        os.setgroups(groups)
        os.setgid(user)
        os.setuid(user)
        os.umask(umask)
        try:
            work(*arguments)
        except BaseException:  # noqa: BLE001 (a process of its own ends here)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join()
    assert process.exitcode == 0


@pytest.fixture(params=["/tmp", "/dev/shm"], ids=["one disk", "two disks"])
def root(request):
    """A folder that other users may reach, as those of pytest may not; data and output on one disk, or on two."""
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory(dir=request.param) as output:
        made = Path(data)
        for folder in (made, Path(output)):
            folder.chmod(0o755)
            os.chown(folder, SERVICE, SERVICE)
        (made / "output").symlink_to(output)
        yield made


def placed(root: Path) -> Place:
    place = Place.at(root)
    output = (root / "output").resolve() / "referrals"
    return replace(place, output=output, stage=stage_for(place.data, output))


def deliver(root: Path, source_id: str, name: str = "{id}", *, crash: bool = False) -> None:
    place = placed(root)
    folders.share_folders(str(place.output), str(place.output), GROUP)
    sent = Sent(source_id, name=name, keep=True)
    with place.stage.open() as staged:
        entry = entry_of(place, staged, sent, place.ledger.next_version(sent.process, sent.source_id))
        publish.commit(place.ledger, staged, entry, GROUP)
        if crash:
            return
        publish.publish(place.ledger, staged, entry)


def files(root: Path) -> list[Path]:
    found = (root / "output").resolve().rglob("*")
    return sorted(path for path in found if path.is_file() and ".stage" not in path.parts)


def take_everything(root: Path) -> None:
    """Read and take away what is published, as an importing system does; and look at nothing else."""
    output = (root / "output").resolve() / "referrals"
    taken = files(root)
    assert taken
    for path in taken:
        path.read_bytes()
        path.unlink()
    for path in output.iterdir():
        if path.name != ".stage":
            shutil.rmtree(path)
    for closed in (root / "var" / "quarantine", root / "var" / "originals", root / "var" / "stage"):
        with pytest.raises(PermissionError):
            list(closed.iterdir())
    if (output / ".stage").exists():
        with pytest.raises(PermissionError):
            list((output / ".stage").iterdir())


def test_an_importer_takes_sets_away_and_sees_nothing_else(root):
    for number in range(2):
        run_as(SERVICE, [GROUP], deliver, root, f"S{number}", "2026/11/{id}")
        shared = {stat.S_IMODE(path.stat().st_mode) for path in files(root)}
        assert shared == {0o640}
        folders = {path.parent for path in files(root)} | {path.parent.parent for path in files(root)}
        assert {(stat.S_IMODE(each.stat().st_mode), each.stat().st_gid) for each in folders} == {(0o2770, GROUP)}
        run_as(IMPORTER, [GROUP], take_everything, root)
        assert files(root) == []


def test_a_file_belongs_to_the_group_whatever_the_umask_is(root):
    for umask in (0, 0o027, 0o077):
        run_as(SERVICE, [GROUP], deliver, root, f"S{umask}", umask=umask)
    assert {(stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) for path in files(root)} == {(0o640, GROUP)}


def test_recovery_makes_a_folder_again_that_the_importer_removed(root):
    run_as(SERVICE, [GROUP], deliver, root, "S1", "today/{id}")
    run_as(IMPORTER, [GROUP], take_everything, root)

    def committed_then_recovered() -> None:
        deliver(root, "S2", "today/{id}", crash=True)
        shutil.rmtree(placed(root).output / "today")
        assert not placed(root).recover().failed

    run_as(SERVICE, [GROUP], committed_then_recovered)
    run_as(IMPORTER, [GROUP], take_everything, root)


def test_a_folder_that_was_made_again_by_hand_is_opened_again(root):
    run_as(SERVICE, [GROUP], deliver, root, "S1")
    output = (root / "output").resolve() / "referrals"
    for path in files(root):
        path.unlink()
    os.chown(output, SERVICE, SERVICE)
    output.chmod(0o750)
    run_as(SERVICE, [GROUP], deliver, root, "S2")
    run_as(IMPORTER, [GROUP], take_everything, root)


def test_a_service_that_is_no_member_says_what_to_do_and_accepts_nothing(root):
    def refused() -> None:
        place = placed(root)
        with pytest.raises(Problem, match=r"no member of the group 20001 .* usermod --append --groups 20001"):
            folders.require_shareable(str(place.output), GROUP)
        with place.stage.open() as staged:
            entry = entry_of(place, staged, Sent(), 1)
            with pytest.raises(Problem, match="no member of the group 20001"):
                publish.commit(place.ledger, staged, entry, GROUP)
        assert place.ledger.search() == []

    run_as(SERVICE, [], refused)


def test_a_folder_of_somebody_else_must_be_opened_by_that_one(root):
    output = (root / "output").resolve() / "referrals"
    output.mkdir()
    output.chmod(0o777)

    def not_ours() -> None:
        with pytest.raises(Problem, match="chgrp 20001 and chmod 2770"):
            folders.require_shareable(str(output), GROUP)

    run_as(SERVICE, [GROUP], not_ours)
    os.chown(output, 0, GROUP)
    output.chmod(0o2770)
    run_as(SERVICE, [GROUP], deliver, root, "S1")


def test_a_group_is_written_by_name_or_number():
    assert folders.group_id(None) is None
    assert folders.group_id("20001") == GROUP
    assert folders.group_id("root") == 0
    with pytest.raises(KeyError):
        folders.group_id("no-such-group-here")
