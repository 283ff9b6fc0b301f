"""Checks a JSON Schema before use: every fault, each with its place."""

from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator, Draft201909Validator
from jsonschema import Draft202012Validator as Draft202012
from jsonschema.exceptions import ValidationError
from referencing._core import Resolver
from referencing.exceptions import Unresolvable

from receiver.core.faults import Fault, Severity, did_you_mean
from receiver.schemas import advice, words
from receiver.schemas.json_explain import EXAMPLES
from receiver.schemas.json_library import ROOT, Library, SchemaFile, dialect

Steps = tuple[str | int, ...]

MISSPELT = 0.8  # likeness, 0–1, from which an unknown keyword is taken for a known one: annotations are free
LINEAR = jsonschema_rs.RegexOptions()  # finite automata: time grows with the text, whatever the pattern

DRAFTS: dict[str, type[Any]] = {
    "http://json-schema.org/draft-04/schema": Draft4Validator,
    "http://json-schema.org/draft-06/schema": Draft6Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    "https://json-schema.org/draft/2020-12/schema": Draft202012,
}
DEFAULT = "https://json-schema.org/draft/2020-12/schema"

# Where schemas stand inside a schema, over all drafts
ONE = {"additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not"}
ONE |= {"propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"}
SEVERAL = {"allOf", "anyOf", "items", "oneOf", "prefixItems"}
NAMED = {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
HERE = "name a place in this file, #/$defs/…, or a file in schemas/"
ELSEWHERE = "nothing is fetched from elsewhere: put that schema into schemas/ and name its file"
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
KEYWORDS = ONE | SEVERAL | NAMED | {*REFERENCES, "$anchor", "$comment", "$dynamicAnchor", "$id", "$schema"}
KEYWORDS |= {"$recursiveAnchor", "$vocabulary", "const", "contentEncoding", "contentMediaType", "default"}
KEYWORDS |= {"dependentRequired", "deprecated", "description", "enum", "examples", "exclusiveMaximum"}
KEYWORDS |= {"exclusiveMinimum", "format", "id", "maxContains", "maximum", "maxItems", "maxLength"}
KEYWORDS |= {"maxProperties", "minContains", "minimum", "minItems", "minLength", "minProperties"}
KEYWORDS |= {"multipleOf", "pattern", "readOnly", "required", "title", "type", "uniqueItems", "writeOnly"}
TEXTS, NUMBERS = frozenset({"string"}), frozenset({"integer", "number"})
KEYWORDS_OF = {  # keywords that judge values of one type, and let all others pass
    **dict.fromkeys(("format", "maxLength", "minLength", "pattern"), TEXTS),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"), NUMBERS),
    **dict.fromkeys(("items", "maxItems", "minItems", "uniqueItems"), frozenset({"array"})),
    **dict.fromkeys(("additionalProperties", "properties", "required"), frozenset({"object"})),
}
IN_LOWER_CASE = {keyword.lower(): keyword for keyword in KEYWORDS}

# What a schema costs: twenty definitions that each refer twice to the next one judge a value a million times, in 2 KB
MOST_JUDGEMENTS = 10_000  # times that one value is judged: 10 ms; large public schemas take some hundred

APPLIED = {
    "allOf",
    "anyOf",
    "dependencies",
    "dependentSchemas",
    "else",
    "if",
    "not",
    "oneOf",
    "then",
}  # to the same value

Counted = dict[int, int]  # by the identity of the schema


def faults(document: SchemaFile, library: Library) -> Iterator[Fault]:
    """Yield what is wrong with one schema file.

    Files that it refers to are added to the library.
    """
    declared = _declared(document)
    if declared not in DRAFTS:
        path = ("$schema",)
        hint = f"{did_you_mean(declared, DRAFTS)} Leave it out for 2020-12".strip()
        yield document.fault(path, "unknown-draft", f"{words.name(declared)} is no draft known here", hint)
        return
    if invalid := _broken_rules(document.contents, declared):
        yield from (_invalid(document, error) for error in invalid)
    elif wrong := list(_no_uris((), document.contents)):
        message, hint = (
            "this is no URI (RFC 3986)",
            "such as https://example.org/fields, or nothing: a file has its name",
        )
        yield from (document.fault(path, "invalid-schema", message, hint) for path in wrong)
    else:
        registry = library.registry().with_resource(document.uri, document.resource())
        yield from _walk(document, declared, registry.resolver(document.uri))


def _broken_rules(contents: Any, draft: str) -> list[ValidationError]:
    """Return what breaks the draft's own rules.

    jsonschema, which explains best why, takes a hundred times as long.
    """
    judge = DRAFTS[draft](DRAFTS[draft].META_SCHEMA)
    return [] if jsonschema_rs.meta.is_valid(contents) else list(judge.iter_errors(contents))


def _declared(document: SchemaFile) -> str:
    contents = document.contents
    declared = contents.get("$schema", DEFAULT) if isinstance(contents, dict) else DEFAULT
    return str(declared).removesuffix("#")


def _invalid(document: SchemaFile, error: ValidationError) -> Fault:
    while error.context:  # alternatives, all failed: the first one is the plain form
        error = error.context[0]
    message = f"not a valid schema: {words.rule(error.message)}"
    return document.fault(tuple(error.absolute_path), "invalid-schema", message, advice.of_json(error))


def _no_uris(path: Steps, schema: Any) -> Iterator[Steps]:
    """Yield the places of names that no library can take for a URI."""
    if not isinstance(schema, dict):
        return
    for keyword in ("$id", "id"):
        if isinstance(schema.get(keyword), str) and not _is_uri(schema[keyword]):
            yield (*path, keyword)
    for step, inner in _inner(schema):
        yield from _no_uris((*path, *step), inner)


def _is_uri(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def _walk(document: SchemaFile, draft: str, resolver: Resolver[Any]) -> Iterator[Fault]:
    specification = dialect(document.contents)
    waiting: list[tuple[Steps, Any, Resolver[Any]]] = [((), document.contents, resolver)]
    counted: Counted = {}
    while waiting:
        path, schema, above = waiting.pop()
        if not isinstance(schema, dict):
            continue
        here = above.in_subresource(specification.create_resource(schema))
        yield from _unresolved(document, path, schema, here)
        yield from _costly(document, path, schema, here, counted)
        yield from _patterns(document, path, schema)
        yield from _unchecked(document, path, schema, draft)
        waiting += [((*path, *step), inner, here) for step, inner in _inner(schema)]


def _inner(schema: dict[str, Any]) -> Iterator[tuple[Steps, Any]]:
    for keyword, value in schema.items():
        if keyword in NAMED and isinstance(value, dict):
            yield from (((keyword, name), inner) for name, inner in value.items())
        elif keyword in SEVERAL and isinstance(value, list):
            yield from (((keyword, index), inner) for index, inner in enumerate(value))
        elif keyword in ONE:
            yield (keyword,), value


def _unresolved(document: SchemaFile, path: Steps, schema: dict[str, Any], resolver: Resolver[Any]) -> Iterator[Fault]:
    for keyword in REFERENCES:
        reference = schema.get(keyword)
        if not isinstance(reference, str):
            continue
        try:
            resolver.lookup(reference)
        except (Unresolvable, ValueError):  # ValueError: no URI, or no number where it leads into a list
            message = f"{words.name(reference)} leads nowhere"
            remote = "://" in reference and not reference.startswith(ROOT)
            yield document.fault((*path, keyword), "unresolved-reference", message, ELSEWHERE if remote else HERE)


def _costly(
    document: SchemaFile, path: Steps, schema: dict[str, Any], resolver: Resolver[Any], counted: Counted
) -> Iterator[Fault]:
    try:
        count = judgements(schema, resolver, counted)
    except ValueError:  # a reference that is reported already
        return
    if count > MOST_JUDGEMENTS:
        counted.update(dict.fromkeys(counted, 0))  # what it is made of is reported with it
        message = f"one value is judged {count:,} times by this, for its references lead to the same again and again"
        yield document.fault(path, "too-costly", message, f"at most {MOST_JUDGEMENTS:,} times: refer to each once")


def _patterns(document: SchemaFile, path: Steps, schema: dict[str, Any]) -> Iterator[Fault]:
    if isinstance(schema.get("pattern"), str):
        yield from _pattern(document, (*path, "pattern"), schema["pattern"])
    if isinstance(schema.get("patternProperties"), dict):
        for pattern in schema["patternProperties"]:
            yield from _pattern(document, (*path, "patternProperties", pattern), pattern, key=True)


def _pattern(document: SchemaFile, path: Steps, pattern: str, *, key: bool = False) -> Iterator[Fault]:
    if compiles(pattern, LINEAR):
        return
    if compiles(pattern, jsonschema_rs.FancyRegexOptions()):
        message = "the pattern looks ahead, behind or back, which can take unbounded time"
        hint = r"write it without (?=…), (?!…), (?<=…), (?<!…) and \1"
        yield document.fault(path, "unbounded-pattern", message, hint, key=key)
    else:
        message = "not a regular expression, or one too large when its {n,m} are written out"
        yield document.fault(path, "invalid-pattern", message, "the syntax is that of ECMA-262", key=key)


def compiles(pattern: str, engine: jsonschema_rs.RegexOptions | jsonschema_rs.FancyRegexOptions) -> bool:
    """Say whether an engine takes a pattern."""
    try:
        jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=engine)
    except jsonschema_rs.ValidationError:
        return False
    return True


def _unchecked(document: SchemaFile, path: Steps, schema: dict[str, Any], draft: str) -> Iterator[Fault]:
    """Warn of what JSON Schema ignores: misspelt keywords, unchecked formats."""
    yield from _of_another_type(document, path, schema)
    for keyword in schema:
        hint = "" if keyword in KEYWORDS else advice.FOREIGN.get(keyword) or _correct(keyword)
        if hint:
            message = f"{words.name(keyword)} is no keyword of JSON Schema, and so has no effect"
            yield document.fault(
                (*path, keyword), "unknown-keyword", message, hint, key=True, severity=Severity.WARNING
            )
    form = schema.get("format")
    if isinstance(form, str) and not _is_format(form, draft):
        message = f"the format {words.name(form)} is not checked in this draft"
        hint = did_you_mean(form, EXAMPLES) or f'write a "pattern", or one of {", ".join(EXAMPLES)}'
        yield document.fault((*path, "format"), "unknown-format", message, hint, severity=Severity.WARNING)


def _correct(keyword: str) -> str:
    """Ask for the keyword that may be meant; "" for an annotation."""
    similar = get_close_matches(keyword.lower(), IN_LOWER_CASE, cutoff=MISSPELT)
    return did_you_mean(keyword, [IN_LOWER_CASE[word] for word in similar])


def _of_another_type(document: SchemaFile, path: Steps, schema: dict[str, Any]) -> Iterator[Fault]:
    """Warn of keywords for another type than the schema asks for.

    They have no effect.
    """
    declared = schema.get("type")
    types = {declared} if isinstance(declared, str) else set(declared or ())
    for keyword, kinds in KEYWORDS_OF.items():
        if types and keyword in schema and types.isdisjoint(kinds):
            message = f"{words.name(keyword)} judges {' and '.join(sorted(kinds))} alone, and this is of another type"
            hint = advice.FOR_TYPE.get((keyword, str(declared)), "leave it away, or correct the type")
            yield document.fault((*path, keyword), "no-effect", message, hint, key=True, severity=Severity.WARNING)


def _is_format(name: str, draft: str) -> bool:
    try:
        schema = {"$schema": draft, "format": name}
        jsonschema_rs.validator_for(schema, validate_formats=True, ignore_unknown_formats=False)
    except jsonschema_rs.ValidationError:
        return False
    return True


def judgements(schema: Any, resolver: Resolver[Any], counted: Counted) -> int:
    """Return how often one value is judged by a schema and the schemas it applies."""
    if not isinstance(schema, dict):
        return 1
    if id(schema) not in counted:
        counted[id(schema)] = 0  # meanwhile: no circle is followed
        counted[id(schema)] = 1 + sum(judgements(*inner, counted) for inner in _applied(schema, resolver))
    return counted[id(schema)]


def _applied(schema: dict[str, Any], resolver: Resolver[Any]) -> Iterator[tuple[Any, Resolver[Any]]]:
    """Yield the schemas that are applied to the same value."""
    for (keyword, *_), inner in _inner(schema):
        if keyword in APPLIED and isinstance(inner, dict):
            yield inner, resolver.in_subresource(dialect(inner).create_resource(inner))
    for keyword in REFERENCES:
        if isinstance(schema.get(keyword), str):
            with suppress(Unresolvable):
                found = resolver.lookup(schema[keyword])
                yield found.contents, found.resolver
