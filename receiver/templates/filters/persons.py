"""Takes persons' names apart: "Smith, John Q", "Dr. John Smith Jr.".

A comma marks the family name. Without one the order must be known, and how many family names a person has: both are
settings of the process. A name that may be read in two ways is refused, with the key that decides. No word is lost:
each is in one of the parts; what stands in quotes or parentheses is a middle name.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from receiver.core.faults import did_you_mean
from receiver.formats import values
from receiver.formats.errors import RefusedError
from receiver.templates.filters.objection import NONE, Objection
from receiver.templates.filters.person_words import Particle, Words, is_father, is_link

ORDERS = ("given", "family", "comma")
COMMA = re.compile("[,，،﹐]")
NICKNAME = re.compile(r"""(?<![^\s,])(?:"[^"]+"|“[^”]+”|„[^“”]+[“”]|\([^()]+\)|'[^'\s]+'|‘[^’\s]+’)(?=[\s,]|$)""")
HL7 = re.compile(  # XPN, whose seventh component is no name
    r"[^\W\d_][-\w.'’ ]+\^[^\W\d_][-\w.'’ ]*(?:\^[-\w.'’ ]*){0,4}(?:\^[A-Z]?)?"
)
PARSED = 4  # names: a template prints the parts of one after another, of the patient and of some doctors
SECTIONS = 3  # family, given and middle name between commas

NAMELESS = "is a title, suffix or degree without a name"
NO_COMMA = "has no comma between family and given name"
TOO_MANY = f"has more than {SECTIONS} names between commas"
DEGREE = "ends with what is a degree or a name: `degrees` or `names` of [persons] in process.toml say which"
PARTICLE = "has what is a particle or a name: `order`, `particles` or `names` of [persons] in process.toml say which"
INITIAL = "ends with an initial, or is in another order: `order` or `names` of [persons] in process.toml say which"
FAMILIES = "may have one or two family names: `family_names` of [persons] in process.toml says how many"
TRAILING = "ends with a particle, so it is in another order: `order` of [persons] in process.toml says which"


class Name(NamedTuple):
    """The parts of a name, each "" if the name has none."""

    family: str = ""
    given: str = ""
    middle: str = ""
    suffix: str = ""
    prefix: str = ""
    degree: str = ""


@dataclass(frozen=True, slots=True)
class Customs:
    """How a process's names are written; if None, doubtful ones are refused."""

    order: str | None = None  # of names without a comma: one of `ORDERS`
    given_name: str = "first"  # or "last": of several beside the family name
    family_names: int | None = None  # of a name without a comma
    words: Words = field(default_factory=Words)


def reader(customs: Customs) -> Callable[..., str]:
    """Return the `person` filter of a process."""

    @lru_cache(PARSED)
    def parsed(plain: str, order: str | None) -> Name:
        return _read(plain, replace(customs, order=order) if order else customs)

    def person(value: object, part: str, order: str | None = None) -> str:
        """Return a part of a person's name, or ""; `order` overrides the process's.

        Raises `RefusedError` for a name that may be read in two ways.
        """
        if part not in Name._fields or order not in (None, *ORDERS):
            raise RefusedError("is asked for a part or an order that names do not have", "person")
        plain = value if type(value) is str else values.text(value)
        return str(getattr(parsed(" ".join(plain.split()), order), part))

    return person


person = reader(Customs())


MEANT = {  # other words for a part of a name
    **dict.fromkeys(("last", "lastname", "last_name", "surname", "familyname", "nachname"), "family"),
    **dict.fromkeys(("first", "firstname", "first_name", "forename", "vorname"), "given"),
    **dict.fromkeys(("initial", "mi", "second"), "middle"),
    "title": "prefix",
}


def check(arguments: Mapping[str, Any]) -> Objection:
    """Return what is wrong with constant arguments."""
    for argument, words in (("part", Name._fields), ("order", ORDERS)):
        given = arguments.get(argument)
        if isinstance(given, str) and given not in words:
            message = f'names have no {argument} "{given}", only {", ".join(words)}'
            return Objection(message, did_you_mean(MEANT.get(given.casefold(), given), words))
    return NONE


def _read(plain: str, customs: Customs) -> Name:
    if HL7.fullmatch(plain):
        return Name(*map(str.strip, plain.split("^")[:6]))
    without = NICKNAME.sub(" ", plain) if NICKNAME.sub("", plain).strip(" ,") else plain
    sections = [section.split() for section in COMMA.split(without) if section.strip()]
    name = _Reading(customs, sections, is_nameless=COMMA.match(without) is not None).name()
    if without == plain:
        return name
    found = list(NICKNAME.finditer(plain))
    before = [match[0] for match in found if match.end() < len(plain)]  # as they stand: John "Jack" Quincy Smith
    behind = [match[0] for match in found[len(before) :]]
    return name._replace(middle=" ".join([*before, *name.middle.split(), *behind]))


class _Reading:
    """Takes the words of one name into its parts."""

    def __init__(self, customs: Customs, sections: list[list[str]], *, is_nameless: bool) -> None:
        self.customs = customs
        self.words = customs.words
        self.sections = sections
        self.is_nameless = is_nameless  # nothing stands before the comma
        self.capitals = all(word == word.upper() for section in sections for word in section)
        self.prefixes: list[str] = []
        self.suffixes: list[str] = []
        self.degrees: list[str] = []

    def name(self) -> Name:
        sections = [left for index, words in enumerate(self.sections) if (left := self._names(index, words))]
        if self.is_nameless and sections:
            sections.insert(0, [])
        if len(sections) > SECTIONS:
            raise RefusedError(TOO_MANY, "person")
        if not sections and (self.prefixes or self.suffixes):  # a degree alone is a name
            raise RefusedError(NAMELESS, "person")
        family: list[str] = []
        given: list[str] = []
        middle: list[str] = []
        if len(sections) > 1:
            family, given, middle = self._by_comma(*sections)
        elif sections:
            family, given, middle = self._in_order(*sections)
        parts = (family, given, middle, self.suffixes, self.prefixes, self.degrees)
        return Name(*map(" ".join, parts))

    def _names(self, index: int, words: list[str]) -> list[str]:
        """Return the names among the words between two commas; keep others as titles."""
        if index == 1 and self._is_given(*words):
            return words
        while words and self.words.is_title(words[0]):
            self.prefixes.append(words[0])
            words = words[1:]
        ending: list[str] = []
        while words and self._is_ending(words, alone=index > 0):
            ending.insert(0, words[-1])
            words = words[:-1]
        for word in ending:
            self._keep(word)
        return words

    def _is_given(self, word: str, *others: str) -> bool:
        """Return whether a single word after the comma is a given name, not a degree."""
        if others or not self.words.is_degree(word):
            return False
        if len(self.sections) > 2 and not self.words.is_doubtful_degree(word):
            return False  # "Smith, MD, PhD"
        if len(list(_units(self._without_titles(), self.words))) > 1:  # "John Smith, MD"
            if self._is_doubtful(word):
                raise RefusedError(DEGREE, "person")
            return False
        if "." in word and not self.words.is_own_degree(word):
            raise RefusedError(DEGREE, "person")
        return word.isupper() and "." not in word

    def _without_titles(self) -> list[str]:
        return [word for word in self.sections[0] if not (self.words.is_title(word) or self.words.is_suffix(word))]

    def _is_ending(self, words: list[str], *, alone: bool) -> bool:
        """Return whether the last word is a suffix, degree or title, after a name."""
        word, before = words[-1], words[:-1]
        if self.words.is_suffix(word) or (word.endswith(".") and self.words.is_title(word)):
            return True
        if not self.words.is_degree(word) or not (before or alone):
            return False
        if not before or not self._is_doubtful(word) or self.words.is_initial(before[-1]):
            return True
        if len(before) > 1 or alone:
            raise RefusedError(DEGREE, "person")
        return False

    def _is_doubtful(self, word: str) -> bool:
        """Return whether a degree may be a name; in mixed case its capitals show."""
        return self.capitals and self.words.is_doubtful_degree(word)

    def _keep(self, word: str) -> None:
        is_suffix, is_title = self.words.is_suffix(word), self.words.is_title(word)
        (self.suffixes if is_suffix else self.prefixes if is_title else self.degrees).append(word)

    def _by_comma(
        self, family: list[str], given: list[str], middle: list[str] | None = None
    ) -> tuple[list[str], list[str], list[str]]:
        family = [*self._trailing(family), *family]
        family = [*self._trailing(given), *family]
        if middle:
            return family, given, middle
        return family, *self._given(given, given[:1])

    def _given(self, names: list[str], first: list[str]) -> tuple[list[str], list[str]]:
        """Return given and middle names; `first` are the words of the first one."""
        if self.customs.given_name == "last":
            return names[-1:], names[:-1]
        return first, names[len(first) :]

    def _trailing(self, words: list[str]) -> list[str]:
        """Take particles off the end that precede the family name: "Berg, Jan van der"."""
        taken: list[str] = []
        while len(words) > 1 and self.words.particle(words[-1]) is not Particle.NO:
            taken.insert(0, words.pop())
        if len(taken) == 1 and self.words.particle(taken[0]) is Particle.MAYBE:
            raise RefusedError(PARTICLE, "person")
        return taken

    def _in_order(self, words: list[str]) -> tuple[list[str], list[str], list[str]]:
        order = self.customs.order
        if len(words) > 1 and order == "comma":
            raise RefusedError(NO_COMMA, "person")
        self._prove_beginning(words)
        units = list(_units(words, self.words))
        if len(units) == 1:
            return units[0], [], []
        count = min(self.customs.family_names or 1, len(units) - 1)
        if order == "family":
            rest = _joined(units[count:])
            return _joined(units[:count]), *self._given(rest, rest[:1])
        self._prove_given_first(units)
        return _joined(units[-count:]), *self._given(_joined(units[:-count]), units[0])

    def _prove_given_first(self, units: list[list[str]]) -> None:
        """Refuse a name that seems to be in another order, or to have two family names."""
        last = units[-1][-1]
        if self.customs.order is None and self.words.particle(last) is Particle.YES:
            raise RefusedError(TRAILING, "person")
        if self.customs.order is None and self.words.is_initial(last):
            raise RefusedError(INITIAL, "person")
        if self.customs.family_names is None and any(len(unit) > 1 and not is_father(unit[0]) for unit in units[1:-1]):
            raise RefusedError(FAMILIES, "person")

    def _prove_beginning(self, words: list[str]) -> None:
        """Refuse a name whose first word may be a particle: "Van Morrison" lacks a name."""
        order = self.customs.order
        if order == "given" or len(words) == 1 or (len(words) > 2 and order is None):
            return
        if self.words.particle(words[0]) is Particle.MAYBE and self.words.particle(words[1]) is Particle.NO:
            raise RefusedError(PARTICLE, "person")


def _units(words: list[str], known: Words) -> Iterator[list[str]]:
    """Yield names with their particles, and joined family names as one."""
    unit: list[str] = []
    for index, word in enumerate(words):
        unit.append(word)
        following = words[index + 1] if index + 1 < len(words) else ""
        if not following or not (_leads(word, following, index, known) or _joins(word, following, index)):
            yield unit
            unit = []


def _leads(word: str, following: str, index: int, known: Words) -> bool:
    """Return whether a word, or its end after a hyphen, is a particle such as "De"."""
    particle = known.particle(word.rpartition("-")[2], following)
    if index == 0 and particle is Particle.MAYBE and "-" not in word:  # "Van Thi Nguyen", but "Van der Berg"
        return known.particle(following) is not Particle.NO
    return particle is not Particle.NO


def _joins(word: str, following: str, index: int) -> bool:
    if index == 0:  # a given name is joined to nothing
        return False
    return is_link(word) or is_link(following) or word.endswith("-") or following.startswith("-")


def _joined(units: list[list[str]]) -> list[str]:
    return [word for unit in units for word in unit]
