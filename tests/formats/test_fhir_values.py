"""FHIR R4's own types: what is written otherwise is refused with its place, and what is right is taken."""

import json
import sys
from decimal import Decimal

import pytest

from receiver.formats.fhir import check as fhir
from receiver.formats.fhir import values as fhir_values

PATIENT = {"resourceType": "Patient"}
DIGEST = "JVBERi0xLjQK"
WRONG = [  # FHIR-Converter and firely threads: elements of a patient or another resource → where
    ({"active": "yes"}, "/active"),
    ({"active": "true"}, "/active"),
    ({"active": 1}, "/active"),
    ({"id": "a" * 65}, "/id"),
    ({"id": "a_b"}, "/id"),
    ({"id": "a b"}, "/id"),
    ({"id": 7}, "/id"),
    ({"name": [{"family": " "}]}, "/name/0/family"),
    ({"name": [{"family": "a\u0001b"}]}, "/name/0/family"),
    ({"name": [{"family": 7}]}, "/name/0/family"),
    ({"name": [{"given": ["Ann", "\t"]}]}, "/name/0/given/1"),
    ({"birthDate": "2018-13-01"}, "/birthDate"),
    ({"birthDate": "2018-02-30"}, "/birthDate"),
    ({"birthDate": "0000-01-01"}, "/birthDate"),
    ({"birthDate": "2018-10-07T10:45:21Z"}, "/birthDate"),
    ({"birthDate": "2018-1-7"}, "/birthDate"),
    ({"deceasedDateTime": "2018-10-07T10:45"}, "/deceasedDateTime"),
    ({"deceasedDateTime": "2018-10-07T10:45:21"}, "/deceasedDateTime"),
    ({"deceasedDateTime": "2018-10-07T10:45:21-05"}, "/deceasedDateTime"),
    ({"deceasedDateTime": "2018-10-07 10:45:21Z"}, "/deceasedDateTime"),
    ({"deceasedBoolean": True, "deceasedDateTime": "2018-10-07"}, "/deceasedDateTime"),
    ({"multipleBirthInteger": "2"}, "/multipleBirthInteger"),
    ({"multipleBirthInteger": 2.0}, "/multipleBirthInteger"),
    ({"multipleBirthInteger": 2**31}, "/multipleBirthInteger"),
    ({"telecom": [{"system": "phone", "value": "1", "rank": "1"}]}, "/telecom/0/rank"),
    ({"telecom": [{"system": "phone", "value": "1", "rank": 0}]}, "/telecom/0/rank"),
    ({"gender": "male "}, "/gender"),
    ({"language": "de  AT"}, "/language"),
    ({"implicitRules": "http://example.org/a b"}, "/implicitRules"),
    ({"identifier": [{"system": "http://example.org/a b", "value": "1"}]}, "/identifier/0/system"),
    ({"photo": [{"url": "http://example.org/a b"}]}, "/photo/0/url"),
    ({"photo": [{"data": "JVBERi0xLjQ"}]}, "/photo/0/data"),
    ({"photo": [{"data": "%%%%"}]}, "/photo/0/data"),
    ({"photo": [{"size": -1}]}, "/photo/0/size"),
    ({"meta": {"lastUpdated": "2018-10-07"}}, "/meta/lastUpdated"),
    ({"meta": {"profile": ["http://example.org/a b"]}}, "/meta/profile/0"),
    ({"extension": [{"url": "http://example.org/a", "valueDecimal": "1.5"}]}, "/extension/0/valueDecimal"),
    ({"extension": [{"url": "http://example.org/a", "valueTime": "24:00:00"}]}, "/extension/0/valueTime"),
    ({"extension": [{"url": "http://example.org/a", "valueOid": "1.2.3"}]}, "/extension/0/valueOid"),
    ({"extension": [{"url": "http://example.org/a", "valueUuid": "urn:uuid:1"}]}, "/extension/0/valueUuid"),
    ({"extension": [{"url": "a b", "valueString": "x"}]}, "/extension/0/url"),
    ({"_birthDate": {"extension": [{"url": "a b", "valueString": "x"}]}}, "/_birthDate/extension/0/url"),
    ({"contained": [{"resourceType": "Patient", "active": "no"}]}, "/contained/0/active"),
    ({"contact": [{"name": {"family": " "}}]}, "/contact/0/name/family"),
    ({"extension": [{"url": "urn:x", "valueRatioRange": {"id": "x"}}]}, "/extension/0/valueRatioRange"),
    ({"name": []}, "/name"),
    ({"name": [{}]}, "/name/0"),
    ({"name": None}, "/name"),
    ({"name": {"family": "Doe"}}, "/name"),
    ({"surname": "Doe"}, "/surname"),
    ({"contained": [{"resourceType": "Ingredient"}]}, "/contained/0/resourceType"),
    ({"contained": [{"resourceType": "MedicinalProduct"}]}, "/contained/0/resourceType"),
]
RIGHT = [
    {"active": False, "id": "a" * 64, "birthDate": "2018"},
    {"id": "A-1.b", "birthDate": "2020-02-29", "deceasedDateTime": "2018-10-07T10:45:60.123+14:00"},
    {"deceasedDateTime": "2018-10", "gender": "male", "language": "de-AT"},
    {"multipleBirthInteger": -1, "telecom": [{"system": "phone", "value": "1", "rank": 1}]},
    {"name": [{"family": "O'Neil  Ünal", "given": ["Ann", None], "_given": [None, {"id": "x"}]}]},
    {"photo": [{"data": DIGEST, "size": 0, "url": "urn:uuid:0"}], "meta": {"lastUpdated": "2018-10-07T10:45:21Z"}},
    {"photo": [{"data": f"{DIGEST}\n {DIGEST}"}]},
    {"extension": [{"url": "urn:x", "valueDecimal": 1.5}, {"url": "urn:x", "valueInstant": "2018-10-07T10:45:21Z"}]},
    {"text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Ann</div>'}},
]


@pytest.mark.parametrize(("elements", "where"), WRONG, ids=lambda value: json.dumps(value)[:60])
def test_what_is_not_written_as_its_type_is_refused_with_its_place(elements, where):
    found = fhir.violations(PATIENT | elements)
    assert [each.where for each in found] == [where]


@pytest.mark.parametrize("elements", RIGHT, ids=lambda value: json.dumps(value)[:60])
def test_what_is_right_is_taken(elements):
    assert fhir.violations(PATIENT | elements) == ()


def test_all_faults_are_told_at_once_without_a_value():
    found = fhir.violations(PATIENT | {"active": "secret", "id": "se cret", "surname": "secret", "birthDate": "secret"})
    assert {each.where for each in found} == {"/active", "/id", "/surname", "/birthDate"}
    assert not any("secret" in each.message for each in found)


LONG = "x" * fhir_values.MAX_TEXT
KINDS = {  # a primitive type → what is right, what is wrong
    "bool": ([True, False], ["true", 1, 0]),
    "Boolean": ([True, False], ["true", 1, 0]),
    "String": (["a", " a", "a\tb\r\nc", LONG], ["", " ", "\t", "a\x01", "a\x1f", 7, LONG + "x"]),
    "Markdown": (["a\nb"], [" ", 7]),
    "Code": (["a", "a b"], [" a", "a ", "a  b", "", 7]),
    "Id": (["A-1.b", "a" * 64], ["", "a" * 65, "a_b", 7]),
    "Uri": (["a:b"], ["a b", "", 7]),
    "Url": (["a:b"], ["a b", ""]),
    "Canonical": (["a:b"], ["a b", ""]),
    "Oid": (["urn:oid:1.2.3", "urn:oid:0.0"], ["1.2.3", "urn:oid:1", "urn:oid:3.1", "urn:oid:1.02"]),
    "Uuid": (
        ["urn:uuid:00000000-0000-4000-8000-00000000000a"],
        ["urn:uuid:00000000-0000-4000-8000-00000000000A", "00000000-0000-4000-8000-000000000001"],
    ),
    "Date": (
        ["2018", "2018-10", "2018-12-31", "2020-02-29"],
        [
            "2018-02-29",
            "2018-04-31",
            "2018-00",
            "0000",
            "2018-13",
            "2018-1",
            "2018-10-32",
            "2018-10-07T10:45:21Z",
            2018,
        ],
    ),
    "DateTime": (
        ["2018", "2018-10-07", "2018-10-07T10:45:21Z", "2018-10-07T23:59:60.123+14:00", "2018-10-07T00:00:00-12:30"],
        ["2018-02-30T10:45:21Z", "2018-10-07T10:45:21+14:30", "2018-10-07T24:00:00Z", "2018-10-07T10:45:21", "x"],
    ),
    "Instant": (["2018-10-07T10:45:21Z"], ["2018-10-07", "2018-02-30T10:45:21Z"]),
    "Time": (["10:45:60", "00:00:00.5"], ["24:00:00", "10:45"]),
    "Decimal": ([1, -1.5, Decimal("1.50")], [True, "1", [], {}]),
    "Integer": ([-(2**31), 2**31 - 1, 0], [-(2**31) - 1, 2**31, True, 1.0, "1"]),
    "UnsignedInt": ([0, 2**31 - 1], [-1, 2**31, False]),
    "PositiveInt": ([1], [0, True]),
    "Base64Binary": (["", DIGEST, "JVBE\n Ri0x"], ["JVBERi0xLjQ", "é", "%%%%", 7, ["x"]]),
}


@pytest.mark.parametrize("kind", fhir_values.PRIMITIVES)
def test_a_primitive_type_is_written_in_its_own_way(kind):
    right, wrong = KINDS[kind]
    check, _ = fhir_values.PRIMITIVES[kind]
    assert [value for value in right if not check(value)] == []
    assert [value for value in wrong if check(value)] == []


SCRIPT = {"resourceType": "TestScript", "url": "urn:x", "name": "Script", "status": "draft"}
NO_RESOURCE = ("/resourceType", "FHIR R4 has no such resource.")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (PATIENT | {"active": "yes", "name": ["x"]}, [("/active",), ("/name/0", "name is not written as FHIR R4 ")]),
        (
            PATIENT | {"name": {"family": 7}},
            [("/name/family", "family must be text"), ("/name", "name must be a list.")],
        ),
        (PATIENT | {"name": [{"given": ["Ann", " "]}]}, [("/name/0/given/1", "given must be text ")]),
        (PATIENT | {"name": [{"foo": 1}]}, [("/name/0/foo", "foo is no element that FHIR has here.")]),
        (PATIENT | {"link": [{}, {"type": "x"}]}, [("/link/0", "FHIR has no empty elements: leave it away.")]),
        (PATIENT | {"link": [{"type": "refer"}]}, [("/link/0/other", "other is missing.")]),
        (PATIENT | {"generalPractitioner": [PATIENT]}, [("/generalPractitioner/0", "generalPractitioner is not ")]),
        *(
            (PATIENT | {name: "x"}, [(f"/{name}", f"{name} is no element that FHIR has here.")])
            for name in ("resource_type", "fhir_comments", "birthDate__ext")
        ),
        (
            {"resourceType": "Encounter", "status": "planned", "class_fhir": {"code": "AMB"}},
            [("/class_fhir", "class_fhir is no element that FHIR has here.")],
        ),
        (PATIENT | {"name": [{"family__ext": {"id": "x"}}]}, [("/name/0/family__ext", "family__ext is no element ")]),
        (
            PATIENT | {"contained": [PATIENT | {"resource_type": "x"}]},
            [("/contained/0/resource_type", "resource_type is no element ")],
        ),
        ({}, [("/", "FHIR has no empty elements: leave it away.")]),
        ({"active": True}, [NO_RESOURCE]),
        (["x"], [NO_RESOURCE]),
        ("x", [NO_RESOURCE]),
        *(
            ({"resourceType": kind}, [NO_RESOURCE])
            for kind in ("HumanName", "Element", "Date", "Pattient", "Ingredient", 5, ["Patient"], {"a": 1})
        ),
        (
            PATIENT | {"contained": [{"resourceType": 5}]},
            [("/contained/0/resourceType", "FHIR R4 has no such resource.")],
        ),
        (PATIENT | {"name": [[None]]}, [("/name/0/0", "FHIR has no empty elements: leave it away.")]),
        (["", {}], [("/0", "FHIR has no empty elements"), ("/1", "FHIR has no empty elements")]),
        (PATIENT | {"name": [{"given": ["A", None], "_given": [None]}]}, [("/name/0/given/1", "FHIR has no empty ")]),
        (
            PATIENT | {"name": [{"given": ["", None], "_given": [{"id": "x"}, {"id": "y"}]}]},
            [("/name/0/given/0", "FHIR has no empty elements")],
        ),
        (SCRIPT | {"status": "old"}, [("/status", "status is none of the codes that FHIR R4 has here.")]),
        (
            SCRIPT | {"setup": {"action": [{"assert": {"warningOnly": False, "direction": "x"}}]}},
            [("/setup/action/0/assert/direction", "direction is none of the codes")],
        ),
        ({"resourceType": "Observation", "status": "corrected", "code": {"text": "weight"}}, []),
        ({"resourceType": "Evidence"}, [("/resourceType", "Such a resource of FHIR R4 cannot be judged here.")]),
    ],
)
def test_a_fault_is_told_by_the_name_of_its_element(document, told):
    found = fhir.violations(document)
    assert [each.where for each in found] == [where for where, *_ in told]
    assert all(each.message.startswith("".join(words)) for each, (_, *words) in zip(found, told, strict=True))


@pytest.mark.parametrize("error", [KeyError, IndexError, TypeError, AttributeError, ValueError])
def test_whatever_the_library_raises_is_a_fault_of_the_document(monkeypatch, error):
    def model(document):
        raise error

    monkeypatch.setattr(fhir, "_model", model)
    assert [(each.where, each.message) for each in fhir.violations(PATIENT)] == [NO_RESOURCE]


def test_it_is_known_whether_the_library_is_there(monkeypatch):
    assert fhir.available()
    monkeypatch.setitem(sys.modules, "fhir.resources", None)
    assert not fhir.available()
