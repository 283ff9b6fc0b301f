"""The changes that no test can notice, each with the reason: equivalent.toml, by file, line of code and change."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from .changes import Change

FILE = Path(__file__).with_name("equivalent.toml")


def reasons() -> dict[tuple[str, str, str], str]:
    """Return the reason of each."""
    listed = tomllib.loads(FILE.read_text()).get("equivalent", [])
    return {(each["file"], each["code"], each["change"]): each["reason"] for each in listed}


def parted(changes: Iterable[Change]) -> tuple[list[Change], int]:
    """Return the changes that can be noticed, and how many cannot."""
    known = reasons().keys()
    every = list(changes)
    noticed = [change for change in every if key(change) not in known]
    return noticed, len(every) - len(noticed)


def stale(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    """Return the entries whose line is no more."""
    return sorted(reasons().keys() - {key(change) for change in changes})


def key(change: Change) -> tuple[str, str, str]:
    """Return what a change is known by: not the number of its line, which moves."""
    return str(change.module), change.code, change.words
