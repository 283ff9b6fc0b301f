"""A site with a folder of schemas, written in a line."""

import json
from pathlib import Path
from typing import Any

import pytest

from receiver.core.faults import ConfigurationError, Fault
from receiver.schemas import json_schema, xsd
from receiver.schemas.json_schema import JsonSchema
from receiver.schemas.xsd import XmlSchema

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
XSD_1_1 = 'xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'


class Schemas:
    """The folder `schemas` of a site."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.folder = site / "schemas"
        self.folder.mkdir()

    def write(self, name: str, content: Any) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return path

    def json(self, content: Any, **others: Any) -> JsonSchema:
        """Compile a JSON Schema; others are files of the folder by name."""
        for name, other in others.items():
            self.write(f"{name}.json", other)
        return json_schema.compile(self.write("main.json", content), self.folder, self.site)

    def json_faults(self, content: Any, **others: Any) -> tuple[Fault, ...]:
        with pytest.raises(ConfigurationError) as caught:
            self.json(content, **others)
        return caught.value.faults

    def xsd(self, body: str, attributes: str = "", **others: str) -> XmlSchema:
        """Compile an XSD out of what stands inside xs:schema, from line 2 on."""
        for name, other in others.items():
            self.write(f"{name}.xsd", f"<xs:schema {XS}>\n{other}\n</xs:schema>")
        path = self.write("main.xsd", f"<xs:schema {XS} {attributes}>\n{body}\n</xs:schema>")
        return xsd.compile(path, self.folder, self.site)

    def xsd_faults(self, body: str, attributes: str = "", **others: str) -> tuple[Fault, ...]:
        with pytest.raises(ConfigurationError) as caught:
            self.xsd(body, attributes, **others)
        return caught.value.faults
