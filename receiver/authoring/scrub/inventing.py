"""Invents texts of the same shape: letter for letter, date for date."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from secrets import choice, randbelow

BLOCK = 64  # characters: the letters of one script stand close together
TRIES = 50  # until an invented text holds none of the original ones
SHORTEST = 3  # characters of a text that tells something: shorter ones come up by chance anyway

_DIGITS = re.compile(r"[0-9]+")


def invented(text: str, originals: Collection[str] = ()) -> str:
    """Return another text of the same shape, if possible without any original.

    Each call invents anew; nothing leads back from the result.
    """
    for _ in range(TRIES):
        made = replaced(text, _of_the_same_shape)
        if made != text and not holds_any(made, originals):
            break
    return made


def holds_any(text: str, originals: Collection[str]) -> bool:
    """Return whether a text holds one of the originals, in whatever case."""
    folded = text.casefold()
    return any(original in folded for original in originals)


def can_change(text: str) -> bool:
    """Return whether there is anything to invent."""
    return any(map(_changes, text))


def other(character: str) -> str:
    """Return a character of the same kind: script and case, or a digit for a digit."""
    return choice(_alike(character)) if _changes(character) else character


def _of_the_same_shape(text: str) -> str:
    return _DIGITS.sub(lambda found: _digits(found[0]), "".join(map(_letter, text)))


def _letter(character: str) -> str:
    return character if character in "0123456789" else other(character)


def _digits(run: str) -> str:
    """Return as many digits, with as many zeros before them: a number stays one."""
    kept = len(run) - len(run.lstrip("0"))
    if kept == len(run):
        return "".join(choice("123456789") for _ in run)
    return "0" * kept + choice("123456789") + "".join(choice("0123456789") for _ in run[kept + 1 :])


def _changes(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"


@cache
def _alike(character: str) -> str:
    start = ord(character) // BLOCK * BLOCK
    kind = unicodedata.category(character)
    return "".join(found for found in map(chr, range(start, start + BLOCK)) if unicodedata.category(found) == kind)


MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
SHORT = tuple(month[:3] for month in MONTHS)
RECENT = 2010  # from this year on another recent one is invented: a visit stays a visit, and a birth a birth
YEARS = {True: (RECENT, 2026), False: (1930, RECENT - 1)}
SAFE_DAY = 28  # every month has it

_WORD = "|".join(dict.fromkeys([*MONTHS, *SHORT]))
_SECONDS = r"(?P<second>[0-5]\d)(?:\.(?P<fraction>\d+))?"
_TIME = rf"(?P<hour>[01]\d|2[0-3])(?P<colon>:?)(?P<minute>[0-5]\d)(?:(?P=colon){_SECONDS})?"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)?"  # stays as it is
_ISO = r"(?P<year>(?:19|20)\d\d)(?P<mark>[-/.]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
_PATTERNS = (
    # 2026-11-23T08:11:21-06:00, 2026/11/23, 20261123, 20261123081121
    rf"(?<!\d){_ISO}(?:[T ]?{_TIME}{_ZONE})?(?!\d)",
    # 11/23/2026, 23.11.26, 1-5-2026
    r"(?<!\d)(?P<first>\d{1,2})(?P<mark>[-/.])(?P<second_number>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)(?!\d)",
    # 23 Nov 2026, 23-NOV-2026
    rf"(?<!\d)(?P<day>\d{{1,2}})[ .-]*(?P<word>{_WORD})(?![a-z])[ ,.-]*(?P<year>\d{{4}})(?!\d)",
    # November 23, 2026
    rf"(?<![a-z])(?P<word>{_WORD})[ .-]*(?P<day>\d{{1,2}})[ ,.-]+(?P<year>\d{{4}})(?!\d)",
)
_DATES = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _PATTERNS)


def replaced(text: str, rest: Callable[[str], str]) -> str:
    """Return a text with its dates replaced, and the text between them by `rest`."""
    pieces = [(text, False)]
    for pattern in _DATES:
        pieces = [found for piece, done in pieces for found in ([(piece, done)] if done else _cut(piece, pattern))]
    return "".join(piece if done else rest(piece) for piece, done in pieces)


def _cut(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a text; dates are marked, and invented already."""
    end = 0
    for match in filter(_is_date, pattern.finditer(text)):
        yield text[end : match.start()], False
        yield _invented(match), True
        end = match.end()
    yield text[end:], False


def _is_date(match: re.Match[str]) -> bool:
    parts = match.groupdict()
    if "first" in parts:
        return 0 < int(parts["first"]) <= 31 and 0 < int(parts["second_number"]) <= 31
    return 0 < int(parts["day"]) <= 31 and ("month" not in parts or 0 < int(parts["month"]) <= 12)


def _invented(match: re.Match[str]) -> str:
    """Return the date with each of its numbers replaced in its place."""
    text = match.group()
    for name, piece in sorted(match.groupdict().items(), key=lambda item: -match.start(item[0])):
        if piece:
            start = match.start(name) - match.start()
            text = text[:start] + _piece(name, piece) + text[start + len(piece) :]
    return text


def _piece(name: str, piece: str) -> str:
    bounds = {"month": (1, 12), "day": (1, SAFE_DAY), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}
    if name in bounds:
        return _number(*bounds[name], piece)
    if name == "year":
        return _number(*YEARS[int(piece) >= RECENT], piece) if len(piece) == 4 else _number(0, 99, piece)
    if name in ("first", "second_number"):  # a day that no month could be stays one; else either may be the month
        return _number(13, SAFE_DAY, piece) if int(piece) > 12 else _number(1, 12, piece)
    if name == "fraction":
        return "".join(choice("0123456789") for _ in piece)
    return _word(piece) if name == "word" else piece


def _number(low: int, high: int, like: str) -> str:
    """Return a number between two, both included, with as many digits."""
    high = min(high, 10 ** len(like) - 1)
    return str(low + randbelow(high - low + 1)).zfill(len(like))


def _word(like: str) -> str:
    """Return another month, in the same letters: Jan, JAN, january."""
    month = choice(SHORT if len(like) == 3 else MONTHS)
    return month.upper() if like.isupper() else month.lower() if like.islower() else month


TEXT_TRIES = 20  # invented texts offered for one original: a pattern such as ^[12][0-9]{9}$ takes one in five
LETTER_TRIES = 6  # characters offered for one place
LONGEST = 200  # characters that are gone through one by one; no code or number is longer

Accepts = Callable[[Mapping[str, str]], bool]


class CannotScrubError(Exception):
    """A delivery that no invented values can stand for."""


def replacements(
    texts: Iterable[str], originals: Collection[str], alike: Accepts, judged_alike: Accepts
) -> dict[str, str]:
    """Return an invented text for each original, or the original if none is allowed.

    `alike` asks for the same way through the templates besides the same verdict. A long text is never kept for
    that; where no other one is judged alike either, this raises `CannotScrubError`.
    """
    wanted = list(texts)
    chosen = {text: invented(text, originals) for text in wanted}
    if alike(chosen):
        return chosen
    chosen = {text: text for text in wanted}
    for text in wanted:
        for accepts in (alike, judged_alike) if len(text) > LONGEST else (alike,):
            chosen[text] = _accepted(text, originals, partial(_with, accepts, chosen, text))
            if chosen[text] != text:
                break
        if chosen[text] == text and len(text) > LONGEST:
            raise CannotScrubError("it has a long text that no invented one can stand for")
    return chosen


def _with(accepts: Accepts, chosen: Mapping[str, str], text: str, made: str) -> bool:
    return accepts({**chosen, text: made})


def _accepted(text: str, originals: Collection[str], accepts: Callable[[str], bool]) -> str:
    for _ in range(TEXT_TRIES):
        made = invented(text, originals)
        if accepts(made):
            return made
    return _changed_within(text, originals, accepts) if len(text) <= LONGEST else text


def _changed_within(text: str, originals: Collection[str], accepts: Callable[[str], bool]) -> str:
    """Return the text with every character changed that may differ.

    A prefix that a pattern asks for stays.
    """
    made = text
    for place, character in enumerate(text):
        for _ in range(LETTER_TRIES):
            tried = made[:place] + other(character) + made[place + 1 :]
            if tried != made and accepts(tried):
                made = tried
                break
    others = [original for original in originals if original != text.casefold()]
    return made if not holds_any(made, others) else text
