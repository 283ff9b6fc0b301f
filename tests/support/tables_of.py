"""Readers of metadata that has tables, written as in process.toml."""

import json
import tempfile
from pathlib import Path
from typing import Any

from receiver.metadata import compiling
from receiver.metadata.reader import MetadataReader
from receiver.schemas.folder import Schemas
from tests.support.site_of import configured

ANY_XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="doc"><xs:complexType><xs:sequence>
    <xs:any minOccurs="0" maxOccurs="unbounded" processContents="skip"/></xs:sequence></xs:complexType></xs:element>
    </xs:schema>"""
PROCESS = """
[auth]
open = true
[parts.file]
role = "document"
[parts.metadata]
role = "metadata"
[metadata]
schema = "{schema}"
source_id = "{source_id}"
"""


def tables_reader(toml: str, form: str = "json", row: dict[str, Any] | None = None) -> MetadataReader:
    """Compile `[tables]` of a process that takes any metadata; `row` is the schema items.json."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        schemas = site / "schemas"
        schemas.mkdir()
        (schemas / "any.json").write_text("true")
        (schemas / "any.xsd").write_text(ANY_XSD)
        (schemas / "items.json").write_text(json.dumps(True if row is None else row))
        schema, source_id = ("any.json", "id") if form == "json" else ("any.xsd", "id")
        process = configured(site, "invoices", PROCESS.format(schema=schema, source_id=source_id) + toml)
        return compiling.compile(process, Schemas(schemas, site))


def json_with(lines: Any, **more: Any) -> bytes:
    """Write metadata without fields, and with some lines."""
    return json.dumps({"id": "1", "fields": [], "lines": lines, **more}).encode()
