"""What FHIR R4 asks of a bundle beside its structure, as hapifhir/org.hl7.fhir.core's validator tells it."""

import pytest

from receiver.formats.fhir import bundles
from receiver.formats.fhir import check as fhir

ONE, TWO = "urn:uuid:00000000-0000-4000-8000-000000000001", "urn:uuid:00000000-0000-4000-8000-000000000002"
REQUEST = {"method": "POST", "url": "Patient"}


def entry(url, resource=None, **rest):
    return {"fullUrl": url, "resource": resource or {"resourceType": "Patient"}} | rest


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def observation(subject, **rest):
    code, reference = {"text": "weight"}, {"reference": subject}
    return {"resourceType": "Observation", "status": "final", "code": code, "subject": reference} | rest


WRONG = {
    "a name that two entries have": (bundle("collection", entry(ONE), entry(ONE)), "/entry/0/fullUrl", "unique"),
    "a transaction without a request": (bundle("transaction", entry(ONE)), "/entry/0/request", "required"),
    "a request in a collection": (bundle("collection", entry(ONE, request=REQUEST)), "/entry/0/request", "unknown"),
    "a reference to no entry": (
        bundle("collection", entry(ONE, observation(TWO))),
        "/entry/0/resource/subject/reference",
        "reference",
    ),
    "a reference to nothing contained": (observation("#patient"), "/subject/reference", "reference"),
    "a resource that FHIR has not": (
        bundle("collection", entry(ONE, {"resourceType": "Pattient"})),
        "/entry/0/resource/resourceType",
        "type",
    ),
}
RIGHT = {
    "a transaction": bundle("transaction", entry(ONE, request=REQUEST), entry(TWO, observation(ONE), request=REQUEST)),
    "a history of one resource": bundle(
        "collection",
        *(entry("https://example.org/Patient/1", {"resourceType": "Patient", "meta": {"versionId": v}}) for v in "12"),
    ),
    "a reference elsewhere": observation("Patient/17"),
    "a contained resource": observation("#p", contained=[{"resourceType": "Patient", "id": "p"}]),
    "what contains it": observation("#"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bundle_that_breaks_a_rule_is_told_where(name):
    document, where, rule = WRONG[name]
    assert [(each.where, each.rule) for each in fhir.violations(document)][:1] == [(where, rule)]


@pytest.mark.parametrize("name", RIGHT)
def test_a_bundle_that_keeps_the_rules_has_no_fault(name):
    assert fhir.violations(RIGHT[name]) == ()


@pytest.mark.parametrize("reference", [7, ["#p"], {"reference": 7}, None])
def test_a_reference_that_is_no_text_is_left_to_the_model(reference):
    assert list(bundles.faults(observation(reference))) == []
    assert [each.where for each in fhir.violations(observation(reference))] == ["/subject/reference"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        "x",
        ["x"],
        {"resourceType": "Bundle", "type": "collection", "entry": "x"},
        bundle("collection", "x", {"resource": "x"}, {"fullUrl": ONE, "resource": ["x"]}, {"fullUrl": TWO}),
        bundle("collection", {"fullUrl": ONE, "resource": {"resourceType": "Patient", "meta": "x"}}),
        bundle("transaction", "x"),
        {"subject": {"reference": "#p"}},
        bundle("collection", {"resource": {"resourceType": "Patient"}}, {"resource": {"resourceType": "Patient"}}),
        observation("#p", contained=["x", {"id": "p"}]),
        observation("#"),
    ],
)
def test_what_is_no_bundle_is_left_to_the_model(document):
    assert list(bundles.faults(document)) == []


def test_resources_within_a_bundle_are_judged_by_themselves():
    inner = bundle("collection", "x", entry(ONE, observation("#p")))
    found = [*bundles.faults(bundle("collection", "x", entry(TWO, inner)))]
    assert [path for path, _, _ in found] == [
        ("entry", 1, "resource", "entry", 1, "resource", "subject", "reference"),
    ]


@pytest.mark.parametrize("name", ["p", "patient", "#"])
def test_a_reference_to_nothing_contained_is_told_however_short_it_is(name):
    (fault,) = bundles.faults(observation(f"#{name}", contained=[{"id": f"{name}x"}, {"id": ""}]))
    assert fault == (("subject", "reference"), "reference", "leads to nothing that this resource contains")
