"""Input of a draft: metadata files, documents beside them, captured requests."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from receiver.authoring.cases.cases import REQUEST, NotARequestError, captured_sections, named
from receiver.core.delivery import Section
from receiver.core.problems import Problem
from receiver.metadata import json, xml
from receiver.schemas.encodings import MalformedError

METADATA = "metadata"
FORMS: dict[str, ModuleType] = {"json": json, "xml": xml}
REQUEST_LINE = re.compile(rb"[A-Z]+ \S+ HTTP/1\.[01]\r?\n")
MARKS = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # what stands before the first character, in whatever encoding
CREDENTIALS = re.compile(rb"^authorization:[^\r\n]*\r?\n", re.IGNORECASE | re.MULTILINE)


class UnusableError(ValueError):
    """A file that no process can be drafted from.

    Says which and why, never what stands in it.
    """


@dataclass(frozen=True, slots=True)
class Sample:
    """One delivery to draft from, and the files of the sample case that it becomes."""

    name: str
    metadata: bytes
    part: Section  # what the metadata is sent as
    documents: tuple[Section, ...]
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Sources:
    """All samples, parsed; they are of one form."""

    samples: tuple[Sample, ...]
    form: str  # "json" or "xml"
    documents: tuple[object, ...]  # the metadata of each, parsed


def read(files: Sequence[Path], page: bytes) -> Sources:
    """Read the input. Documents among the files go with each metadata file.

    Without any, `page` takes their place.

    Raises `UnusableError`.
    """
    metadata = [file for file in files if file.suffix.lower() in (".json", ".xml")]
    beside = {file for file in files if file not in metadata and not _is_request(_content(file))}
    samples = [
        _metadata(file, sorted(beside), page) if file in metadata else _request(file)
        for file in files
        if file not in beside
    ]
    if not samples:
        raise UnusableError("none of the files is metadata (.json, .xml) or a captured request")
    form = _form(samples[0])
    return Sources(tuple(_apart(samples)), form, tuple(_parsed(sample, form) for sample in samples))


def _apart(samples: Sequence[Sample]) -> Iterator[Sample]:
    """Give each sample a name of its own."""
    taken: set[str] = set()
    for sample in samples:
        name, count = sample.name, 1
        while name in taken:
            count += 1
            name = f"{sample.name}-{count}"
        taken.add(name)
        yield Sample(name, sample.metadata, sample.part, sample.documents, sample.files)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnusableError(f"{file}: {error.strerror or 'cannot be read'}") from None


def _is_request(content: bytes) -> bool:
    return REQUEST_LINE.match(content) is not None


def _metadata(file: Path, documents: Sequence[Path], page: bytes) -> Sample:
    content, suffix = _content(file), file.suffix.lower()
    section = named(f"{METADATA}={file}").section
    parts = [named(str(each)) for each in documents]
    files = {f"{METADATA}{suffix}": content}
    for part in parts:
        files[f"{part.section.name}--{part.section.filename}"] = _content(part.path)
    sections = tuple(part.section for part in parts)
    if not parts:
        sections = (Section("file", "page.pdf", "application/pdf"),)
        files["file--page.pdf"] = page
    return Sample(_case(file), content, section, sections, files)


def _request(file: Path) -> Sample:
    """Take a captured request apart; its token stays out of the sample."""
    content = _content(file)
    head, blank, body = content.partition(b"\r\n\r\n")
    try:
        incoming = [(each, b"".join(_chunks(each.content))) for each in captured_sections(file, len(content))]
    except (Problem, NotARequestError) as error:
        raise UnusableError(f"{file}: {error}") from None
    found = [(section, data) for section, data in incoming if _is_metadata(section, data)]
    if len(found) != 1:
        raise UnusableError(f"{file}: it has {len(found) or 'no'} sections that look like metadata, and must have one")
    section, data = found[0]
    others = tuple(each for each, _ in incoming if each != section)
    return Sample(_case(file), data, section, others, {REQUEST: CREDENTIALS.sub(b"", head) + blank + body})


def _chunks(content: object) -> Iterator[bytes]:
    yield from content  # type: ignore[misc]


def _is_metadata(section: Section, data: bytes) -> bool:
    """Return whether a section is the metadata: by its type, or else by its content."""
    kind = section.type.partition("/")[2]
    if kind.endswith(("json", "xml")):
        return True
    return section.type in ("", "text/plain", "application/octet-stream") and data.lstrip(MARKS)[:1] in (
        b"{",
        b"[",
        b"<",
    )


def _case(file: Path) -> str:
    """Name a sample case after its file."""
    return re.sub(r"[^a-z0-9]+", "-", file.name.partition(".")[0].lower()).strip("-") or "sample"


def _form(sample: Sample) -> str:
    return "xml" if sample.metadata.lstrip(MARKS)[:1] == b"<" else "json"


def _parsed(sample: Sample, form: str) -> object:
    try:
        parsed: object = FORMS[form].parse(sample.metadata, sample.part.charset)
    except MalformedError as error:
        where = f"line {error.line}, column {error.column}"
        raise UnusableError(f"{sample.name}: no {form.upper()} that can be read: {where}: {error.message}") from None
    return parsed
