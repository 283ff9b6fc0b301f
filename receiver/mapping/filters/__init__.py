"""The filters and tests of templates: Jinja2's harmless ones, bounded, and those that records need."""

from collections.abc import Callable
from typing import Any

from receiver.mapping.filters import dates, documents, kept, texts

Filter = Callable[..., Any]

FILTERS: dict[str, Filter] = {
    **kept.FILTERS,
    "date": dates.date,
    "hl7_ts": dates.hl7_ts,
    "base64": documents.base64,
    "digits": texts.digits,
    "fixed": texts.fixed,
}
TESTS = kept.TESTS

# Filters that choose how a printed value is escaped: the compiler reads them, they never run.
MARKS = {
    "raw": "prints a value without escaping it",
    "unguarded": "prints a CSV cell without the formula guard",
    "hl7_text": "prints an HL7 value with its line breaks",
}

CHECKS: dict[str, Callable[[list[Any]], str]] = {"date": dates.check}  # constant arguments → what is wrong, or ""

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
