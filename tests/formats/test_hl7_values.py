"""Dates, times and numbers of HL7 records are judged as the standard writes them; everything else is text."""

import os
import sys

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.factories import datatype_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.formats.hl7 import check
from receiver.formats.hl7 import values as hl7_values

MESSAGE = (
    "MSH|^~\\&|RECEIVER|SCANS|EHR|CLINIC|20261123141121+0000||ORU^R01^ORU_R01|4711|P|2.5.1\r"
    "PID|1||142637A^^^CLINIC^MR^^20180101||Smith^John^^^^^L||19640220\r"
    "OBR|1||L25^LAB|11502-2^Laboratory report^LN|||20181005\r"
    "OBX|1|NM|PAGES^Pages^L||3||||||F|||20181005\r"
    "ZPT|02/20/1964\r"
)

TIMES = ["20180228", "201802", "2018", "104521", "1045", "10", "20180228104521", "20180228104521.1234", "2018022810"]
EDITS = st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.sampled_from("0123456789.+-:")), max_size=3)


def told(right: str, wrong: str) -> list[tuple[str, str, str]]:
    assert right in MESSAGE
    return [
        (each.where, each.rule, each.message) for each in check.violations_of_standard(MESSAGE.replace(right, wrong, 1))
    ]


def test_a_message_that_is_written_as_the_standard_says_is_right():
    assert check.violations_of_standard(MESSAGE) == ()


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ("19640220", "02/20/1964", "line 2, PID-7"),
        ("19640220", "1964-02-20", "line 2, PID-7"),
        ("19640220", "19641320", "line 2, PID-7"),
        ("19640220", "18491231", "line 2, PID-7"),
        ("19640220", "19630229", "line 2, PID-7"),
        ("19640220", "20181007104521-0500Z", "line 2, PID-7"),
        ("20261123141121+0000", "2026-11-23T14:11:21+00:00", "line 1, MSH-7"),
        ("^^20180101", "^^Jan 1", "line 2, PID-3.7"),
        ("^^20180101", "^^20180101~X^^^CLINIC^MR^^2018-01", "line 2, PID-3.7"),
        ("||20181005\r", "||5 October\r", "line 3, OBR-7"),
        ("PID|1|", "PID|one|", "line 2, PID-1"),
        ("||3||", "||three||", "line 4, OBX-5"),
        ("|NM|PAGES^Pages^L||3||", "|DT|PAGES^Pages^L||02/20/1964||", "line 4, OBX-5"),
        ("|NM|PAGES^Pages^L||3||", "|TM|PAGES^Pages^L||10:45||", "line 4, OBX-5"),
    ],
)
def test_what_no_import_could_read_is_told_with_its_field_and_without_its_value(right, wrong, place):
    ((where, rule, message),) = told(right, wrong)
    assert (where, rule) == (place, "type")
    assert message.startswith(place.partition(", ")[2] + " is not a")
    assert "1964" not in message


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("19640220", "1964"),
        ("19640220", "196402"),
        ("19640220", "18500101"),
        ("19640220", "20181007104521.0001-0500"),
        ("19640220", '""'),
        ("19640220", ""),
        ("|NM|PAGES^Pages^L||3||", "|NM|PAGES^Pages^L||-12.50||"),
        ("|NM|PAGES^Pages^L||3||", "|ST|PAGES^Pages^L||three||"),
        ("|NM|PAGES^Pages^L||3||", "|TM|PAGES^Pages^L||104521.1+0100||"),
        ("|NM|PAGES^Pages^L||3||", "|TS|PAGES^Pages^L||20181007^S||"),
        ("142637A", "any text at all"),
        ("||19640220\r", "||19640220||||||^^^^^(555)^013-4217\r"),
    ],
)
def test_what_the_standard_allows_is_right(right, wrong):
    assert told(right, wrong) == []


@pytest.mark.parametrize("version", ["2.4", "2.5", "2.6"])
def test_other_versions_write_their_times_in_the_same_way(version):
    assert check.violations_of_standard(MESSAGE.replace("|2.5.1\r", f"|{version}\r")) == ()
    message = MESSAGE.replace("|2.5.1\r", f"|{version}\r").replace("19640220", "02/20/1964")
    assert [each.where for each in check.violations_of_standard(message)] == ["line 2, PID-7"]


def test_values_are_judged_in_a_message_whose_shape_is_known():
    assert check.violations_of_standard(MESSAGE) == ()
    assert check.violations_of_standard(MESSAGE.replace("19640220", "soon"))


def test_the_delimiters_are_those_that_the_message_declares():
    other = MESSAGE.replace("^", "$").replace("|", "#")
    assert check.violations_of_standard(other) == ()
    assert [each.where for each in check.violations_of_standard(other.replace("$$20180101", "$$01/01/2018"))] == [
        "line 2, PID-3.7"
    ]


def strictly(kind: str, text: str) -> bool:
    """Tell whether hl7apy, where it is strict, takes a text for a value of a type."""
    try:
        datatype_factory(kind, text, "2.5.1", VALIDATION_LEVEL.STRICT)
    except ValueError:
        return False
    return True


@given(st.sampled_from(["DT", "TM", "DTM"]), st.sampled_from(TIMES), st.sampled_from(["", "+0100", "-0530"]), EDITS)
@settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "200")), deadline=None)
def test_dates_and_times_are_what_another_reader_takes_for_such(kind, time, offset, edits):
    characters = list(time + offset)
    for place, instead, character in edits:
        characters[place : place + instead] = [character]
    text = "".join(characters)
    empty = kind != "TM" and text[:4] < "1850"  # in the calendar, and no date that anybody meant
    assert hl7_values.written(kind, text) == (strictly(kind, text) and not empty)


@pytest.mark.parametrize(
    ("kind", "text", "is_written"),
    [
        ("NM", "99999999", True),  # no day
        ("SI", "99999999", True),
        ("DT", "99999999", False),
        ("DT", "18500101", True),
        ("DT", "18491231", False),
        ("DT", "1850", True),
        ("TS", "185001", True),
        ("TS", "1850+0100", True),
        ("TS", "20180228104521", True),
        ("DTM", "20180230104521", False),
    ],
)
def test_a_day_must_exist_and_be_one_that_somebody_meant(kind, text, is_written):
    assert hl7_values.written(kind, text) is is_written


@pytest.mark.parametrize("line", ["TQ1|1||||||20260101", "QRD|20260101", "URS|X"])
def test_a_segment_of_which_hl7apy_has_lost_a_part_is_no_failure(line):
    """Its tables for v2.7 name some withdrawn segments without fields, and TQ1-1 without what it consists of."""
    message = f"MSH|^~\\&|RECEIVER|SCANS|EHR|CLINIC|20260101||OML^O21|4711|P|2.7\r{line}\r"
    assert list(hl7_values.violations(message)) == []


def test_the_version_is_the_first_component_of_msh_12():
    message = MESSAGE.replace("|2.5.1\r", "|2.5^DEU\r").replace("19640220", "soon")
    assert [each.where for each in hl7_values.violations(message)] == ["line 2, PID-7"]


@pytest.mark.parametrize(
    ("validity", "places"),
    [
        ("20180101", []),
        ("20180101&20181231", []),
        (" 20180101 &  ", []),
        ("20180101&soon", ["ABS-1.17.2"]),
        ("soon&20181231", ["ABS-1.17"]),
        ("soon", ["ABS-1.17"]),
        ("20180101&soon&x", ["ABS-1.17.2"]),
        ("soon&soon", ["ABS-1.17", "ABS-1.17.2"]),
        ("&soon", ["ABS-1.17.2"]),
        ("&&soon", []),
    ],
)
def test_a_subcomponent_is_judged_by_its_own_type(validity, places):
    head = MESSAGE.partition("\r")[0].replace("2.5.1", "2.6")
    message = f"{head}\rABS|{'^' * 16}{validity}\r"  # the provider's name, XCN-17
    assert [each.where for each in hl7_values.violations(message)] == [f"line 2, {place}" for place in places]


@pytest.mark.parametrize(
    ("version", "segment", "expected"),
    [
        (
            "2.5.1",
            "OBX",  # what its fifth field is stands in the second
            {1: [(1, 1, "SI")], 5: [], 9: [(1, 1, "NM")], 12: [(1, 1, "TS")], 14: [(1, 1, "TS")]}
            | {16: [(19, 1, "TS"), (20, 1, "TS")], 19: [(1, 1, "TS")], 24: [(13, 1, "TS"), (14, 1, "TS")]}
            | {25: [(19, 1, "TS"), (20, 1, "TS")]},
        ),
        ("2.4", "ORC", {7: [(4, 1, "TS"), (5, 1, "TS")], 9: [(1, 1, "TS")], 15: [(1, 1, "TS")]}),
        (
            "2.6",
            "ABS",
            {field: [(17, 1, "DTM"), (17, 2, "DTM"), (19, 1, "DTM"), (20, 1, "DTM")] for field in (1, 5, 8)}
            | {4: [(1, 1, "DTM")], 7: [(1, 1, "DTM")], 12: [(1, 1, "NM")]},
        ),
        ("2.1", "ORO", {}),  # of this hl7apy has the fields alone
        ("2.7", "QRD", {}),  # and of this the name
        ("2.5.1", "ZPT", {}),
    ],
)
def test_the_types_of_a_segments_values_are_those_of_the_standard(version, segment, expected):
    found = hl7_values._types.__wrapped__(version, segment)
    assert [(number, list(leaves)) for number, leaves in found] == sorted(expected.items())


def test_a_field_whose_components_are_unknown_has_its_own_type():
    fields = dict(hl7_values._types.__wrapped__("2.7", "TQ1"))
    assert (fields[1], fields[4]) == (((1, 1, "SI"),), ((1, 1, "TM"),))
    assert (5, ()) in hl7_values._types.__wrapped__("2.7", "OBX")


def test_it_is_known_whether_the_library_is_there(monkeypatch):
    assert check.available()
    monkeypatch.setitem(sys.modules, "hl7apy", None)
    assert not check.available()
