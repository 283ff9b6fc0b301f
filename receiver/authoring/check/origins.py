"""Which line of a template wrote a line of a record: the one whose literal text is found there, in its order."""

import re
from collections.abc import Iterator

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
SPLIT = re.compile(r"\r\n|\r|\n")
PLACE = re.compile(r"line (\d+)")


def line(template: str, record: str, where: str) -> int:
    """Return the line of a template that wrote the line that a violation names: `where` is "line 3, PID-7"."""
    place = PLACE.match(where)
    lines = SPLIT.split(record)
    number = int(place[1]) if place else 1
    wanted = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    scored = [(_score(pieces, wanted), number) for number, pieces in _literals(template)]
    best = max(scored, key=lambda each: each[0], default=(0, 1))
    return best[1] if best[0] else next((number for score, number in scored), 1)


def _literals(template: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the literal pieces of each line of a template that writes something."""
    blank = TAG.sub(lambda tag: "\0" + "\n" * tag[0].count("\n"), template)
    for number, text in enumerate(blank.split("\n"), 1):
        pieces = [piece.strip() for piece in text.split("\0") if piece.strip()]
        if pieces:
            yield number, pieces


def _score(pieces: list[str], wanted: str) -> int:
    """Return how much of a line a template's line wrote: 0 where it did not."""
    position = found = 0
    for piece in pieces:
        place = wanted.find(piece, position)
        if place >= 0:
            position, found = place + len(piece), found + len(piece)
    starts = wanted.startswith(pieces[0])
    return 2 * found - sum(map(len, pieces)) + (len(pieces[0]) if starts else 0) if found else 0
