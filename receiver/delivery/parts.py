"""Matches sections to the parts of their process, and stages each as it arrives.

Everything that arrived is staged, also what is refused, so that a refused delivery can be kept whole. Only
content beyond a part's own limit is dropped: such a delivery is not whole, and `Collected.whole` says so.
What is small is in memory until the delivery is known to be new (`Staged.write`), and metadata, which is read there,
becomes a file only if it is kept.

What a section is, its media type says, what it begins with, or its file name. A look at one kilobyte finds the wrong
file under the right name, and a scan that failed. It does not prove that the rest is sound, nor that it is harmless.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import chain
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from receiver.core import limits
from receiver.core.delivery import Part, Role, Section
from receiver.core.problems import Code, Problem, Violation
from receiver.core.work import Step, timed
from receiver.site.config.model import PartConfig
from receiver.store.staged import Staged, StagedFile

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

HEAD = 1024  # bytes that are looked at: PDF readers allow as much before the header (ISO 32000-1, annex H, note 13)

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # TIFF 6.0 §2, and BigTIFF
_PNG = b"\x89PNG\r\n\x1a\n"  # ISO/IEC 15948 §5.2
_JPEG = b"\xff\xd8\xff"  # ISO/IEC 10918-1, annex B: SOI, and the first byte of a marker
_DICOM = slice(128, 132), b"DICM"  # DICOM PS3.10 §7.1

_SIGNATURES: dict[str, Callable[[bytes], bool]] = {
    "image/tiff": lambda head: head.startswith(_TIFF),
    "image/png": lambda head: head.startswith(_PNG),
    "image/jpeg": lambda head: head.startswith(_JPEG),
    "application/dicom": lambda head: head[_DICOM[0]] == _DICOM[1],
    "application/pdf": lambda head: b"%PDF-" in head,
}
_TEXTS = {b"{": "application/json", b"[": "application/json", b"<": "application/xml"}  # by their first character

_ENDINGS = {  # of a file's name
    **dict.fromkeys((".tif", ".tiff"), "image/tiff"),
    ".pdf": "application/pdf",
    ".png": "image/png",
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "image/jpeg"),
    **dict.fromkeys((".dcm", ".dicom"), "application/dicom"),
    ".json": "application/json",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".txt": "text/plain",
}
_OTHER_NAMES = {  # what is written for a type, and the name that is registered
    **dict.fromkeys(("image/tif", "image/x-tif", "image/x-tiff", "application/tif", "application/tiff"), "image/tiff"),
    **dict.fromkeys(("application/x-tif", "application/x-tiff", "image/tiff-fx"), "image/tiff"),
    **dict.fromkeys(("application/x-pdf", "text/pdf", "text/x-pdf", "application/acrobat"), "application/pdf"),
    **dict.fromkeys(("image/x-png", "application/png", "application/x-png"), "image/png"),
    **dict.fromkeys(("image/jpg", "image/pjpeg", "image/jpe", "image/x-jpeg", "application/jpg"), "image/jpeg"),
    **dict.fromkeys(("application/x-dicom", "image/dicom", "image/x-dicom"), "application/dicom"),
    **dict.fromkeys(("text/json", "text/x-json", "application/x-json"), "application/json"),
    **dict.fromkeys(("text/xml", "application/x-xml"), "application/xml"),  # RFC 7303 §9.2
    **dict.fromkeys(("application/csv", "text/x-csv", "application/x-csv"), "text/csv"),
}
_UNSPECIFIC = {  # types that say only that there is something
    *("", "application/octet-stream", "application/x-octet-stream", "binary/octet-stream", "octet/stream"),
    *("application/binary", "application/x-binary", "application/unknown", "application/x-unknown"),
    *("unknown/unknown", "content/unknown", "application/download", "application/x-download"),
    *("application/force-download", "application/x-force-download", "*/*", "image/*", "application/*"),
}

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


class Collected(NamedTuple):
    """The parts of one delivery, and every rule they break."""

    parts: tuple[Part, ...]
    problem: Problem | None
    whole: bool  # False if content was dropped


@timed(Step.RECEIVE)
def collect(rules: Sequence[PartConfig], unknown: str, incoming: Iterable[Section], staged: Staged) -> Collected:
    """Stage every section and match it to its rule; `unknown`: refuse, ignore, keep.

    Raises `Problem` only if the request cannot be read on, or the disk fails.
    """
    parts: list[tuple[int, Part]] = []
    violations: list[Violation] = []
    dropped = False
    came: dict[int, int] = {}  # how many there are, by the places of their rules
    for number, section in enumerate(incoming, start=1):
        place, rule = match(rules, section.name)
        if rule is None and unknown == "ignore":
            continue
        came[place] = count = came.get(place, 0) + 1
        if count > limits.MAX_SURPLUS and not (rule and rule.many):
            raise Problem(Code.TOO_MANY_PARTS, f"More than {limits.MAX_SURPLUS} parts are not expected or come again.")
        label = _label(section.name, rule, number)
        part, head = _stage(section, rule, label, staged)
        parts.append((place, part))
        violations += _objections(part, head, rule, unknown)
        cut = rule and rule.max_size is not None and part.size > rule.max_size
        if cut and not isinstance(section.content, Path):
            dropped = True
    parts.sort(key=_order if len(came) < len(parts) else _place)
    violations += _counts(rules, came)
    return Collected(tuple(map(_part, parts)), _problem(violations) if violations else None, whole=not dropped)


def match(rules: Sequence[PartConfig], name: str) -> tuple[int, PartConfig | None]:
    """Return the rule for a section's name and its place; exact names win over globs."""
    for place, rule in enumerate(rules):
        if rule.name == name:
            return place, rule
    for place, rule in enumerate(rules):
        if fnmatchcase(name, rule.name):
            return place, rule
    return len(rules), None


def _label(name: str, rule: PartConfig | None, number: int) -> str:
    """Return a part's configured name, or its place: a sender's name may be data."""
    if rule is None:
        return f"part {number}"
    return name if name == rule.name else f"part {number} ({rule.name})"


def _stage(section: Section, rule: PartConfig | None, label: str, staged: Staged) -> tuple[Part, bytes]:
    """Return the part and its first kilobyte."""
    role = rule.role if rule else Role.ATTACHMENT
    begun, rest = begin(section.content)
    head = begun[:HEAD]
    type_ = _type(section, role, rule.types if rule else (), head)
    suffix = SUFFIXES.get(type_) or _own_suffix(section.filename)
    held = None
    if isinstance(section.content, Path):
        name, size, digest = _adopt(section.content, staged, suffix)
    else:
        file = write(chain((begun,), rest), rule.max_size if rule else None, staged, suffix)
        name, size, digest = file.name, file.size, file.sha256
        held = file.held if role is Role.METADATA else None
    folder = staged.folder
    part = Part(
        section.name, section.filename, type_, role, suffix, size, digest, folder, name, label, held, section.charset
    )
    return part, head


def begin(content: Iterable[bytes] | Path) -> tuple[bytes, Iterator[bytes]]:
    """Return how a section begins, at least a kilobyte of it, and the rest.

    May raise OSError.
    """
    if isinstance(content, Path):
        with content.open("rb") as file:
            return file.read(HEAD), iter(())
    rest = iter(content)
    begun = b""
    for chunk in rest:
        begun += chunk
        if len(begun) >= HEAD:
            break
    return begun, rest


def write(chunks: Iterable[bytes], max_size: int | None, staged: Staged, suffix: str) -> StagedFile:
    """Stage a section; of more than `max_size` one byte is kept, as evidence.

    What follows is not read: the sender's next section, or the end of the body, passes over it.

    Raises `Problem`.
    """
    file = staged.part(suffix)
    for chunk in chunks:
        if max_size is not None and file.size + len(chunk) > max_size:
            file.write(chunk[: max_size + 1 - file.size])
            break
        file.write(chunk)
    return file


def _adopt(kept: Path, staged: Staged, suffix: str) -> tuple[str, int, str]:
    """Stage a kept file; return its new name, its size in bytes and its digest."""
    path = staged.adopt(kept, suffix)
    with path.open("rb") as file:
        return path.name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _type(section: Section, role: Role, taken: Sequence[str], head: bytes) -> str:
    """Return a section's media type as the sender says, or else by its content."""
    said = registered(section.type)
    if role is Role.METADATA and (said in _UNSPECIFIC or said == "text/plain"):  # as a form field comes
        looks = type_of_text(head) or type_by_content(head, section.filename)
    elif said in _UNSPECIFIC:
        looks = type_by_content(head, section.filename)
    else:
        return said
    return said if not looks or (said in taken and looks not in map(registered, taken)) else looks


def _own_suffix(filename: str | None) -> str:
    own = PurePosixPath(filename or "").suffix
    return own.lower() if SAFE_SUFFIX.fullmatch(own) else ".bin"


def _objections(part: Part, head: bytes, rule: PartConfig | None, unknown: str) -> Iterator[Violation]:
    if rule is None:
        if unknown == "refuse":
            yield Violation(part.label, Code.PART_UNKNOWN, "This process has no part of this name.")
        return
    known = not rule.types or part.type in rule.types or part.type in map(registered, rule.types)
    if rule.sniff and not part.size and (known or part.type in _UNSPECIFIC):
        yield Violation(part.label, Code.PART_EMPTY, "The part has no content.")
    elif not known:
        yield Violation(part.label, Code.PART_TYPE, _wanted(rule.types, part.type))
    elif rule.sniff and contradicts(part.type, head):
        yield Violation(part.label, Code.PART_CONTENT, f"The part does not begin as {part.type} does.")
    if rule.max_size is not None and part.size > rule.max_size:
        yield Violation(part.label, Code.PART_TOO_LARGE, f"The part is larger than {rule.max_size} bytes.")


def _wanted(types: Sequence[str], type_: str) -> str:
    message = f"The part's Content-Type must be {' or '.join(types)}."
    if type_ not in _UNSPECIFIC:
        return message
    return f"{message} It says nothing, and neither the content nor the file name tells what the part is."


def _counts(rules: Sequence[PartConfig], came: Mapping[int, int]) -> Iterator[Violation]:
    for place, rule in enumerate(rules):
        count = came.get(place, 0)
        if rule.required and not count:
            yield Violation(rule.name, Code.PART_MISSING, f"The {rule.role} part is missing.")
        if count > 1 and not rule.many:
            yield Violation(rule.name, Code.PART_REPEATED, f"The part may come once, and came {count} times.")


def _problem(violations: Sequence[Violation]) -> Problem:
    gravest = min((Code(violation.rule) for violation in violations), key=GRAVITY.index)
    return Problem(gravest, "The parts are not those that this process takes.", violations)


_place, _part = itemgetter(0), itemgetter(1)


def _order(placed: tuple[int, Part]) -> tuple[int, list[tuple[bool, int | str]]]:
    """Order parts by rule, then by the numbers in their names: page_2 before page_10."""
    place, part = placed
    pieces = ((piece.isdecimal(), piece) for piece in re.split(r"(\d+)", part.name) if piece)
    return place, [(is_number, int(piece) if is_number else piece) for is_number, piece in pieces]


def registered(type_: str) -> str:
    """Return the registered name of a media type that is often called otherwise."""
    return _OTHER_NAMES.get(type_, type_)


def type_by_content(head: bytes, filename: str | None) -> str:
    """Return a document's media type by its first kilobyte, or its file name; or ""."""
    by_signature = next((type_ for type_, begins_well in _SIGNATURES.items() if begins_well(head)), "")
    return by_signature or _ENDINGS.get(PurePosixPath(filename or "").suffix.lower(), "") or type_of_text(head)


def type_of_text(head: bytes) -> str:
    """Return the media type of JSON and XML by their first character, or ""."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head[2:].replace(b"\0", b"")
    return _TEXTS.get(text.strip(b" \t\r\n")[:1], "")


def contradicts(type_: str, head: bytes) -> bool:
    """Return whether a document of this media type cannot begin so.

    `head` is its first kilobyte, or all of it.
    """
    begins_well = _SIGNATURES.get(type_)
    return begins_well is not None and not begins_well(head)
