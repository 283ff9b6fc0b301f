"""Checks a rendered record before publication: its format, then its schema.

The formats are sibling modules with one function: `violations(text, …)` returns every fault with its place in the
record, "line 7, PID-3", and never a value.
"""

from collections.abc import Callable
from functools import partial

from receiver.core.problems import Violation
from receiver.formats.csv import check as csv
from receiver.formats.fhir import check as fhir
from receiver.formats.hl7 import check as hl7
from receiver.formats.json import check as json
from receiver.formats.xml import check as xml
from receiver.schemas.folder import Schemas

Check = Callable[[str], tuple[Violation, ...]]


def checker(
    format: str,  # noqa: A002 (process.toml's word)
    encoding: str,
    schema: str | None,
    schemas: Schemas,
    delimiter: str = ",",
) -> Check:
    """Return the check of one record, by a schema's name or "hl7" or "fhir".

    Raises `ConfigurationError`.
    """
    if format == "json":
        judge = fhir.violations if schema == "fhir" else schemas.json(schema).violations if schema else None
        return partial(json.violations, judge=judge)
    if format == "xml":
        judge_xml = schemas.xml(schema) if schema else None
        return lambda text: xml.violations(text.encode(encoding), judge_xml)
    if format == "hl7":
        return partial(hl7.violations, by_standard=schema == "hl7")
    if format == "csv":
        return partial(csv.violations, delimiter=delimiter)
    return lambda _text: ()
