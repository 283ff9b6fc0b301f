"""Each version of HL7 v2 that `schema = "hl7"` claims takes messages that are right in it: small ones and fuller ones.

Sources of the kinds: hl7apy's tables, which in 2.3 require OBR-27, in 2.3.1, 2.7 and 2.8 OBX-4, and which take the
observations of a report in 2.8 for those of an order's document. All persons are invented.
"""

import pytest

from receiver.formats.hl7 import check

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")
HEAD = "MSH|^~\\&|RECEIVER|FAX|EHR|CLINIC|20260102030405+0000||{type}|4711|P|{version}"
EVENT = "EVN|{event}|20260102030405"
PATIENT = "PID|1||142637A^^^CLINIC^MR||Whitcombe^Laura^^^^^L||19640220|F"
VISIT = "PV1|1|O"
REPORT = "OBR|1|A1|B1|57133-1^Referral note^LN|||20260102|||||||||||||||20260102||LAB|F"
RESULT = "OBX|1|ST|718-7^Hemoglobin^LN||13.5|g/dL|||||F"
SECOND = "OBX|2|NM|718-7^Hemoglobin^LN||13.5|g/dL|12-16|N|||F|||20260102"
SCAN = "OBX|1|RP|57133-1^Referral note^LN||scan.tif^RECEIVER^image^tiff||||||F"
NOTICE = "TXA|1|CN|IM|20180130||20260102||||||4711^RECEIVER||||scan.tif|DO||AV"
DIAGNOSIS = "DG1|1||R06.09^^I10||20260102|A"
SCHEDULE = "SCH|A1|||||R^Routine||||||||||D^Clerk||||D^Clerk|||||BOOKED"
CHARGE = "FT1|1|||20260102||CG|99213"
ALL = """
ADT^A04^ADT_A01 | EVN PATIENT VISIT
ADT^A04^ADT_A01 | EVN PATIENT NK1 VISIT AL1 DIAGNOSIS
ORU^R01^ORU_R01 | PATIENT REPORT RESULT
ORU^R01^ORU_R01 | PATIENT NTE VISIT DONE REPORT NTE RESULT SECOND NTE REPORT RESULT SECOND
MDM^T02^MDM_T02 | EVN PATIENT VISIT NOTICE SCAN
MDM^T02^MDM_T02 | EVN PATIENT VISIT NOTICE SCAN SECOND SECOND
ORM^O01^ORM_O01 | PATIENT ORDER REQUEST
ORM^O01^ORM_O01 | PATIENT VISIT IN1 ORDER REQUEST NTE DIAGNOSIS RESULT ORDER REQUEST
SIU^S12^SIU_S12 | SCHEDULE PATIENT RGS AIG
SIU^S12^SIU_S12 | SCHEDULE PATIENT VISIT RGS AIS AIG AIL AIP
DFT^P03^DFT_P03 | EVN PATIENT CHARGE
DFT^P03^DFT_P03 | EVN PATIENT VISIT CHARGE CHARGE DIAGNOSIS
"""
SEGMENTS = {
    "PATIENT": PATIENT,
    "VISIT": VISIT,
    "NK1": "NK1|1|Whitcombe^Edwin|SPO",
    "AL1": "AL1|1|DA|Penicillin",
    "DIAGNOSIS": DIAGNOSIS,
    "REPORT": REPORT,
    "RESULT": RESULT,
    "SECOND": SECOND,
    "NTE": "NTE|1||fasting",
    "DONE": "ORC|RE|A1|B1",
    "NOTICE": NOTICE,
    "SCAN": SCAN,
    "ORDER": "ORC|NW|A1",
    "REQUEST": "OBR|1|A1|B1|57133-1^Referral note^LN|||20260102",
    "IN1": "IN1|1|PLAN|4|Example Insurance",
    "SCHEDULE": SCHEDULE,
    "RGS": "RGS|1",
    "AIS": "AIS|1||57133-1^Visit^LN|20260103",
    "AIG": "AIG|1||Room 1|R",
    "AIL": "AIL|1||Room 1|R",
    "AIP": "AIP|1||12^Doe^Jo|D^Doctor",
    "CHARGE": CHARGE,
}
BODIES: dict[str, tuple[str, list[str]]] = {}  # name → type, segments
for line in ALL.strip().splitlines():
    whole, _, names = line.partition(" | ")
    name = whole.rpartition("^")[0]
    segments = [SEGMENTS.get(each, each) for each in names.split()]
    BODIES[f"{name}, fuller" if name in BODIES else name] = (whole, segments)
WITHDRAWN = {("ORM^O01", version) for version in ("2.7", "2.8", "2.8.1", "2.8.2")}  # OMG^O19 and others took its place
CASES = [
    (name, version) for name in BODIES for version in VERSIONS if (name.partition(",")[0], version) not in WITHDRAWN
]


def message(name: str, version: str) -> str:
    kind, body = BODIES[name]
    if version in ("2.3", "2.3.1"):  # which have no third component of MSH-9, or it is seldom sent
        kind = kind.rpartition("^")[0]
    event = EVENT.format(event="" if version >= "2.7" else kind.split("^")[1])  # EVN-1 is withdrawn since 2.7
    segments = [HEAD.format(type=kind, version=version), *[event if each == "EVN" else each for each in body]]
    return "".join(f"{segment}\r" for segment in segments)


@pytest.mark.parametrize(("name", "version"), CASES)
def test_a_message_that_is_right_in_its_version_is_taken(name, version):
    assert check.violations_of_standard(message(name, version)) == ()


EVENTS = ["ADT^A05", "ADT^A08", "ADT^A28", "ADT^A31", "MDM^T04", "MDM^T10", "SIU^S14", "SIU^S26"]


@pytest.mark.parametrize("version", VERSIONS[:5])  # later ones require the structure in MSH-9.3
@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_is_judged_by_the_structure_that_it_shares(kind, version):
    like = {"ADT": "ADT^A04", "MDM": "MDM^T02", "SIU": "SIU^S12"}[kind[:3]]
    segments = message(like, version).split("\r")
    fields = segments[0].split("|")
    fields[8] = kind
    segments[0] = "|".join(fields)
    assert check.violations_of_standard("\r".join(segments)) == ()
    assert check.violations_of_standard("\r".join(segments[:1] + segments[2:])) != ()


@pytest.mark.parametrize(
    ("name", "version", "left_out", "missing"),
    [
        ("ADT^A04", "2.3", "PID", "PID"),
        ("ADT^A04", "2.8", "PV1", "PV1"),
        ("MDM^T02", "2.7", "TXA", "TXA"),
        ("ORU^R01", "2.3.1", "OBR", "OBR"),
        ("DFT^P03", "2.8.2", "FT1", "FT1"),
    ],
)
def test_what_is_missing_is_told_in_every_version(name, version, left_out, missing):
    segments = [each for each in message(name, version).split("\r") if not each.startswith(left_out)]
    assert any(missing in each.message for each in check.violations_of_standard("\r".join(segments)))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_field_that_every_version_requires_is_told_where_it_is_missing(version):
    found = check.violations_of_standard(message("ORU^R01", version).replace("|57133-1^Referral note^LN|", "||"))
    assert [(each.where, each.rule) for each in found] == [("line 3, OBR-4", "required")]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_segment_of_ones_own_is_judged_by_its_order_alone(version):
    own = message("ORU^R01", version) + "ZDS|1.2.3\r"
    assert [each for each in check.violations_of_standard(own) if "ZDS" not in each.message] == []
