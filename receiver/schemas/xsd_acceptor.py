"""Accepts most valid documents in a fifth of the time that xmlschema takes.

It refuses none: what is not accepted here is judged by xmlschema, which finds the faults as well. So it must not accept
what xmlschema refuses, and knows a closed list of components of XSD 1.0: elements with text, or with sequences and
choices of elements; attributes; atomic types. Whoever holds anything else is not accepted: a wildcard for elements,
xs:all, a key, a list, a union, an ID, an element's default value, xsi:type, xsi:nil, a member of a substitution group.

Values are judged by xmlschema's own parts: white space, patterns, conversion, facets. Lengths, bounds of numbers and
values that are listed are compared here first, as far as a value is written in the plainest way. What is our own is the
way through the elements: a content model is an automaton with one state for each particle (Glushkov's construction),
which is deterministic where the next name tells particles apart (XML Schema 1.0 Part 1, §3.8.6).

All elements of one type are judged together, level by level, and so are all values of one attribute: a report has many
fields of one type, and each list of values takes one step where each value took thirty.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import reduce
from math import inf
from operator import attrgetter, itemgetter
from typing import Any
from xml.etree.ElementTree import Element

from elementpath import ElementPathError
from elementpath.datatypes import DecimalProxy
from xmlschema import XMLSchemaException, names
from xmlschema.validators import XsdAtomicRestriction, XsdComplexType, XsdElement, XsdGroup, XsdSimpleType
from xmlschema.validators.facets import (
    XsdEnumerationFacets,
    XsdLengthFacet,
    XsdMaxInclusiveFacet,
    XsdMaxLengthFacet,
    XsdMinInclusiveFacet,
    XsdMinLengthFacet,
)
from xmlschema.validators.simple_types import XsdAtomicBuiltin

MOST_LINKS = 50_000  # between states, of one schema: some 5 MB; forty optional elements in a row have 800
MOST_COPIES = 100  # of a particle, for minOccurs and maxOccurs: each of them is a state
LENGTHS = {XsdLengthFacet, XsdMinLengthFacet, XsdMaxLengthFacet}
BOUNDS = {XsdMinInclusiveFacet, XsdMaxInclusiveFacet}
LONGEST = 18  # characters of a number that is read here: xmlschema gives up at some hundred digits
PLAIN = re.compile("[-+.0-9]*")  # of nothing else, Python's numbers are written as those of XSD
NUMBERS: dict[Any, Callable[[str], Any]] = {int: int, DecimalProxy: Decimal}  # xmlschema's type → Python's

Elements = Sequence[Element]
Judge = Callable[[Sequence[str]], object]  # of one value or more: something true if all are accepted; may raise instead
TEXT, TAIL, ATTRIBUTES = attrgetter("text"), attrgetter("tail"), attrgetter("attrib")


class _NotKnownError(ValueError):
    """A component holds what is not known here."""


class Acceptor:
    """Accepts documents of one schema; shared by all threads, for nothing in it changes."""

    def __init__(self, schema: Any) -> None:
        kinds = _Kinds()
        roots = schema.elements.values() if schema.xsd_version == "1.0" else ()
        self._roots = {element.name: kinds.of(element) for element in roots}

    def accepts(self, root: Element) -> bool:
        """Return whether the document of this root is certainly valid."""
        try:
            waiting = defaultdict(list, {self._roots[root.tag]: [root]})
            while waiting:
                kind, elements = waiting.popitem()
                if not kind.accepts(elements, waiting):
                    return False
        except (LookupError, XMLSchemaException, ElementPathError, ArithmeticError, ValueError, TypeError):
            return False
        return True


Waiting = defaultdict["_Kind", list[Element]]  # elements that are judged next, by what they may hold


class _Kind:
    """What the elements of one type may hold: nothing, until it is filled."""

    __slots__ = ("attributes", "mixed", "required", "start", "text", "undeclared")

    def __init__(self) -> None:
        self.attributes: dict[str, Judge] = {}
        self.required: frozenset[str] = frozenset()
        self.undeclared: Container[str] | None = None  # with a wildcard: the names that it would judge
        self.text: Judge = _refuse  # before the first child
        self.mixed = False  # whether there may be text after each child
        self.start = _State("", self, may_end=True)

    def accepts(self, elements: Elements, waiting: Waiting) -> bool:
        """Return whether all these elements are accepted, but for their children: these wait.

        May raise instead of saying no.
        """
        texts = list(filter(None, map(TEXT, elements)))
        if len(texts) < len(elements):
            texts.append("")
        return (
            self._attributes_accepted(elements)
            and bool(self.text(texts))
            and self._children_accepted(elements, waiting)
        )

    def _attributes_accepted(self, elements: Elements) -> bool:
        given: list[dict[str, str]] = list(map(ATTRIBUTES, elements))
        names: set[str] = set().union(*given)
        if not self.required <= names or not self._takes(names.difference(self.attributes)):
            return False
        for name in names.intersection(self.attributes):
            try:
                values = list(map(itemgetter(name), given))
            except KeyError:  # some have none
                if name in self.required:
                    return False
                values = [each[name] for each in given if name in each]
            if not self.attributes[name](values):
                return False
        return True

    def _takes(self, others: set[str]) -> bool:
        """Return whether a wildcard takes attributes that are not declared, without judging them."""
        if not others:
            return True
        known = self.undeclared
        return known is not None and not any(name[0] == "{" or name in known for name in others)

    def _children_accepted(self, elements: Elements, waiting: Waiting) -> bool:
        if not self.start.after:
            return not any(map(len, elements))
        for element in elements:
            state = self.start
            for child in element:
                state = state.after[child.tag]
                waiting[state.kind].append(child)
            if not state.may_end or (not self.mixed and "".join(filter(None, map(TAIL, element))).strip()):
                return False
        return True


class _State:
    """The particle that was met last."""

    __slots__ = ("after", "kind", "may_end", "name")

    def __init__(self, name: str, kind: _Kind, *, may_end: bool = False) -> None:
        self.name = name
        self.kind = kind
        self.may_end = may_end
        self.after: dict[str, _State] = {}  # by the name of the element that comes next


States = tuple[_State, ...]
Way = tuple[bool, States, States]  # through a particle: whether there may be none; its first and last states
_EMPTY: Way = (True, (), ())


class _Kinds:
    """Builds the kinds of a schema, one for each type."""

    def __init__(self) -> None:
        self._kinds: dict[Any, _Kind] = {}
        self._links = 0

    def of(self, element: Any) -> _Kind:
        """Return the kind of a declared element."""
        type_ = element.type
        if element.abstract or type_.abstract or element.identities or element.value_constraint is not None:
            return _Kind()
        if type_ not in self._kinds:
            kind = self._kinds[type_] = _Kind()  # at once, for it may stand in itself
            with suppress(_NotKnownError):
                self._fill(kind, type_)
        return self._kinds[type_]

    def _fill(self, kind: _Kind, type_: Any) -> None:
        content = type_
        if isinstance(type_, XsdComplexType):
            content = type_.content
            wildcard = type_.attributes.get(None)
            kind.attributes = {name: _attribute(each) for name, each in type_.attributes.items() if name is not None}
            kind.undeclared = None if wildcard is None else _undeclared(wildcard)
            kind.required = frozenset(type_.attributes.iter_required())
        if isinstance(content, XsdSimpleType):
            kind.text = _refuse if content.is_empty() else _value(content)
            return
        empty, first, last = self._way(content)
        kind.start = _State("", kind, may_end=empty)
        self._link([kind.start], first)
        for state in last:
            state.may_end = True
        kind.mixed = content.mixed
        kind.text = _none if not first else _accept if content.mixed else _blank

    def _way(self, particle: Any) -> Way:
        least, most = particle.occurs
        if most == 0:
            return _EMPTY
        empty, first, end = self._once(particle)
        copies = max(least, 1) if most is None else most
        if copies > (1 if empty else MOST_COPIES):
            raise _NotKnownError
        begin, last = first, end
        for number in range(1, copies):
            _, begin, following = self._once(particle)
            self._link(end, begin)
            last = following if number < least else last + following
            end = following
        if most is None:
            self._link(end, begin)
        return empty or least == 0, first, last

    def _once(self, particle: Any) -> Way:
        if isinstance(particle, XsdElement):
            state = (_State(particle.name, self.of(particle)),)
            return False, state, state
        if isinstance(particle, XsdGroup) and particle.model == "sequence":
            return reduce(self._then, map(self._way, particle.content), _EMPTY)
        if isinstance(particle, XsdGroup) and particle.model == "choice" and particle.content:
            return reduce(_either, map(self._way, particle.content))
        raise _NotKnownError

    def _then(self, one: Way, other: Way) -> Way:
        self._link(one[2], other[1])
        first = one[1] + other[1] if one[0] else one[1]
        last = one[2] + other[2] if other[0] else other[2]
        return one[0] and other[0], first, last

    def _link(self, states: Iterable[_State], following: Iterable[_State]) -> None:
        """Let every one of `following` come after every one of `states`."""
        for state in states:
            for each in following:
                self._links += 1
                if self._links > MOST_LINKS or state.after.setdefault(each.name, each) is not each:
                    raise _NotKnownError


def _either(one: Way, other: Way) -> Way:
    return one[0] or other[0], one[1] + other[1], one[2] + other[2]


def _attribute(attribute: Any) -> Judge:
    judge = _value(attribute.type)
    if judge is _refuse and attribute.value_constraint is not None:
        raise _NotKnownError  # a value that does not come is judged, too
    if attribute.use == "prohibited" or attribute.target_namespace == names.XSI_NAMESPACE:
        return _refuse  # an xsi:type says more than its value
    fixed = attribute.fixed
    return judge if fixed is None else lambda values: {*values} == {fixed}


def _undeclared(wildcard: Any) -> Container[str] | None:
    """Return the names without a namespace that a wildcard judges; None if it takes none."""
    if wildcard.process_contents == "strict" or not wildcard.is_namespace_allowed(""):
        return None
    names_known: Container[str] = wildcard.maps.attributes
    return names_known


def _value(type_: Any) -> Judge:
    """Return what judges values as the type's own `raw_decode` does."""
    levels = list(_levels(type_))
    own = levels[-1]  # XSD's
    if own.name == names.XSD_ANY_SIMPLE_TYPE and own is type_:
        return _accept
    if not isinstance(own, XsdAtomicBuiltin) or own.post_decode:
        return _refuse
    patterns = [level.patterns for level in levels if level.patterns is not None]
    rules = [getattr(rule, "validate", rule) for level in reversed(levels) for rule in level.validators]
    if own.to_python is str and not patterns and not rules:
        return _accept
    normalize, convert = type_.normalize, own.to_python

    def judge(values: Sequence[str]) -> bool:
        for text in map(normalize, values):
            for matches in patterns:
                matches(text)
            value = convert(text)
            for satisfies in rules:
                satisfies(value)
        return True

    facets = [facet for level in levels[:-1] for facet in level.validators]
    return judge if patterns else _at_a_glance(type_, own, facets, judge)


def _at_a_glance(type_: Any, own: Any, facets: list[Any], judge: Judge) -> Judge:
    """Return what asks `judge` only where a plain comparison does not tell that all values are accepted."""
    kinds = {type(facet) for facet in facets}
    if own.to_python is str:
        if type_.white_space != "collapse" and LENGTHS.issuperset(kinds):
            return _of_length(facets)
        if kinds == {XsdEnumerationFacets}:  # the first is the narrowest
            listed = {value for value in facets[0].enumeration if type_.normalize(value) == value}
            return lambda values: listed.issuperset(values) or judge(values)
    if own.to_python in NUMBERS and BOUNDS.issuperset(kinds):
        return _number(own, facets, judge)
    return judge


def _of_length(facets: list[Any]) -> Judge:
    least = max((facet.value for facet in facets if type(facet) is not XsdMaxLengthFacet), default=0)
    most = min((facet.value for facet in facets if type(facet) is not XsdMinLengthFacet), default=inf)
    return lambda values: least <= min(map(len, values)) and max(map(len, values)) <= most


def _number(own: Any, facets: list[Any], judge: Judge) -> Judge:
    read = NUMBERS[own.to_python]
    lowest = [own.min_value, *(facet.value for facet in facets if type(facet) is XsdMinInclusiveFacet)]
    highest = [own.max_value, *(facet.value for facet in facets if type(facet) is XsdMaxInclusiveFacet)]
    least = max((value for value in lowest if value is not None), default=-inf)
    most = min((value for value in highest if value is not None), default=inf)

    def accepted(values: Sequence[str]) -> object:
        if PLAIN.fullmatch("".join(values)) and max(map(len, values)) <= LONGEST:
            numbers = list(map(read, values))
            if least <= min(numbers) and max(numbers) <= most:
                return True
        return judge(values)

    return accepted


def _levels(type_: Any) -> Iterator[Any]:
    """Yield a simple type and those that it restricts, one after the other."""
    while isinstance(type_, XsdAtomicRestriction):
        yield type_
        type_ = type_.base_type.content if isinstance(type_.base_type, XsdComplexType) else type_.base_type
    yield type_


def _accept(_values: Sequence[str]) -> bool:
    return True


def _refuse(_values: Sequence[str]) -> bool:
    return False


def _none(values: Sequence[str]) -> bool:
    return not any(values)


def _blank(values: Sequence[str]) -> bool:
    return not "".join(values).strip()
