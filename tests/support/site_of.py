"""Makes small sites for the tests of the configuration."""

from pathlib import Path

from receiver.site.config.build import read
from receiver.site.config.model import ProcessConfig

SMALLEST = """
[auth]
open = true
[parts.file]
role = "document"
[parts.metadata]
role = "metadata"
[metadata]
schema = "metadata.schema.json"
"""


def put(site: Path, name: str, toml: str | bytes = SMALLEST) -> Path:
    folder = site / "mappings" / name
    folder.mkdir(parents=True)
    (folder / "process.toml").write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return folder


def configured(site: Path, name: str, toml: str | bytes = SMALLEST) -> ProcessConfig:
    return read(put(site, name, toml), site)
