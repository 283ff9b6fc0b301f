"""Names of persons, taken apart: "Smith, John Q", "OSEI, AMA K MD", "Dr. John Smith Jr.".

A name is only text, and no rule is right for all: without a comma the last word is taken for the family name, so
"Ana Gómez Pérez" loses one of hers to the middle name. Where that matters, ask the platform for two fields, or
refuse names without a comma: `person("family", order="comma")`. No word is ever lost: each is in one of the parts.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from receiver.mapping import values
from receiver.mapping.errors import Refused

PREFIXES = frozenset({"dr", "mr", "mrs", "ms", "miss", "mx", "prof", "rev"})
SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "2nd", "3rd", "4th"})  # no V: it is more often an initial
DEGREES = frozenset(  # as they are written, dots aside: "Do" and "Pa" are names, and "MA" is one too often
    """AGNP APRN ARNP AuD BSN CNM CNP CRNA CRNP DC DDS DMD DNP DO DPM DPT DVM EdD FAAFP FAAP FACC FACOG FACP FACS FNP
    FNP-BC FNP-C LCSW LMFT LMHC LPC LPN MBBS MBChB MD MPH MSN MSW NP NP-C OD OT OTR PA PA-C PHARMD PHD PMHNP PSYD PT
    PharmD PhD PsyD RD RN RPh""".split()  # noqa: SIM905
)
NAME_TOO = "DO"  # a degree, and a family name: in capitals only "ANH VAN DO" can be told from "ANH DO", if at all
PARTICLES = frozenset(
    "al ap bin da dal de del della der di dos du el la las le los ten ter van vande vander von zu zur".split()  # noqa: SIM905
)
ORDERS = ("given", "family", "comma")


class Name(NamedTuple):
    """The parts of a name, each "" where the name has none."""

    family: str = ""
    given: str = ""
    middle: str = ""
    suffix: str = ""
    prefix: str = ""
    degree: str = ""


def person(value: object, part: str, order: str = "given") -> str:
    """Return a part of a person's name: family, given, middle, suffix, prefix or degree; "" where it has none.

    `order` is for names without a comma: "given" first, "family" first, or "comma": such a name is refused.
    Raises `Refused` for more than two names between commas.
    """
    if part not in Name._fields or order not in ORDERS:
        raise Refused("is asked for a part or an order that names do not have", "person")
    return str(getattr(_parted(" ".join(values.text(value).split()), order), part))


def check(arguments: Mapping[str, Any]) -> str:
    """Return what is wrong with constant arguments, or ""."""
    for argument, words in (("part", Name._fields), ("order", ORDERS)):
        given = arguments.get(argument)
        if isinstance(given, str) and given not in words:
            return f'names have no {argument} "{given}", only {", ".join(words)}'
    return ""


def _parted(plain: str, order: str) -> Name:
    names, titles = _sections(plain)
    if not names:
        return Name()
    if len(names) == 1 and len(names[0]) > 1 and order == "comma":
        raise Refused("has no comma between family and given name", "person")
    titles = [title for words in names for title in _ending(words)] + titles
    prefixes = _beginning(names[-1])
    family, given = _in_order(names[0], order) if len(names) == 1 else names
    suffixes = [title for title in titles if _is_suffix(title)]
    degrees = [title for title in titles if not _is_suffix(title)]
    return Name(*map(" ".join, (family, given[:1], given[1:], suffixes, prefixes, degrees)))


def _sections(plain: str) -> tuple[list[list[str]], list[str]]:
    """Return the words of each name between commas, and the titles that stand between commas by themselves."""
    first, *others = [section.split() for section in plain.split(",") if section.strip()] or [[]]
    names = [first] * bool(first) + [section for section in others if not all(map(_is_title, section))]
    titles = [word for section in others if all(map(_is_title, section)) for word in section]
    if len(names) > 2:
        raise Refused("has more than two names between commas", "person")
    return names, titles


def _in_order(words: list[str], order: str) -> tuple[list[str], list[str]]:
    """Return the words of the family name, and the others."""
    if order == "family":
        first = next((index for index, word in enumerate(words) if word.casefold() not in PARTICLES), 0)
        return words[: first + 1], words[first + 1 :]
    last = len(words) - 1
    start = next((index for index in range(1, last) if words[index].casefold() in PARTICLES), last)
    return words[start:], words[:start]


def _ending(words: list[str]) -> list[str]:
    """Take suffixes and degrees off the end, so that a name stays."""
    taken: list[str] = []
    while len(words) > (2 if words[-1] == NAME_TOO else 1) and _is_title(words[-1]):
        taken.insert(0, words.pop())
    return taken


def _beginning(words: list[str]) -> list[str]:
    """Take "Dr." and the like off the start, so that one word stays."""
    taken = []
    while len(words) > 1 and words[0].rstrip(".").casefold() in PREFIXES:
        taken.append(words.pop(0))
    return taken


def _is_title(word: str) -> bool:
    return _is_suffix(word) or word.replace(".", "") in DEGREES


def _is_suffix(word: str) -> bool:
    return word.rstrip(".").casefold() in SUFFIXES
