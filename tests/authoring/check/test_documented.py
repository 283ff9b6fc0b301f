"""Every code that a fault can have is documented, and every documented one exists."""

import re

import pytest

from receiver.authoring.check.codes import CODES
from tests.authoring.check.codes_in_source import ROOT, codes
from tests.authoring.check.corpus_of_faults import CASES, faults_of, patched

TEXT = (ROOT / "docs" / "checks.md").read_text()
SECTION = re.compile(r"^### (\S+)\n\*\*(.+?)\.\*\* \(([^)]+)\) (.+?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = {code: (title, severity, text) for code, title, severity, text in SECTION.findall(TEXT)}


def test_the_source_and_the_list_have_the_same_codes():
    places, listed = codes(), set(CODES)
    untold = {code: place for code, place in places.items() if code not in listed}
    assert not untold, "give each a line in receiver/authoring/check/codes.py and a section in docs/checks.md"
    assert listed <= places.keys(), "no fault has these codes any more"


def test_every_code_has_a_section_with_the_title_of_the_list():
    assert {code: title for code, (title, _, _) in SECTIONS.items()} == CODES
    assert len(re.findall(r"^### ", TEXT, re.MULTILINE)) == len(SECTIONS)


@pytest.mark.parametrize("code", CODES)
def test_a_section_shows_wrong_and_right(code):
    _, severity, text = SECTIONS[code]
    assert severity.split(";")[0] in {"error", "warning", "info"}
    assert text.index("\n    wrong ") < text.index("\n    right ")


def test_faults_have_the_severity_that_is_documented(tmp_path):
    faults = [fault for case in CASES[::5] for fault in faults_of(patched(case, tmp_path / case.name))]
    assert len({fault.code for fault in faults}) > len(CASES) / 10
    assert [fault for fault in faults if fault.severity not in SECTIONS[fault.code][1]] == []
