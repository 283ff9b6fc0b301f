"""One process.toml as it was written: its values, and where each of them stands."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any

from receiver.core.faults import ConfigurationError, Fault, Severity
from receiver.core.positions import Positions, toml_positions

CODE = "toml-syntax"
PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")  # how tomllib ends its messages
CURLY = tuple("\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb")  # quotes that word processors write
BOOLEANS = {"True": "true", "False": "false", "yes": "true", "no": "false", "on": "true", "off": "false"}
HEADING = re.compile(r"\s*\[+\s*(records)\s*\]")
KEY = re.compile(r"\((.*?),?\)")  # how it writes a dotted key: ('parts', 'file')

# How tomllib's message begins, what is then the matter, and what to do.
WORDS = (
    ("Invalid value", "this is no value", 'text stands in quotes: title = "Referral intake"'),
    ("Expected '=' after a key", "a = is missing", "a line is written key = value"),
    ("Invalid initial character", "a name cannot be written so", 'put it in quotes: [parts."page_*"]'),
    ("Invalid statement", "this is neither a section nor a key", "write [section] or key = value"),
    (
        "Expected newline or end",
        "something follows the value",
        "one key = value on each line; comments begin with #, and a text that has double quotes stands in single ones",
    ),
    ("Cannot overwrite a value", "this was given before", "remove one of the two"),
    ("Duplicate inline table key", "this was given before", "remove one of the two"),
    ("Cannot redefine namespace", "this was given before", "remove one of the two"),
    ("Cannot mutate immutable", "this section was given before, in { } or [ ]", "put everything into one of the two"),
    ("Cannot declare", "the section {key} is begun twice", "put its keys under one heading"),
    ("Expected ']]'", "the heading is not closed", "a repeated section is written [[records]]"),
    (
        "Expected ']'",
        "the heading is not closed",
        'a section is written [output], and with other letters than A-Z 0-9 _ - in quotes: [parts."page_*"]',
    ),
    ("Unclosed array", "a list is not closed", 'a list is written ["one", "two"]'),
    ("Unclosed inline table", "a group is not closed", "a group is written { name = 0.95 }, on one line"),
    ("Unescaped '\\'", "a \\ in a text stands for something else", "write \\\\ or put the text in 'single quotes'"),
    ('Expected "', "a text is not closed", "text ends with the quote that it began with"),
    ("Expected '", "a text is not closed", "text ends with the quote that it began with"),
    ("Unterminated string", "a text is not closed", "text ends with the quote that it began with"),
    ("Illegal character '\\n'", "a text is not closed", "text ends on its line, with the quote that it began with"),
    ("Invalid date", "this is no date", "text that looks like a date stands in quotes"),
)


def not_utf8(file: str, content: bytes, error: UnicodeDecodeError) -> Fault:
    """Return the fault of a file in another encoding, at its first foreign character."""
    before = content[: error.start].split(b"\n")
    column = len(before[-1].decode("utf-8")) + 1
    return Fault(file, len(before), column, CODE, "a character that is not UTF-8", "save the file as UTF-8")


def not_toml(file: str, text: str, error: TOMLDecodeError) -> Fault:
    """Return the fault of a file that tomllib cannot read, where it stopped."""
    said = str(error)
    place = PLACE.search(said)
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    else:
        lines = text.rstrip().split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    message, hint = _at(text, line, column) or _in_words(PLACE.sub("", said))
    return Fault(file, line, column, CODE, message, hint)


def _at(text: str, line: int, column: int) -> tuple[str, str] | None:
    """Report what is wrong by the text there, if that says more than the parser."""
    here = text.split("\n")[line - 1]
    if here[column - 1 : column] in CURLY:
        return f"{here[column - 1]} is no quote of TOML", 'write straight quotes: title = "Referral intake"'
    word = here[column - 1 :].split("#")[0].strip()
    if word in BOOLEANS:
        return f"{word} is no value of TOML", f"write {BOOLEANS[word]}, in small letters and without quotes"
    heading = HEADING.match(here)
    if heading and len(re.findall(rf"^\s*\[+\s*{re.escape(heading[1])}\s*\]", text, re.MULTILINE)) > 1:
        return f"[{heading[1]}] is begun twice", f"write [[{heading[1]}]] each time where it may come more than once"
    return None


def _in_words(said: str) -> tuple[str, str]:
    for beginning, message, hint in WORDS:
        if said.startswith(beginning):
            key = KEY.search(said)
            name = ".".join(part.strip("' ") for part in key[1].split(",")) if key else ""
            return message.replace("{key}", f"[{name}]"), hint
    return said, ""


FILE = "process.toml"
UTF8_MARK = b"\xef\xbb\xbf"  # some editors begin every file with it; TOML knows no such thing


@dataclass(frozen=True, slots=True)
class Source:
    """The values of a process.toml and their places."""

    file: str  # relative to the site's folder
    data: dict[str, Any]
    positions: Positions

    def position(self, path: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Return line and column of the value at `path`, or of the nearest above it."""
        return self.positions.of(path, key=key)

    def fault(
        self,
        code: str,
        message: str,
        path: Sequence[str | int],
        *,
        hint: str = "",
        severity: Severity = Severity.ERROR,
        key: bool = False,
    ) -> Fault:
        """Return a fault at the value that stands at `path`, or at its key."""
        line, column = self.position(path, key=key)
        return Fault(self.file, line, column, code, message, hint, severity)


def load(folder: Path, site: Path) -> Source:
    """Parse the process.toml of a process's folder.

    Raises `ConfigurationError` if it is no TOML.
    """
    path = folder / FILE
    file = path.relative_to(site).as_posix()
    try:
        content = path.read_bytes().removeprefix(UTF8_MARK)
    except OSError as error:
        message, hint = f"cannot be read: {error.strerror}", "every process has this file in its folder"
        raise ConfigurationError([Fault(file, 1, 1, "file-unreadable", message, hint)]) from error
    try:
        text = content.decode("utf-8")
        return Source(file, tomllib.loads(text), toml_positions(content))
    except UnicodeDecodeError as error:
        raise ConfigurationError([not_utf8(file, content, error)]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([not_toml(file, text, error)]) from error
