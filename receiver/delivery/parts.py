"""Matches the sections of a delivery to the parts that its process expects, and stages each as it arrives.

Everything that arrived is staged, also what is refused, so that a refused delivery can be kept whole. Only
content beyond a part's own limit is dropped: such a delivery is not whole, and `Collected.whole` says so.
What is small is in memory until the delivery is known to be new (`Staged.write`), and metadata, which is read there,
becomes a file only where it is kept.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from receiver.core import limits
from receiver.core.delivery import Incoming, Part, Role, Section
from receiver.core.problems import Code, Problem, Violation
from receiver.core.steps import Step, timed
from receiver.delivery import sniffing
from receiver.delivery.content import begin, take_in
from receiver.site.config.model import PartConfig
from receiver.store.stage import Staged

SUFFIXES = {
    "image/tiff": ".tif",
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "application/dicom": ".dcm",
    "application/json": ".json",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "text/csv": ".csv",
    "text/plain": ".txt",
}
SAFE_SUFFIX = re.compile(r"\.[0-9A-Za-z]{1,8}")

# When several rules are broken, the answer carries the code that stands first here.
GRAVITY = (
    Code.PART_TOO_LARGE,
    Code.PART_TYPE,
    Code.PART_CONTENT,
    Code.PART_EMPTY,
    Code.PART_MISSING,
    Code.PART_REPEATED,
    Code.PART_UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Collected:
    """The parts of one delivery, and every rule they break."""

    parts: tuple[Part, ...]
    problem: Problem | None
    whole: bool  # False where content was dropped


@timed(Step.RECEIVE)
def collect(rules: Sequence[PartConfig], unknown: str, incoming: Iterable[Incoming], staged: Staged) -> Collected:
    """Stage every section and match it to its rule. `unknown` is refuse, ignore or keep.

    Raises `Problem` only where the request cannot be read on, or the disk fails.
    """
    parts: list[tuple[int, Part]] = []
    violations: list[Violation] = []
    dropped = False
    came = Counter[int]()
    for number, arriving in enumerate(incoming, start=1):
        place, rule = match(rules, arriving.section.name)
        if rule is None and unknown == "ignore":
            continue
        came[place] += 1
        if came[place] > limits.MAX_SURPLUS and not (rule and rule.many):
            raise Problem(Code.TOO_MANY_PARTS, f"More than {limits.MAX_SURPLUS} parts are not expected or come again.")
        label = _label(arriving.section.name, rule, number)
        part, head = _stage(arriving, rule, label, staged)
        parts.append((place, part))
        violations += _objections(part, head, rule, unknown)
        cut = rule and rule.max_size is not None and part.size > rule.max_size
        dropped |= bool(cut) and not isinstance(arriving.content, Path)
    parts.sort(key=lambda item: (item[0], _natural(item[1].name)))
    collected = tuple(part for _, part in parts)
    violations += _counts(rules, collected)
    return Collected(collected, _problem(violations), whole=not dropped)


def match(rules: Sequence[PartConfig], name: str) -> tuple[int, PartConfig | None]:
    """Return the rule for a section's name and its place: an exact name wins over a glob."""
    for place, rule in enumerate(rules):
        if rule.name == name:
            return place, rule
    for place, rule in enumerate(rules):
        if fnmatchcase(name, rule.name):
            return place, rule
    return len(rules), None


def _label(name: str, rule: PartConfig | None, number: int) -> str:
    """Call a part by its configured name, or by its place: what a sender made up may hold anything."""
    if rule is None:
        return f"part {number}"
    return name if name == rule.name else f"part {number} ({rule.name})"


def _stage(arriving: Incoming, rule: PartConfig | None, label: str, staged: Staged) -> tuple[Part, bytes]:
    """Return the part and its first kilobyte."""
    section = arriving.section
    head, content = begin(arriving.content)
    role = rule.role if rule else Role.ATTACHMENT
    type_ = _type(section, role, rule.types if rule else (), head)
    suffix = _suffix(type_, section.filename)
    limit, hold = rule.max_size if rule else None, role is Role.METADATA
    taken = take_in(content, limit, staged, suffix, hold=hold)
    told = section.name, section.filename, type_
    return Part(*told, role, suffix, taken.size, taken.sha256, taken.path, label, taken.held, section.charset), head


def _type(section: Section, role: Role, taken: Sequence[str], head: bytes) -> str:
    """Return the media type of a section: what its sender says, or where that is nothing, what it looks like."""
    said = sniffing.registered(section.type)
    if role is Role.METADATA and (sniffing.is_untold(said) or said == "text/plain"):  # as a form field comes
        looks = sniffing.tell_text(head) or sniffing.tell(head, section.filename)
    elif sniffing.is_untold(said):
        looks = sniffing.tell(head, section.filename)
    else:
        return said
    return said if not looks or (said in taken and looks not in map(sniffing.registered, taken)) else looks


def _suffix(type_: str, filename: str | None) -> str:
    if type_ in SUFFIXES:
        return SUFFIXES[type_]
    own = PurePosixPath(filename or "").suffix
    return own.lower() if SAFE_SUFFIX.fullmatch(own) else ".bin"


def _objections(part: Part, head: bytes, rule: PartConfig | None, unknown: str) -> Iterator[Violation]:
    if rule is None:
        if unknown == "refuse":
            yield Violation(part.label, Code.PART_UNKNOWN, "This process has no part of this name.")
        return
    if rule.types and part.type not in map(sniffing.registered, rule.types):
        yield Violation(part.label, Code.PART_TYPE, _wanted(rule.types, part.type))
    elif rule.sniff and not part.size:
        yield Violation(part.label, Code.PART_EMPTY, "The part has no content.")
    elif rule.sniff and sniffing.contradicts(part.type, head):
        yield Violation(part.label, Code.PART_CONTENT, f"The part does not begin as {part.type} does.")
    if rule.max_size is not None and part.size > rule.max_size:
        yield Violation(part.label, Code.PART_TOO_LARGE, f"The part is larger than {rule.max_size} bytes.")


def _wanted(types: Sequence[str], type_: str) -> str:
    message = f"The part's Content-Type must be {' or '.join(types)}."
    if not sniffing.is_untold(type_):
        return message
    return f"{message} It says nothing, and neither the content nor the file name tells what the part is."


def _counts(rules: Sequence[PartConfig], parts: Sequence[Part]) -> Iterator[Violation]:
    per_rule = Counter(match(rules, part.name)[0] for part in parts)
    for place, rule in enumerate(rules):
        if rule.required and not per_rule[place]:
            yield Violation(rule.name, Code.PART_MISSING, f"The {rule.role} part is missing.")
        if per_rule[place] > 1 and not rule.many:
            yield Violation(rule.name, Code.PART_REPEATED, f"The part may come once, and came {per_rule[place]} times.")


def _problem(violations: Sequence[Violation]) -> Problem | None:
    if not violations:
        return None
    gravest = min((Code(violation.rule) for violation in violations), key=GRAVITY.index)
    return Problem(gravest, "The parts are not those that this process takes.", violations)


def _natural(name: str) -> list[tuple[int, str]]:
    """Order page_2 before page_10."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", name) if piece]
