"""Checks FHIR R4's primitive types as written in JSON (FHIR R4 §2.24).

fhir.resources turns "yes" into true.

The models of fhir.resources know which element is of which type; the values judged are those of the document itself.
"""

import binascii
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

YEAR = "(?!0000)[0-9]{4}"
DAY = f"{YEAR}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?"
FULL_DAY = f"{YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
MOMENT = f"{FULL_DAY}T{CLOCK}(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
MAX_TEXT = 1_048_576  # characters of a string, FHIR R4 §2.24.0.1
LARGEST = 2**31 - 1
ELEMENT = re.compile(r"(?P<many>typing\.List\[)?(?:fhirtypes\.)?(?P<kind>\w+?)(?:Type)?(?: \| None)?(?:\]|$| \|)")


class Element(NamedTuple):
    """What FHIR has under one name."""

    kind: str  # "Date", or the name of a complex type
    choice: str  # "deceased" for deceasedBoolean: only one of its forms may come; "" for most


Check = Callable[[Any], bool]


def _text(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _day(pattern: str) -> Check:
    written = _text(pattern)
    return lambda value: written(value) and _in_calendar(value[:10])


def _in_calendar(day: str) -> bool:
    if len(day) < 10:  # a year, or a month
        return True
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        return False
    return all(letter >= " " or letter in "\t\r\n" for letter in value)


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool | str | list | dict)


def _whole(lowest: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= LARGEST


def _is_base64(value: Any) -> bool:
    try:
        binascii.a2b_base64("".join(value.split()).encode("ascii"), strict_mode=True)
    except (AttributeError, ValueError):
        return False
    return True


TEXT = (_is_text, "must be text that is not only blanks, without control characters")
ADDRESS = (_text(r"\S+"), "must be an address without blanks")
PRIMITIVES: Mapping[str, tuple[Check, str]] = {
    "bool": (lambda value: isinstance(value, bool), "must be true or false, without quotes"),
    "Boolean": (lambda value: isinstance(value, bool), "must be true or false, without quotes"),
    "String": TEXT,
    "Markdown": TEXT,
    "Code": (_text(r"\S+(?:\s\S+)*"), "must be a code: no blanks around it, and single ones within"),
    "Id": (_text(r"[A-Za-z0-9.-]{1,64}"), 'must be 1 to 64 letters, digits, "-" and "."'),
    "Uri": ADDRESS,
    "Url": ADDRESS,
    "Canonical": ADDRESS,
    "Oid": (_text(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"), "must be written urn:oid:1.2.3"),
    "Uuid": (
        _text(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        "must be urn:uuid: and a UUID in small letters",
    ),
    "Date": (_day(DAY), "must be a date as FHIR writes it, 2018-10-07, 2018-10 or 2018"),
    "DateTime": (_day(f"{DAY}|{MOMENT}"), "must be a date, or a time with seconds and zone: 2018-10-07T10:45:21-05:00"),
    "Instant": (_day(MOMENT), "must be a time with seconds and zone: 2018-10-07T10:45:21-05:00"),
    "Time": (_text(CLOCK), "must be a time of day, 10:45:21"),
    "Decimal": (_is_number, "must be a number, without quotes"),
    "Integer": (_whole(-LARGEST - 1), "must be a whole number of 32 bits, without quotes"),
    "UnsignedInt": (_whole(0), "must be a whole number from 0 on, without quotes"),
    "PositiveInt": (_whole(1), "must be a whole number from 1 on, without quotes"),
    "Base64Binary": (_is_base64, "must be base64, with its padding"),
}
ANY_RESOURCE = "Resource"
LATER = {"CodeableReference", "RatioRange"}  # types of R4B that R4 has not
Path = tuple[str | int, ...]


def faults(value: Any, kind: str, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield place and message of each value that breaks the form of its type."""
    if kind in PRIMITIVES:
        check, words = PRIMITIVES[kind]
        if value is not None and not check(value):
            yield path, words
    elif isinstance(value, dict):
        yield from _within(value, str(value.get("resourceType")) if kind == ANY_RESOURCE else kind, path)


def _within(value: dict[str, Any], kind: str, path: Path) -> Iterator[tuple[Path, str]]:
    known = _elements(kind)
    chosen: set[str] = set()
    for name, inner in value.items():
        element = known.get(name)
        if element is None:  # fhir.resources reports it, but for its own names
            if name in _names_in_python(kind):
                yield (*path, name), "is no element that FHIR has here"
            continue
        if element.choice in chosen:
            yield (*path, name), f"must not come besides another form of {element.choice}[x]"
        if element.kind in LATER:
            yield (*path, name), "is no element that FHIR R4 has here"
        chosen |= {element.choice} - {""}
        for place, each in enumerate(inner) if isinstance(inner, list) else [(None, inner)]:
            yield from faults(each, element.kind, (*path, name) if place is None else (*path, name, place))


@lru_cache(1_000)  # FHIR has fewer kinds
def _names_in_python(kind: str) -> frozenset[str]:
    """Return what the models of fhir.resources take as well, and FHIR has not: `class_fhir` for `class`."""
    own = (name for name, field in getattr(_model(kind), "model_fields", {}).items() if field.alias != name)
    return frozenset({*own, "resource_type", "fhir_comments"})


def _model(kind: str) -> Any:
    """Return the model of a resource or complex type; None if unknown."""
    from fhir.resources.R4B import get_fhir_model_class

    try:
        return get_fhir_model_class("Element" if kind == "FHIRPrimitiveExtension" else kind)
    except ValueError:
        return None


@lru_cache(1_000)  # FHIR has fewer kinds
def _elements(kind: str) -> Mapping[str, Element]:
    """Return the elements of a resource or complex type by JSON name; {} if unknown."""
    model = _model(kind)
    if model is None:
        return {}
    written: dict[str, str] = {}
    for base in reversed(model.__mro__):
        written |= inspect.get_annotations(base)
    found = {}
    for name, field in model.model_fields.items():
        match = ELEMENT.match(str(written.get(name, "")))
        extra = field.json_schema_extra or {}
        if match:
            found[field.alias] = Element(match["kind"], extra.get("one_of_many", ""))
    return found
