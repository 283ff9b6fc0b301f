"""Replaces what a delivery says of people by invented values of the same shape.

Every value of the metadata becomes an invented one, the same one wherever it stands; every document a blank page;
names of files and parts that the sender chose are invented too. What is left is what the configuration itself
knows: names of fields, confidences, keys of code tables, and values that no other may stand for, such as those of
an `enum`. A scrubbed delivery is judged as the original one was and takes the same way through the templates, which
is tried out and not assumed.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

from receiver.authoring.cases.capturing import Sent
from receiver.authoring.cases.cases import TYPES
from receiver.authoring.scrub import json, xml
from receiver.authoring.scrub.inventing import CannotScrubError, can_change, invented, replacements
from receiver.authoring.scrub.sameness import Sameness, structure, survivors, telling
from receiver.core.delivery import Role, Section
from receiver.schemas.encodings import MalformedError
from receiver.site.compiling import SAMPLES
from receiver.site.config.site import shared_files
from receiver.site.process import Process
from receiver.templates.library import TABLES_FOLDER

ROUNDS = 5  # whole inventions, until no original text comes up again by chance
FORMS: Mapping[str, ModuleType] = {"json": json, "xml": xml}
GLOB = re.compile(r"[*?\[]")
BLANK = Path(__file__).parent / "blank"  # a small valid file of each type, with nothing on it
BROKEN = b"placeholder of a document that cannot be read\n"


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A delivery with other values."""

    parts: list[Sent]
    kept: tuple[str, ...]  # values that no other may stand for: of an enum, keys of a code table


def scrub(process: Process, parts: Sequence[Sent]) -> Scrubbed:
    """Return a delivery of the same shape that is judged in the same way.

    Raises `CannotScrubError`.
    """
    work = _Scrubbing(process, parts)
    for _ in range(ROUNDS):
        scrubbed = work.scrubbed()
        if not survivors(process, scrubbed.parts, work.originals, [*scrubbed.kept, *work.fixed]):
            return scrubbed
    raise CannotScrubError("some of its values come up again in what it becomes, however often others are invented")


class _Scrubbing:
    """One delivery, taken apart."""

    def __init__(self, process: Process, parts: Sequence[Sent]) -> None:
        self._process = process
        self._form = FORMS[process.config.metadata.form]
        self._sameness = Sameness(process)
        parts = [_in_utf8(self._form, part) for part in parts]
        self._metadata = next((index for index, part in enumerate(parts) if part.role is Role.METADATA), None)
        self._content = b"" if self._metadata is None else parts[self._metadata].content
        self._texts = _values(self._form, self._content) if self._content else []
        self._blank = self._blanks(parts)
        self._wanted = self._sameness.judged(self._blank)
        self._free = self._replaceable()
        names = {name for part in parts for name in _chosen_names(process, part.section)}
        self.originals = {self._texts[index] for index in self._free} | set(filter(can_change, names))
        self.fixed = {text for index, text in enumerate(self._texts) if index not in self._free}

    def scrubbed(self) -> Scrubbed:
        """Invent values for all that is free, as often as it is called."""
        texts = list(dict.fromkeys(self._texts[index] for index in self._free))
        chosen = replacements(texts, telling(self.originals), self._alike, self._judged_alike)
        kept = tuple(text for text in texts if chosen[text] == text)
        return Scrubbed(self._with(chosen), kept)

    def _blanks(self, parts: Sequence[Sent]) -> list[Sent]:
        """Return the delivery with blank pages for documents, broken for broken ones."""
        verdict, _ = self._sameness.judged(parts)
        for broken in (None, BROKEN):
            blank = [_blanked(self._process, part, broken) for part in parts]
            if self._sameness.judged(blank)[0] == verdict:
                return blank
        raise CannotScrubError("its documents decide how it is judged, and a blank page is judged otherwise")

    def _replaceable(self) -> list[int]:
        """Return indexes of values that are not names, confidences or keys of tables."""
        marks = [f"mark{index}x" for index in range(len(self._texts))]
        needed = str(structure(self._process, self._rewritten(marks)))
        known = set(_table_cells(self._process))
        return [
            index
            for index, text in enumerate(self._texts)
            if marks[index] not in needed and text not in known and can_change(text)
        ]

    def _alike(self, chosen: Mapping[str, str]) -> bool:
        return self._sameness.judged(self._with(chosen)) == self._wanted

    def _judged_alike(self, chosen: Mapping[str, str]) -> bool:
        return self._sameness.judged(self._with(chosen))[0] == self._wanted[0]

    def _with(self, chosen: Mapping[str, str]) -> list[Sent]:
        texts = list(self._texts)
        for index in self._free:
            texts[index] = chosen[texts[index]]
        return self._rewritten(texts)

    def _rewritten(self, texts: Sequence[str]) -> list[Sent]:
        parts = list(self._blank)
        if self._metadata is not None:
            parts[self._metadata] = replace(parts[self._metadata], content=self._form.rewritten(self._content, texts))
        return parts


def _in_utf8(form: ModuleType, part: Sent) -> Sent:
    """Return a metadata part in UTF-8; other parts, and broken ones, as they are."""
    if part.role is not Role.METADATA:
        return part
    try:
        content = form.utf8(part.content, part.section.charset)
    except MalformedError:
        return part
    return replace(part, content=content, section=replace(part.section, charset=""))


def _values(form: ModuleType, content: bytes) -> list[str]:
    try:
        return list(form.values(content))
    except MalformedError:
        raise CannotScrubError("its metadata cannot be read, so that nothing tells values from names") from None


def _blanked(process: Process, part: Sent, broken: bytes | None) -> Sent:
    """Return a part without what the sender chose; the metadata is rewritten later."""
    suffix = part.suffix if part.suffix in TYPES else ".bin"
    name = _part_name(process, part.section.name)
    filename = None if part.section.filename is None else f"{name}{suffix}"
    content = part.content if part.role is Role.METADATA else broken or blank(suffix)
    return replace(part, section=Section(name, filename, part.section.type), suffix=suffix, content=content)


def blank(suffix: str) -> bytes:
    """Return a document of the type that a suffix stands for, with nothing on it."""
    usual = {".tiff": ".tif", ".jpeg": ".jpg"}.get(suffix, suffix)
    file = BLANK / f"blank{usual}"
    return file.read_bytes() if file.is_file() else b"placeholder\n"


def _part_name(process: Process, name: str) -> str:
    """Return a name that the process has, perhaps with a number, or an invented one."""
    for rule in process.config.parts:
        if rule.name == name:
            return name
        if fnmatchcase(name, rule.name):
            fixed = GLOB.split(rule.name)[0]
            rest = name.removeprefix(fixed)
            return name if rest.isdecimal() else fixed + invented(rest)
    return invented(name)


def _chosen_names(process: Process, section: Section) -> Iterator[str]:
    """Yield names that the sender chose, unless they are the process's own."""
    if section.filename:
        stem, _, suffix = section.filename.rpartition(".")
        yield stem or suffix
    if _part_name(process, section.name) != section.name:
        yield section.name


def _table_cells(process: Process) -> Iterator[str]:
    folder = process.config.folder
    shared = [path for path in shared_files(folder, SAMPLES) if path.suffix == ".csv"]
    for path in (*folder.glob(f"{TABLES_FOLDER}/*.csv"), *shared):
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from (cell for row in csv.reader(file) for cell in row)
