"""Sample cases: a folder each under samples/, a delivery beside what is expected.

    samples/<case>/           the files of the delivery, or request.http
    samples/<case>/previous.json  what was accepted before it, where it is a correction
    samples/<case>/expected/  the records and the marker under their paths, or problem.json

Documents are not repeated in expected/: they are published as they came.
"""

import http.client
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from receiver.authoring.cases.outcome import FROZEN
from receiver.core.delivery import ID_LENGTH, Previous, Section
from receiver.core.faults import ConfigurationError, Fault, Severity, did_you_mean
from receiver.core.settings import Settings
from receiver.delivery import form
from receiver.site.compiling import compile_site
from receiver.site.config.model import PartConfig
from receiver.site.config.site import MAPPINGS, find
from receiver.site.process import Process
from receiver.store.durable import chunks

SAMPLES = "samples"
EXPECTED = "expected"
REQUEST = "request.http"
PREVIOUS = "previous.json"

Files = Mapping[str, bytes]  # what a delivery becomes: content by path


@dataclass(frozen=True, slots=True)
class Case:
    """One sample case of a process."""

    process: Process
    folder: Path

    @property
    def name(self) -> str:
        """The case's name: its folder's."""
        return self.folder.name

    @property
    def expected(self) -> Path:
        """The folder of what it must become."""
        return self.folder / EXPECTED

    @property
    def files(self) -> list[Path]:
        """The files of the delivery."""
        found = (path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith("."))
        return sorted(path for path in found if path != self._before)

    @property
    def _before(self) -> Path | None:
        """The file of what was accepted before; a process may have a part of that name."""
        return None if is_part(self.process)(Path(PREVIOUS).stem) else self.folder / PREVIOUS

    @property
    def previous(self) -> Previous | None:
        """What was accepted before the delivery.

        Raises `NotARequestError` for a file that does not tell.
        """
        if self._before is None or not self._before.exists():
            return None
        try:
            told: dict[str, Any] = {"id": "A" * ID_LENGTH, "version": 1, "receivedAt": FROZEN.isoformat()}
            told |= json.loads(self._before.read_bytes())
            return Previous(str(told["id"]), int(told["version"]), datetime.fromisoformat(str(told["receivedAt"])))
        except (ValueError, TypeError):
            form = '{"id": "…", "version": 1, "receivedAt": "2026-01-02T03:04:05Z"}'
            raise NotARequestError(f"{self._before} must be {form}, each of them if it matters") from None

    def version(self, _id: str, _source_id: str) -> tuple[int, Previous | None]:
        """Return which version the delivery is, and what was accepted before.

        Raises `NotARequestError`.
        """
        before = self.previous
        return before.version + 1 if before else 1, before


def cases(process: Process) -> list[Case]:
    """Return the sample cases of a process by name."""
    samples = process.config.folder / SAMPLES
    folders = sorted(path for path in samples.glob("*") if path.is_dir() and not path.name.startswith("."))
    return [Case(process, folder) for folder in folders]


def incoming(case: Case, max_body: int) -> Iterator[Section]:
    """Return the delivery of a case.

    Raises `NotARequestError`; `Problem` on its way in where a file cannot be read.
    """
    request = case.folder / REQUEST
    if request.exists():
        return captured_sections(request, max_body)
    return delivered(named(str(path), is_part(case.process)) for path in case.files)


def delivered(parts: Iterable["Named"]) -> Iterator[Section]:
    """Yield files as the sections that they are sent as."""
    return (replace(part.section, content=chunks(part.path)) for part in parts)


def is_part(process: Process) -> Callable[[str], bool]:
    """Return what tells whether a process has a part of some name."""
    return lambda name: _has_part(process.config.parts, name)


def _has_part(rules: Iterable[PartConfig], name: str) -> bool:
    return any(fnmatchcase(name, rule.name) for rule in rules)


def expected(case: Case) -> Files | None:
    """Return what a case must become; None if nobody has said so yet."""
    if not case.expected.is_dir():
        return None
    files = (path for path in case.expected.rglob("*") if path.is_file())
    return {path.relative_to(case.expected).as_posix(): path.read_bytes() for path in sorted(files)}


TYPES = {
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".dcm": "application/dicom",
    ".json": "application/json",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".txt": "text/plain",
}
PART_AND_NAME = re.compile(r"(?P<part>[^=/]+)--(?P<filename>.+)")


@dataclass(frozen=True, slots=True)
class Named:
    """A file with the head of the section that it is sent as."""

    section: Section
    path: Path


def named(argument: str, is_part: Callable[[str], bool] = lambda _name: False) -> Named:
    """Return the part that a file is sent as.

    `part=path` says it outright, and so does `part--name.tif`. Otherwise a file is sent as the part that it is
    named after, where the process has such a part; else .json and .xml are `metadata` and anything else is `file`.
    """
    part, equals, rest = argument.partition("=")
    explicit = bool(equals) and not Path(argument).exists()
    path = Path(rest) if explicit else Path(argument)
    match = PART_AND_NAME.fullmatch(path.name)
    suffix = path.suffix.lower()
    if not explicit:
        part = match["part"] if match else _part(path, is_part)
    filename = match["filename"] if match else path.name
    return Named(Section(part, filename, TYPES.get(suffix, "application/octet-stream")), path)


def _part(path: Path, is_part: Callable[[str], bool]) -> str:
    stem = path.name.partition(".")[0]
    if is_part(stem):
        return stem
    return "metadata" if path.suffix.lower() in (".json", ".xml") else "file"


class NotARequestError(ValueError):
    """A file that does not begin as an HTTP request does."""


def captured_sections(path: Path, max_body: int) -> Iterator[Section]:
    """Yield the sections of the request in a file.

    Raises `NotARequestError`, and `Problem` as the service would.
    """
    stream = io.BytesIO(path.read_bytes())
    if not stream.readline().rstrip().endswith((b"HTTP/1.1", b"HTTP/1.0")):
        raise NotARequestError(f"{path} does not begin with a request line such as POST /… HTTP/1.1")
    headers = http.client.parse_headers(stream)
    length = headers.get("Content-Length", "")
    return form.sections(stream, headers.get("Content-Type", ""), int(length) if length.isdecimal() else None, max_body)


def processes(settings: Settings, names: Iterable[str] = ()) -> dict[str, Process]:
    """Return some processes of a site by name, or all.

    Raises `ConfigurationError` if one is faulty or not there.
    """
    known = [folder.name for folder in find(settings.site)[0]]
    wanted = list(names) or known
    if unknown := list(_unknown(wanted, known)):
        raise ConfigurationError(unknown)
    compiled, faults = compile_site(settings, {}, wanted)
    if not wanted or not set(wanted) <= set(compiled):
        raise ConfigurationError(filter(_matters, faults))
    return {name: compiled[name] for name in wanted}


def _matters(fault: Fault) -> bool:
    return fault.severity is Severity.ERROR and not fault.code.startswith("token-")


def root(process: Process) -> Path:
    """Return the folder of the site, which has mappings/<process> in it."""
    return process.config.folder.parents[1]


def _unknown(wanted: Sequence[str], known: Sequence[str]) -> Iterator[Fault]:
    there_are = f"there are: {', '.join(known)}" if known else ""
    for name in wanted:
        if name not in known:
            hint = did_you_mean(name, known) or there_are
            yield Fault(MAPPINGS, 1, 1, "no-such-process", f'there is no process "{name}"', hint)
