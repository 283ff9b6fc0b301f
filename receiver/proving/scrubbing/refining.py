"""Finds invented texts that a judge accepts: at once if it can be, else text by text, else letter by letter."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

from receiver.proving.scrubbing.inventing import holds_any, invented, other

TRIES = 20  # invented texts offered for one original: a pattern such as ^[12][0-9]{9}$ takes one in five
LETTER_TRIES = 6  # characters offered for one place
LONGEST = 200  # characters that are gone through one by one; no code or number is longer

Accepts = Callable[[Mapping[str, str]], bool]


def replacements(texts: Iterable[str], originals: Collection[str], accepts: Accepts) -> dict[str, str]:
    """Return an invented text for each original one; where the judge takes no other, the original itself."""
    wanted = list(texts)
    chosen = {text: invented(text, originals) for text in wanted}
    if accepts(chosen):
        return chosen
    chosen = {text: text for text in wanted}
    for text in wanted:
        chosen[text] = _accepted(text, originals, partial(_with, accepts, chosen, text))
    return chosen


def _with(accepts: Accepts, chosen: Mapping[str, str], text: str, made: str) -> bool:
    return accepts({**chosen, text: made})


def _accepted(text: str, originals: Collection[str], accepts: Callable[[str], bool]) -> str:
    for _ in range(TRIES):
        made = invented(text, originals)
        if accepts(made):
            return made
    return _changed_within(text, originals, accepts)


def _changed_within(text: str, originals: Collection[str], accepts: Callable[[str], bool]) -> str:
    """Return the text with every character changed that may be: a prefix that a pattern asks for stays."""
    made = text
    for place in range(len(text) if len(text) <= LONGEST else 0):
        for _ in range(LETTER_TRIES):
            tried = made[:place] + other(text[place]) + made[place + 1 :]
            if tried != made and accepts(tried):
                made = tried
                break
    others = [original for original in originals if original != text.casefold()]
    return made if not holds_any(made, others) else text
