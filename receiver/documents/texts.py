"""Finds a field's value in the text of a PDF; only in the helper, as `pdfs`.

A value is found whatever its case, accents and ligatures, however its lines break, with separators in its digits or
without; a date and a number also as people print them. Of several places the one beside the field's name counts.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import pypdfium2
from pypdfium2 import raw

from receiver.documents.pdfs import filled, opened

SECONDS = 5.0  # seconds of looking: a page takes some milliseconds, and a person waits
MAX_PAGES = 500  # pages that a value is looked for on: a chart has some hundred
MAX_CHARACTERS = 50_000  # characters of a page that are looked through: a dense one of A4 has eight thousand
MAX_VALUE = 200  # characters of a value that are looked for: enough to tell where a long one begins
MAX_PLACES = 50  # places on one page that are compared: a name in each line of a list
MAX_NAMES = 4  # words of a name that may be printed with the last one first: more are no name
MAX_LINES = 8  # lines of one place that are marked: what is longer is seen all the same
_FEW = 3  # letters and digits: fewer stand everywhere, and count only beside the field's name; an ideograph is two
_LONG = 5  # letters and digits of a value that may be printed in groups: 142 637
_WIDE = 1_000_000  # units across and down a page: pdfium tells places in whole ones

GAP = r"[\W_]{0,3}"  # between two words of a value
GROUP = r"[^\w.,]{0,3}"  # within one, where it is broken or printed in groups
START = r"(?<![^\W_])(?<![0-9][.,](?=[0-9]))"  # not within a word, nor within a number
END = r"(?![^\W_])(?![.,][0-9])"
DATES = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y")
MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ][0-9:.]+(?:Z|[+-][0-9:]+)?", re.ASCII)
NUMBER = re.compile(r"([0-9]{1,15})(?:[.,]([0-9]{1,6}))?", re.ASCII)
AMOUNT = re.compile(r"[0-9]{1,3}(?:[ .,'’][0-9]{3})+[.,][0-9]{2}", re.ASCII)
SIGNS = " $€£¥+-−()%"  # around an amount
WORD = re.compile(r"[^\W_]+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Box = tuple[float, float, float, float]  # left, top, right, bottom: fractions of the page as it is shown


class Hit(NamedTuple):
    """One place of a value; the least is the best one."""

    beside: int  # words of the field's name that do not stand beside it
    page: int  # from 1
    top: float
    left: float
    boxes: list[Box]  # of each line


def find(path: Path, value: str, name: str) -> dict[str, Any]:
    """Return page and boxes of a value, and the number of places.

    {"text": False} if no page has any text.

    Raises `UnreadableError`.
    """
    wanted = pattern(value)
    words = _words(CAMEL.sub(" ", name))
    hits: list[Hit] = []
    has_text = False
    until = monotonic() + SECONDS
    with opened(path) as document:
        for number in range(1, min(len(document), MAX_PAGES) + 1):
            with suppress(pypdfium2.PdfiumError):  # of a damaged page the others are left
                page = _Page(filled(document, number))
                has_text = has_text or bool(page.text.strip())
                hits += page.hits(wanted, words, number) if wanted else ()
            if monotonic() > until:
                break
    if sum(1 + _is_wide(each) for each in value if each.isalnum()) < _FEW:
        hits = [hit for hit in hits if hit.beside < len(words)]
    if not hits:
        return {"text": has_text}
    best = min(hits)
    return {"text": True, "page": best.page, "boxes": best.boxes, "places": len(hits)}


def pattern(value: str) -> re.Pattern[str] | None:
    """Return a pattern for a value in `folded` text; None without letters and digits."""
    text = folded(value[: 2 * MAX_VALUE]).strip()
    tokens = WORD.findall(text)
    if not tokens:
        return None
    number = _number(text)
    ways = [r"\s+".join(map(re.escape, text.split())), *_dates(value.strip()), *(_numbers(number) if number else ())]
    if not (number and number[2]):
        ways += [_spelled(tokens), *_names(text)]
    start = "" if _is_wide(value.strip()[0]) else START
    end = "" if _is_wide(value.strip()[-1]) else END
    return re.compile(f"{start}(?:{'|'.join(ways)}){end}")


def folded(text: str) -> str:
    """Return text in one case, without accents and ligatures."""
    return "".join(map(_folded, text))


def _folded(character: str) -> str:
    if character.isascii():
        return character.lower()
    parts = unicodedata.normalize("NFKD", character.casefold())
    return "".join(each for each in parts if not unicodedata.combining(each))


def _is_wide(character: str) -> bool:
    """Return whether a character's script has no spaces between words (UAX #11)."""
    return unicodedata.east_asian_width(character) in "WF"


def _words(text: str) -> list[str]:
    return WORD.findall(folded(text))


def _spelled(tokens: list[str]) -> str:
    """Return a pattern of the value as it is, and of a long one also in groups."""
    inside = GROUP if sum(map(len, tokens)) >= _LONG else ""
    kept: list[str] = []
    length = 0
    for token in tokens:
        length += len(token)
        if kept and length > MAX_VALUE:
            break
        kept.append(inside.join(re.escape(each) for each in token[:MAX_VALUE]))
    return GAP.join(kept)


def _names(text: str) -> Iterator[str]:
    """Yield a person's name in the other order: Ada Example for Example, Ada."""
    family, _, given = map(WORD.findall, text.partition(","))
    words = text.split()
    if family and given and "," not in text.partition(",")[2]:
        yield _spelled(given + family)
    elif 1 < len(words) <= MAX_NAMES and re.sub(r"[ .'’-]", "", text).isalpha():
        yield f"{_spelled(WORD.findall(words[-1]))},{GAP}{_spelled(WORD.findall(' '.join(words[:-1])))}"


def _number(text: str) -> re.Match[str] | None:
    """Return whole and decimals of an amount such as $1,250.00; None for others."""
    bare = text.strip(SIGNS)
    digits = re.sub(r"[^0-9]", "", bare)
    return NUMBER.fullmatch(f"{digits[:-2]}.{digits[-2:]}" if AMOUNT.fullmatch(bare) else bare)


def _numbers(number: re.Match[str]) -> Iterator[str]:
    """Yield patterns of a number with thousands apart, or other trailing zeros."""
    whole, decimals = number[1], (number[2] or "").rstrip("0")
    groups = [whole[max(end - 3, 0) : end] for end in range(len(whole), 0, -3)][::-1]
    yield r"[ .,'’]?".join(groups) + (rf"[.,]{decimals}0{{0,6}}" if decimals else r"(?:[.,]0{1,6})?")


def _dates(value: str) -> Iterator[str]:
    """Yield patterns of a date, or a moment's day, in the orders that people print."""
    for form in DATES:
        try:
            date = datetime.strptime(MOMENT.sub(r"\1", value), form)  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
        year, month, day = rf"(?:{date:%Y}|{date:%y})", f"0?{date.month}", f"0?{date.day}"
        named, apart = f"{date:%b}".lower() + r"[a-z]{0,7}", r"[\W_]{1,3}"
        orders = [(f"{date:%Y}", month, day), (named, day, year), (day, named, year)]
        orders += [(day, month, year)] if form.startswith("%d") or date.day > 12 else []
        orders += [] if form.startswith("%d") else [(month, day, year)]
        yield from (apart.join(order) for order in orders)
        yield day + r"\. ?" + month + r"\. ?" + year
        return


class _Page:
    """A page: its folded text, and the page's character for each character of it."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        self._page = page
        self._text = page.get_textpage()
        self._shown = pypdfium2.PdfPosConv(page, (0, 0, _WIDE, _WIDE, 0))
        pieces: list[str] = []
        self._origin: list[int] = []
        for index in range(min(self._text.count_chars(), MAX_CHARACTERS)):
            piece = _folded(chr(raw.FPDFText_GetUnicode(self._text, index)))
            pieces.append(piece)
            self._origin += [index] * len(piece)
        self.text = "".join(pieces)

    def hits(self, wanted: re.Pattern[str], words: list[str], number: int) -> Iterator[Hit]:
        """Yield each place of a value on the page."""
        for found in islice(wanted.finditer(self.text), MAX_PLACES):
            boxes = self._boxes(self._origin[found.start()], self._origin[found.end() - 1])
            if boxes:
                left, top, _, _ = boxes[0]
                yield Hit(len(words) - self._beside(boxes[0], words), number, top, left, boxes)

    def _boxes(self, first: int, last: int) -> list[Box]:
        count = self._text.count_rects(first, last - first + 1)
        boxes = (self._box(*self._text.get_rect(index)) for index in range(min(count, MAX_LINES)))
        return [box for box in boxes if box[0] < box[2] and box[1] < box[3]]

    def _box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Return a box as it is shown on the page: cropped, rotated, cut at the edges."""
        across, down = zip(self._shown.to_bitmap(left, bottom), self._shown.to_bitmap(right, top), strict=True)
        edges = (min(across), min(down), max(across), max(down))
        return tuple(round(min(max(edge / _WIDE, 0), 1), 4) for edge in edges)

    def _beside(self, box: Box, words: list[str]) -> int:
        """Return how many words of a field's name are left of a place, or right above it."""
        left, top, right, bottom = box
        height = bottom - top
        near = self._within(left - 0.45, top - height / 4, left, bottom + height / 4)
        near += [" ", *self._within(left - 0.05, top - 2.5 * height, right + 0.1, top)]
        initials = "".join(word[0] for word in near)  # Date Of Birth is dob
        return sum(word in near or (len(word) >= _FEW and word in initials) for word in words)

    def _within(self, left: float, top: float, right: float, bottom: float) -> list[str]:
        corners = [self._shown.to_page(round(x * _WIDE), round(y * _WIDE)) for x, y in ((left, top), (right, bottom))]
        across, down = zip(*corners, strict=True)
        return _words(self._text.get_text_bounded(min(across), min(down), max(across), max(down)))
