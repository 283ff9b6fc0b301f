"""A sample case may be a correction: what was accepted before it stands beside its files."""

import json

import pytest

from tests.support.small_site import SmallSite

SEEN = "{% if delivery.previous %}replaces {{ delivery.previous.id }}, {{ delivery.version }}{% else %}first{% endif %}"


@pytest.fixture
def site(tmp_path):
    made = SmallSite(tmp_path / "site")
    made.change("txt", "{{ fields.name }}", SEEN)
    made.sample()
    made.sample("corrected")
    return made


def previous(site, text):
    (site.folder / "samples" / "corrected" / "previous.json").write_text(text)


def texts(site):
    return {path.parents[1].name: path.read_text().split("\n")[0] for path in site.folder.rglob("expected/*.txt")}


@pytest.mark.parametrize(
    ("told", "seen"),
    [({}, "replaces AAAAAAAAAAAAAAAAAAAA, 2"), ({"id": "BEFORE", "version": 3}, "replaces BEFORE, 4")],
)
def test_a_case_is_rendered_as_a_correction(site, told, seen):
    previous(site, json.dumps(told))
    assert "2 cases: 2 written" in site.receiver("test", "--update").stdout
    assert texts(site) == {"plain": "first", "corrected": seen}
    assert "note.txt.j2" in site.receiver("test", "--coverage").stdout
    assert "never true" not in site.receiver("test", "--coverage").stdout.partition("note.txt.j2")[2].split("\n")[1]
    assert "as expected" in site.receiver("try", "notes", "corrected").stdout


@pytest.mark.parametrize("text", ["no JSON", "[1]", '{"version": "two"}', '{"receivedAt": "yesterday"}'])
def test_what_does_not_tell_of_a_version_is_an_error_of_the_case(site, text):
    previous(site, text)
    told = site.receiver("test")
    assert told.exit_code == 1
    assert "error    notes/corrected" in told.stdout
    assert "previous.json must be" in told.stdout


def test_a_process_may_have_a_part_of_that_name(site):
    toml = site.folder / "process.toml"
    named = toml.read_text().replace("[output]", '[output]\ndocuments = "part-{{ delivery.id }}{{ document.suffix }}"')
    toml.write_text(named + '[parts.previous]\nrole = "attachment"\nrequired = false\n')
    previous(site, "no JSON")
    assert "2 cases: 2 written" in site.receiver("test", "--update").stdout
    assert texts(site)["corrected"] == "first"
