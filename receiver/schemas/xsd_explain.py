"""Explains why an XSD refuses a document, without the refused value.

xmlschema's own reasons quote values. What is used of an error is its place, its kind and the schema's component.
"""

import re
from collections.abc import Callable, Container
from typing import Any

from xmlschema import names
from xmlschema import validators as xsd
from xmlschema.validators import XMLSchemaChildrenValidationError, facets

from receiver.schemas import words

MAX_EXPECTED = 500  # characters of what was expected: a dozen names

_ATTRIBUTE = re.compile(r"attribute ([^=\s]{1,200})=")  # how xmlschema opens the reason of an attribute's value
_MISSING = re.compile(r"missing required attribute '([^']{1,200})'")
_UNKNOWN = re.compile(r"(?:attribute )?'([^']{1,200})' (?:attribute )?not (?:allowed|found)")

_PREFIX = re.compile(
    r"\{[^}]*\}|(?<=[/@])[^/@\[\]{}:]+:(?!:)"
)  # of a name in a path: a namespace, or what stands for it
_STEP = re.compile(r"(?<=[/@])[^/@\[\]*]+")

# facet → what it says, from its value
_FACETS: dict[type[Any], Callable[[Any], str]] = {
    facets.XsdPatternFacets: lambda facet: f"must match {_or(facet.regexps)}",
    facets.XsdEnumerationFacets: lambda facet: f"must be one of {_or(map(str, facet.enumeration), ', ')}",
    facets.XsdLengthFacet: lambda facet: f"must have a length of exactly {facet.value}",
    facets.XsdMinLengthFacet: lambda facet: f"must have a length of at least {facet.value}",
    facets.XsdMaxLengthFacet: lambda facet: f"must have a length of at most {facet.value}",
    facets.XsdMinInclusiveFacet: lambda facet: f"must be at least {facet.value}",
    facets.XsdMaxInclusiveFacet: lambda facet: f"must be at most {facet.value}",
    facets.XsdMinExclusiveFacet: lambda facet: f"must be more than {facet.value}",
    facets.XsdMaxExclusiveFacet: lambda facet: f"must be less than {facet.value}",
    facets.XsdTotalDigitsFacet: lambda facet: f"must have at most {facet.value} digits",
    facets.XsdFractionDigitsFacet: lambda facet: f"must have at most {facet.value} digits after the point",
    facets.XsdExplicitTimezoneFacet: lambda facet: f"a time zone is {facet.value}",
    facets.XsdWhiteSpaceFacet: lambda _: "must have no line breaks or tabs, nor spaces at its ends",
    facets.XsdAssertionFacet: lambda facet: f"must satisfy {words.rule(facet.path)}",
    xsd.XsdAssert: lambda rule: f"must satisfy {words.rule(rule.path)}",
}

# the opening of a reason that quotes no value → rule, message
_REASONS = {
    "must have the fixed value": ("fixed", "must have the value that the schema fixes"),
    "element is not nillable": ("nillable", "xsi:nil is not allowed here"),
    "xsi:nil": ("nillable", "xsi:nil is not used as the schema allows"),
    "character data is not allowed": ("content", "must be empty"),
    "character data between": ("content", "text is not allowed between the elements"),
    "a simple content element": ("content", "must hold text only, no elements"),
    "can't use an abstract": ("abstract", "must be one of the elements that stand for this abstract one"),
    "duplicated value": ("unique", "comes twice, where the schema wants it to be unique"),
    "missing key field": ("key", "a part of the key is missing"),
    "IDREF": ("IDREF", "an IDREF names no ID of the document"),
}


def place(error: Any, known: frozenset[str]) -> str:
    """Return the XPath of what is wrong; of the root if xmlschema has none.

    Unknown names in it are stars.
    """
    attribute = _ATTRIBUTE.match(error.reason or "") or _MISSING.match(error.reason or "")
    path = f"{error.path or '/'}/@{attribute[1]}" if attribute else error.path or "/"
    return words.rule(path_of(path, known), 10 * words.MAX_RULE)


def path_of(path: str, known: Container[str]) -> str:
    """Write an XPath of plain steps without prefixes, with a star for unknown names."""
    return _STEP.sub(lambda step: step[0] if step[0] in known else "*", _PREFIX.sub("", path))


def rule_and_message(error: Any, known: frozenset[str]) -> tuple[str, str]:
    """Return the name of the rule that is broken, and what was expected."""
    if isinstance(error, XMLSchemaChildrenValidationError):
        return "content", _children(error, known)
    for kind in type(error.validator).__mro__:
        if kind in _FACETS:
            return _facet(error.validator), _FACETS[kind](error.validator)
    if isinstance(error.validator, xsd.XsdSimpleType):
        if error.validator.name == names.XSD_ID:  # what is no ID at all breaks a pattern
            return "ID", "the ID comes twice in the document"
        return "type", f"must be of type {_type(error.validator)}"
    return _by_reason(error, known)


def _by_reason(error: Any, known: frozenset[str]) -> tuple[str, str]:
    reason = error.reason or ""
    if missing := _MISSING.match(reason):
        return "required", f"the attribute {words.name(missing[1])} is missing"
    if unknown := _UNKNOWN.match(reason):
        return "attribute", f"{_named('attribute', unknown[1], known)} is not allowed here"
    for opening, described in _REASONS.items():
        if reason.startswith(opening):
            return described
    if isinstance(error.validator, xsd.XMLSchemaBase):
        return "root", f"the document element must be {_or(map(_local, error.validator.elements))}"
    if not isinstance(error.validator, xsd.XsdComponent):  # a function that checks one of XSD's own types
        name = getattr(error.validator, "__name__", "").removesuffix("_validator").replace("_", " ")
        return "type", f"must be of type {name}" if name else "must be of its type"
    return "schema", "is not as the schema describes it here"


def _named(noun: str, tag: str, known: frozenset[str]) -> str:
    """Name what the schema names elsewhere; a name that it does not hold may be data."""
    name = _local(tag)
    return f"the {noun} {words.name(name)}" if name in known else f"an {noun} that the schema does not know"


def _children(error: XMLSchemaChildrenValidationError, known: frozenset[str]) -> str:
    tags = [words.name(_local(tag)) for tag in error.expected_tags]
    expected = f"; expected {_or(tags)}" if tags else ""
    if error.invalid_tag is None:
        return f"the content is not complete{expected}"
    return f"{_named('element', error.invalid_tag, known)} is not allowed here{expected}"


def _facet(facet: Any) -> str:
    return "assertion" if isinstance(facet, xsd.XsdAssert) else _local(facet.meta_tag())


def _type(component: Any) -> str:
    members = getattr(component, "member_types", None)
    if component.local_name is None and members:
        return _or((each.local_name for each in members if each.local_name), " or ")
    base = getattr(component, "primitive_type", None)
    return component.local_name or getattr(base, "local_name", None) or "that the schema gives it"


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _or(items: Any, joint: str = " or ") -> str:
    return words.rule(words.listed(map(str, items), joint), MAX_EXPECTED)
