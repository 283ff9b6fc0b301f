"""A compiled site as the checks see it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from receiver.authoring.check import shape
from receiver.authoring.check.shape import Shape
from receiver.core.faults import Misconfigured
from receiver.core.libraries import reading
from receiver.core.settings import Settings
from receiver.schemas.json_library import Document, Library
from receiver.site.compiling import Compiled, Pieces
from receiver.templates import Condition, Template


@dataclass(frozen=True)
class Site:
    """What could be compiled, and the JSON Schemas as they are written, each read once."""

    settings: Settings
    compiled: Compiled
    library: Library
    environ: Mapping[str, str]
    texts: dict[str, list[Any]] = field(default_factory=dict)  # of each process, as `written` has read them
    _shapes: dict[str, Shape] = field(default_factory=dict)

    @property
    def processes(self) -> tuple[Pieces, ...]:
        """Return every process whose process.toml could be read."""
        return self.compiled.processes

    @property
    def whole(self) -> bool:
        """Tell whether everything could be compiled: only then is it known what is used by nobody."""
        read = len(self.processes) == len(self.compiled.folders)
        return read and not any(process.faults for process in self.processes)

    def schema(self, name: str) -> Document | None:
        """Return a JSON Schema of the site as it is written."""
        return self.library.add(self.compiled.schemas.folder / name)

    def shape(self, name: str) -> Shape | None:
        """Return what a JSON Schema says of an object's members; None where it cannot be read."""
        document = self.schema(name)
        if document and name not in self._shapes:
            with suppress(Misconfigured), reading(document.file):  # what is wrong with it was told when it was compiled
                self._shapes[name] = shape.of(shape.root(document, self.library), self.library)
        return self._shapes.get(name)


def site(settings: Settings, compiled: Compiled, environ: Mapping[str, str]) -> Site:
    """Return the site as the checks see it."""
    return Site(settings, compiled, Library(compiled.schemas.folder, compiled.schemas.site), environ)


def templates(process: Pieces) -> Iterator[Template | Condition]:
    """Yield everything of a process that reads fields, as far as it could be compiled."""
    everything = [process.documents, process.marker]
    for record in process.records:
        everything += [record.template, record.path]
        if record.when:
            yield record.when
    yield from filter(None, everything)
