"""The page on sample cases says what is so: its commands are run."""

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from receiver import cli

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "samples.md").read_text("utf-8")
COMMANDS = re.findall(r"^    receiver (.+)$", PAGE, re.MULTILINE)


@pytest.fixture
def site(tmp_path):
    for folder in ("mappings", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.startswith("capture")])
def test_its_commands_run(site, command):
    told = CliRunner().invoke(cli.main, command.split(), env={"RECEIVER_SITE": str(site)}, catch_exceptions=False)
    assert told.exit_code == 0, told.output


def test_the_case_that_it_shows_is_there():
    for name in re.findall(r"^ +([\w.-]+\.\w+) ", PAGE, re.MULTILINE):
        assert list((ROOT / "mappings").glob(f"referrals/samples/**/{name}")), name


def test_it_names_every_option():
    for verb in ("test", "capture"):
        options = [each for option in cli.main.get_command(None, verb).params for each in option.opts]
        for option in options:
            assert not option.startswith("--") or option in PAGE
