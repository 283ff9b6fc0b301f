"""Finds invented texts that a judge accepts: at once if it can be, else text by text, else letter by letter."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

from receiver.authoring.scrub.inventing import holds_any, invented, other

TRIES = 20  # invented texts offered for one original: a pattern such as ^[12][0-9]{9}$ takes one in five
LETTER_TRIES = 6  # characters offered for one place
LONGEST = 200  # characters that are gone through one by one; no code or number is longer

Accepts = Callable[[Mapping[str, str]], bool]


class CannotScrub(Exception):  # noqa: N818 (what happened)
    """A delivery that no invented values can stand for."""


def replacements(
    texts: Iterable[str], originals: Collection[str], alike: Accepts, judged_alike: Accepts
) -> dict[str, str]:
    """Return an invented text for each original one; where no other may stand, the original itself.

    `alike` asks for the same way through the templates besides the same verdict. A long text is never kept for
    that; where no other one is judged alike either, this raises `CannotScrub`.
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
            raise CannotScrub("it has a long text that no invented one can stand for")
    return chosen


def _with(accepts: Accepts, chosen: Mapping[str, str], text: str, made: str) -> bool:
    return accepts({**chosen, text: made})


def _accepted(text: str, originals: Collection[str], accepts: Callable[[str], bool]) -> str:
    for _ in range(TRIES):
        made = invented(text, originals)
        if accepts(made):
            return made
    return _changed_within(text, originals, accepts) if len(text) <= LONGEST else text


def _changed_within(text: str, originals: Collection[str], accepts: Callable[[str], bool]) -> str:
    """Return the text with every character changed that may be: a prefix that a pattern asks for stays."""
    made = text
    for place, character in enumerate(text):
        for _ in range(LETTER_TRIES):
            tried = made[:place] + other(character) + made[place + 1 :]
            if tried != made and accepts(tried):
                made = tried
                break
    others = [original for original in originals if original != text.casefold()]
    return made if not holds_any(made, others) else text
