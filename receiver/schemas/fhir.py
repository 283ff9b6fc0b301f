"""Judges FHIR R4 resources by fhir.resources: elements, how often they come, their types, their codes.

Its models are those of R4B, which changed nothing in R4 but medication definitions, evidence and the like. What
its messages say may quote a value, so only an error's kind and place are passed on.
"""

from collections.abc import Iterator
from typing import Any

from receiver.problems import Violation
from receiver.schemas.json_explain import pointer

LIBRARY = "fhir.resources"
SCHEMA = "fhir"
OPEN = {"+", "etc."}  # end a list of codes that is not the whole list
KINDS = {  # of pydantic's errors → rule, message
    "missing": ("required", "is missing"),
    "model_field_validation.missing": ("required", "is missing"),
    "extra_forbidden": ("unknown", "is no element that FHIR has here"),
    "list_type": ("type", "must be a list"),
}
OTHER = ("type", "is not written as FHIR R4 writes it here")
Path = tuple[str | int, ...]


def available() -> bool:
    """Tell whether fhir.resources is installed (`pip install receiver[fhir]`)."""
    try:
        import fhir.resources  # noqa: F401 (an extra)
    except ImportError:
        return False
    return True


def violations(document: Any) -> tuple[Violation, ...]:
    """Return every fault of a resource, each with its JSON Pointer; () where there is none."""
    from pydantic import ValidationError

    faults = tuple(_empty(document, ()))
    if faults:
        return faults
    try:
        resource = _model(document).model_validate(document)
    except ValidationError as error:
        return tuple(dict.fromkeys(_told(each) for each in error.errors(include_url=False, include_input=False)))
    except (KeyError, LookupError, TypeError, AttributeError, ValueError):
        return (_violation(("resourceType",), "type", "FHIR R4 has no such resource"),)
    return tuple(_codes(resource, ()))


def _model(document: Any) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(document["resourceType"])


def _told(error: Any) -> Violation:
    path = tuple(step for step in error["loc"] if step != "resource_type")
    rule, message = KINDS.get(error["type"], OTHER)
    name = path[-1] if path else "resourceType"
    return _violation(path, rule, f"{name} {message}")


def _violation(path: Path, rule: str, message: str) -> Violation:
    return Violation(pointer(path) or "/", rule, f"{message}.", SCHEMA)


def _empty(value: Any, path: Path) -> Iterator[Violation]:
    """Yield what FHIR never writes: null, an empty text, list or object (FHIR R4 §2.6.2)."""
    if value is None or value in ("", [], {}):
        yield _violation(path, "empty", "FHIR has no empty elements: leave it away")
    elif isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _empty(inner, (*path, step))


def _codes(model: Any, path: Path) -> Iterator[Violation]:
    """Yield the codes that are not in the list that FHIR has for their place: the models only carry the lists."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name, None)
        if value is None:  # as nearly all that FHIR has for a resource
            continue
        step = field.alias or name
        for place, each in enumerate(value) if isinstance(value, list) else [(None, value)]:
            here = (*path, step) if place is None else (*path, step, place)
            if hasattr(type(each), "model_fields"):
                yield from _codes(each, here)
            elif isinstance(each, str) and not _known(field, each):
                yield _violation(here, "code", f"{step} is none of the codes that FHIR R4 has here")


def _known(field: Any, code: str) -> bool:
    codes = (field.json_schema_extra or {}).get("enum_values") or ()
    return not codes or code in codes or not OPEN.isdisjoint(codes)
