"""Any value, through every shipped process, read back by another reader: equal, or refused by its field's name.

The short run is a part of the tests; `make properties` tries ten thousand values of each, and tells how many of them
came back and how many were refused.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from receiver.authoring.cases.cases import incoming
from receiver.authoring.cases.outcome import FROZEN
from receiver.core.delivery import Delivery, Role
from receiver.core.problems import Code, Problem
from receiver.delivery.parts import collect
from receiver.delivery.render import as_published, render
from receiver.store.stage import Stage
from receiver.templates.filters import person_words
from receiver.templates.filters.persons import HL7
from tests.shipped.readers import FORM, Message, bundle, dip, fixed, form, laserfiche, rows, transaction
from tests.shipped.shipping import MANY, case

SPECIAL = [
    *"|^~\\&<>\"',;:=+-@/#{}[]%$\t\r\n\v\f\0\x1b\x1c\x7f\x85\xa0",
    *["\r\n", "\\F\\", "\\.br\\", "\\X0D\\", '""', "]]>", "-->", "&amp;", "\\u0000", "{{", "{%", "=1+1", "BEGIN:"],
    *["e\u0301", "\u200b", "\u202e", "\u2028", "\ufeff", "\ufffe", "\ud800", "\U0001f600", "  ", "-12.5", "é", "Ł"],
]
VALUES = st.lists(st.sampled_from(SPECIAL) | st.characters() | st.text(max_size=3), max_size=8).map("".join)
PLAIN = st.text(
    st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters='":'), min_size=1, max_size=8
)
TITLES = st.sampled_from(["Jr.", "III", "MD", "Dr.", "de", "van", "DO"])
BARE = (
    person_words.TITLES | person_words.SUFFIXES | {each.lower() for each in person_words.DEGREES}
)  # no names by themselves
NAMES = (
    st.lists(PLAIN | TITLES, min_size=1, max_size=3)
    .map(" ".join)
    .filter(lambda text: any(word.strip(",.").lower() not in BARE for word in re.split(r"[\s,]+", text) if word))
)

Files = Mapping[str, bytes]  # by suffix


def exact(value: str) -> object:
    return value


def words(value: str) -> object:
    """Return the words of a name, in no order: it is taken apart, and no word may be lost."""
    return sorted(value.replace("^" if HL7.fullmatch(" ".join(value.split())) else ",", " ").split())


def flat(value: str) -> object:
    """Return a text as HL7 carries it where it has no line breaks: each is one blank."""
    return "".join(
        " " if character in "\t\n\r\v\f\x85\u2028\u2029" else character for character in value.replace("\r\n", "\n")
    )


def unguarded(value: str) -> object:
    """Return a cell without the guard that makes a formula a text."""
    return value.removeprefix("'")


def human(resource):
    return resource["contained"][0]["name"][0]


def named(name) -> list[str]:
    return [name.get("family", ""), *name.get("given", []), *name.get("prefix", []), *name.get("suffix", [])]


def trimmed(value: str) -> object:
    """Return a sourceId as it is taken from XML: without the white space around it, and without a formula's guard."""
    return unguarded(value.strip(" \t\r\n"))


def obr(files: Files, field: int, component: int) -> str:
    return Message(files[".hl7"]).leaf("OBR", field, component)


def cell(files: Files, column: str) -> object:
    return unguarded(rows(files[".csv"])[0][column])


def of_form(path: str, attribute: str = "") -> Callable[[Files], object]:
    """Return what reads an element of an intake form, or one of its attributes; "" where it is not there."""

    def read(files: Files) -> object:
        found = form(files[".xml"]).find(path, {"": FORM.strip("{}")})
        if found is None:
            return ""
        return found.get(attribute) if attribute else found.text

    return read


def document(files: Files) -> dict[str, Any]:
    return bundle(files[".json"])


SOURCE = "sourceId"
# process, sample, field → how its value is read out of the records, and what it is compared as
READ: dict[tuple[str, str, str], list[tuple[Callable[[Files], object], Callable[[str], object]]]] = {
    ("referrals", "faxed-letter", "patient_name"): [
        (lambda files: sorted(Message(files[".hl7"]).name()), words),
        (lambda files: json.loads(files[".json"])["patient"]["name"], exact),
    ],
    ("referrals", "faxed-letter", SOURCE): [(lambda files: json.loads(files[".json"])["sourceId"], exact)],
    ("lab-reports", "lipid-panel", "patient_name"): [
        (lambda files: sorted(Message(files[".hl7"]).name()), words),
        (lambda files: cell(files, "patient_name"), unguarded),
    ],
    ("lab-reports", "lipid-panel", "test_name"): [
        (lambda files: obr(files, 4, 5), flat),
        (lambda files: cell(files, "test_name"), unguarded),
    ],
    ("lab-reports", "lipid-panel", "laboratory"): [
        (lambda files: obr(files, 3, 2), flat),
        (lambda files: cell(files, "laboratory"), unguarded),
    ],
    ("lab-reports", "lipid-panel", SOURCE): [(lambda files: cell(files, "source_id"), trimmed)],
    ("intake-forms", "twenty-fields", "patient_name"): [(of_form("patient/name"), exact)],
    ("intake-forms", "twenty-fields", "patient_address"): [(of_form("patient/address"), exact)],
    ("intake-forms", "twenty-fields", "insurance_name"): [(of_form("insurance/name"), exact)],
    ("intake-forms", "twenty-fields", "referring_provider"): [(of_form("referrer/name"), exact)],
    ("intake-forms", "twenty-fields", "reason"): [(of_form("reason"), exact)],
    ("intake-forms", "twenty-fields", "fax_csid"): [(of_form("fax", "csid"), exact)],
    ("intake-forms", "twenty-fields", SOURCE): [(of_form(".", "sourceId"), exact)],
    ("mdm-embedded", "noise-in-the-name", "patient_name"): [
        (lambda files: sorted(Message(files[".hl7"]).name()), words),
    ],
    ("fhir-bundle", "noise-in-the-name", "patient_name"): [
        (lambda files: human(document(files))["text"], exact),
        (lambda files: sorted(" ".join(named(human(document(files)))).split()), words),
    ],
    ("fhir-bundle", "faxed-referral", "author"): [
        (lambda files: document(files).get("author", [{"display": ""}])[0]["display"], exact),
    ],
    ("fhir-bundle", "faxed-referral", SOURCE): [(lambda files: document(files)["identifier"][0]["value"], exact)],
    ("onbase-dip", "accents", "patient_name"): [
        (
            lambda files: sorted(
                " ".join(dip(files[".txt"])[0].value(f"Patient {part} Name") for part in ("First", "Last")).split()
            ),
            words,
        ),
    ],
    ("onbase-dip", "accents", SOURCE): [(lambda files: dip(files[".txt"])[0].value("Source ID"), exact)],
    ("laserfiche-list", "noise-in-the-name", "patient_name"): [
        (lambda files: laserfiche(files[".lstx"])["Patient"][0], exact),
    ],
    ("laserfiche-list", "noise-in-the-name", SOURCE): [
        (lambda files: laserfiche(files[".lstx"])["Source"][0], exact),
    ],
    ("filenet-batch", "letter", "patient_name"): [
        (lambda files: transaction(files[".dat"])[0]["properties"][1], exact),
    ],
    ("filenet-batch", "letter", SOURCE): [
        (lambda files: transaction(files[".dat"])[0]["properties"][3], exact),
    ],
    ("fixed-width", "accents", "patient_name"): [
        (lambda files: sorted(" ".join(fixed(files[".dat"])[0][part] for part in ("given", "family")).split()), words),
    ],
}
REFUSALS = {
    Code.METADATA_MALFORMED,
    Code.METADATA_INVALID,
    Code.FIELDS_INVALID,
    Code.TEMPLATE_FAILED,
    Code.RECORD_INVALID,
}
slowly = bounded(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))


def names(code: Code, field: str, told: str) -> bool:
    """Tell whether what is told of a refusal leads to the field, or to the place where no field can be known."""
    if code is Code.METADATA_MALFORMED:
        return "line " in told
    if code is Code.RECORD_INVALID:
        return "record line " in told
    if code is Code.TEMPLATE_FAILED:
        return ("delivery.source_id" if field == SOURCE else f"fields.{field}") in told
    return field in told


class Shipped:
    """A sample of a shipped process, whose fields can be changed and rendered again."""

    def __init__(self, process: str, name: str, staged) -> None:
        sample = case(process, name)
        self.process = sample.process
        config = self.process.config
        came = incoming(sample, 10**9)
        self.parts = collect(config.parts, config.delivery.unknown_parts, came, staged).parts
        (self.metadata,) = [part for part in self.parts if part.role is Role.METADATA]
        self.published = as_published(self.process, self.parts, staged)

    def become(self, field: str, value: str) -> Files | Problem:
        """Return the records by suffix, or why there are none."""
        try:
            return self._rendered(field, value)
        except Problem as problem:
            return problem

    def _rendered(self, field: str, value: str) -> Files:
        content = self.metadata.read()
        changed = _in_xml if self.metadata.type == "application/xml" else _in_json
        reading = self.process.metadata.read(changed(content, field, value))
        delivery = Delivery("AAAABBBBCCCCDDDDEEEE", self.process.name, reading.source_id, FROZEN, 1)
        rendered = render(self.process, delivery, reading, self.published)
        return {record.path[record.path.rindex(".") :]: record.content for record in rendered.records}


def _in_json(content: bytes, field: str, value: str) -> bytes:
    metadata = json.loads(content)
    if field == SOURCE:
        return json.dumps(metadata | {SOURCE: value}).encode()
    metadata["fields"] = [each for each in metadata["fields"] if each["name"] != field]
    metadata["fields"].append({"name": field, "value": value, "confidence": 1})
    return json.dumps(metadata).encode()


def _in_xml(content: bytes, field: str, value: str) -> bytes:
    opening, name = (SOURCE, SOURCE) if field == SOURCE else (f'field name="{field}" confidence="1"', "field")
    before, _, rest = content.decode().partition("<" + opening.partition(" confidence")[0])
    shown = escape(value, {"\r": "&#13;"})
    changed = f"{before}<{opening}>{shown}</{name}>{rest.partition(f'</{name}>')[2]}"
    return changed.encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("any")).open() as staged:
        made: dict[tuple[str, str], Shipped] = {}

        def make(process: str, name: str) -> Shipped:
            return made.setdefault((process, name), made.get((process, name)) or Shipped(process, name, staged))

        yield make


@pytest.mark.parametrize("place", READ, ids="/".join)
@given(value=VALUES)
@slowly
def test_any_value_comes_back_or_is_refused_by_name(shipped, place, value):
    process, sample, field = place
    become = shipped(process, sample).become(field, value)
    if isinstance(become, Problem):
        event(f"refused: {become.code.name}")
        assert become.code in REFUSALS
        assert become.violations
        assert all(names(become.code, field, f"{each.where} {each.message}") for each in become.violations)
        assert all(len(value) < 3 or value not in violation.message for violation in become.violations)
        return
    event("came back")
    for read, compared in READ[place]:
        assert read(become) == compared(value)


@pytest.mark.parametrize("place", [place for place in READ if place[2] != SOURCE], ids="/".join)
@given(value=NAMES.filter(str.strip).filter(lambda value: value.count(",") < 2))
@slowly
def test_what_is_printed_on_a_keyboard_is_never_refused(shipped, place, value):
    process, sample, field = place
    become = shipped(process, sample).become(field, value)
    assert not isinstance(become, Problem), become.violations
    for read, compared in READ[place]:
        assert read(become) == compared(value)
