"""hl7apy judges shapes alone; what it has found right is not judged again, and nothing else is taken for right."""

import importlib
import os

import hl7apy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.formats.hl7 import check
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
