"""The seeded faults as data: tables of edits, one file for each group."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SITES = {"sound": ROOT / "tests/authoring/check/sound", "shipped": ROOT, "examples": ROOT / "examples"}
PLACE = re.compile(r"\|(?=mappings/|schemas/)")  # between the places of which one is enough


@dataclass(frozen=True, slots=True)
class Seeded:
    """One fault: an edit of a sound site, and how it is to be found."""

    group: str
    site: str  # a name of SITES
    file: str
    old: str
    new: str
    codes: frozenset[str]  # any of them tells it
    places: tuple[str, ...]  # "file: text of the line", "file"; none: where the edit is

    def __str__(self) -> str:
        return f"{self.file}: {_short(self.old)} -> {_short(self.new)} ({' or '.join(sorted(self.codes))})"

    @property
    def process(self) -> str | None:
        """The process that the edited file belongs to; None for a schema."""
        folder, _, rest = self.file.partition("/")
        return rest.partition("/")[0] if folder == "mappings" else None


def seeded(folder: Path = HERE) -> Iterator[Seeded]:
    """Yield every fault of the tables in a folder."""
    for table in sorted(folder.glob("*.toml")):
        for each in tomllib.loads(table.read_text())["file"]:
            for old, new, codes, *places in each["edits"]:
                found = tuple(PLACE.split(places[0])) if places else ()
                yield Seeded(table.stem, each["site"], each["path"], old, new, frozenset(codes.split("|")), found)


def _short(text: str) -> str:
    return repr(text if len(text) < 60 else f"{text[:57]}...")
