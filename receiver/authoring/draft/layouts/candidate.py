"""One way to read the fields of some documents, and how likely it is meant."""

from dataclasses import dataclass

from receiver.authoring.draft.layouts.columns import Column
from receiver.authoring.draft.layouts.roles import WORD
from receiver.authoring.draft.words import LISTS, likeness

MANY = 20  # fields; from there on more of them make a list no likelier
SINGLE = 50  # points of single values, each under its own name: less than of names with values, where both are there


@dataclass(frozen=True, slots=True)
class Candidate:
    """The paths of `[fields]`, and how likely they are meant."""

    each: str
    name: str
    value: str
    confidence: str | None
    likely: float
    single: bool = False  # mere single values, each taken for a field


@dataclass(frozen=True, slots=True)
class Found:
    """Some things that may be fields."""

    each: str  # their path
    word: str  # what they stand in is called
    count: int
    covered: float  # how much of all that is said they say, 0–1

    def candidate(self, name: str, value: str, confidence: Column | None, points: float) -> Candidate:
        """Return how names with values are read; `points` tell how well they look like these."""
        likely = points + self._points() + (40 if confidence else 0)
        return Candidate(self.each, name, value, confidence.path if confidence else None, likely)

    def single(self, name: str, value: str) -> Candidate:
        """Return how single values are read."""
        known = likeness(self.word, LISTS) > 0
        return Candidate(self.each, name, value, None, SINGLE + self._points(), single=not known)

    def _points(self) -> float:
        return 60 * min(self.covered, 1) + WORD * likeness(self.word, LISTS) + min(self.count, MANY)
