"""Where a field stands: in the records, and on the pages of the document.

In the records it is what differs if they are rendered with a slightly different value, so it is found whatever the
template does with it; a value that can be changed in no way that the schema takes is not. On the pages it is where the
platform says that it has read it, else where the text of a PDF has it.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, takewhile
from operator import eq

from receiver import documents
from receiver.core.delivery import Region
from receiver.core.problems import Problem
from receiver.delivery.context import Context
from receiver.operations import replay
from receiver.site.process import Process
from receiver.store.entry import Entry
from receiver.store.kept import Kept
from receiver.web.console import showing

TRIES = 8  # other values of one field: each costs a rendering, some milliseconds
SOUGHT = 5  # values of one field that are looked for, if it came several times: each takes some milliseconds a page
NOT_SAID = "place not known: the pages have no text to look in, and the platform sends no coordinates"
NOT_SENT = "came without a value"
NOT_FOUND = "this value is not in the text of the pages"
NO_SUCH_PAGE = "the platform names a page that the document does not have"


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of one line of a record."""

    path: str
    line: int  # from 0
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class OnPage:
    """Where on the pages a field stands, or why that is not known."""

    said: str  # for people, behind the name of the field
    document: int | None = None  # from 0, of those that are shown
    page: int = 0  # of it, from 1
    boxes: tuple[tuple[float, float, float, float], ...] = ()  # as in a `Region`


def on_page(context: Context, entry: Entry, name: str) -> OnPage:
    """Return where on its pages a kept delivery has a field, or a cell.

    Raises Problem if it is kept no longer.
    """
    process, kept = replay.find(context, entry)
    region = _by_platform(process, kept, name)
    return _counted(process, kept, region) if region else _by_text(process, kept, name)


def _by_platform(process: Process, kept: Kept, name: str) -> Region | None:
    metadata = showing.metadata_of(kept)
    if not process.metadata.has_places or metadata is None:
        return None
    with suppress(Problem):
        return process.metadata.regions(metadata.read(), metadata.charset).get(name)
    return None


def _counted(process: Process, kept: Kept, region: Region) -> OnPage:
    """Return a place that the platform tells, which counts all documents' pages."""
    page = region.page
    for number, part in enumerate(showing.documents_of(kept)):
        count = showing.page_count(part, process.name)
        if page <= count:
            return OnPage(f"on page {page}", number, page, region.boxes)
        page -= count
    return OnPage(NO_SUCH_PAGE)


def _by_text(process: Process, kept: Kept, name: str) -> OnPage:
    """Return where a document's text has the value that came, or its correction."""
    values, has_text = showing.values(process, kept, name), False
    for value in values[:SOUGHT]:
        for number, part in enumerate(showing.documents_of(kept)):
            found = documents.find(part, value, showing.steps(name)[-1], process.name)
            if isinstance(found, Region):
                among = f", one of {found.places} places that have this value" if found.places > 1 else ""
                return OnPage(f"on page {found.page}{among}", number, found.page, found.boxes)
            has_text = has_text or found
    return OnPage((NOT_FOUND if has_text else NOT_SAID) if values else NOT_SENT)


def places(context: Context, entry: Entry, name: str) -> list[Place]:
    """Return where in the records of a kept delivery a field stands.

    Raises Problem if it is kept no longer.
    """
    preview = showing.preview(context, entry)
    value = next((field.value for field in preview.every if field.name == name and field.single), "")
    for other in islice(_others(value), TRIES):
        changed = showing.preview(context, entry, {**preview.corrections, name: other})
        if changed.records and not changed.problem:
            return list(_differing(dict(preview.records), dict(changed.records)))
    return []


def _others(value: str) -> Iterator[str]:
    """Yield values of the same shape: a schema takes one of them as a rule."""
    for index in reversed(range(len(value))):
        character = value[index]
        if character.isdigit():
            yield value[:index] + ("1" if character != "1" else "2") + value[index + 1 :]
        elif character.isalpha():
            yield value[:index] + _letter(character) + value[index + 1 :]


def _letter(character: str) -> str:
    other = "x" if character.lower() != "x" else "y"
    return other.upper() if character.isupper() else other


def _differing(before: dict[str, str], after: dict[str, str]) -> Iterator[Place]:
    for path, text in before.items():
        old, new = text.split("\n"), after.get(path, "").split("\n")
        if len(old) == len(new):
            for number, (one, other) in enumerate(zip(old, new, strict=True)):
                if one != other:
                    yield Place(path, number, *_span(one, other))


def _span(one: str, other: str) -> tuple[int, int]:
    """Return the piece of a line that differs, and the whole word around it."""
    start = _alike(one, other)
    end = len(one) - _alike(reversed(one[start:]), reversed(other[start:]))
    while start > 0 and one[start - 1].isalnum():
        start -= 1
    while end < len(one) and one[end].isalnum():
        end += 1
    return start, end


def _alike(one: Iterable[str], other: Iterable[str]) -> int:
    """Return how many characters are the same from the first on."""
    return sum(takewhile(bool, map(eq, one, other)))
