"""A refusal by a JSON Schema says what was expected, and where its rule stands."""

from types import SimpleNamespace

import pytest

from receiver.schemas import json_explain
from receiver.schemas.json_explain import Places, pointer
from tests.support.schema_folder import Schemas

KNOWN = frozenset({"a", "b/c"})


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ([], "/"),
        (["a"], "/a"),
        (["b/c", 1], "/b~1c/1"),
        (["z", "z"], "/(property 3)/(property 2)"),
        (["z", "a"], "/(property 3)/a"),
    ],
)
def test_a_place_shows_known_names_and_numbers_others(path, where):
    places = Places({"a": 0, "b/c": [1, 2], "z": {"a": 3, "z": 4}}, KNOWN)
    assert places.of(path) == where


def test_a_place_begins_with_what_comes_before_it():
    assert Places({"a": 1}, KNOWN, "fields").of([]) == "fields"
    assert Places({"a": 1}, KNOWN, "fields").of(["a"]) == "fields/a"


def test_only_the_outermost_unknown_name_is_looked_for_elsewhere():
    places = Places({"z": {"z": 1}, "y": 2}, KNOWN, "fields", {"z": "/form/Z"}.get)
    assert places.of(["z"]) == "/form/Z"
    assert places.of(["z", "z"]) == "/form/Z/(property 1)"
    assert places.of(["y"]) == "fields/(property 2)"


@pytest.mark.parametrize(
    ("path", "written"),
    [([], ""), (["a~b", 0, "c/d"], "/a~0b/0/c~1d"), (["a\nb"], "/a\\u000ab"), (["x" * 65], "/" + "x" * 64 + "…")],
)
def test_a_pointer_is_escaped_and_bounded(path, written):
    assert pointer(path) == written


@pytest.mark.parametrize("name", ["Patient Name", "Größe", "100%", "a%20b", "b/c~d", "a#b", 'a"b', "x" * 70])
def test_the_place_and_the_description_of_a_rule_are_found_whatever_its_property_is_called(schemas: Schemas, name):
    schema = {"properties": {name: {"pattern": "^a$", "description": "one a"}}}
    (found,) = schemas.json(schema).violations({name: "b"})
    assert found.schema == f"main.json#{pointer(['properties', name, 'pattern'])}"
    assert found.message == "must match ^a$ (one a)"


def test_a_rule_is_told_by_the_file_of_its_schema(schemas: Schemas):
    named = {"$id": "https://clinic.example/names#", "maxLength": 1}
    judge = schemas.json({"allOf": [{"$ref": "https://clinic.example/names"}, {"$ref": "a%20b.json"}]}, names=named,
                         **{"a b": {"maxLength": 1}})  # fmt: skip
    assert sorted(each.schema for each in judge.violations("xy")) == ["a b.json#/maxLength", "names.json#/maxLength"]


@pytest.mark.parametrize(
    ("schema", "instance", "rule", "message"),
    [
        ({"additionalProperties": False}, {"x": 1}, "additionalProperties", "must have no properties"),
        (
            {"anyOf": [{"properties": {"a": True}, "additionalProperties": False}]},
            {"x": 1},
            "anyOf",
            "must satisfy at least one of these: (1) must have no properties but those that the schema knows",
        ),
        (
            {"anyOf": [{"additionalProperties": False}, {"properties": {"x": False}}]},
            {"x": 1},
            "anyOf",
            (
                "must satisfy at least one of these: (1) must have no properties;"
                " (2) must not be here: the schema allows nothing in this place"
            ),
        ),
        (
            {"oneOf": [{"type": "string"}, {"maxLength": 9}, {"type": "null"}]},
            "x",
            "oneOf",
            "must satisfy exactly one of these: only one may fit, and more do",
        ),
        ({"minContains": 2, "contains": {"const": 1}}, [1], "contains", 'must have an item as "contains" describes it'),
        ({"format": "json-pointer"}, "x", "format", "must be a json-pointer"),
        ({"format": "iri"}, "x", "format", "must be an iri"),
        ({"format": "uuid"}, "x", "format", "must be a uuid, such as 123e4567-e89b-12d3-a456-426614174000"),
        ({"enum": ["é", {"a": 1}]}, 1, "enum", 'must be one of "é", {"a": 1}'),
        ({"type": "boolean"}, 1, "type", "must be a boolean"),
        ({"type": ["array", "null", "object"]}, 1, "type", "must be an array or null or an object"),
    ],
)
def test_a_refusal_says_what_was_expected(schemas: Schemas, schema, instance, rule, message):
    (found,) = [each for each in schemas.json(schema).violations(instance) if each.rule == rule]
    assert (found.where, found.message) == ("/", message)


def test_what_may_not_be_there_is_told_by_the_keyword_that_says_so(schemas: Schemas):
    (found,) = schemas.json({"prefixItems": [False]}).violations([1])
    assert (found.where, found.rule) == ("/0", "prefixItems")


@pytest.mark.parametrize(
    ("schema", "instance", "message"),
    [
        ({"items": [True], "additionalItems": False}, [1, 2], "must have at most 1 item"),
        ({"contentEncoding": "base64"}, "~", "must be encoded in base64"),
        ({"contentMediaType": "application/json"}, "~", "must be application/json"),
    ],
)
def test_the_rules_of_older_drafts_have_their_words(schemas: Schemas, schema, instance, message):
    draft = {"$schema": "http://json-schema.org/draft-07/schema#"}
    assert [each.message for each in schemas.json(draft | schema).violations(instance)] == [message]


def test_a_rule_without_words_is_told_by_its_name():
    error = SimpleNamespace(kind=SimpleNamespace(name="custom"), schema_path=["properties", "a", "custom"])
    assert json_explain.message(error) == 'must satisfy "custom"'


@pytest.mark.parametrize(("length", "near"), [(64, True), (65, False)])
def test_a_near_name_is_looked_for_as_long_as_names_are(schemas: Schemas, length, near):
    schema = {"properties": {"x" * 66: True}, "additionalProperties": False}
    (found,) = schemas.json(schema).violations({"x" * length: 1})
    assert ("did you mean" in found.message) is near
