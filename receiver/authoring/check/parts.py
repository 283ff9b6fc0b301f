"""The expected parts: overlapping globs, unknown types, impossible sizes."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from itertools import combinations
from mimetypes import MimeTypes

from receiver.authoring.check.site import Site
from receiver.core.delivery import Role
from receiver.core.faults import Fault, Severity, did_you_mean
from receiver.core.units import size_text
from receiver.delivery.parts import SUFFIXES
from receiver.site.config.wording import value_name
from receiver.site.pieces import Pieces

# Without the system's own tables, so that the same site has the same faults everywhere
KNOWN_TYPES = {*SUFFIXES, *MimeTypes().types_map[True].values(), "application/octet-stream", "text/json"}
OF_THE_OTHER_FORM = {"json": ("xml",), "xml": ("json",)}


def faults(site: Site) -> Iterator[Fault]:
    """Yield what of `[parts]` cannot be meant."""
    for process in site.processes:
        yield from _overlaps(process)
        yield from _types(process)
        yield from _metadata_types(process)
        yield from _sizes(process, site.settings.max_body)


def _overlaps(process: Pieces) -> Iterator[Fault]:
    globs = [part.name for part in process.config.parts if is_glob(part.name)]
    for first, second in combinations(globs, 2):
        if overlap(first, second):
            message = f"a section may match {value_name(first)} as well, which comes first and takes it"
            hint = "write globs that no name matches both of"
            yield process.config.source.fault(
                "parts-overlap", message, ("parts", second), hint=hint, severity=Severity.WARNING, key=True
            )


def _types(process: Pieces) -> Iterator[Fault]:
    for part in process.config.parts:
        for index, kind in enumerate(part.types):
            private = kind.partition("/")[2].startswith(("x-", "vnd."))
            near = "" if private or kind in KNOWN_TYPES else did_you_mean(kind, KNOWN_TYPES)
            if near:
                message = f"{value_name(kind)} is no media type that is known here"
                position = ("parts", part.name, "types", index)
                yield process.config.fault("unknown-type", message, *position, hint=near, severity=Severity.WARNING)


def _metadata_types(process: Pieces) -> Iterator[Fault]:
    form = process.config.metadata.form
    for part in process.config.parts:
        others = [kind for kind in part.types if kind.endswith(OF_THE_OTHER_FORM[form])]
        if part.role is Role.METADATA and part.types and len(others) == len(part.types):
            message = f"the metadata is {form.upper()} by its schema, and only {', '.join(others)} is taken"
            hint = f'write types = ["application/{form}"], or name a schema for the other form'
            yield process.config.fault("type-misfit", message, "parts", part.name, "types", hint=hint)


def _sizes(process: Pieces, max_body: int) -> Iterator[Fault]:
    for part in process.config.parts:
        if part.max_size is not None and part.max_size > max_body:
            message = (
                f"no part is ever so large: RECEIVER_MAX_BODY takes whole requests of {size_text(max_body)} at most"
            )
            hint = "lower this limit or raise RECEIVER_MAX_BODY"
            position = ("parts", part.name, "max_size")
            yield process.config.fault("size-unreachable", message, *position, hint=hint, severity=Severity.WARNING)


TOKEN = re.compile(r"\*|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)  # as fnmatch reads them
SPECIAL = re.compile(r"[*?]|\[!?\]?[^\]]*\]")


def is_glob(name: str) -> bool:
    """Return whether a part's name matches others than itself."""
    return SPECIAL.search(name) is not None


def overlap(first: str, second: str) -> bool:
    """Return whether there is a name that both globs match."""
    one, other = TOKEN.findall(first), TOKEN.findall(second)

    @cache
    def meet(left: int, right: int) -> bool:
        if left == len(one) or right == len(other):
            return {*one[left:], *other[right:]} <= {"*"}
        if one[left] == "*":
            return meet(left + 1, right) or meet(left, right + 1)
        if other[right] == "*":
            return meet(left, right + 1) or meet(left + 1, right)
        return _share(one[left], other[right]) and meet(left + 1, right + 1)

    return meet(0, 0)


def _share(one: str, other: str) -> bool:
    """Return whether two patterns for one character can match the same one.

    Printable ASCII and the characters of both are tried.
    """
    candidates = {*map(chr, range(32, 127)), *one, *other}
    return any(fnmatchcase(letter, one) and fnmatchcase(letter, other) for letter in candidates)
