"""What the peers in Python share: the site they read, the names they escape for, and how a file is made durable."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

SITE = Path(os.environ["PEER_SITE"])
OUTPUT = Path(os.environ["PEER_OUTPUT"])
HL7 = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": "\\X0D\\", "\n": "\\X0A\\"}
)


def hl7(value: object) -> str:
    """Escape a value for a field of an HL7 message."""
    return str(value).translate(HL7)


def schema(name: str) -> dict:
    return json.loads((SITE / "schemas" / name).read_text())


def write_durably(path: Path, content: bytes) -> None:
    """Write one file as the manual of fsync(2) has it: file, rename, folder."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(files: dict[Path, bytes], staged: Path, document: Path, accept: Callable[[], object] | None = None) -> None:
    """Make a staged document and the records durable together: one fsync of the folder for all names.

    `accept` is called before they get their names, once they would be found after a power cut.
    """
    for path, content in files.items():
        path.with_suffix(path.suffix + ".part").write_bytes(content)
    parts = {path.with_suffix(path.suffix + ".part"): path for path in files} | {staged: document}
    for part in parts:
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    if accept:
        sync_folder(document.parent)
        accept()
    for part, path in parts.items():
        part.rename(path)
    sync_folder(document.parent)
