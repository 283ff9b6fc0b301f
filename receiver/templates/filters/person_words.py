"""Words in names of persons that are no names: titles, suffixes, degrees."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

TITLES = frozenset(
    """dhr dr dra dame frau herr miss mevr mlle mme mr mrs ms mx prof professor rev sir sr sra srta
    capt. col. dipl. fr. gen. hon. ing. jur. lt. maj. med. nat. phil. rer. sgt.""".split()  # noqa: SIM905 (with a dot: those that are names without)
)
SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "2nd", "3rd", "4th", "esq", "esquire"})  # no V: often an initial
DEGREES = frozenset(  # as they are written, dots aside: "Md" and "Np" are names
    """AGNP APRN ARNP AuD BSN CNM CNP CRNA CRNP DC DDS DMD DNP DO DPM DPT DVM EdD FAAFP FAAP FACC FACOG FACP FACS FNP
    FNP-BC FNP-C LCSW LMFT LMHC LPC LPN MA MBBS MBChB MD MPH MSN MSW NP NP-C OD OT OTR PA PA-C PHARMD PHD PMHNP PSYD PT
    PharmD PhD PsyD RD RN RPh""".split()  # noqa: SIM905
)
DEGREES_AND_NAMES = frozenset({"DO", "MA", "PA"})  # in capitals it is not known which
PARTICLES = frozenset(
    """'t abu af al ap ben bin bint binti d' da dal das de degli del della den der di do dos du el ibn l' la las le los
    mac mc o' op san santa st ste ten ter van vande vanden vander vom von zu zum zur""".split()  # noqa: SIM905
)
PARTICLES_AND_NAMES = frozenset(  # given or family names as well, unless they are written small
    "abu al ben bin del della do la le mac san santa van von".split()  # noqa: SIM905
)
PREPOSITIONS = frozenset("aan bij in onder op uit voor".split())  # noqa: SIM905 (before a particle: "in 't Veld")
FATHERS = frozenset({"bin", "bint", "binti", "ibn"})  # before the father's name, which the family's name may follow
LINKS = frozenset({"y", "e", "i", "-", "–"})  # between two family names; the letters only where written small


class Particle(Enum):
    """Whether a word belongs to the one after it."""

    NO = auto()
    MAYBE = auto()  # it is a name of its own as well
    YES = auto()


@dataclass(frozen=True, slots=True)
class Words:
    """Classifies words; the words of a process take precedence over those known here."""

    titles: frozenset[str] = frozenset()
    suffixes: frozenset[str] = frozenset()
    degrees: frozenset[str] = frozenset()
    particles: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def is_name(self, word: str) -> bool:
        """Return whether the process says that a word is a plain name."""
        return _low(word) in self.names

    def is_title(self, word: str) -> bool:
        """Return whether a word stands before a name, as "Dr." does."""
        low = _low(word)
        known = low in self.titles or low in TITLES or word.casefold() in TITLES
        return known and not self.is_name(word)

    def is_suffix(self, word: str) -> bool:
        """Return whether a word after a name is a suffix, as "Jr." is."""
        low = _low(word)
        return (low in self.suffixes or low in SUFFIXES) and not self.is_name(word)

    def is_degree(self, word: str) -> bool:
        """Return whether a word is written as a degree, as "MD" is."""
        return not self.is_name(word) and (self.is_own_degree(word) or word.replace(".", "") in DEGREES)

    def is_own_degree(self, word: str) -> bool:
        """Return whether the process lists a degree."""
        return _low(word.replace(".", "")) in self.degrees

    def is_doubtful_degree(self, word: str) -> bool:
        """Return whether a degree may be a name, so that only the process can say which."""
        return word in DEGREES_AND_NAMES and not self.is_own_degree(word)

    def is_initial(self, word: str) -> bool:
        """Return whether a word is a single capital letter, and no name of the process."""
        letter = word.rstrip(".")
        return len(letter) == 1 and letter.isupper() and not self.is_name(word)

    def particle(self, word: str, following: str = "") -> Particle:
        """Return whether a word belongs to the name after it, as "van" does."""
        low = _low(word)
        if self.is_name(word):
            return Particle.NO
        if low in PREPOSITIONS:
            return self.particle(following)
        if low in self.particles or (low in PARTICLES and (low not in PARTICLES_AND_NAMES or word == word.lower())):
            return Particle.YES
        return Particle.MAYBE if low in PARTICLES else Particle.NO


def folded(words: Iterable[str]) -> frozenset[str]:
    """Return words as they are compared: lower case, no final dot, plain apostrophes."""
    return frozenset(map(_low, words))


def folded_degrees(words: Iterable[str]) -> frozenset[str]:
    """Return degrees as they are compared: also without dots between letters."""
    return frozenset(_low(word.replace(".", "")) for word in words)


def is_father(word: str) -> bool:
    """Return whether the father's name follows: "bin Ahmed"."""
    return _low(word) in FATHERS


def is_link(word: str) -> bool:
    """Return whether a word joins two family names, as in "Ortega y Gasset"."""
    return word in LINKS


def _low(word: str) -> str:
    return word.casefold().rstrip(".").replace("’", "'").replace("´", "'").replace("`", "'")
