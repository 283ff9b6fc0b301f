"""The data folder of each past release is started, and gone on with, by the program of today."""

import json
import re
import shutil
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from receiver import cli
from receiver.app import create_app
from receiver.core.problems import Problem
from tests.releases.make import body, send, settings_at

RELEASES = sorted(path.parent for path in Path(__file__).parent.glob("*/data"))


@pytest.fixture(params=RELEASES, ids=lambda path: path.name)
def root(request, tmp_path):
    shutil.copytree(request.param, tmp_path / "receiver")
    return tmp_path / "receiver"


@pytest.fixture
def receiver(root):
    """Call the command line on the folder."""
    environment = {"RECEIVER_SITE": str(root / "site"), "RECEIVER_DATA": str(root / "data")}
    return lambda *verb: CliRunner().invoke(cli.main, verb, env=environment, catch_exceptions=False)


def started(root: Path) -> None:
    create_app(settings_at(root)).test_client()


def ids(root: Path) -> dict[str, str]:
    told = json.loads
    lines = CliRunner().invoke(cli.main, ["log", "--json"], env={"RECEIVER_DATA": str(root / "data")}).stdout
    return {entry["sourceId"]: entry["id"] for entry in map(told, lines.splitlines())}


def test_there_is_one_at_least():
    assert RELEASES


def test_a_delivery_of_then_is_known_today(root):
    started(root)
    assert send(settings_at(root), body("published"), body("new")) == [200, 200]
    written = {path.name for path in settings_at(root).output.rglob("*.txt")}
    assert len(written) == 1
    assert f"{ids(root)['published']}.txt" not in written


def test_what_was_kept_then_is_judged_today(root, receiver):
    started(root)
    held, refused = ids(root)["held"], ids(root)["refused"]
    told = receiver("replay", held, "--accept-confidence")
    assert (told.exit_code, told.stdout) == (0, f"{held}  published  version 1, 2 files\n")
    told = receiver("replay", refused)
    assert told.stdout.startswith(f"{refused}  refused  fields-invalid\n")
    schema = root / "site" / "schemas" / "fields.schema.json"
    schema.write_text("{}")
    assert receiver("replay", refused).exit_code == 0


def test_originals_of_then_are_compared_and_capture_reads_both(root, receiver):
    started(root)
    assert (
        "different" in receiver("replay", "--dry-run", ids(root)["published"]).stdout
    )  # its output lies elsewhere now
    for source_id in ("published", "held"):
        told = receiver("capture", ids(root)[source_id], "--as", source_id, "--real")
        assert told.exit_code == 0, told.output


def test_the_trail_of_then_is_shown(root, receiver):
    started(root)
    assert receiver("status").exit_code == 0
    assert set(ids(root)) == {"published", "held", "refused"}
    assert receiver("show", ids(root)["published"]).exit_code == 0
    assert receiver("verify").exit_code == 0


def rewritten(path: Path, **changed: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_what_a_newer_program_kept_is_refused_in_words(root, receiver):
    started(root)
    held = ids(root)["held"]
    rewritten(root / "data" / "quarantine" / "faxes" / held / "problem.json", dataVersion=99)
    told = receiver("replay", held)
    assert told.exit_code == 1
    assert "was written by a newer program (version 99 of the data" in told.stdout
    assert "start the newer program that wrote it" in told.stdout


@pytest.mark.parametrize("what", ["state", "ledger"])
def test_a_folder_of_a_newer_program_is_not_started(root, what):
    if what == "state":
        rewritten(root / "data" / "configuration" / "state.json", dataVersion=99)
    else:
        apsw.Connection(str(root / "data" / "ledger.db")).pragma("user_version", 99)
    with pytest.raises(Problem, match="start the newer program that wrote it"):
        started(root)


def test_a_file_of_before_there_were_versions_is_read(root, receiver):
    started(root)
    held = ids(root)["held"]
    path = root / "data" / "quarantine" / "faxes" / held / "problem.json"
    path.write_text(re.sub(r'"dataVersion": \d+,', "", path.read_text()))
    assert receiver("replay", held, "--accept-confidence").exit_code == 0
