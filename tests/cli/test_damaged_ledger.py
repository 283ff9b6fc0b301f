"""A ledger of which a page or a row is damaged: the verbs say so in a line, name the row, and show the others."""

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from click.testing import Result

from receiver.app import create_app, prepare
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.delivery.context import Context, open_context
from receiver.site import compiling
from receiver.store import ledger
from receiver.store.ledger import Ledger
from receiver.store.sqlite import schema
from tests.cli.test_operations import ROOT, TOKEN, deliver, refuse, run

PAGE = 4096


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    for name, value in {"SITE": str(ROOT), "DATA": str(tmp_path / "var"), "TOKEN": TOKEN}.items():
        monkeypatch.setenv(f"RECEIVER_{name}", value)
    settings = Settings.from_environment()
    ledger.create(settings.ledger)
    return open_context(settings, compiling.proven(settings))


def change(context: Context, statement: str, *values: object) -> None:
    with closing(apsw.Connection(str(context.ledger.path))) as connection:
        connection.execute(statement, values)


def flip(path: Path, pages: range) -> None:
    content = bytearray(path.read_bytes())
    for page in pages:
        content[page * PAGE : (page + 1) * PAGE] = bytes(
            byte ^ 0xFF for byte in content[page * PAGE : (page + 1) * PAGE]
        )
    path.write_bytes(content)


@pytest.fixture
def damaged(context: Context) -> Callable[[str], str]:
    """Return what damages a row of four, and returns its id."""
    deliver(context, "1")
    broken = deliver(context, "2").id
    deliver(context, "3")
    refuse(context, "4")

    def damage(assignment: str) -> str:
        change(context, f"UPDATE deliveries SET {assignment} WHERE id = ?", broken)
        return broken

    return damage


DAMAGE = [
    "parts = 'x' || parts",
    "attempts = CAST(x'ff22' AS TEXT)",
    "status = 'x'",
    "received_at = 'x' || received_at",
    "documents = '[{}]'",
]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("verb", [["verify"], ["log"], ["log", "--json"], ["status"]])
def test_a_damaged_row_is_named_and_the_others_are_shown(
    context: Context,
    damaged: Callable[[str], str],
    damage: str,
    verb: list[str],
) -> None:
    others = {entry.id for entry in context.ledger.search()}
    id_ = damaged(damage)
    told: Result = run(*verb)
    assert told.exit_code == 1
    assert f"the row of {id_} in the ledger is damaged" in told.stderr
    if verb[0] == "log":
        assert {each for each in others if each in told.stdout} == others - {id_}
    if verb[0] == "verify":
        assert "3 deliveries" in told.stdout


def test_the_other_verbs_name_it_too(context: Context, damaged: Callable[[str], str], tmp_path: Path) -> None:
    id_ = damaged(DAMAGE[0])
    listing = tmp_path / "list.csv"
    listing.write_text("sourceId\n1\n2\n3\n9\n")
    for arguments in (
        ["reconcile", listing],
        ["show", id_],
        ["replay", id_],
        ["replay", "--status", "published", "--dry-run"],
    ):
        told = run(*arguments)
        assert (told.exit_code, f"the row of {id_}" in told.output) == (1, True), arguments


def test_recovery_passes_over_a_damaged_row(context: Context, damaged: Callable[[str], str]) -> None:
    id_ = damaged("status = 'committed', parts = 'x'")
    assert set(context.recover().failed) == {id_}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_backup_of_a_damaged_row_is_none(
    context: Context,
    damaged: Callable[[str], str],
    damage: str,
    tmp_path: Path,
) -> None:
    id_ = damaged(damage)
    target = tmp_path / "kept" / "copy.db"
    target.parent.mkdir()
    told = run("backup", target)
    assert (told.exit_code, id_ in told.output) == (1, True)
    assert list(target.parent.iterdir()) == []


@pytest.fixture
def flipped(context: Context) -> Settings:
    """Return the settings of a ledger of which half of the pages is damaged."""
    for number in range(40):
        refuse(context, str(number))
    context.ledger.close()
    flip(context.ledger.path, range(5, context.ledger.path.stat().st_size // PAGE, 2))
    return context.settings


def test_a_damaged_ledger_ends_the_start_and_the_verbs_with_one_line(flipped: Settings, tmp_path: Path) -> None:
    for begin in (prepare, create_app):
        with pytest.raises(
            Problem, match=r"^the ledger is damaged: stop the service, restore a backup of it and start$"
        ):
            begin(flipped)
    for verb in (["status"], ["log"], ["verify"], ["recover"], ["prune"]):
        told = run(*verb)
        assert (told.exit_code, told.stdout) == (2, ""), verb
        assert told.stderr.startswith("the ledger is damaged"), verb
    told = run("backup", tmp_path / "copy.db")
    assert (told.exit_code, (tmp_path / "copy.db").exists()) == (1, False)


def test_a_service_that_meets_damage_takes_nothing_any_more(context: Context) -> None:
    ready = deliver(context, "1")
    context.ledger.close()
    with closing(apsw.Connection(str(context.ledger.path))) as connection:
        connection.execute("INSERT INTO deliveries SELECT * FROM deliveries WHERE 0")
        connection.pragma("wal_checkpoint(truncate)")
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'times'").get
    flip(context.ledger.path, range(root - 1, root))
    again = Ledger(context.settings.ledger)
    with pytest.raises(schema.Damaged):
        again.search()
    with pytest.raises(schema.Damaged):  # that page is whole, and yet
        again.find(ready.id)
    with pytest.raises(schema.Damaged):
        again.require_in_place()


def test_a_look_at_a_large_ledger_ends_in_time(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "LOOK", -1.0)
    monkeypatch.setattr(schema, "STEPS_BETWEEN", 1)
    context.ledger.require_sound()
    assert re.match("ready", run("status").stdout)
