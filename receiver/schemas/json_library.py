"""The JSON Schemas of one folder, by URI; nothing outside, no network.

The folder is the root of a made-up file: space, so that `$ref: "parts/name.json"` and `$ref: "../name.json"`
resolve as in any URI (RFC 3986 §5) and still cannot name anything above it.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from jsonschema_specifications import REGISTRY as META_SCHEMAS  # type: ignore[import-untyped]
from referencing import Registry, Resource, Specification
from referencing.jsonschema import DRAFT202012, specification_with

from receiver.core.faults import Fault, Severity
from receiver.core.positions import Positions, json_positions
from receiver.schemas import advice, words
from receiver.schemas.encodings import MalformedError
from receiver.schemas.json_text import exact, loads, utf8

ROOT = "file:///"


@dataclass(frozen=True)
class SchemaFile:
    """One schema file, read."""

    uri: str
    file: str  # relative to the site
    contents: Any
    positions: Positions

    def fault(
        self,
        path: tuple[str | int, ...],
        code: str,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Severity = Severity.ERROR,
    ) -> Fault:
        """Return a fault that points at what stands at `path`."""
        return Fault(self.file, *self.positions.of(path, key=key), code, message, hint, severity)

    def resource(self) -> Resource[Any]:
        """Return the contents with the rules of the draft that they declare."""
        return dialect(self.contents).create_resource(self.contents)

    def name(self) -> str:
        """Return the file's name below the folder."""
        return unquote(self.uri.removeprefix(ROOT))


class Library:
    """Reads schemas on demand, and keeps them in `documents` in that order."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.documents: dict[str, SchemaFile] = {}
        self.faults: list[Fault] = []
        self._folder = folder.resolve()
        self._site = site

    def add(self, path: Path) -> SchemaFile | None:
        """Read a file; None, and a fault in `faults`, if it is unreadable or not JSON."""
        file, place = words.file(path, self._site), path.resolve()
        if not place.is_relative_to(self._folder):
            hint = "copy it into schemas/: what it links to elsewhere is not read"
            self.faults.append(Fault(file, 1, 1, "outside-schemas", "the file does not lie in schemas/", hint))
            return None
        uri = ROOT + quote(place.relative_to(self._folder).as_posix())
        if uri in self.documents:
            return self.documents[uri]
        raw = b""
        try:
            raw = path.read_bytes()
            source = utf8(raw)
            self.documents[uri] = document = SchemaFile(uri, file, exact(loads(source)), json_positions(source))
        except OSError as error:
            self.faults.append(
                Fault(file, 1, 1, "unreadable-file", error.strerror or "cannot be read", advice.UNREADABLE)
            )
        except MalformedError as error:
            told = advice.of_file(error.message, _letter(raw, error))
            self.faults.append(Fault(file, error.line, error.column, "not-json", *told))
        else:
            return document
        return None

    def registry(self) -> Registry[Any]:
        """Return a registry of the folder's files and the drafts' meta-schemas only."""
        here: Registry[Any] = Registry(retrieve=lambda uri: self._find(uri).resource())  # type: ignore[call-arg]
        registry: Registry[Any] = META_SCHEMAS.combine(here)
        return registry

    def contents(self, uri: str) -> Any:
        """Return the schema that a URI names. Raises `KeyError`."""
        return self._find(uri).contents

    def names(self) -> dict[str, str]:
        """Return the file's name for each URI and each `$id` of the documents read."""
        names = {document.uri: document.name() for document in self.documents.values()}
        identities = {identity(each.contents): each.name() for each in self.documents.values()}
        return {uri: name for uri, name in identities.items() if uri} | names

    def _find(self, uri: str) -> SchemaFile:
        candidates = self._named(uri) if uri.startswith(ROOT) else self._identified(uri)
        for document in candidates:
            return document
        raise KeyError(uri)

    def _named(self, uri: str) -> Iterator[SchemaFile]:
        path = (self._folder / unquote(uri.removeprefix(ROOT))).resolve()
        if path.is_relative_to(self._folder) and path.is_file() and (document := self.add(path)):
            yield document

    def _identified(self, uri: str) -> Iterator[SchemaFile]:
        """Look for the `$id` in every file, since schemas refer to each other by it."""
        for path in sorted(self._folder.rglob("*.json")):
            if _peek(path) == uri and (document := self.add(path)):
                yield document


def dialect(contents: Any) -> Specification[Any]:
    """Return the rules of the draft that a schema declares; 2020-12 by default."""
    declared = contents.get("$schema") if isinstance(contents, dict) else None
    return specification_with(declared if isinstance(declared, str) else "", default=DRAFT202012)


def identity(contents: Any) -> str | None:
    """Return a schema's own `$id`, without an empty fragment; None without one."""
    declared = contents.get("$id", contents.get("id")) if isinstance(contents, dict) else None
    return declared.removesuffix("#") if isinstance(declared, str) else None


def _letter(raw: bytes, error: MalformedError) -> str:
    """Return the character at which reading a file stopped; "" if it is not UTF-8."""
    try:
        lines = raw.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        return ""
    return lines[error.line - 1][error.column - 1 : error.column]


def _peek(path: Path) -> str | None:
    with suppress(OSError, MalformedError):
        return identity(loads(path.read_bytes()))
    return None
