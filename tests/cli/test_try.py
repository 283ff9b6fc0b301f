"""`receiver try`: what it shows of one delivery, once or on every save."""

import os
import select
import signal
import subprocess
import sys
import time

import pytest

from tests.support.small_site import FIELDS, SmallSite

PATIENCE = 60  # seconds on a busy machine


@pytest.fixture
def site(tmp_path):
    made = SmallSite(tmp_path / "site")
    made.sample()
    return made


def states(folder):
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def test_files_become_fields_and_records_and_nothing_is_written(site):
    before = states(site.root)
    told = site.receiver("try", "notes", site.folder / "samples" / "plain" / "metadata.json")
    assert told.exit_code == 0
    assert "name  0.90  'Ada Invented'" in told.stdout
    assert "DG1|2||I10" in told.stdout
    assert "expected" not in told.stdout
    assert states(site.root) == before


def test_a_line_that_would_fill_the_screen_is_cut_unless_all_of_it_is_asked_for(site):
    template = next(site.folder.glob("*.hl7.j2"))
    template.write_text(template.read_text() + "ZZZ|" + "x" * 3_000 + "\n")
    shown = site.receiver("try", "notes", "plain").stdout
    assert "x" * 600 not in shown
    assert "… (3004 characters: --whole)" in shown
    assert "x" * 3_000 in site.receiver("try", "notes", "plain", "--whole").stdout


def test_a_refused_delivery_is_shown_with_every_violation(site):
    site.sample(fields={"name": "Ada", "mrn": "12", "gender": "x"})
    told = site.receiver("try", "notes", site.folder / "samples" / "plain" / "metadata.json")
    assert told.exit_code == 1
    assert "refused: fields-invalid" in told.stdout
    assert "fields/mrn" in told.stdout
    assert "fields/gender" in told.stdout


def test_a_held_delivery_is_shown_as_held(site):
    site.sample(confidence=0.1)
    told = site.receiver("try", "notes", site.folder / "samples" / "plain" / "metadata.json")
    assert told.exit_code == 1
    assert "held: confidence-low" in told.stdout


@pytest.mark.parametrize("how", ["folder", "name"])
def test_a_sample_case_is_compared_with_what_it_must_become(site, how):
    case = site.folder / "samples" / "plain" if how == "folder" else "plain"
    new = site.receiver("try", "notes", case)
    assert (new.exit_code, "nothing is expected yet" in new.stdout) == (0, True)
    site.receiver("test", "--update")
    same = site.receiver("try", "notes", case)
    assert (same.exit_code, same.stdout.splitlines()[-1]) == (0, "as expected")
    site.change("hl7", "CLINIC^MR", "CLINIC^PI")
    other = site.receiver("try", "notes", case)
    assert other.exit_code == 1
    assert other.stdout.splitlines()[-2] == "not as expected"
    assert 'PID-3.5: expected "MR", got "PI"' in other.stdout.splitlines()[-1]


def test_a_sample_that_must_be_refused_is_fine(site):
    site.sample(fields={"name": "Ada", "mrn": "12"})
    assert site.receiver("try", "notes", "plain").exit_code == 1
    site.receiver("test", "--update")
    assert site.receiver("try", "notes", "plain").exit_code == 0


def test_every_file_of_a_case_may_be_named_by_the_shell(site):
    site.receiver("test", "--update")
    named = sorted((site.folder / "samples" / "plain").iterdir())
    assert len(named) == 2
    assert site.receiver("try", "notes", *named).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["notes"], "give the files"),
        (["notes", "nowhere.json"], "there is no file nowhere.json"),
        (["note", "plain"], 'did you mean "notes"?'),
    ],
)
def test_misuse(site, arguments, told):
    answer = site.receiver("try", *arguments)
    assert answer.exit_code == 2
    assert told in answer.stderr


class Watching:
    """`receiver try --watch` in a process of its own."""

    def __init__(self, site, *arguments):
        command = [sys.executable, "-u", "-m", "receiver.cli", "try", "notes", *map(str, arguments), "--watch"]
        environment = os.environ | {"RECEIVER_SITE": str(site.root)}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.shown = ""

    def wait_for(self, text):
        """Read on until the text is shown, and return what was shown since the last time."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                piece = os.read(self.process.stdout.fileno(), 65536)
                assert piece, self.shown
                self.shown += piece.decode()
        before, _, self.shown = self.shown.partition(text)
        return before

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        return self.process.returncode


@pytest.fixture
def watch(site):
    started = []

    def start(*arguments):
        started.append(Watching(site, *arguments))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
            each.process.stdout.close()


AGAIN = "again on every save"


def test_every_save_is_shown_until_ctrl_c(site, watch):
    site.receiver("test", "--update")
    watching = watch("plain")
    assert "as expected" in watching.wait_for(AGAIN)
    site.change("hl7", "CLINIC^MR", "CLINIC^PI")
    assert "not as expected" in watching.wait_for(AGAIN)
    site.change("hl7", "CLINIC^PI", "CLINIC^MR | nothing }}")
    site.template("hl7", "{{ fields.name | nothing }}")
    assert "mappings/notes/note.hl7.j2:1" in watching.wait_for("unknown-filter")
    watching.wait_for(AGAIN)
    (site.root / "schemas" / "metadata.schema.json").write_text('{"required": ["unheardOf"]}')
    site.template("hl7", "MSH|^~\\&|A")
    watching.wait_for("unheardOf")
    assert watching.end() == 0


def test_files_that_lie_elsewhere_are_watched_too(site, watch, tmp_path):
    elsewhere = tmp_path / "metadata.json"
    elsewhere.write_bytes((site.folder / "samples" / "plain" / "metadata.json").read_bytes())
    watching = watch(elsewhere)
    assert "Ada Invented" in watching.wait_for(AGAIN)
    site.sample("other", FIELDS | {"name": "Eva Invented"})
    watching.wait_for(AGAIN)
    elsewhere.write_bytes((site.folder / "samples" / "other" / "metadata.json").read_bytes())
    watching.wait_for("Eva Invented")
    assert watching.end() == 0
