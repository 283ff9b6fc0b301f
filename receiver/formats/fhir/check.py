"""Checks FHIR R4 by fhir.resources: elements, cardinality, types, codes.

Its models are those of R4B, which changed nothing in R4 but medication definitions, evidence and the like: those are
not judged but refused. Values are judged by `fhir_values`, since the models take "yes" for true. What the messages of
the library say may quote a value, so only an error's kind and place are passed on.
"""

from collections.abc import Iterator
from typing import Any

from receiver.core.problems import Violation
from receiver.formats.fhir import bundles
from receiver.formats.fhir import values as fhir_values
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
LATER = frozenset(  # resources that R4B has and R4 has not
    """AdministrableProductDefinition Citation ClinicalUseDefinition EvidenceReport Ingredient
    ManufacturedItemDefinition MedicinalProductDefinition NutritionProduct PackagedProductDefinition
    RegulatedAuthorization SubscriptionStatus SubscriptionTopic SubstanceDefinition""".split()  # noqa: SIM905
)
DIFFERENT = frozenset(  # resources of R4 that R4B has not, or has with another structure
    """EffectEvidenceSynthesis Evidence EvidenceVariable MedicinalProduct MedicinalProductAuthorization
    MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
    MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
    MedicinalProductUndesirableEffect RiskEvidenceSynthesis SubstanceNucleicAcid SubstancePolymer SubstanceProtein
    SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification""".split()  # noqa: SIM905
)
Path = tuple[str | int, ...]


def available() -> bool:
    """Return whether fhir.resources is installed (`pip install receiver[fhir]`)."""
    try:
        import fhir.resources  # noqa: F401 (an extra)
    except ImportError:
        return False
    return True


def violations(document: Any) -> tuple[Violation, ...]:
    """Return every fault of a resource with its JSON Pointer; () without one."""
    from pydantic import ValidationError

    faults = (*_empty(document, ()), *_resources(document, ()))
    if faults:
        return faults
    judged = fhir_values.faults(document, fhir_values.ANY_RESOURCE)
    values = [_violation(path, "type", _named(path, words)) for path, words in judged]
    try:
        resource = _model(document).model_validate(document)
    except ValidationError as error:
        errors = error.errors()
        return tuple(dict.fromkeys([*values, *_structure(errors, {each.where for each in values})]))
    except (LookupError, TypeError, AttributeError, ValueError):
        return (_violation(("resourceType",), "type", "FHIR R4 has no such resource"),)
    ruled = (_violation(path, rule, message) for path, rule, message in bundles.faults(document))
    return (*values, *_codes(resource, ()), *ruled)


def _structure(errors: Any, known: set[str]) -> Iterator[Violation]:
    """Yield the library's errors, except for values that are reported already."""
    for error in errors:
        found = _told(error)
        above = "" if found.where in ("/", "/resourceType") else found.where
        if error["type"] in KINDS or not any(each == found.where or each.startswith(f"{above}/") for each in known):
            yield found


def _resources(value: Any, path: Path) -> Iterator[Violation]:
    """Yield resources that R4 does not have, or that models of R4B cannot check."""
    if isinstance(value, dict) and "resourceType" in value:
        kind = str(value["resourceType"])
        if kind in DIFFERENT:
            yield _violation((*path, "resourceType"), "type", "Such a resource of FHIR R4 cannot be judged here")
        elif kind in LATER or not _is_resource(kind):
            yield _violation((*path, "resourceType"), "type", "FHIR R4 has no such resource")
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _resources(inner, (*path, step))


def _is_resource(kind: str) -> bool:
    from fhir.resources.R4B import get_fhir_model_class
    from fhir.resources.R4B.resource import Resource

    try:
        return issubclass(get_fhir_model_class(kind), Resource)
    except ValueError:
        return False


def _named(path: Path, words: str) -> str:
    name = next((step for step in reversed(path) if isinstance(step, str)), "it")
    return f"{name} {words}"


def _model(document: Any) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(document["resourceType"])


def _told(error: Any) -> Violation:
    path = tuple(step for step in error["loc"] if step != "resource_type")
    rule, message = KINDS.get(error["type"], OTHER)
    return _violation(path, rule, _named(path, message))


def _violation(path: Path, rule: str, message: str) -> Violation:
    return Violation(pointer(path) or "/", rule, f"{message}.", SCHEMA)


def _empty(value: Any, path: Path) -> Iterator[Violation]:
    """Yield what FHIR forbids: null, empty texts, lists and objects (FHIR R4 §2.6.2)."""
    if value is None or value in ("", [], {}):
        yield _violation(path, "empty", "FHIR has no empty elements: leave it away")
    elif isinstance(value, dict):
        for name, inner in value.items():
            for step, each in _filled(value, name):
                yield from _empty(each, (*path, name, *step))
            if not isinstance(inner, list) or not inner:
                yield from _empty(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _empty(inner, (*path, place))


def _filled(owner: dict[str, Any], name: str) -> Iterator[tuple[Path, Any]]:
    """Yield a list's items, without nulls that "_name" fills, or the other way round."""
    items, others = owner[name], owner.get(name.removeprefix("_") if name.startswith("_") else f"_{name}")
    for place, each in enumerate(items) if isinstance(items, list) else ():
        other = others[place] if isinstance(others, list) and place < len(others) else None
        if each is not None or other is None:
            yield (place,), each


def _codes(model: Any, path: Path) -> Iterator[Violation]:
    """Yield codes that are not in FHIR's list for their place.

    The models only carry the lists.
    """
    for name, field in type(model).model_fields.items():
        value = getattr(model, name, None)
        if value is None:  # as nearly all that FHIR has for a resource
            continue
        step = field.alias
        for place, each in enumerate(value) if isinstance(value, list) else [(None, value)]:
            here = (*path, step) if place is None else (*path, step, place)
            if hasattr(type(each), "model_fields"):
                yield from _codes(each, here)
            elif not _known(field, each):
                yield _violation(here, "code", f"{step} is none of the codes that FHIR R4 has here")


def _known(field: Any, code: str) -> bool:
    codes = (field.json_schema_extra or {}).get("enum_values")
    return not codes or code in codes or not OPEN.isdisjoint(codes)
