"""Rules of FHIR R4 for bundles and references that the models do not check.

Sources: FHIR R4 §2.36 (Bundle: bdl-3, bdl-4, bdl-7 and "Resolving references in Bundles"), §2.3 (contained resources).
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from receiver.core.positions import Path

REQUESTED = frozenset({"batch", "transaction", "history"})  # types of bundles whose entries have a request
OTHERS = frozenset({"document", "message", "transaction-response", "batch-response", "searchset", "collection"})
LOCAL = ("urn:uuid:", "urn:oid:")  # as a reference: nothing outside of the bundle has such a name


def faults(document: Any, path: Path = ()) -> Iterator[tuple[Path, str, str]]:
    """Yield path, rule and message of each fault of a resource and of nested ones."""
    if not isinstance(document, dict):
        return
    entries = [each for each in _list(document, "entry") if isinstance(each, dict)]
    if document.get("resourceType") == "Bundle":
        yield from _entries(document, entries, path)
        known = {each.get("fullUrl") for each in entries}
        for steps, reference in _references(document, path):
            if reference.startswith(LOCAL) and reference not in known:
                yield steps, "reference", "leads to no fullUrl of this bundle"
    yield from _contained(document, path)
    for index, entry in enumerate(_list(document, "entry")):
        if isinstance(entry, dict):
            yield from faults(entry.get("resource"), (*path, "entry", index, "resource"))


def _entries(bundle: dict[str, Any], entries: list[dict[str, Any]], path: Path) -> Iterator[tuple[Path, str, str]]:
    kind = bundle.get("type")
    names = Counter(_identity(each) for each in entries if "fullUrl" in each)
    for index, entry in enumerate(_list(bundle, "entry")):
        if not isinstance(entry, dict):
            continue
        here = (*path, "entry", index)
        if kind in REQUESTED and "request" not in entry:
            yield (*here, "request"), "required", f"request is missing: each entry of a {kind} has one"
        elif kind in OTHERS and "request" in entry:
            yield (*here, "request"), "unknown", "request has no place in a bundle of this type"
        if names[_identity(entry)] > 1:
            yield (*here, "fullUrl"), "unique", "fullUrl is that of another entry as well"


def _identity(entry: dict[str, Any]) -> str:
    """Return what identifies an entry: its name, with the resource's version if any."""
    resource = entry.get("resource")
    meta = resource.get("meta") if isinstance(resource, dict) else None
    return f"{entry.get('fullUrl')} {meta.get('versionId') if isinstance(meta, dict) else None}"


def _contained(resource: dict[str, Any], path: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield references such as #patient to resources that are not contained."""
    if "resourceType" not in resource or resource["resourceType"] == "Bundle":
        return
    known = {each.get("id") for each in _list(resource, "contained") if isinstance(each, dict)}
    for steps, reference in _references(resource, path):
        if len(reference) > 1 and reference.startswith("#") and reference[1:] not in known:
            yield steps, "reference", "leads to nothing that this resource contains"


def _references(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if step == "reference" and isinstance(inner, str):
            yield (*path, step), inner
        elif isinstance(inner, dict | list):
            yield from _references(inner, (*path, step))


def _list(owner: dict[str, Any], name: str) -> list[Any]:
    found = owner.get(name)
    return found if isinstance(found, list) else []
