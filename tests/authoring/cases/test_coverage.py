"""What no sample case tries is told: lines, conditions, fields."""

import pytest

from receiver.authoring.cases.cases import Case, incoming, processes
from receiver.authoring.cases.coverage import of_fields, of_templates, percent, traced
from receiver.authoring.cases.outcome import run

FIELDS = {"name": "Ada Invented", "mrn": "00071234", "code": ["R06.09", "I10"]}
XML = "mappings/notes/note.xml.j2"


@pytest.fixture
def covered(site):
    """Run every case of the site with a trace; return coverage by file and the outcomes."""

    def cover(*cases):
        process, trace = traced(site.case().process)
        outcomes = [run(process, incoming(Case(process, site.folder / "samples" / case), 10**6)) for case in cases]
        return {each.file: each for each in of_templates(trace)}, outcomes

    return cover


def test_without_a_case_nothing_is_tried(site, covered):
    files, _ = covered()
    assert percent(files.values()) == 0
    assert set(files) == {f"mappings/notes/note.{name}.j2" for name in ("csv", "hl7", "json", "txt", "xml")}


def test_lines_and_conditions_are_told_where_they_stand(site, covered):
    site.sample()
    files, _ = covered("plain")
    xml = files[XML]
    assert xml.lines == (4,)
    assert [(place.line, way) for place, way in xml.never] == [(3, True)]
    assert (xml.tried, xml.total) == (6, 8)


def test_cases_add_up(site, covered):
    site.sample()
    site.sample("woman", FIELDS | {"gender": "female"})
    site.sample("without", {"name": "Ada", "mrn": "123456"})
    files, _ = covered("plain", "woman", "without")
    assert percent(files.values()) == 100
    assert all(each.percent == 100 for each in files.values())


def test_a_refused_case_tries_no_template(site, covered):
    site.sample(fields={"name": "Ada", "mrn": "12"})
    files, _ = covered("plain")
    assert percent(files.values()) == 0


def test_fields_that_nobody_reads_or_carries_are_told(site, covered):
    site.sample()
    _, outcomes = covered("plain")
    process = processes(site.settings())["notes"]
    fields = of_fields(process, ["name", "mrn", "gender", "code", "fax"], outcomes)
    assert fields.unread == ("fax",)
    assert fields.uncarried == ("gender", "fax")


def test_the_outcome_is_the_same_with_a_trace(site):
    site.sample()
    process, _ = traced(site.case().process)
    assert run(process, incoming(site.case(), 10**6)).rendered.records == site.outcome().rendered.records
