"""How messages name paths, values and types of process.toml."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from math import isfinite
from typing import Any, NamedTuple

SHOWN = 60  # characters of a value in a message: enough to recognise it, and still one line

TYPES = {
    "string": "text in quotes",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list in [ ]",
    "object": "a section",
    "date": "a date",
    "not finite": "nan or inf",
}


def path_name(path: Sequence[str | int]) -> str:
    """Write a path as keys with dots, without indexes: a fault has its line."""
    name = ".".join(key_name(step) for step in path if isinstance(step, str))
    return f"an entry of {name}" if path and isinstance(path[-1], int) else name


def key_name(key: str) -> str:
    """Write a key as TOML wants it, in quotes if it needs them."""
    plain = key and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in key)
    return key if plain else json.dumps(key, ensure_ascii=False)


def section_name(path: Sequence[str | int]) -> str:
    """Write the heading of a section."""
    name = ".".join(key_name(step) for step in path if isinstance(step, str))
    return f"[[{name}]]" if isinstance(path[-1], int) else f"[{name}]"


def value_name(value: Any) -> str:
    """Write a value, shortened."""
    written = json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= SHOWN else f"{written[: SHOWN - 1]}…"


def type_name(value: Any) -> str:
    """Return the schema's word for a TOML value's type, or a word that JSON lacks."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, date | datetime | time):
        return "date"
    if isinstance(value, float) and not isfinite(value):
        return "not finite"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names[type(value)]


def either(choices: Iterable[str]) -> str:
    """Join choices: "refuse, hold or publish"."""
    *first, last = choices
    return f"{', '.join(first)} or {last}" if first else last


class Form(NamedTuple):
    """The code of a fault, what follows the value in its message, and what to do."""

    code: str
    message: str
    hint: str


FILE_NAME = Form(
    "bad-path", "is not the path of a file", "write it relative, with forward slashes, on one line and without .."
)

FORMS = {
    "size": Form("bad-size", "is not a size", 'write "200 MB", "512 kB", "2 GB" or a number of bytes, above 0'),
    "span": Form("bad-duration", "is not a span of time", 'write "12h", "30d", "6w" or "7y"'),
    "short-span": Form("bad-duration", "is not a span of time", 'write "15m", "12h" or "1d"'),
    "time-of-day": Form("wrong-value", "is not a time of day", 'write "18:00", from 00:00 to 23:59'),
    "batch-name": Form(
        "bad-name", "cannot be the name of a batch", "a-z, 0-9, - and _, at most 64, beginning with a letter or digit"
    ),
    "confidence": Form("wrong-value", "is not from 0 to 1", "0.80 means 80 percent"),
    "host": Form("bad-host", "is not a host name", 'write it without https://, port or path: "fax.example.org"'),
    "part-name": Form("bad-name", "cannot be the name of a part", "1 to 200 characters, none of them a control"),
    "field-name": Form("bad-name", "cannot be the name of a field", "no field comes under such a name"),
    "table-name": Form(
        "bad-name", "cannot be the name of a table", "a letter, then letters, digits and _: templates read tables.items"
    ),
    "rule-name": Form("bad-name", "cannot be the name of a rule", 'small letters, digits and hyphens: "total-adds-up"'),
    "word": Form("wrong-value", "is not a single word", "a name is looked at word by word; list each by itself"),
    "media-type": Form("bad-type", "is not a media type", 'lower case and without parameters: "image/tiff"'),
    "token": Form(
        "token-plain",
        'is neither "env:NAME" nor "sha256:" and 64 hexadecimal digits',
        "a token itself never stands in this file: name the environment variable that holds it, or write the"
        " SHA-256 that printf %s TOKEN | sha256sum prints",
    ),
    "webhook": Form(
        "bad-url",
        "is not the URL of a webhook",
        'write "https://chat.example.org/hooks/fax", or "env:NAME" for one that the environment holds',
    ),
    "directory": Form(
        "bad-path",
        "is not the name of a folder",
        'a name such as "referrals" or an absolute path with forward slashes; no .., ~, $, : or {{ }}',
    ),
    "group": Form("bad-name", "cannot be the name of a group", 'write it as `getent group` does: "importers"'),
    "scanner": Form("bad-path", "is not a scanner", 'write "clamd:/run/clamav/clamd.ctl", the path of its socket'),
    "file-name": FILE_NAME,
    "metadata-schema": Form(
        "schema-misfit", "is no schema for metadata", "name a .json (for JSON) or .xsd (for XML) file in schemas/"
    ),
    "fields-schema": Form(
        "schema-misfit", "is no schema for fields", "name a .json file in schemas/, even if the metadata is XML"
    ),
    "record-schema": Form(
        "schema-misfit", "is no schema for a record", 'name a .json or .xsd file in schemas/, or write "hl7" or "fhir"'
    ),
}

SECRET = frozenset({"token", "webhook"})  # the forms whose values are never shown
