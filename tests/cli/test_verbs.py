"""The command line: its verbs, their exits, and how fast it answers."""

import json
import os
import resource
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from receiver import cli
from receiver.core.faults import ConfigurationError, Fault

SITE_WITH_A_TOKEN = """
[auth]
tokens = ["env:RECEIVER_LAB_TOKEN"]
[parts.metadata]
role = "metadata"
[metadata]
schema = "metadata.schema.json"
"""


def run(*arguments, **environ):
    return CliRunner().invoke(cli.main, arguments, env={"COLUMNS": "120", **environ}, catch_exceptions=False)


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_helps_in_the_same_words_as_the_list_of_verbs(verb):
    loaded = cli.main.get_command(click.Context(cli.main), verb)
    told = run(verb, "--help")
    assert told.exit_code == 0
    assert loaded is not None
    assert loaded.help
    assert cli.VERBS[verb][1].endswith(".")


def test_help_lists_every_verb():
    told = run("--help")
    assert told.exit_code == 0
    assert all(f"  {verb} " in told.stdout for verb in cli.VERBS)


def test_help_loads_no_verb():
    script = "import sys; from receiver.cli import main\ntry: main(['--help'])\nfinally: print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(told.stdout.splitlines()[-1].split())
    assert "receiver.cli" in loaded
    assert not {
        name for name in loaded if name.startswith(("receiver.cli.", "receiver.site.config", "jinja2", "flask"))
    }


@pytest.mark.parametrize("arguments", [["--help"], ["schema"], ["settings"]])
def test_it_answers_at_once(arguments):
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "receiver.cli", *arguments], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.5  # seconds of processor time, so that others who use it do not count: 0.1 as a rule


def test_the_version_is_told():
    assert run("--version").stdout.startswith("receiver ")


def test_a_wrong_verb_is_misuse_and_the_right_one_is_named():
    told = run("setings")
    assert told.exit_code == 2
    assert "settings" in told.stderr


def test_no_verb_is_misuse():
    told = run()
    assert told.exit_code == 2
    assert "Verbs:" in told.stderr


def test_a_verb_that_meets_a_faulty_configuration_tells_its_faults(monkeypatch):
    def command():
        raise ConfigurationError([Fault("a.toml", 3, 1, "unknown-key", "unknown key titel", 'did you mean "title"?')])

    faulty = click.Command("faulty", callback=command)
    monkeypatch.setattr(cli.Verbs, "get_command", lambda *_: faulty)
    told = run("faulty")
    assert told.exit_code == 2
    assert told.stderr == 'a.toml:3:1: unknown-key unknown key titel (did you mean "title"?)\n'


def test_the_schema_is_printed():
    told = run("schema")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["title"].startswith("process.toml")


def test_the_settings_are_shown_with_their_values_and_meanings():
    told = run("settings", RECEIVER_MAX_BODY="1 GB")
    assert told.exit_code == 0
    line = next(line for line in told.stdout.splitlines() if line.startswith("RECEIVER_MAX_BODY "))
    assert [word.strip() for word in line.split("  ") if word] == [
        "RECEIVER_MAX_BODY",
        "1 GB",
        "512 MB",
        "Largest request accepted.",
    ]
    assert max(map(len, told.stdout.splitlines())) <= 120


def test_wrong_settings_are_shown_and_told(tmp_path):
    told = run("settings", RECEIVER_SITE=str(tmp_path), RECEIVER_MAX_BODY="plenty", RECEIVER_LEDGER="x")
    assert told.exit_code == 2
    assert "plenty" in told.stdout
    assert [line.partition(":")[0] for line in told.stderr.splitlines()] == ["RECEIVER_LEDGER", "RECEIVER_MAX_BODY"]


def test_variables_that_neither_a_setting_nor_a_token_reads_are_warned_of(tmp_path):
    folder = tmp_path / "mappings" / "lab-reports"
    folder.mkdir(parents=True)
    (folder / "process.toml").write_text(SITE_WITH_A_TOKEN)
    told = run("settings", RECEIVER_SITE=str(tmp_path), RECEIVER_LAB_TOKEN="x", RECEIVER_MINFREE="1")
    assert told.exit_code == 0
    assert told.stderr == "warning: RECEIVER_MINFREE: nothing reads this variable; did you mean RECEIVER_MIN_FREE?\n"


def test_a_verb_can_see_the_settings_of_the_service(tmp_path, monkeypatch):
    for name in ("RECEIVER_DATA", "RECEIVER_MAX_BODY", "REFERRALS_TOKEN"):
        monkeypatch.setenv(name, "1 MB")  # so that what the verb sets does not outlive the test
    file = tmp_path / "environment"
    file.write_text('# of the unit\nRECEIVER_DATA="/srv/a folder"\nRECEIVER_MAX_BODY=3 MB\nREFERRALS_TOKEN=a$b\n')
    told = run("--env", str(file), "settings")
    assert "/srv/a folder" in told.output
    assert "3 MB" in told.output
    assert os.environ["REFERRALS_TOKEN"] == "a$b"


def test_an_environment_file_that_is_not_there_is_misuse(tmp_path):
    assert run("--env", str(tmp_path / "none"), "settings").exit_code == 2
