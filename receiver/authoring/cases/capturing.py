"""Writes a kept delivery as a sample case.

As files by the naming rule, or as one request if file names cannot express everything.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from receiver.authoring.cases.cases import EXPECTED, REQUEST, is_part, named
from receiver.core.delivery import Part, Role, Section
from receiver.delivery.filenames import disposition
from receiver.schemas import json_text, xml_text
from receiver.schemas.encodings import MalformedError
from receiver.site.process import Process
from receiver.store.kept import Kept

SAFE_NAME = re.compile(r"(?![.-])[^/\\\x00-\x1f\x7f=]{1,200}")  # of a file, on any file system; = would name a part
LONGEST_NAME = 255  # bytes: of most file systems
BOUNDARY = "sample-case-boundary"


@dataclass(frozen=True, slots=True)
class Sent:
    """One section of a delivery with its content."""

    section: Section
    role: Role
    suffix: str
    content: bytes

    @classmethod
    def of(cls, part: Part) -> "Sent":
        """Read a kept part."""
        return cls(
            Section(part.name, part.filename, part.type, part.charset), part.role, part.suffix, part.path.read_bytes()
        )

    @property
    def incoming(self) -> Section:
        """The section as it arrives."""
        return replace(self.section, content=[self.content])


def sent(kept: Kept) -> list[Sent]:
    """Return the sections of a kept delivery."""
    return [Sent.of(part) for part in kept.parts]


def laid_out(process: Process, parts: Sequence[Sent]) -> Mapping[str, bytes]:
    """Return the files of a sample case by name; read again, they give this delivery."""
    names = [_file_name(process, part) for part in parts]
    folded = [name.casefold() for name in names if name]
    if len(set(folded)) == len(parts) and not {REQUEST, EXPECTED} & set(folded):
        return {name: part.content for name, part in zip(names, parts, strict=True) if name}
    return {REQUEST: _request(process, parts)}


def _file_name(process: Process, part: Sent) -> str | None:
    """Return a name from which the section can be told; None if there is none."""
    section = part.section
    own = section.filename or f"{section.name}{part.suffix}"
    for name in (own, f"{section.name}--{own}", f"{section.name}{part.suffix}"):
        safe = SAFE_NAME.fullmatch(name) and len(name.encode()) <= LONGEST_NAME
        if safe and _same(named(name, is_part(process)).section, part):
            return name
    return None


def _same(told: Section, part: Sent) -> bool:
    """Return whether a section follows from a file's name.

    Nobody ever sees the name of a metadata file.
    """
    if part.role is Role.METADATA:
        return (told.name, told.type) == (part.section.name, part.section.type) and _reads_alike(part)
    return told == part.section


def _reads_alike(part: Sent) -> bool:
    """Return whether metadata reads the same without its charset.

    A file's name cannot express a charset.
    """
    charset = part.section.charset
    utf8 = xml_text.utf8 if part.suffix == ".xml" else json_text.utf8
    try:
        return not charset or utf8(part.content, charset) == utf8(part.content)
    except MalformedError:
        return False


def _request(process: Process, parts: Sequence[Sent]) -> bytes:
    """Return the delivery as one request.

    Headers that a proxy or the platform may have added are left out.
    """
    boundary = BOUNDARY
    while any(boundary.encode() in part.content for part in parts):
        boundary += "-"
    body = b"".join(_section(part, boundary) for part in parts) + f"--{boundary}--\r\n".encode()
    head = (
        f"POST /api/nextstep/delivery/{process.name} HTTP/1.1\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _section(part: Sent, boundary: str) -> bytes:
    section = part.section
    head = f"--{boundary}\r\nContent-Disposition: {disposition(section.name, section.filename)}\r\n"
    if section.type:
        charset = f'; charset="{section.charset}"' if section.charset else ""
        head += f"Content-Type: {section.type}{charset}\r\n"
    return f"{head}\r\n".encode() + part.content + b"\r\n"
