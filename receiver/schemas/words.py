"""Writes names, rules and files in messages: one line, bounded, never a value."""

import json
from collections.abc import Iterable
from pathlib import Path

MAX_NAME = 64  # characters shown of a name that a sender chose
MAX_RULE = 200  # characters shown of a pattern or a value that a schema holds
MAX_LIST = 20  # names or values shown of a list


def name(text: str) -> str:
    """Quote a name; control characters are escaped, and a long one is cut."""
    shown = text if len(text) <= MAX_NAME else text[:MAX_NAME] + "…"
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in shown) + '"'


def rule(text: str, limit: int = MAX_RULE) -> str:
    """Write something out of a schema on one line, cut if it is long."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= limit else line[:limit] + "…"


def value(constant: object) -> str:
    """Write a constant of a schema as JSON."""
    return rule(json.dumps(constant, ensure_ascii=False, default=str))


def listed(words: Iterable[str], joint: str = ", ") -> str:
    """Join words, the first twenty of them."""
    every = list(words)
    rest = f"{joint}… ({len(every) - MAX_LIST} more)" if len(every) > MAX_LIST else ""
    return joint.join(every[:MAX_LIST]) + rest


def file(path: Path, site: Path) -> str:
    """Return what a file is called: by its path in the site, links aside."""
    absolute = path.absolute()
    for root in (site.absolute(), site.resolve()):
        if absolute.is_relative_to(root):
            return absolute.relative_to(root).as_posix()
    return absolute.as_posix()
