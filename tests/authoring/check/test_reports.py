"""How findings are written: for people, for programs, for code scanning, for a pull request."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from receiver import cli
from receiver.authoring.check import findings
from receiver.authoring.check.findings import Findings
from receiver.core.faults import Fault, Severity
from tests.authoring.check.corpus_of_faults import CASES, ENVIRONMENT, SOUND, patched

CASE = {case.name: case for case in CASES}
FAULTS = [
    Fault("mappings/a/process.toml", 3, 7, "unknown-key", "unknown key titel", 'did you mean "title"?'),
    Fault("mappings/a/x, y.j2", 1, 1, "unused-template", "100% unused:\nreally", "", Severity.INFO),
    Fault("schemas/ü.json", 2, 2, "unknown-format", "not checked", "", Severity.WARNING),
]


@pytest.fixture
def site(tmp_path):
    """Return what puts a faulty site in place."""
    return lambda case: patched(CASE[case], tmp_path / "site")


def check(site, *arguments):
    variables = {"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(site / "var"), **ENVIRONMENT}
    return CliRunner().invoke(cli.main, ["check", *arguments], env=variables, catch_exceptions=False)


def test_a_sound_site_ends_with_0_in_every_format():
    assert check(SOUND).stdout == "2 processes: no fault; receiver test tells what the samples become\n"
    assert check(SOUND, "--strict").exit_code == 0
    assert json.loads(check(SOUND, "--format", "json").stdout) == []
    assert json.loads(check(SOUND, "--format", "sarif").stdout)["runs"][0]["results"] == []
    assert check(SOUND, "--format", "github").stdout == "2 processes: no fault\n"


def test_an_error_is_a_finding(site):
    told = check(site("config-unknown-key"))
    assert told.exit_code == 1
    line, summary = told.stdout.splitlines()
    assert line.startswith("mappings/referrals/process.toml:41:1: unknown-key unknown key on_invald in [delivery] (")
    assert summary == "2 processes: 1 error"


def test_a_warning_is_a_finding_only_when_it_is_strict(site):
    faulty = site("field-without-a-guard")
    told = check(faulty)
    assert told.exit_code == 0
    assert told.stdout.splitlines()[0].endswith(" [warning]")
    assert check(faulty, "--strict").exit_code == 1


def test_what_is_only_worth_a_look_never_counts(site):
    told = check(site("table-no-longer-used"), "--strict")
    assert told.stdout.splitlines()[0].endswith(" [info]")
    assert told.exit_code == 0


def test_a_process_is_not_told_of_the_unread_fields_of_another(site):
    faulty = site("field-no-longer-read")
    assert "unread-field" in check(faulty).stdout
    assert "unread-field" in check(faulty, "lab-reports").stdout
    assert check(faulty, "referrals").stdout.startswith("1 process: no fault")


def test_a_process_is_checked_by_itself(site):
    faulty = site("table-row-too-short")
    assert check(faulty, "lab-reports").stdout == "1 process: no fault; receiver test tells what the samples become\n"
    assert "bad-table" in check(faulty, "referrals").stdout


def test_a_process_that_is_not_there_is_misuse():
    told = check(SOUND, "refferals")
    assert told.exit_code == 2
    assert 'no such process: refferals (did you mean "referrals"?)' in told.stderr


def test_json_has_every_finding_whole(site):
    told = json.loads(check(site("field-without-a-guard"), "--format", "json").stdout)
    assert [(each["code"], each["severity"], each["line"]) for each in told] == [("unguarded-field", "warning", 5)]
    assert set(told[0]) == {"file", "line", "column", "code", "message", "hint", "severity"}


def test_a_terminal_is_told_in_colour():
    coloured = findings.for_people(Findings(FAULTS, 1, Path()))
    assert "\x1b[31munknown-key\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured).splitlines()[0] == str(FAULTS[0])
    assert coloured.splitlines()[-1] == "1 process: 1 error, 1 warning, 1 info"


def test_workflow_commands_are_escaped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = findings.for_github(Findings(FAULTS, 1, Path("my site"))).splitlines()
    assert lines[0] == (
        "::error file=my site/mappings/a/process.toml,line=3,col=7,"
        "title=unknown-key%3A There is no such key%2C or not in this section"
        '::unknown key titel (did you mean "title"?)'
    )
    assert lines[1] == (
        "::notice file=my site/mappings/a/x%2C y.j2,line=1,col=1,title=unused-template%3A A template that nobody uses"
        "::100%25 unused:%0Areally"
    )
    assert lines[2].startswith("::warning file=my site/schemas/ü.json,line=2,col=2,")
    assert lines[3] == "1 process: 1 error, 1 warning, 1 info"


def test_sarif_has_the_essentials_of_its_schema(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = json.loads(findings.report(Findings(FAULTS, 1, Path("my site"))))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("/sarif-schema-2.1.0.json")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "receiver"
    rules = driver["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["shortDescription"]["text"].endswith(".") for rule in rules)
    for result in run["results"]:
        assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}  # SARIF 2.1.0 §3.27.10
        assert result["message"]["text"]
        [location] = result["locations"]
        region = location["physicalLocation"]["region"]
        assert all(isinstance(region[key], int) and region[key] >= 1 for key in ("startLine", "startColumn"))
    uris = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]]
    assert uris == [
        "my%20site/mappings/a/process.toml",
        "my%20site/mappings/a/x%2C%20y.j2",
        "my%20site/schemas/%C3%BC.json",
    ]


def test_a_site_elsewhere_is_named_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    findings = Findings(FAULTS, 1, Path("/elsewhere"))
    assert findings.file(FAULTS[0]) == "/elsewhere/mappings/a/process.toml"
    assert findings.uri(FAULTS[2]) == "file:///elsewhere/schemas/%C3%BC.json"


@pytest.mark.parametrize(
    "case", ["config-unknown-key", "config-unknown-choice", "field-misspelt-in-hl7", "path-misspelt"]
)
def test_sarif_carries_the_edit_that_mends_a_misspelling(site, case):
    faulty = site(case)
    results = json.loads(check(faulty, "--format", "sarif").stdout)["runs"][0]["results"]
    [result] = [each for each in results if "fixes" in each]
    [change] = result["fixes"][0]["artifactChanges"]
    [replacement] = change["replacements"]
    region, file = replacement["deletedRegion"], faulty / Path(change["artifactLocation"]["uri"].partition("site/")[2])
    lines = file.read_text().split("\n")
    line = lines[region["startLine"] - 1]
    text = replacement["insertedContent"]["text"]
    lines[region["startLine"] - 1] = line[: region["startColumn"] - 1] + text + line[region["endColumn"] - 1 :]
    file.write_text("\n".join(lines))
    assert json.loads(check(faulty, "--format", "sarif").stdout)["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("line", "column", "message", "hint", "mended"),
    [
        (
            "title = \u201cReferrals\u201d",
            9,
            "\u201c is no quote of TOML",
            'write straight quotes: "…"',
            'title = "Referrals"',
        ),
        ("{% if a = 1 %}", 9, "got '='", "write == to compare", "{% if a == 1 %}"),
        ("{% if a === 1 %}", 11, "unexpected '='", "write == to compare", None),
        ("{% if a && b %}", 9, "unexpected char '&'", "write `and`", "{% if a and b %}"),
        (
            "many = True",
            8,
            "True is no value of TOML",
            "write true, in small letters and without quotes",
            "many = true",
        ),
        ("group = 500  # lab", 9, "must be text in quotes", "put it in quotes", 'group = "500"  # lab'),
        ('minimum = "0.8"', 11, "must be a number", "write the number without quotes", "minimum = 0.8"),
        ('tokens = "env:A"', 10, "must be a list", 'write ["…"], also for a single one', 'tokens = ["env:A"]'),
        ('{"type": "text"}', 10, "'text' is not one of", 'write "string"', '{"type": "string"}'),
        ('{"regex": "a"}', 2, '"regex" is no keyword', 'write "pattern"', '{"pattern": "a"}'),
        ('date("MM/DD")', 1, '"MM/DD" is not a date format', 'did you mean "%m/%d"?', 'date("%m/%d")'),
        ('format = "HL7"', 10, 'format is "HL7"', 'did you mean "hl7"?', 'format = "hl7"'),
        ('format = "HL7"', 10, "another fault", "see the docs", None),
    ],
)
def test_a_hint_that_is_one_edit_becomes_one(tmp_path, line, column, message, hint, mended):
    (tmp_path / "file").write_text(line)
    found = findings.edit(tmp_path, Fault("file", 1, column, "wrong-value", message, hint))
    assert (found and line[: found.start - 1] + found.text + line[found.end - 1 :]) == mended


def test_a_fault_without_a_word_that_was_meant_has_no_fix(site):
    results = json.loads(check(site("field-without-a-guard"), "--format", "sarif").stdout)["runs"][0]["results"]
    assert results
    assert not any("fixes" in each for each in results)
