"""Metadata readers and documents, written in a line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from receiver.core.faults import Fault
from receiver.metadata import compiling
from receiver.metadata.reader import MetadataReader
from receiver.schemas.folder import Schemas

ROOT = Path(__file__).parents[2]
JSON_SCHEMA = "nextstep-metadata.schema.json"
XSD = "nextstep-metadata.xsd"


@dataclass
class Metadata:
    schema: str = JSON_SCHEMA
    source_id: str = "sourceId"


@dataclass
class Fields:
    each: str = "fields"
    name: str = "name"
    value: str = "value"
    confidence: str = "confidence"
    scale: float = 1
    schema: str | None = None
    repeated: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    place: None = None


@dataclass
class Configured:
    metadata: Metadata
    fields: Fields
    tables: Mapping[str, Any] = field(default_factory=dict)

    def fault(self, code: str, message: str, *path: str, hint: str = "") -> Fault:
        return Fault(f"process.toml {'.'.join(path)}", 1, 1, code, message, hint)


def reader_of(
    folder: Path = ROOT / "schemas",
    *,
    schema: str = JSON_SCHEMA,
    source_id: str = "sourceId",
    fields_schema: str | None = None,
    **fields: Any,
) -> MetadataReader:
    """Compile a reader; without more words that of NEXTSTEP's JSON."""
    if schema.endswith(".xsd"):
        fields = {"each": ".//field", "name": "@name", "value": ".", "confidence": "@confidence"} | fields
    configured = Configured(Metadata(schema, source_id), Fields(**fields, schema=fields_schema))
    return compiling.compile(configured, Schemas(folder, folder.parent))


def document(*fields: Any, source_id: Any = "1", **more: Any) -> bytes:
    """Write NEXTSTEP's JSON; a field may be given as (name, value) or (name, value, confidence)."""
    keys = ("name", "value", "confidence")
    members = [dict(zip(keys, each, strict=False)) if isinstance(each, tuple) else each for each in fields]
    return json.dumps({"sourceId": source_id, "fields": members, **more}).encode()
