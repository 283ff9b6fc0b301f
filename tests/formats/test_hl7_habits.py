"""What HL7 v2 receivers expect of a message beside its structure: each habit, and what is near it."""

import pytest

from receiver.formats.hl7 import check, habits, tables

HEAD = "MSH|^~\\&|A|B|C|D|2026||ADT^A04^ADT_A01|4711|P|2.5.1\r"


@pytest.mark.parametrize(
    ("message", "places"),
    [
        (HEAD, []),
        (HEAD.replace("^~\\&", "^~&\\"), ["line 1, MSH-2"]),
        (HEAD.replace("|P|", "|X|"), ["line 1, MSH-11"]),
        (HEAD.replace("|P|", "||"), ["line 1, MSH-11"]),
        (HEAD.replace("|P|", "|P^T|"), []),
        (HEAD.replace("|P|", "|P^X|"), []),
        (HEAD + "ZZZ" + f"|{'x' * 100}" * 30 + "\r", []),
        (HEAD + "ZZZ|1|CE|1||I10\rZZZ|1|ED|1||I10\r", []),
        (HEAD + "PID|1||^^\r", []),
        (HEAD + "OBX|1|CE|1||\rOBX|2|ED|1||\r", []),
        (HEAD + "OBX|1|ED|1||a^b^c^d^e\r", []),
        (HEAD.replace("ADT^A04^ADT_A01", "ACK^A04"), []),
        (HEAD.replace("ADT_A01", "ADT_A04").replace("2.5.1", "2.5"), ["line 1, MSH-9"]),
        (HEAD + "EVN|ADT|\r", ["line 2, EVN-1"]),
        (HEAD + "EVN|ADT_A01|\r", ["line 2, EVN-1"]),
        (HEAD.replace("|P|", "|T|"), []),
        (HEAD.replace("|P|", "|D|"), []),
        ("MSH|^~\\&|A", ["line 1, MSH-11"]),
        (HEAD.replace("4711", "4" * 20), []),
        (HEAD.replace("4711", "4" * 21), ["line 1, MSH-10"]),
        (HEAD.replace("4711", "4" * 21).replace("2.5.1", "2.7"), []),
        (HEAD.replace("4711", "4" * 21).replace("2.5.1", "2.6"), ["line 1, MSH-10"]),
        (HEAD + "PID|1||7||||||||||||||||" + "1" * 16 + "\r", []),
        (HEAD + "PID|1||7||||||||||||||||" + "1" * 17 + "\r", ["line 2, PID-19"]),
        (HEAD.replace("2.5.1", "2.8") + "PID|1||7||||||||||||||||" + "1" * 17 + "\r", []),
        (HEAD + f"OBX|1|TX|||{'long ' * 100}\r", []),
        (HEAD + f"OBX|1|TX||{'x' * 21}\r", ["line 2, OBX-4"]),
        (HEAD.replace("^ADT_A01", ""), ["line 1, MSH-9"]),
        (HEAD.replace("^ADT_A01", "").replace("2.5.1", "2.5"), ["line 1, MSH-9"]),
        (HEAD.replace("^ADT_A01", "").replace("2.5.1", "2.4"), []),
        (HEAD.replace("^ADT_A01", "").replace("2.5.1", "2.4^DEU"), []),
        (HEAD.replace("ADT^A04^ADT_A01", "ACK"), []),
        (HEAD.replace("ADT^A04^ADT_A01", "ADT"), ["line 1, MSH-9"]),
        (HEAD + "PID|1||^^^CLINIC\r", ["line 2, PID-3"]),
        (HEAD + "PID|1||7^^^CLINIC\r", []),
        (HEAD + "PID|1||\r", []),
        (HEAD + "PID|1\r", []),
        (HEAD + "PV1|1||^ward\r", []),
        (HEAD + "OBX|1|ST\r", []),
        (HEAD + "OBX|1|XX\r", ["line 2, OBX-2"]),
        (HEAD + "OBX|1|\r", []),
        (HEAD + "OBX|1\r", []),
        (HEAD + "OBR|1|XX\r", []),
        (HEAD + "OBX|1\rOBX|2\rNTE|1\rOBX|1\r", []),
        (HEAD + "OBX|2\rOBX|3\r", ["line 2, OBX-1"]),
        (HEAD + "OBX|1\rOBX|1\rOBX|1\r", ["line 3, OBX-1"]),
        (HEAD + "OBX|\rOBX|2\r", []),
        (HEAD + "OBX\rOBX|2\r", []),
        (HEAD + "ZZZ|7\r", []),
        (HEAD.replace("ADT_A01", "ADT_A04"), ["line 1, MSH-9"]),
        (HEAD.replace("ADT_A01", "ADT_A04").replace("2.5.1", "2.4"), []),
        (HEAD.replace("ADT^A04^ADT_A01", "MDM^T99^MDM_T02"), ["line 1, MSH-9"]),
        (HEAD.replace("ADT^A04^ADT_A01", "ORM^O01^ORM_O02"), []),
        (HEAD.replace("|2.5.1", "|2.5.1||||||UTF-8"), ["line 1, MSH-18"]),
        (HEAD.replace("|2.5.1", "|2.5.1|||AL|NE||UNICODE UTF-8"), []),
        (HEAD.replace("|2.5.1", "|2.5.1|||yes|NE"), ["line 1, MSH-15"]),
        (HEAD + "EVN|A04|\rEVN||\rEVN\r", []),
        (HEAD + "EVN|A01|\r", ["line 2, EVN-1"]),
        (HEAD + "PID|1||7|^^^CLINIC\r", ["line 2, PID-4"]),
        (HEAD + "PID|1||7||^Ann\r", ["line 2, PID-5"]),
        (HEAD + "PID|1||7||Example^Ann|||female\r", ["line 2, PID-8"]),
        (HEAD + "PV1|1|Outpatient\r", ["line 2, PV1-2"]),
        (HEAD + "TXA|1|CN|IM||||||||||||||AV||DO\r", ["line 2, TXA-17", "line 2, TXA-19"]),
        (HEAD + "OBX|1|CE|1||I10||||||F\r", ["line 2, OBX-5"]),
        (HEAD + "OBX|1|CE|1||I10^Hypertension^I10||||||f\r", ["line 2, OBX-11"]),
        (HEAD + "OBX|1|ED|1||JVBERi0=\r", ["line 2, OBX-5"]),
    ],
)
def test_what_is_unusual_is_told_at_its_place(message, places):
    assert [place for place, _ in habits.findings(message)] == places


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ("PID|1||7|||||Z\r", "this is not in table 0001: A, F, M, N, O, U"),
        ("OBX|1|XX\r", "this is not in table 0125"),  # too many to be listed
        ("OBX|1|ST|1||a||||||E\r", "this is not in table 0085: B, C, D, F, I, N, O, P, R, S, U, V, W, X"),
        ("PID|1||7||^Ann\r", "the family name itself, PID-5.1, is empty"),
        ("OBX|1|ED|1||a^b^c^d\r", "an ED has five components: the source, type, subtype, Base64 and the data"),
    ],
)
def test_what_is_unusual_is_told_with_what_is_usual(segment, message):
    assert [told for _, told in habits.findings(HEAD + segment)] == [message]


def test_a_set_id_that_does_not_count_is_told_which_one_it_should_be():
    assert list(habits.findings(HEAD + "DG1|1\rDG1|3\r")) == [
        ("line 3, DG1-1", "the set id does not count: number 2 of its segments in a row")
    ]


@pytest.mark.parametrize(
    ("kind", "version", "found"),
    [
        ("ADT^A04", "2.5.1", "ADT^A01"),
        ("ADT^A01", "2.5.1", "ADT^A01"),
        ("ADT^A28", "2.5.1", "ADT^A05"),
        ("ADT^A28", "2.3", "ADT^A01"),
        ("ADT^A28", "2.3.1^DEU", "ADT^A01"),
        ("ADT^A05", "2.3.1", "ADT^A01"),
        ("SIU^S26", "2.3.1", "SIU^S12"),
        ("MDM^T11", "2.5", "MDM^T01"),
        ("ORU^R01", "2.5", "ORU^R01"),
        ("ADT^A04^ADT_A01", "2.5", "ADT^A04^ADT_A01"),
        ("ACK", "2.5", "ACK"),
    ],
)
def test_an_event_stands_for_the_structure_that_serves_it(kind, version, found):
    message = f"MSH|^~\\&|A|B|C|D|2026||{kind}|1|P|{version}\rPID|1||ADT^A04\r"
    assert tables.with_structure(message) == message.replace(f"||{kind}|", f"||{found}|", 1)
    assert tables.with_structure(message.replace("|", "!").replace("^", "#")) == message.replace(
        f"||{kind}|", f"||{found}|", 1
    ).replace("|", "!").replace("^", "#")


@pytest.mark.parametrize("message", ["MSH|^~\\&|A|B|C|D|2026||ADT^A04|1|P\rPID|1|2|3", "MSH|^~\\&|"])
def test_a_message_that_tells_no_version_stays(message):
    assert tables.with_structure(message) == message


@pytest.mark.parametrize(
    ("name", "required"),
    [("PID_3", True), ("PID_7", False), ("OBX_4", False), ("PID_99", True), ("CX_1", True), ("XXX_1", True)],
)
def test_what_is_required_is_so_in_the_sound_version(name, required):
    assert tables.is_required.__wrapped__(name) is required


@pytest.mark.parametrize(
    ("structure", "segments", "told"),
    [
        ("MDM_T02", "MSH EVN PID PV1 TXA OBX", []),
        ("MDM_T02", "MSH EVN PID PV1 TXA OBX OBX NTE", []),
        ("MDM_T02", "MSH EVN PID PV1 TXA", ["line 5: OBX is missing behind TXA."]),
        ("MDM_T02", "MSH EVN PID TXA OBX", ["line 4: PV1 is missing before TXA."]),
        ("MDM_T02", "MSH PID PV1 TXA OBX", ["line 2: EVN is missing before PID."]),
        ("MDM_T02", "MSH EVN PID PV1 OBX TXA", ["line 5: TXA is missing before OBX."]),
        ("MDM_T02", "MSH EVN PID PV1 NTE TXA OBX", ["line 5: NTE has no place here, where ORC or TXA may stand."]),
        ("MDM_T02", "MSH EVN PID ZZZ PV1 TXA OBX ZAB", []),
        (
            "MDM_T02",
            "MSH EVN PID ZZZ PV1 TXA TXA OBX ZAB",
            ["line 7: TXA has no place here, where OBX may stand."],
        ),
        ("ORU_R01", "MSH PID OBR OBX NTE OBX OBR OBX", []),
        ("ORU_R01", "MSH", ["line 1: OBR is missing behind MSH."]),
        ("ORU_R01", "MSH OBR", []),
        ("ORM_O01", "MSH PID ORC OBR OBX ORC RXO", []),
    ],
)
def test_the_first_segment_that_does_not_follow_as_the_structure_says_is_told(structure, segments, told):
    found = check.violations_of_order(structure, "2.5.1", "\r".join(segments.split()))
    assert [f"{each.where}: {each.message}" for each in found] == told


ANY_A = ("sequence", [("A", None, (0, 1), "SEG")])  # a group that may be empty, as hl7apy writes it


@pytest.mark.parametrize(
    ("kind", "definition", "limits", "ends"),
    [
        ("SEG", None, (0, 0), {0}),
        ("SEG", None, (0, 1), {0, 1}),
        ("SEG", None, (1, 1), {1}),
        ("SEG", None, (2, 3), {2, 3}),
        ("SEG", None, (1, -1), {1, 2, 3, 4}),
        ("SEG", None, (0, -1), {0, 1, 2, 3, 4}),
        ("SEG", None, (5, -1), set()),
        ("GRP", ANY_A, (0, 2), {0, 1, 2}),
        ("GRP", ANY_A, (0, -1), {0, 1, 2, 3, 4}),
    ],
)
def test_a_part_of_a_structure_comes_as_often_as_it_may(kind, definition, limits, ends):
    tried = {}
    assert tables._repeated(("A", definition, limits, kind), ["A"] * 4, frozenset([0]), tried) == ends
    assert all(names == ["A"] * len(names) for names in tried.values())
