"""Files on a command line or in a sample folder, and the parts that they are sent as."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from receiver.core.delivery import Section

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
    """Tell the part that a file is sent as.

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
