"""hl7apy judges shapes alone; what it has found right is not judged again, and nothing else is taken for right."""

import importlib
import os
from pathlib import Path

import hl7apy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.problems import Violation
from receiver.formats.hl7 import check, tables
from receiver.formats.hl7.check import Shapes

MESSAGE = (
    "MSH|^~\\&|RECEIVER|BENCH|EHR|CLINIC|20260102030405+0000||ORU^R01^ORU_R01|4711|P|2.5.1\r"
    "PID|1||142637A^^^CLINIC&1.2&ISO^MR||Sample^Case^^^^^L||19640220\r"
    "OBR|1|||57133-1^Referral note^LN|||20260102\r"
    "OBX|1|ST|A^B^L||plain~again||||||F\r"
    "OBX|2|NM|A^B^L||42||||||F\r"
    "NTE|1||first\r"
)
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200")) // 10  # hl7apy takes ten times as long as the rest
PLACES = st.integers(9, len(MESSAGE) - 1)
EDITS = st.lists(st.tuples(PLACES, st.sampled_from(["", "|", "^", "~", "&", "x", " ", "\\", "\r", "1"])), max_size=4)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="|^~&\r"), min_size=1, max_size=8)


def edited(edits) -> str:
    characters = list(MESSAGE)
    for place, edit in edits:
        characters[place] = edit
    return "".join(characters)


@given(st.lists(EDITS, min_size=2, max_size=4))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_message_is_only_taken_for_right_where_hl7apy_finds_it_right(variants):
    shapes = Shapes()
    for message in map(edited, variants):
        faults = check._judged(message)
        assert not (shapes.known(message) and faults)
        if not faults:
            shapes.learn(message)


@given(EDITS, VALUES)
@settings(max_examples=EXAMPLES, deadline=None)
def test_hl7apy_does_not_weigh_what_a_field_holds(edits, value):
    message = edited(edits)
    head, *segments = message.split("\r")
    other = [segment[:3] + segment[3:].replace("x", value).replace("1", value) for segment in segments]
    if value.strip():
        assert check._judged("\r".join([head, *segments])) == check._judged("\r".join([head, *other]))


@pytest.mark.parametrize("library", sorted(set(hl7apy.SUPPORTED_LIBRARIES.values())))
def test_a_segment_has_one_definition_within_a_structure(library):
    for name, structure in importlib.import_module(library).MESSAGES.items():
        found = {}
        for segment, definition in definitions(structure):
            assert found.setdefault(segment, definition) == definition, name


def definitions(element):
    for name, definition, _, kind in element[1]:
        if kind == "SEG":
            yield name, definition
        elif kind == "GRP":
            yield from definitions(definition)


def test_a_shape_that_was_right_is_not_judged_again(monkeypatch):
    assert check.violations_of_standard(MESSAGE) == ()
    monkeypatch.setattr(check, "_judged", lambda _: pytest.fail("judged again"))
    assert check.violations_of_standard(MESSAGE.replace("Sample^Case", "Other^Name")) == ()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("PID|1|", "PID|1^2|"),  # a component more
        ("^MR||", "^MR^^^^^^x||"),  # components that CX has not
        ("|ORU^R01^ORU_R01|", "|ADT^A01^ADT_A01|"),  # the same segments in another message
        ("NTE|1||first\r", "NTE|1||first\rMSH|^~\\&|RECEIVER|\r"),
        ("OBR|1|||57133-1^Referral note^LN|||20260102\r", ""),  # each segment right, but one is missing
    ],
)
def test_another_shape_is_judged(right, wrong):
    assert check.violations_of_standard(MESSAGE) == ()
    assert check.violations_of_standard(MESSAGE.replace(right, wrong))


def test_other_delimiters_are_judged_in_full():
    shapes = Shapes()
    shapes.learn(MESSAGE)
    for delimiters in ("^~\\$", "^~!&"):
        message = MESSAGE.replace("^~\\&", delimiters)
        shapes.learn(message)
        assert not shapes.known(message)
    assert shapes.known(MESSAGE)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr("receiver.formats.hl7.check.MOST", len(check._pieces(MESSAGE)))
    shapes = Shapes()
    shapes.learn(MESSAGE)
    shapes.learn(MESSAGE + "NTE|2||second\r")
    assert shapes.known(MESSAGE)
    assert not shapes.known(MESSAGE + "NTE|2||second\r")


HEAD = "MSH|^~\\&|A|B|C|D|20260102||ADT^A01|7|P|2.5"


@pytest.mark.parametrize(
    ("message", "structure", "shape"),
    [
        (HEAD, ("ADT^A01", "2.5"), "|^~x&|x|x|x|x|x||x^x|x|x|x"),
        (HEAD.removesuffix("|2.5"), ("ADT^A01", ""), "|^~x&|x|x|x|x|x||x^x|x|x"),
        ("MSH|^~\\&|A|B|C|D|20260102|", ("", ""), "|^~x&|x|x|x|x|x|"),
    ],
)
def test_the_shape_of_a_message_is_that_of_each_of_its_segments_and_their_order(message, structure, shape):
    assert check._pieces(message + "\rPID|1||John Smith^ x~b|&c") == {
        (structure, "MSH PID"),
        (structure, "MSH", shape),
        (structure, "PID", "|x||x^ x~x|&x"),
    }


def test_a_separator_of_components_that_is_half_escaped_is_judged_as_any_text():
    (fault,) = check._judged(MESSAGE.replace("ORU^R01^ORU_R01", "ORU\\S\\R01"))
    assert fault.message == check.ESCAPED
    elsewhere = MESSAGE.replace("RECEIVER", "A\\S\\B").replace("4711", "47\\S\\11").replace("plain", "a\\S\\b")
    assert check._judged(elsewhere) == ()
    assert check.ESCAPED not in [each.message for each in check._judged(MESSAGE.replace("ORU^R01^ORU_R01", "ORU\\S"))]


def test_of_a_message_that_is_right_nothing_more_is_asked(monkeypatch):
    monkeypatch.setattr(check, "violations_of_order", lambda *_: pytest.fail("its order is right"))
    assert check._judged(MESSAGE) == ()


@pytest.mark.parametrize(
    ("found", "missing", "line", "rule", "message"),
    [
        ((2, ["A", "B"]), "B", 4, "required", "B is missing before OBX."),
        ((3, ["A", "B"]), "B", 4, "required", "B is missing behind OBX."),
        ((3, ["A", "B"]), "", 4, "required", "A or B is missing behind OBX."),
        ((1, [*"ABCDEFG"]), "", 2, "structure", "PID has no place here, where A or B or C or D or E or F may stand."),
    ],
)
def test_the_first_segment_out_of_order_is_told_with_its_line(monkeypatch, found, missing, line, rule, message):
    asked = []
    monkeypatch.setattr(tables, "misplaced", lambda *order: asked.append(order) or found)
    monkeypatch.setattr(
        check, "_helps", lambda *tried: tried == ("ADT_A01", "2.5", ["MSH", "PID", "OBX"], found[0], missing)
    )
    told = list(check.violations_of_order("ADT_A01", "2.5", "MSH|1\rPID|2\rZPI|3\rOBX|4\r\r"))
    assert told == [Violation(f"line {line}", rule, message, "hl7")]
    assert asked == [("ADT_A01", "2.5", ["MSH", "PID", "OBX"])]


@pytest.mark.parametrize(
    ("found", "helps"),
    [
        ({"MSH OBX": None}, False),  # without the misplaced segment all is right: it is one too many
        ({"MSH OBX": (1, []), "MSH NEW PID OBX": None}, True),
        ({"MSH OBX": (1, []), "MSH NEW PID OBX": (3, [])}, True),
        ({"MSH OBX": (1, []), "MSH NEW PID OBX": (2, [])}, False),
    ],
)
def test_a_segment_helps_if_the_message_goes_on_behind_it(monkeypatch, found, helps):
    monkeypatch.setattr(tables, "misplaced", lambda _structure, _version, names: found[" ".join(names)])
    assert check._helps("ADT_A01", "2.5", ["MSH", "PID", "OBX"], 1, "NEW") is helps


@pytest.mark.parametrize(("after", "helps"), [(None, True), ((3, []), False), ((4, []), True)])
def test_at_the_end_of_a_message_no_segment_is_too_many(monkeypatch, after, helps):
    asked = []
    monkeypatch.setattr(tables, "misplaced", lambda *order: asked.append(order[2]) or after)
    assert check._helps("ADT_A01", "2.5", ["MSH", "PID"], 2, "NEW") is helps
    assert asked == [["MSH", "PID", "NEW"]]


@pytest.mark.parametrize(("within", "told"), [([], ["message, PID-3"]), (["line 2, PID-3"], ["line 2, PID-3"])])
def test_a_fault_of_a_field_is_told_with_its_line_where_one_has_it(monkeypatch, within, told):
    monkeypatch.setattr(check, "_report", lambda _: ["Missing required child PID.PID_3"])
    monkeypatch.setattr(check, "violations_of_order", lambda *_: iter(()))
    monkeypatch.setattr(check, "_within_segments", lambda *_: [Violation(each, "required", "") for each in within])
    assert [each.where for each in check._judged(MESSAGE)] == told


MISSING = "Missing required child"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"{MISSING} PID.PID_3", ("line 1, PID-3", "required", "PID-3 is missing.", True)),
        (f"{MISSING} PID_3.CX_1", ("line 1, PID-3.1", "required", "PID-3.1 is missing.", True)),
        (f"{MISSING} ORU_R01.PID", ("line 1", "required", "PID is missing.", False)),
        (f"{MISSING} X.CX_1_2", ("line 1", "required", "CX_1_2 is missing.", False)),
        ("Child limit exceeded PID.PID_3", ("line 1, PID-3", "repeated", "PID-3 comes too often.", True)),
        ("Child limit exceeded PID.PID_3 Ada", ("line 1", "structure", check.STRANGE, False)),
        ("Ada", ("line 1", "structure", check.STRANGE, False)),
    ],
)
def test_an_error_of_hl7apy_is_told_in_plain_words_or_as_strange(line, told):
    where, rule, message, of_field = told
    assert check._translated(line, "line 1") == (Violation(where, rule, message, "hl7"), of_field)


def test_an_error_of_the_whole_that_is_not_known_makes_the_message_unreadable():
    assert check._translated("Ada", check.WHOLE) == (Violation("message", "structure", check.UNREADABLE, "hl7"), False)


@pytest.mark.parametrize(
    ("child", "is_mistaken"),
    [
        ("OBX.OBX_4", True),  # optional in v2.5.1
        ("OBX.OBX_11", False),
        ("OBX.OBX_4 Ada", False),
        ("X.CX_1_2", False),
        ("ORU_R01.PID", False),
    ],
)
def test_hl7apy_is_mistaken_where_it_misses_what_is_optional(child, is_mistaken):
    assert check._is_mistaken(f"{MISSING} {child}") is is_mistaken


def test_what_hl7apy_writes_down_takes_no_descriptor_for_long():
    assert check._judged(MESSAGE.replace("PID|1||142637A^^^CLINIC&1.2&ISO^MR", "PID|1||"))
    opened = [str(each.resolve()) for each in Path("/proc/self/fd").iterdir()]
    assert [each for each in opened if "hl7-report" in each] == []


def test_where_hl7apy_is_mistaken_a_message_is_right(monkeypatch):
    message = MESSAGE.replace("PID|1||142637A^^^CLINIC&1.2&ISO^MR", "PID|1||")
    assert [each.where for each in check._judged(message)] == ["line 2, PID-3"]
    monkeypatch.setattr(check, "_is_mistaken", lambda line: line == f"{MISSING} PID.PID_3")
    assert check._judged(message) == ()
