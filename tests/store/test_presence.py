"""A ledger that is moved, removed or replaced while somebody has it open: nothing is written, and nothing is ruined."""

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.core.problems import Code, Problem
from receiver.store import backup, ledger
from receiver.store.sqlite import presence, schema
from tests.support.place import Place, Sent, deliver

ROOT = Path(__file__).parent.parent.parent


def away(path: Path) -> None:
    path.rename(f"{path}.away")


def replaced(path: Path) -> None:
    away(path)
    shutil.copy(f"{path}.away", path)


def back(path: Path) -> None:
    Path(f"{path}.away").replace(path)


def refused(run: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        run()
    assert caught.value.code is Code.STORAGE_FAILED
    return caught.value.detail


def elsewhere(place: Place, code: str) -> str:
    """Run code in a process of its own, where `ledger` is the module and `url` names the ledger of the place."""
    script = f"from receiver.store import ledger; url = 'sqlite:{place.ledger.path}'; {code}"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.parametrize("harm", [away, Path.unlink, replaced])
def test_what_was_accepted_is_kept_and_nothing_more_is_accepted(place, suffix, harm):
    deliver(place, Sent("S1"))
    harm(Path(f"{place.ledger.path}{suffix}"))
    told = refused(lambda: deliver(place, Sent("S2")))
    assert f"ledger.db{suffix} is not " in told
    assert refused(place.ledger.require_in_place) == told
    assert place.outputs() == set(Sent("S1").files())
    assert place.staged() == set()


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_what_is_put_back_goes_on(place, suffix):
    deliver(place, Sent("S1"))
    moved = Path(f"{place.ledger.path}{suffix}")
    away(moved)
    refused(lambda: deliver(place, Sent("S2")))
    back(moved)
    deliver(place, Sent("S2"))
    assert "[1, 1]" in elsewhere(place, "print([e.version for e in ledger.Ledger(url).search()])")


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
@pytest.mark.parametrize(
    "look", [lambda place: deliver(place, Sent("S2")), lambda place: place.ledger.require_in_place()]
)
def test_without_its_log_the_ledger_has_everything_after_the_next_look(place, suffix, look):
    deliver(place, Sent("S1"))
    Path(f"{place.ledger.path}{suffix}").unlink()
    refused(lambda: look(place))
    shutil.copy(place.ledger.path, place.data / "alone.db")
    found = ledger.Ledger(f"sqlite:{place.data / 'alone.db'}").search()
    assert [entry.source_id for entry in found] == ["S1"]


@pytest.mark.parametrize("use", [lambda kept: kept.search(), lambda kept: kept.settle()])
def test_no_connection_is_opened_beside_a_log_that_is_gone(place, use):
    """SQLite would begin another log, and the two would ruin the ledger."""
    place.ledger.require_in_place()
    log = Path(f"{place.ledger.path}-wal")
    log.unlink()
    assert "ledger.db-wal is not where it was" in refused(lambda: use(place.ledger))
    assert not log.exists()


@pytest.mark.parametrize("harm", [away, replaced])
def test_nobody_else_opens_another_one_meanwhile(place, harm):
    """Else SQLite would take the log of the first for changes to the second."""
    deliver(place, Sent("S1"))
    place.ledger.connections.flush()
    harm(place.ledger.path)
    files = {path: path.read_bytes() for path in place.data.glob("ledger.db*")}
    for code in ("ledger.create(url)", "ledger.Ledger(url).search()", "ledger.Ledger(url).settle()"):
        assert "ledger.db is not " in elsewhere(place, code)
    assert {path: path.read_bytes() for path in place.data.glob("ledger.db*")} == files
    assert "ledger.db is not " in refused(lambda: backup.backup(place.ledger.path, place.data / "copy.db"))
    assert not (place.data / "copy.db").exists()


def test_another_one_is_opened_once_nobody_has_the_first(place):
    deliver(place, Sent("S1"))
    url = f"sqlite:{place.ledger.path}"
    place.ledger.close()
    place.ledger.path.rename(place.data / "old.db")
    ledger.create(url)
    assert place.ledger.search() == []


def test_a_ledger_is_not_created_beside_the_log_of_one_that_was_moved(place):
    """SQLite would remove the log, and what it holds with it."""
    deliver(place, Sent("S1"))
    place.ledger.close()
    log = Path(f"{place.ledger.path}-wal")
    log.write_bytes(b"of a ledger that was moved")
    place.ledger.path.rename(place.data / "old.db")
    told = refused(lambda: ledger.create(f"sqlite:{place.ledger.path}"))
    assert "put the ledger back" in told
    assert log.exists()
    assert not place.ledger.path.exists()


def test_a_process_that_died_is_in_nobodys_way(place):
    code = "import os, signal; ledger.Ledger(url).settle(); os.kill(os.getpid(), signal.SIGKILL)"
    assert elsewhere(place, code) == ""
    assert Path(f"{place.ledger.path}{presence.SUFFIX}").read_bytes() != b""
    replaced(place.ledger.path)
    for beside in ("-wal", "-shm"):  # as docs/operations.md has it
        Path(f"{place.ledger.path}{beside}").unlink(missing_ok=True)
    deliver(place, Sent("S1"))
    assert len(place.ledger.search()) == 1


def test_many_who_come_and_go_never_take_each_other_for_strangers(place):
    """The last one who closes the ledger takes away what lies beside it, while the next one opens it."""
    code = "[(l := ledger.Ledger(url), l.settle(), l.close()) for _ in range(60)]"
    script = f"from receiver.store import ledger; url = 'sqlite:{place.ledger.path}'; {code}"
    running = [
        subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [process.communicate()[1] for process in running] == [""] * 3


def test_who_may_only_read_asks_without_a_note(place, monkeypatch):
    def read_only(*_: object) -> int:
        raise OSError(errno.EROFS, "read-only")

    deliver(place, Sent("S1"))
    monkeypatch.setattr(presence.os, "open", read_only)
    asking = presence.Presence(place.ledger.path)
    monkeypatch.undo()
    asking.note(schema.connect(place.ledger.path))
    asking.require()
    away(place.ledger.path)
    assert "ledger.db is not where it was" in refused(asking.require)
