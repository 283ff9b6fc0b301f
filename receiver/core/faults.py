"""Faults of the configuration: what `receiver check` reports, and what refuses a start."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Severity(StrEnum):
    """Errors refuse the start; warnings do not; infos are worth a look."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault at one place of one file. Prints as `file:line:column: CODE message (hint)`."""

    file: str  # relative to the site's folder
    line: int  # from 1
    column: int  # from 1
    code: str  # stable, in lower case with hyphens: "unknown-key"
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.message}{hint}"


class Misconfigured(Exception):  # noqa: N818 (a state, told in one word)
    """Something cannot be compiled; carries every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean "…"?` for the nearest known word, or "" where none is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""
