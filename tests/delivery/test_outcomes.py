"""What decides the outcome of a delivery, by tables: kept or turned away, which version, which names clash."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace as Given

import pytest

from receiver.core.delivery import Cell, Previous, Reading
from receiver.core.problems import PASSING, Code, Problem
from receiver.delivery.receive import low_confidence, next_version, previous
from receiver.delivery.render import _refuse_clashes, _same_record, _written, holds
from receiver.templates.source import Place
from tests.store.test_small_parts import ENTRY

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def process(below="hold", without_records="hold", on_invalid="hold", same="version", minimum=0.8, unknown="accept"):
    delivery = Given(without_records=without_records, on_invalid=on_invalid, same_source_id=same)
    confidence = Given(below=below, minimum=minimum, fields={"mrn": 0.95}, unknown=unknown)
    config = Given(confidence=confidence, delivery=delivery)
    return Given(config=config, metadata=Given(known=frozenset({"dob"})))


@pytest.mark.parametrize("code", set(Code) - PASSING - {Code.CONFIDENCE_LOW, Code.NO_RECORD, Code.MALWARE_FOUND})
def test_what_is_invalid_is_kept_where_the_process_says_so(code):
    assert holds(process(on_invalid="hold"), Problem(code, "")) is (code is not Code.SOURCE_ID_CONFLICT)
    assert holds(process(on_invalid="refuse"), Problem(code, "")) is False


@pytest.mark.parametrize(
    ("given", "code", "kept"),
    [
        ({"below": "hold", "on_invalid": "refuse"}, Code.CONFIDENCE_LOW, True),
        ({"below": "refuse", "on_invalid": "hold"}, Code.CONFIDENCE_LOW, False),
        ({"without_records": "hold", "on_invalid": "refuse"}, Code.NO_RECORD, True),
        ({"without_records": "refuse", "on_invalid": "hold"}, Code.NO_RECORD, False),
        ({"on_invalid": "refuse"}, Code.MALWARE_FOUND, True),
    ],
)
def test_low_confidence_no_record_and_malware_have_rules_of_their_own(given, code, kept):
    assert holds(process(**given), Problem(code, "")) is kept


@pytest.mark.parametrize("held", [True, False])
def test_a_problem_that_says_itself_whether_it_is_kept_is_believed(held):
    given = process(on_invalid="refuse" if held else "hold")
    assert holds(given, Problem(Code.RULE_BROKEN, "", held=held)) is held


READING = Reading("42", {"mrn": 1, "dob": 2, "Ada": 3}, {"mrn": 0.94, "dob": 0.8}, None)
CELLS = (Cell(("tables", "items", 0, "sku"), "sku", "items.sku", 0.5),)
CELLS += (Cell(("tables", "items", 0, "n"), "n", "items.n", None),)


@pytest.mark.parametrize(
    ("given", "reading", "low"),
    [
        ({}, READING, ["fields/mrn"]),
        ({"below": "refuse"}, READING, ["fields/mrn"]),
        ({"below": "publish"}, READING, None),
        ({"unknown": "low"}, READING, ["fields/mrn", "fields/(field 3)"]),
        ({"minimum": 0.81}, READING, ["fields/mrn", "fields/dob"]),
        ({}, replace(READING, confidence={"mrn": 0.95}), None),
        ({}, replace(READING, confidence={}, cells=CELLS), ["tables/items/0/sku"]),
        ({"minimum": 0.5}, replace(READING, confidence={}, cells=CELLS), None),
        (
            {"minimum": 0.5, "unknown": "low"},
            replace(READING, fields={}, confidence={}, cells=CELLS),
            ["tables/items/0/n"],
        ),
    ],
)
def test_a_confidence_is_low_below_its_minimum(given, reading, low):
    found = low_confidence(process(**given), reading)
    assert (found and [each.where for each in found.violations]) == low
    assert found is None or found.code is Code.CONFIDENCE_LOW


def test_a_version_follows_the_one_that_was_accepted_before():
    before = Previous(ENTRY.id, 3, ENTRY.received_at)
    assert next_version(process(), ENTRY) == (4, before)
    assert next_version(process(same="refuse"), None) == (1, None)
    assert next_version(process(same="refuse"), replace(ENTRY, version=None)) == (1, None)
    assert (previous(None), previous(ENTRY)) == (None, before)
    with pytest.raises(Problem) as caught:
        next_version(process(same="refuse"), ENTRY)
    assert caught.value.code is Code.SOURCE_ID_CONFLICT


@pytest.mark.parametrize(
    ("documents", "records", "marker", "clash"),
    [
        (["a.pdf"], ["a.hl7", "a.json"], "a.done", ""),
        (["a.pdf"], [], None, ""),
        ([], [], None, ""),
        (["a"], ["A"], None, "Two files of this delivery would get the same name."),
        (["e\u0301"], ["é"], None, "Two files of this delivery would get the same name."),
        (["a"], ["b"], "b", "Two files of this delivery would get the same name."),
        (["a"], ["a/b"], None, "Two files of this delivery would get the same name."),
        (["x/a"], ["x/b"], "x/c", ""),
        (["x/a"], ["X"], None, "Two files of this delivery would get the same name."),
        (
            [],
            ["a", "b", "c", "B", "a"],
            None,
            "Of the records of this delivery, number 2 and number 4 would get the same name.",
        ),
    ],
)
def test_files_of_one_name_are_refused(documents, records, marker, clash):
    if not clash:
        _refuse_clashes(documents, records, marker)
        assert _same_record(records) == ""
        return
    with pytest.raises(Problem) as caught:
        _refuse_clashes(documents, records, marker)
    assert (caught.value.code, [each.message for each in caught.value.violations]) == (Code.NAME_TAKEN, [clash])


@pytest.mark.parametrize(
    ("where", "written"),
    [
        ("line 1, PID-3", "a.j2:10"),
        ("line 2", "b.j2:7"),
        ("line 3, x", "a.j2:12"),
        ("line 99", "a.j2:12"),
        ("message", "a.j2:10"),
        ("in line 2", "a.j2:10"),
    ],
)
def test_a_fault_of_a_record_is_told_with_the_line_of_its_template(where, written):
    lines = [Place("a.j2", 10, 1), Place("b.j2", 7, 1), Place("a.j2", 12, 1)]
    assert _written(lines, where) == written
