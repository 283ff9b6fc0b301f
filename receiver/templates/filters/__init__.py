"""Filters and tests of templates: Jinja2's harmless ones, bounded, and our own."""

from collections.abc import Callable, Mapping
from typing import Any

from receiver.templates.filters import dates, kept, letters, numbers, patterns, persons, spans, texts
from receiver.templates.filters.objection import Objection

Filter = Callable[..., Any]

FILTERS: dict[str, Filter] = {
    **kept.FILTERS,
    "age": spans.age,
    "ascii": letters.ascii,
    "base64": texts.base64,
    "date": dates.date,
    "days_between": spans.days_between,
    "decimal": numbers.number,
    "digits": texts.digits,
    "extract": patterns.extract,
    "fhir_time": dates.fhir_time,
    "fixed": texts.fixed,
    "hl7_ts": dates.hl7_ts,
    "matches": patterns.matches,
    "number": numbers.number,
    "person": persons.person,
    "phone": texts.phone,
    "plus": spans.plus,
    "round": numbers.rounded,
    "split": texts.split,
    "sum_of": numbers.sum_of,
    "uuid": texts.uuid,
    "without": texts.without,
}
OWN_TESTS = {"matches": patterns.matches}
TESTS = kept.TESTS | OWN_TESTS

# Filters that choose how a printed value is escaped: the compiler reads them, they never run.
MARKS = {
    "raw": "prints a value without escaping it",
    "unguarded": "prints a CSV cell without the formula guard",
    "hl7_text": "prints an HL7 value with its line breaks",
    "hl7_null": 'prints an HL7 value, and where it is empty "", which deletes what the receiver has',
}

CHECKS: dict[str, Callable[[Mapping[str, Any]], Objection]] = {  # constant arguments by name → what is wrong
    "age": spans.check_age,
    "base64": texts.check_base64,
    "date": dates.check,
    "decimal": numbers.check,
    "extract": patterns.check_extract,
    "fixed": texts.check_fixed,
    "matches": patterns.check,
    "number": numbers.check,
    "person": persons.check,
    "phone": texts.check_phone,
    "plus": spans.check_plus,
    "sum_of": numbers.check,
}

_BY_ITSELF = "values are escaped for their place by themselves; `| raw` prints one as it is"
REFUSED = {  # Jinja2's filters that are not here, and what to do instead
    "e": _BY_ITSELF,
    "escape": _BY_ITSELF,
    "forceescape": _BY_ITSELF,
    "xmlattr": _BY_ITSELF,
    "tojson": _BY_ITSELF,
    "safe": "`| raw` prints a value without escaping it",
    "attr": 'write value.name or value["name"]',
    "random": "the same delivery must always make the same record",
    "urlize": "it makes HTML",
    "striptags": "it reads HTML",
    "indent": "literal text keeps its own indentation",
    "pprint": "print the items in a loop",
}
