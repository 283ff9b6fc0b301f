"""The values and the file names in a delivery, taken from its bytes, and where they stand in a text."""

import json
import re
from contextlib import suppress

SHORTEST, LONGEST = 6, 200  # characters: a shorter one may stand anywhere, and a longer one is cut where it is told
STRING = rb'"((?:[^"\\\x00-\x1f]|\\.){0,400})"'
MEMBER = re.compile(STRING + rb"\s*:\s*(?:\[\s*)?" + STRING)  # "value": "…", also the first of several
ELEMENT = re.compile(rb"<([\w:]+)[^<>]*>([^<>]{1,400})</")
ATTRIBUTE = re.compile(rb'<(?:\w+) [^<>]*value="([^"<>]{1,400})"')
FILE_NAME = re.compile(rb'filename="([^"\r\n]{1,400})"')
NAMES = {b"name", b"sourceId", b"source"}  # of fields, and of documents: what is told of a fault may name them
WORD = re.compile(r"\w+")
ANYBODYS = re.compile(r"[a-z_-]+|[\d\W_]{,8}|\W*")  # a plain word, a short number, a rule of dashes: not recognisable
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]?\d*")  # each line has one: no day is told by it


def values_in(raw: bytes) -> tuple[set[str], set[str]]:
    """Return the recognisable values and file names in a request, and the names of its fields and documents."""
    values, names = set(), set()
    for key, value in MEMBER.findall(raw) + ELEMENT.findall(raw):
        (names if key in NAMES else values).add(_reading(value))
    values.update(map(_reading, ATTRIBUTE.findall(raw) + FILE_NAME.findall(raw)))
    return {value for value in values if _is_recognisable(value)}, names


def found_in(text: str, values: set[str]) -> list[tuple[str, str]]:
    """Return each value that stands in the text, whole and not as a piece of a longer word, with its line."""
    text = MOMENT.sub("", text)
    words = set(WORD.findall(text))
    found = []
    for value in values:
        for written in {value, json.dumps(value)[1:-1], repr(value)[1:-1]}:
            if words.issuperset(WORD.findall(written)) and (line := _line_with(written, text)):
                found.append((value, line))
                break
    return found


def _line_with(written: str, text: str) -> str:
    at = re.search(rf"(?<!\w){re.escape(written)}(?!\w)", text)
    return text[text.rfind("\n", 0, at.start()) + 1 :].partition("\n")[0] if at else ""


def _reading(value: bytes) -> str:
    """Return a value as it is meant; "" for what is no text."""
    with suppress(UnicodeDecodeError):
        written = value.decode()
        with suppress(ValueError):
            return str(json.loads(f'"{written}"')).strip()
        return written.strip()
    return ""


def _is_recognisable(value: str) -> bool:
    return SHORTEST <= len(value) <= LONGEST and value.isprintable() and not ANYBODYS.fullmatch(value)
