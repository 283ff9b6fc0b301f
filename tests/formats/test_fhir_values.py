"""FHIR R4's own types: what is written otherwise is refused with its place, and what is right is taken."""

import json

import pytest

from receiver.formats.fhir import check as fhir

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
