"""The schemas of one site: each is compiled once, however many processes use it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from receiver.core.faults import ConfigurationError, Fault, did_you_mean, reading
from receiver.schemas import json_schema, xsd
from receiver.schemas.json_schema import JsonSchema
from receiver.schemas.xsd import XmlSchema

Schema = TypeVar("Schema", JsonSchema, XmlSchema)
Compile = Callable[[Path, Path, Path], Schema]


class Schemas:
    """Compiles the schemas of a folder on demand, and keeps them, or their faults."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.folder = folder
        self.site = site
        self._json: dict[str, JsonSchema] = {}
        self._xml: dict[str, XmlSchema] = {}
        self._faults: dict[str, tuple[Fault, ...]] = {}

    def json(self, name: str) -> JsonSchema:
        """Return the JSON Schema in a file of the folder. Raises `ConfigurationError`."""
        return self._compiled(name, self._json, json_schema.compile)

    def xml(self, name: str) -> XmlSchema:
        """Return the XSD in a file of the folder. Raises `ConfigurationError`."""
        return self._compiled(name, self._xml, xsd.compile)

    def missing(self, name: str) -> tuple[str, str] | None:
        """Return message and hint for a file that is missing; None if it is there."""
        if (self.folder / name).is_file():
            return None
        known = [file.relative_to(self.folder).as_posix() for file in self.folder.rglob("*.*")]
        return f'there is no "{name}" in {self.folder.name}/', did_you_mean(name, known)

    def used(self) -> set[str]:
        """Return the files read so far, also those referred to, by name in the folder."""
        schemas: list[JsonSchema | XmlSchema] = [*self._json.values(), *self._xml.values()]
        return {file for schema in schemas for file in schema.files}

    def faulty(self) -> bool:
        """Return whether one of the schemas asked for could not be compiled."""
        return bool(self._faults)

    def _compiled(self, name: str, done: dict[str, Schema], compiled: Compile[Schema]) -> Schema:
        if name in self._faults:
            raise ConfigurationError(self._faults[name])
        if name not in done:
            path = self.folder / name
            try:
                with reading(path.relative_to(self.site).as_posix()):
                    done[name] = compiled(path, self.folder, self.site)
            except ConfigurationError as error:
                self._faults[name] = error.faults
                raise
        return done[name]
