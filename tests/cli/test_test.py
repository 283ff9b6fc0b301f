"""`receiver test`: what it prints, what it writes, how it ends."""

import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.support.small_site import FIELDS, SmallSite


@pytest.fixture
def site(tmp_path):
    made = SmallSite(tmp_path / "site")
    made.sample()
    made.sample("refused", {"name": "Ada", "mrn": "12"})
    return made


@pytest.fixture
def proven(site):
    assert site.receiver("test", "--update").exit_code == 0
    return site


def states(folder):
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def test_new_cases_are_findings_until_they_are_written(site):
    told = site.receiver("test")
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        "new      notes/plain  it has no expected/ yet: --update writes what it becomes",
        "new      notes/refused  it has no expected/ yet: --update writes what it becomes",
        "2 cases: 2 new",
    ]
    written = site.receiver("test", "--update")
    assert written.exit_code == 0
    assert written.stdout.splitlines()[-1] == "2 cases: 2 written"
    again = site.receiver("test")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "2 cases: 2 ok")


def test_an_update_without_a_change_touches_nothing(proven):
    before = states(proven.root)
    assert proven.receiver("test", "--update").exit_code == 0
    assert states(proven.root) == before


def test_a_test_writes_nothing(site):
    before = states(site.root)
    site.receiver("test")
    assert states(site.root) == before


def test_a_change_is_a_finding_told_in_the_terms_of_the_format(proven):
    proven.change("hl7", "CLINIC^MR", "CLINIC^PI")
    told = proven.receiver("test")
    assert told.exit_code == 1
    assert 'PID-3.5: expected "MR", got "PI"' in told.stdout
    assert told.stdout.splitlines()[-1] == "2 cases: 1 changed, 1 ok"


def test_an_update_writes_the_change_and_nothing_else(proven):
    before = states(proven.folder / "samples")
    proven.change("hl7", "CLINIC^MR", "CLINIC^PI")
    proven.receiver("test", "--update")
    after = states(proven.folder / "samples")
    assert [path.suffix for path in after if after[path] != before[path]] == [".hl7"]
    assert proven.receiver("test").exit_code == 0


def test_one_case_alone(proven):
    proven.change("hl7", "CLINIC^MR", "CLINIC^PI")
    assert proven.receiver("test", "--case", "refused").exit_code == 0
    assert proven.receiver("test", "notes", "--case", "plain").exit_code == 1


def test_no_token_is_needed(proven):
    assert "NOBODY_SETS_THIS_TOKEN" not in os.environ
    assert proven.receiver("test").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(["note"], 'did you mean "notes"?'), (["--case", "plane"], 'did you mean "plain"?')],
)
def test_what_is_not_there_is_misuse(proven, arguments, hint):
    told = proven.receiver("test", *arguments)
    assert told.exit_code == 2
    assert hint in told.stderr


def test_a_faulty_process_is_told_with_its_places(proven):
    proven.change("txt", "fields.mrn", "fields.mrn | nothing")
    told = proven.receiver("test")
    assert told.exit_code == 2
    assert told.stderr.startswith("mappings/notes/note.txt.j2:2:")


def test_a_request_that_is_none_is_an_error_and_no_update_settles_it(proven):
    folder = proven.folder / "samples" / "broken"
    folder.mkdir()
    (folder / "request.http").write_bytes(b"not a request")
    for arguments in (["test"], ["test", "--update"]):
        told = proven.receiver(*arguments)
        assert told.exit_code == 1
        assert "error    notes/broken" in told.stdout
    assert not (folder / "expected").exists()


def test_a_captured_request_is_a_case(proven):
    body = (proven.folder / "samples" / "plain" / "metadata.json").read_bytes()
    head = b'--b\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n'
    content = head + body + b"\r\n--b--\r\n"
    folder = proven.folder / "samples" / "request"
    folder.mkdir()
    lines = (
        f"POST /x HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    (folder / "request.http").write_bytes(lines.encode() + content)
    proven.receiver("test", "--update")
    same = proven.folder / "samples" / "plain" / "expected"
    assert {p.name: p.read_bytes() for p in (folder / "expected").iterdir()} == {
        p.name: p.read_bytes() for p in same.iterdir()
    }


def test_junit_tells_every_case(site, tmp_path):
    site.receiver("test", "--update", "--case", "refused")
    site.change("xml", "<unknown/>", "<unknown>&#10;</unknown>")
    report = tmp_path / "report.xml"
    assert site.receiver("test", "--junit", report).exit_code == 1
    suites = ElementTree.parse(report).getroot()
    assert suites.tag == "testsuites"
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("2", "1", "0")
    (suite,) = suites
    assert suite.get("name") == "notes"
    assert [(case.get("classname"), case.get("name")) for case in suite] == [("notes", "plain"), ("notes", "refused")]
    assert [child.tag for child in suite[0]] == ["failure"]
    assert suite[0][0].get("type") == "new"
    assert list(suite[1]) == []
    assert float(suite[0].get("time")) > 0


def test_junit_carries_differences_that_xml_cannot(proven, tmp_path):
    (record,) = (proven.folder / "samples" / "plain" / "expected").glob("*.txt")
    record.write_text("bell \a rings")
    report = tmp_path / "report.xml"
    assert proven.receiver("test", "--junit", report).exit_code == 1
    assert "bell \N{REPLACEMENT CHARACTER} rings" in ElementTree.parse(report).getroot()[0][0][0].text


def test_one_process_is_tested_within_a_second(proven):
    took = []
    for _ in range(3):
        before = os.times()
        arguments = [sys.executable, "-m", "receiver.cli", "test", "notes"]
        subprocess.run(arguments, env=os.environ | {"RECEIVER_SITE": str(proven.root)}, check=True)
        after = os.times()
        took.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(took) < 2  # seconds of the processor: 0.6 on a quiet machine, and this one may be busy


def test_coverage_is_told_by_line_condition_and_field(proven):
    schema = proven.root / "schemas" / "fields.schema.json"
    schema.write_text(schema.read_text().replace('"gender":', '"fax": {}, "gender":'))
    told = proven.receiver("test", "--coverage")
    assert told.exit_code == 0
    lines = told.stdout.splitlines()
    at = lines.index(" 75%  mappings/notes/note.xml.j2")
    assert lines[at + 1 : at + 3] == ["      never rendered: 4", "      never true: 3:9"]
    assert "      fields of notes that no template reads: fax" in lines
    assert "      fields of notes that no sample carries: fax, gender" in lines
    assert lines[-1].endswith("% of the lines and conditions of all templates were tried")


def test_coverage_below_what_is_asked_for_is_a_finding(proven):
    assert proven.receiver("test", "--fail-under", "50").exit_code == 0
    assert proven.receiver("test", "--fail-under", "100").exit_code == 1
    proven.sample("woman", FIELDS | {"gender": "female"})
    proven.sample("without", {"name": "Ada", "mrn": "123456"})
    told = proven.receiver("test", "--update", "--fail-under", "100")
    assert told.exit_code == 0
    assert "100% of the lines" in told.stdout


def test_an_update_writes_no_refusal_over_what_was_published_unless_that_is_said(proven):
    proven.change("hl7", "fields.mrn", "fields.mrnn")
    before = states(proven.folder / "samples")
    told = proven.receiver("test", "--update")
    assert told.exit_code == 1
    assert "receiver test --update --accept-refusals plain" in told.stdout
    assert told.stdout.splitlines()[-1] == "2 cases: 1 changed, 1 ok"
    assert states(proven.folder / "samples") == before
    said = proven.receiver("test", "--update", "--accept-refusals", "plain")
    assert said.exit_code == 0
    assert [path.name for path in (proven.folder / "samples/plain/expected").iterdir()] == ["problem.json"]


def test_a_refusal_is_accepted_of_a_case_that_is_there_and_with_an_update(proven):
    assert proven.receiver("test", "--update", "--accept-refusals", "plane").exit_code == 2
    assert proven.receiver("test", "--accept-refusals", "plain").exit_code == 2
