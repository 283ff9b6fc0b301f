"""Sample cases: one folder each under a process's samples/, a delivery beside what it must become.

    samples/<case>/           the files of the delivery, or request.http
    samples/<case>/expected/  the records and the marker under their paths, or problem.json

Documents are not repeated in expected/: they are published as they came.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from receiver.authoring.cases import captured
from receiver.authoring.cases.files import Named, named
from receiver.core.delivery import Section
from receiver.site.config.model import PartConfig
from receiver.site.process import Process
from receiver.store.durable import chunks

SAMPLES = "samples"
EXPECTED = "expected"
REQUEST = "request.http"

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


def cases(process: Process) -> list[Case]:
    """Return the sample cases of a process by name."""
    samples = process.config.folder / SAMPLES
    folders = sorted(path for path in samples.glob("*") if path.is_dir() and not path.name.startswith("."))
    return [Case(process, folder) for folder in folders]


def incoming(case: Case, max_body: int) -> Iterator[Section]:
    """Return the delivery of a case. Raises `NotARequest`; `Problem` on its way in where a file cannot be read."""
    request = case.folder / REQUEST
    if request.exists():
        return captured.sections(request, max_body)
    files = sorted(path for path in case.folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return delivered(named(str(path), is_part(case.process)) for path in files)


def delivered(parts: Iterable[Named]) -> Iterator[Section]:
    """Yield files as the sections that they are sent as."""
    return (replace(part.section, content=chunks(part.path)) for part in parts)


def is_part(process: Process) -> Callable[[str], bool]:
    """Return what tells whether a process has a part of some name."""
    return lambda name: _has_part(process.config.parts, name)


def _has_part(rules: Iterable[PartConfig], name: str) -> bool:
    return any(fnmatchcase(name, rule.name) for rule in rules)


def expected(case: Case) -> Files | None:
    """Return what a case must become; None where nobody has said so yet."""
    if not case.expected.is_dir():
        return None
    files = (path for path in case.expected.rglob("*") if path.is_file())
    return {path.relative_to(case.expected).as_posix(): path.read_bytes() for path in sorted(files)}
