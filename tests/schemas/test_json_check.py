"""A JSON Schema is proven before it is used: each fault at its place, with what to write instead."""

import json

import jsonschema_rs
import pytest
from jsonschema import Draft4Validator, Draft7Validator, Draft201909Validator, Draft202012Validator
from jsonschema_specifications import REGISTRY
from referencing.jsonschema import DRAFT202012

from receiver.core.faults import Severity
from receiver.schemas import json_check
from tests.support.schema_folder import Schemas

DRAFT_4, DRAFT_7 = "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
AHEAD = {"pattern": "(?=a)"}


def warned(schemas: Schemas, schema: object) -> list[tuple[str, str, str]]:
    return [(each.code, each.message, each.hint) for each in schemas.json(schema).warnings]


# drafts and their own rules -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "hint"),
    [
        ("urn:x", "Leave it out for 2020-12"),
        (
            "http://json-schema.org/draft-08/schema",
            'did you mean "http://json-schema.org/draft-04/schema"? Leave it out for 2020-12',
        ),
    ],
)
def test_an_unknown_draft_is_told_with_the_nearest(schemas: Schemas, declared, hint):
    (fault,) = schemas.json_faults({"$schema": declared, "type": "strin"})
    assert (fault.code, fault.message) == ("unknown-draft", f'"{declared}" is no draft known here')
    assert fault.hint.replace("draft-06", "draft-04").replace("draft-07", "draft-04") == hint


@pytest.mark.parametrize(("declared", "sound"), [(DRAFT_4, True), (DRAFT_7, False), (None, False)])
def test_a_schema_is_judged_by_the_rules_of_its_draft(schemas: Schemas, declared, sound):
    schema = {"maximum": 5, "exclusiveMaximum": True} | ({"$schema": declared} if declared else {})
    if sound:
        assert [each.rule for each in schemas.json(schema).violations(5)] == ["exclusiveMaximum"] or declared == DRAFT_4
    else:
        assert [each.code for each in schemas.json_faults(schema)] == ["invalid-schema"]


def test_of_alternatives_that_all_fail_the_plain_form_is_told(schemas: Schemas):
    (fault,) = schemas.json_faults({"items": 5})
    assert fault.message == "not a valid schema: 5 is not of type 'object', 'boolean'"
    (fault,) = schemas.json_faults({"type": {"a": 1}})
    assert fault.message.startswith("not a valid schema: {'a': 1} is not one of ['array'")


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"$id": "http://["}, ("$id",)),
        ({"$schema": DRAFT_4, "id": "http://["}, ("id",)),
        ({"properties": {"a": {"allOf": [{"$id": "http://["}]}}}, ("properties", "a", "allOf", 0, "$id")),
    ],
)
def test_an_id_that_is_no_uri_is_a_fault_at_its_place(schemas: Schemas, schema, path):
    (fault,) = schemas.json_faults(schema)
    text = json.dumps(schema, indent=1).split("\n")
    assert (fault.code, fault.message) == ("invalid-schema", "this is no URI (RFC 3986)")
    assert text[fault.line - 1].strip() == f'"{path[-1]}": "http://["'


# where schemas stand ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keyword",
    ["additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
     "unevaluatedItems", "unevaluatedProperties"],
)  # fmt: skip
def test_a_schema_below_a_keyword_is_proven(schemas: Schemas, keyword):
    assert [each.code for each in schemas.json_faults({keyword: AHEAD})] == ["unbounded-pattern"]


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf", "prefixItems"])
def test_schemas_in_a_list_are_proven(schemas: Schemas, keyword):
    assert [each.code for each in schemas.json_faults({keyword: [True, AHEAD]})] == ["unbounded-pattern"]


@pytest.mark.parametrize("keyword", ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"])
def test_schemas_by_name_are_proven(schemas: Schemas, keyword):
    assert [each.code for each in schemas.json_faults({keyword: {"a": AHEAD, "b": True}})] == ["unbounded-pattern"]


@pytest.mark.parametrize(
    "schema",
    [{"items": [True, AHEAD]}, {"items": [True], "additionalItems": AHEAD}, {"dependencies": {"a": ["b"], "c": AHEAD}}],
)
def test_schemas_of_an_older_draft_are_proven(schemas: Schemas, schema):
    faults = schemas.json_faults({"$schema": DRAFT_7} | schema)
    assert [each.code for each in faults] == ["unbounded-pattern"]


@pytest.mark.parametrize(
    "schema",
    [
        {"const": {"a": AHEAD}},
        {"default": AHEAD, "examples": [AHEAD]},
        {"enum": [AHEAD, [AHEAD]]},
        {"$schema": DRAFT_7, "prefixItems": 5, "dependentSchemas": 5, "$defs": [AHEAD], "$dynamicRef": 5},
        {"properties": {"$ref": True, "pattern": True, "$id": True, "format": True}},
    ],
)
def test_what_is_no_schema_is_not_taken_for_one(schemas: Schemas, schema):
    assert schemas.json(schema).warnings == ()


# references and patterns --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("nope.json", json_check.HERE),
        ("#/$defs/nope", json_check.HERE),
        ("file:///nope.json", json_check.HERE),
        ("urn:x:/y", json_check.HERE),
        ("https://example.org/nope.json", json_check.ELSEWHERE),
    ],
)
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_a_reference_that_leads_nowhere_is_told_with_what_to_name(schemas: Schemas, keyword, reference, hint):
    (fault,) = schemas.json_faults({keyword: reference})
    assert (fault.message, fault.hint) == (f'"{reference}" leads nowhere', hint)


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ('{"pattern": "[a"}', "invalid-pattern", 13),
        ('{"patternProperties": {"[a": {}}}', "invalid-pattern", 24),
        ('{"patternProperties": {"(?=a)": {}}}', "unbounded-pattern", 24),
        ('{"pattern": "(?<!a)b"}', "unbounded-pattern", 13),
    ],
)
def test_a_pattern_that_cannot_run_is_told_where_it_stands(schemas: Schemas, text, code, column):
    (fault,) = schemas.json_faults(text)
    assert (fault.code, fault.column) == (code, column)


def test_a_pattern_is_taken_by_an_engine_or_not():
    assert json_check.compiles("^a+$", json_check.LINEAR)
    assert not json_check.compiles("(?=a)", json_check.LINEAR)
    assert json_check.compiles("(?=a)", jsonschema_rs.FancyRegexOptions())
    assert not json_check.compiles("[a", jsonschema_rs.FancyRegexOptions())


# what has no effect -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draft", [Draft4Validator, Draft7Validator, Draft201909Validator, Draft202012Validator])
def test_every_keyword_of_a_draft_is_known(draft):
    own = draft.META_SCHEMA
    parts = [REGISTRY.contents(own["$id"].rpartition("/")[0] + "/" + part["$ref"]) for part in own.get("allOf", ())]
    keywords = {keyword for each in [own, *parts] for keyword in each.get("properties", {})}
    assert keywords <= json_check.KEYWORDS
    assert len(keywords) > 30


@pytest.mark.parametrize(
    ("keyword", "hint"),
    [
        ("maxLenght", 'did you mean "maxLength"?'),
        ("alof", 'did you mean "allOf"?'),
        ("ALOF", 'did you mean "allOf"?'),
        ("propertyName", 'did you mean "propertyNames"?'),
        ("nullable", 'write "type": ["string", "null"]'),
        ("min", 'write "minimum" for a number, "minLength" for a text'),
    ],
)
def test_a_keyword_that_json_schema_does_not_have_is_told(schemas: Schemas, keyword, hint):
    (warning,) = schemas.json('{"title": "a",\n  "' + keyword + '": 1}').warnings
    assert warning.message == f'"{keyword}" is no keyword of JSON Schema, and so has no effect'
    assert (warning.code, warning.hint, warning.severity) == ("unknown-keyword", hint, Severity.WARNING)
    assert (warning.line, warning.column) == (2, 3)


def test_an_annotation_of_ones_own_is_not_told(schemas: Schemas):
    assert schemas.json({"x-note": "a", "version": 1, "label": "b"}).warnings == ()


@pytest.mark.parametrize(
    ("draft", "form", "hint"),
    [
        (DRAFT_2020, "dat", 'did you mean "date"?'),
        (DRAFT_2020, "zip-code", f'write a "pattern", or one of {", ".join(json_check.EXAMPLES)}'),
        (DRAFT_4, "uuid", 'did you mean "uuid"?'),
    ],
)
def test_a_format_that_is_not_checked_is_told(schemas: Schemas, draft, form, hint):
    (warning,) = schemas.json({"$schema": draft, "format": form}).warnings
    assert (warning.code, warning.hint, warning.severity) == ("unknown-format", hint, Severity.WARNING)
    assert warning.message == f'the format "{form}" is not checked in this draft'


def test_a_format_of_the_draft_is_not_told(schemas: Schemas):
    assert schemas.json({"format": "date"}).warnings == ()
    assert schemas.json({"properties": {"format": {"type": "string"}}}).warnings == ()


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ('{"type": "integer",\n "maxLength": 3}', [('"maxLength" judges string alone', 'write "maximum"')]),
        ('{"type": ["object", "null"],\n "minItems": 3}', [('"minItems" judges array alone', "leave it away")]),
        ('{"type": "string",\n "minimum": 3}', [('"minimum" judges integer and number alone', 'write "minLength"')]),
        ('{"type": ["string", "null"],\n "maxLength": 3}', []),
        ('{"type": "integer",\n "maximum": 3}', []),
        ('{"maxLength": 3,\n "minimum": 3, "minItems": 1, "required": []}', []),
        ('{"type": "integer"}', []),
    ],
)
def test_a_keyword_for_another_type_is_told(schemas: Schemas, schema, told):
    found = schemas.json(schema).warnings
    assert len(found) == len(told)
    for warning, (message, hint) in zip(found, told, strict=True):
        assert (warning.code, warning.line, warning.column) == ("no-effect", 2, 2)
        assert warning.severity is Severity.WARNING
        assert warning.message == f"{message}, and this is of another type"
        assert warning.hint.startswith(hint)


# what a schema costs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "count"),
    [
        (True, 1),
        ({"type": "string", "properties": {"a": {}}, "items": {}}, 1),
        ({"not": {}}, 2),
        ({"not": True}, 1),
        ({"if": {}, "then": {}, "else": {"not": {}}}, 5),
        ({"allOf": [{}, {}], "anyOf": [{}], "oneOf": [{}, True]}, 5),
        ({"dependentSchemas": {"a": {}}, "dependencies": {"b": {}, "c": ["d"]}}, 3),
        ({"$ref": "#/$defs/a", "$defs": {"a": {}}}, 2),
        ({"$ref": "#/$defs/a", "$defs": {"a": True}}, 2),
        ({"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {}}}}, 7),
        ({"$ref": "#"}, 1),
        ({"anyOf": [{"$ref": "#"}, {}]}, 3),
        ({"$ref": "#/$defs/nope"}, 1),
        ({"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a"}}}, 2),
    ],
)
def test_judgements_are_counted(schema, count):
    resource = DRAFT202012.create_resource(schema)
    resolver = REGISTRY.with_resource("urn:main", resource).crawl().resolver("urn:main")
    assert json_check.judgements(schema, resolver, {}) == count


def test_a_schema_may_cost_as_much_as_the_limit(schemas: Schemas, monkeypatch):
    monkeypatch.setattr(json_check, "MOST_JUDGEMENTS", 3)
    schemas.json({"allOf": [{}, {}]})
    assert [each.code for each in schemas.json_faults({"allOf": [{}, {}, {}]})] == ["too-costly"]


def test_only_the_outermost_costly_schema_is_told(schemas: Schemas):
    names = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(14)} | {"d14": {}}
    faults = schemas.json_faults({"$defs": names, "properties": {"a": {"$ref": "#/$defs/d0"}}})
    assert [each.code for each in faults] == ["too-costly"]
    assert faults[0].hint == "at most 10,000 times: refer to each once"
