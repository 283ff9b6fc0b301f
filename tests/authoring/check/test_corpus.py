"""Every fault of the corpus is found offline, with its file and line, and nothing else is."""

import pytest

from tests.authoring.check.corpus_of_faults import CASES, EXPECTED, SOUND, faults_of, patched, told


def test_the_sound_site_has_no_fault():
    assert faults_of(SOUND) == []


def test_the_corpus_holds_enough_faults_of_every_kind():
    rooms = {case.name.partition("-")[0] for case in CASES}
    assert {"config", "template", "escape", "schema", "xsd", "field", "path", "table", "sample", "parts"} <= rooms
    assert {"route", "token", "output", "file", "encoding"} <= rooms
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_is_found_at_its_line_and_nothing_else_is(case, tmp_path):
    found = told(faults_of(patched(case, tmp_path / "site")))
    assert sorted(found) == sorted((case / EXPECTED).read_text().splitlines())
