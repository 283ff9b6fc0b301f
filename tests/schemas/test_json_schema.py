"""JSON Schemas judge and explain; what is wrong with one is found when it is compiled."""

import dataclasses
import json
import socket
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.core.faults import ConfigurationError, Severity
from receiver.schemas import folder, json_schema, json_text
from receiver.schemas.json_schema import MAX_VIOLATIONS
from tests.support.schema_folder import XS, Schemas

ROOT = Path(__file__).parents[2]
DRAFTS = {
    4: "http://json-schema.org/draft-04/schema#",
    6: "http://json-schema.org/draft-06/schema#",
    7: "http://json-schema.org/draft-07/schema#",
    2019: "https://json-schema.org/draft/2019-09/schema",
    2020: "https://json-schema.org/draft/2020-12/schema",
}
SECRET = "Zebra-7731-Quagga"


@pytest.mark.parametrize(
    ("schema", "instance", "where", "rule", "message"),
    [
        ({"type": ["string", "null"]}, 1, "/", "type", "must be null or a string"),
        ({"required": ["mrn"]}, {}, "/", "required", 'the property "mrn" is missing'),
        (
            {"properties": {"a": {"pattern": r"^\d{6}[A-Z]$"}}},
            {"a": SECRET},
            "/a",
            "pattern",
            r"must match ^\d{6}[A-Z]$",
        ),
        (
            {"properties": {"a": {"format": "date"}}},
            {"a": SECRET},
            "/a",
            "format",
            "must be a date, such as 2026-01-31",
        ),
        ({"maxLength": 3}, SECRET, "/", "maxLength", "must have at most 3 characters"),
        ({"minLength": 1}, "", "/", "minLength", "must have at least 1 character"),
        ({"enum": ["M", "F", None]}, SECRET, "/", "enum", 'must be one of "M", "F", null'),
        ({"const": {"a": 1}}, SECRET, "/", "const", 'must be {"a": 1}'),
        ({"maximum": 1}, 7.5, "/", "maximum", "must be at most 1"),
        ({"exclusiveMinimum": 0}, 0, "/", "exclusiveMinimum", "must be more than 0"),
        ({"multipleOf": 5}, 7, "/", "multipleOf", "must be a multiple of 5"),
        ({"items": {"type": "integer"}}, [1, SECRET], "/1", "type", "must be an integer"),
        ({"minItems": 2}, [1], "/", "minItems", "must have at least 2 items"),
        ({"maxItems": 1}, [1, 2], "/", "maxItems", "must have at most 1 item"),
        ({"uniqueItems": True}, [SECRET, SECRET], "/", "uniqueItems", "must not have the same item twice"),
        ({"contains": {"const": 1}}, [SECRET], "/", "contains", 'must have an item as "contains" describes it'),
        ({"maxProperties": 0}, {"a": 1}, "/", "maxProperties", "must have at most 0 properties"),
        ({"additionalProperties": False}, {"colour": SECRET}, "/", "additionalProperties", "must have no properties"),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"a": 1, "colour": SECRET},
            "/(property 2)",
            "additionalProperties",
            "the schema knows no property of this name",
        ),
        (
            {"unevaluatedProperties": False},
            {"b": SECRET},
            "/(property 1)",
            "unevaluatedProperties",
            "the schema knows no property of this name",
        ),
        (
            {"propertyNames": {"pattern": "^[a-z]+$"}},
            {"A": SECRET},
            "/",
            "propertyNames",
            "the name of each property must match ^[a-z]+$",
        ),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "/", "required", 'the property "b" is missing'),
        ({"not": {"type": "string"}}, SECRET, "/", "not", 'must not be as "not" describes it'),
        (
            {"anyOf": [{"type": "integer"}, {"required": ["q"]}]},
            {"p": SECRET},
            "/",
            "anyOf",
            'must satisfy at least one of these: (1) must be an integer; (2) the property "q" is missing',
        ),
        (
            {"oneOf": [{"type": "string"}, {"maxLength": 99}]},
            SECRET,
            "/",
            "oneOf",
            "must satisfy exactly one of these: only one may fit, and more do",
        ),
        (False, SECRET, "/", "schema", "must not be here: the schema allows nothing in this place"),
        (
            {"properties": {"a": False}},
            {"a": SECRET},
            "/a",
            "a",
            "must not be here: the schema allows nothing in this place",
        ),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_violation_says_what_was_expected(
    schemas: Schemas, schema: Any, instance: Any, where: str, rule: str, message: str
) -> None:
    (violation,) = schemas.json(schema).violations(instance)
    assert (violation.where, violation.message) == (where, message)
    assert violation.rule == (rule if schema is not False else "falseSchema")
    assert SECRET not in repr(violation)


def test_all_violations_are_told_at_once_with_the_place_of_their_rule(schemas: Schemas) -> None:
    names = {"$defs": {"date": {"type": "string", "format": "date"}}}
    schema = {
        "required": ["mrn"],
        "properties": {"dob": {"$ref": "parts/names.json#/$defs/date"}, "a/b~c": {"type": "null"}},
    }
    schemas.write("parts/names.json", names)
    violations = schemas.json(schema).violations({"dob": 5, "a/b~c": 1}, "fields")
    assert {(each.where, each.rule, each.schema) for each in violations} == {
        ("fields", "required", "main.json#/required"),
        ("fields/dob", "type", "parts/names.json#/$defs/date/type"),
        ("fields/a~1b~0c", "type", "main.json#/properties/a~1b~0c/type"),
    }


def test_what_satisfies_the_schema_has_no_violations(schemas: Schemas) -> None:
    assert schemas.json(True).violations({"a": [1, None]}) == ()


def test_no_more_than_a_hundred_violations_are_told(schemas: Schemas) -> None:
    violations = schemas.json({"items": {"type": "string"}}).violations([1] * 1000)
    assert len(violations) == MAX_VIOLATIONS + 1
    assert (violations[-1].message, violations[-1].where) == ("900 more", "/")


def test_a_name_that_the_schema_does_not_hold_may_be_data_and_is_told_by_its_place(schemas: Schemas) -> None:
    instance = {"known": 1, SECRET: {SECRET: 1}}
    inner = {"properties": {"known": True}, "additionalProperties": False}
    schema = {"properties": {"known": True}, "additionalProperties": inner}
    (violation,) = schemas.json(schema).violations(instance, "fields")
    assert violation.where == "fields/(property 2)/(property 1)"
    (violation,) = schemas.json(schema).violations(instance, "fields", {SECRET: "/fields/7"}.get)
    assert violation.where == "/fields/7/(property 1)"
    assert SECRET not in repr(violation)


def test_each_unknown_property_is_a_violation_with_the_nearest_known_name(schemas: Schemas) -> None:
    schema = {"properties": {"known": True}, "additionalProperties": False}
    first, second = schemas.json(schema).violations({"knwon": 1, "x": 1})
    assert (first.where, second.where) == ("/(property 1)", "/(property 2)")
    assert first.message == 'the schema knows no property of this name; did you mean "known"?'
    assert second.message == "the schema knows no property of this name"


def test_names_that_are_told_are_those_that_a_schema_speaks_of(schemas: Schemas) -> None:
    schema = {
        "properties": {"a": True, "properties": True, "required": {"type": "object"}},
        "required": ["b"],
        "propertyNames": {"enum": ["c", 1]},
    }
    assert {"a", "b", "c", "properties", "required"} <= schemas.json(schema).known


def test_names_in_lists_of_schemas_are_known(schemas: Schemas) -> None:
    schema = {"allOf": [{"properties": {"a": True}}, {"anyOf": [{"required": ["b"]}]}], "title": "a pattern"}
    assert {"a", "b"} <= schemas.json(schema, other={"properties": {"c": True}}).known
    assert "c" in schemas.json(schema | {"$ref": "other.json"}).known
    assert schemas.json(True).known == frozenset()


def test_a_schema_knows_its_properties_in_order_and_its_files(schemas: Schemas) -> None:
    schema = schemas.json({"$ref": "other.json", "properties": {"b": True, "a": True}}, other={"properties": {"c": {}}})
    assert (schema.file, schema.properties) == ("main.json", ("b", "a"))
    assert schema.files == {"main.json", "other.json"}
    assert schemas.json(True).properties == schemas.json({}).properties == ()


@pytest.mark.parametrize(("where", "told"), [("", "/"), ("fields", "fields")])
def test_a_refusal_that_the_library_does_not_explain_stays_one(schemas: Schemas, where: str, told: str) -> None:
    class Refusing:
        is_valid = staticmethod(lambda _: False)
        iter_errors = staticmethod(lambda _: [])

    (found,) = dataclasses.replace(schemas.json(True), _validator=Refusing()).violations({}, where)
    assert (found.where, found.rule, found.schema) == (told, "schema", "main.json")


def test_what_the_library_itself_says_of_an_instance_holds_no_value(schemas: Schemas) -> None:
    judge = schemas.json({"properties": {"a": {"type": "integer"}}})._validator
    with pytest.raises(ValueError, match="the value") as caught:
        judge.validate({"a": SECRET})
    assert SECRET not in str(caught.value)


def test_what_is_no_reference_for_the_library_is_a_fault(schemas: Schemas) -> None:
    (fault,) = schemas.json_faults({"$ref": "a b.json"}, **{"a b": True})
    assert (fault.code, fault.line, fault.column) == ("invalid-schema", 1, 1)
    assert fault.message.startswith("Invalid URI reference 'a b.json'")


def test_warnings_alone_do_not_refuse_a_schema_and_come_with_its_faults(schemas: Schemas) -> None:
    assert [each.code for each in schemas.json({"nullable": True}).warnings] == ["unknown-keyword"]
    faults = schemas.json_faults({"nullable": True, "$ref": "nope.json"})
    assert {each.code for each in faults} == {"unknown-keyword", "unresolved-reference"}


@pytest.mark.parametrize("draft", DRAFTS)
def test_formats_are_checked_in_every_draft(schemas: Schemas, draft: int) -> None:
    schema = schemas.json({"$schema": DRAFTS[draft], "properties": {"a": {"format": "date-time"}}})
    assert schema.violations({"a": "2026-01-31T13:45:00Z"}) == ()
    assert [each.rule for each in schema.violations({"a": "31.01.2026"})] == ["format"]


def test_a_pattern_that_backtracks_elsewhere_takes_no_time_here(schemas: Schemas) -> None:
    schema = schemas.json({"properties": {"a": {"pattern": "^(a+)+$"}}, "patternProperties": {"^(x|x?)+$": False}})
    start = time.process_time()
    assert len(schema.violations({"a": "a" * 500_000 + "!", "x" * 5000 + "!": 1})) == 1
    assert time.process_time() - start < 1


# what is wrong with a schema ------------------------------------------------------------------------------------


def test_every_fault_of_a_schema_is_found_at_its_place(schemas: Schemas) -> None:
    text = """{
      "properties": {
        "a": {"type": "strin"},
        "b": {"minimum": "x", "required": "mrn"}
      }
    }"""
    faults = schemas.json_faults(text)
    assert [(each.file, each.line, each.column, each.code) for each in faults] == [
        ("schemas/main.json", 3, 23, "invalid-schema"),
        ("schemas/main.json", 4, 26, "invalid-schema"),
        ("schemas/main.json", 4, 43, "invalid-schema"),
    ]
    assert faults[0].hint == 'did you mean "string"?'


@pytest.mark.parametrize(
    ("content", "line", "column", "code"),
    [
        ("{nope", 1, 2, "not-json"),
        ('{"type": "string",\n "type": "null"}', 2, 2, "not-json"),
        ("5", 1, 1, "invalid-schema"),
        ("[]", 1, 1, "invalid-schema"),
        ('{"$schema": "http://json-schema.org/draft-03/schema#"}', 1, 13, "unknown-draft"),
        ('{"$schema": "https://example.org/mine"}', 1, 13, "unknown-draft"),
        ('{"items": [{"pattern": "^(?!x)"}]}', 1, 11, "invalid-schema"),
        ('{"prefixItems": [{"pattern": "^(?!x)"}]}', 1, 30, "unbounded-pattern"),
        (r'{"not": {"pattern": "(a)\\1"}}', 1, 21, "unbounded-pattern"),
        ('{"pattern": "["}', 1, 13, "invalid-pattern"),
        (r'{"pattern": "(\\w{1000}){1000}"}', 1, 13, "invalid-pattern"),
        ('{"$defs": {"x": {"patternProperties": {"(?=a)": {}}}}}', 1, 40, "unbounded-pattern"),
        ('{"$ref": "#/nope"}', 1, 10, "unresolved-reference"),
        ('{"$ref": "#nope"}', 1, 10, "unresolved-reference"),
        ('{"$ref": "nope.json"}', 1, 10, "unresolved-reference"),
        ('{"$ref": "../../outside.json"}', 1, 10, "unresolved-reference"),
        ('{"$ref": "/etc/passwd"}', 1, 10, "unresolved-reference"),
        ('{"$ref": "file:///etc/passwd"}', 1, 10, "unresolved-reference"),
        ('{"$ref": "link.json"}', 1, 10, "unresolved-reference"),
        ('{"if": {"$dynamicRef": "#x"}}', 1, 24, "unresolved-reference"),
    ],
)
def test_a_faulty_schema_is_refused(schemas: Schemas, content: Any, line: int, column: int, code: str) -> None:
    (schemas.site / "outside.json").write_text("{}")
    (schemas.folder / "link.json").symlink_to(schemas.site / "outside.json")
    (fault,) = schemas.json_faults(content)
    assert (fault.line, fault.column, fault.code) == (line, column, code), str(fault)


def test_a_remote_reference_is_refused_without_a_connection(schemas: Schemas) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.json"
        (fault,) = schemas.json_faults({"items": {"$ref": address}})
        with pytest.raises(TimeoutError):
            server.accept()
    assert fault.code == "unresolved-reference"
    assert "put that schema into schemas/" in fault.hint


def test_a_fault_of_a_schema_that_is_referred_to_stands_in_its_own_file(schemas: Schemas) -> None:
    faults = schemas.json_faults({"$ref": "other.json"}, other={"type": "strin", "items": {"$ref": "third.json"}})
    assert [(each.file, each.line, each.code) for each in faults] == [("schemas/other.json", 2, "invalid-schema")]
    faults = schemas.json_faults({"$ref": "other.json"}, other='{"type": }')
    assert ("schemas/other.json", 1, "not-json") in [(each.file, each.line, each.code) for each in faults]


def test_schemas_find_each_other_by_the_names_they_give_themselves(schemas: Schemas) -> None:
    schema = schemas.json(
        {
            "$id": "https://clinic.example/main",
            "$ref": "names",
            "properties": {"a": {"$ref": "#/$defs/b"}},
            "$defs": {"b": {"type": "null"}},
        },
        names={"$id": "https://clinic.example/names", "required": ["mrn"]},
    )
    assert {(each.rule, each.schema) for each in schema.violations({"a": 1})} == {
        ("required", "names.json#/required"),
        ("type", "main.json#/$defs/b/type"),
    }


def test_a_file_is_called_by_its_place_in_a_site_that_is_behind_a_link(schemas: Schemas, tmp_path: Path) -> None:
    schemas.write("names.json", {"nullable": True})
    schemas.write("names.xsd", "<nothing/>")
    schemas.write("main.json", {"$ref": "names.json"})
    schemas.write("main.xsd", f'<xs:schema {XS}><xs:include schemaLocation="names.xsd"/></xs:schema>')
    (tmp_path / "link").symlink_to(schemas.site)
    for site in (schemas.site, tmp_path / "link"):
        ready = folder.Schemas(site / "schemas", site)
        assert [each.file for each in ready.json("main.json").warnings] == ["schemas/names.json"]
        with pytest.raises(ConfigurationError) as caught:
            ready.xml("main.xsd")
        assert {each.file for each in caught.value.faults} == {"schemas/names.xsd"}


def test_a_schema_may_refer_to_itself_and_to_its_draft(schemas: Schemas) -> None:
    recursive = schemas.json({"properties": {"below": {"$ref": "#"}}, "additionalProperties": False})
    assert recursive.violations({"below": {"below": {}}}) == ()
    assert recursive.violations({"below": {"x": 1}})[0].where == "/below/(property 1)"
    assert schemas.json({"$ref": DRAFTS[2020]}).violations({"type": 5})
    assert schemas.json({"$ref": "#"}).violations(1) is not None  # and comes to an end


def test_what_json_schema_would_pass_over_in_silence_is_a_warning(schemas: Schemas) -> None:
    schema = schemas.json(
        '{"requird": ["mrn"],\n "items": {"format": "dat"},\n "x-note": "fine", "version": 1,\n "nullable": true}'
    )
    assert [(each.code, each.line, each.column, each.severity) for each in sorted(schema.warnings)] == [
        ("unknown-keyword", 1, 2, Severity.WARNING),
        ("unknown-format", 2, 22, Severity.WARNING),
        ("unknown-keyword", 4, 2, Severity.WARNING),
    ]


def test_a_file_that_is_not_there_is_a_fault(schemas: Schemas) -> None:
    with pytest.raises(Exception, match="No such file"):
        json_schema.compile(schemas.folder / "nowhere.json", schemas.folder, schemas.site)


@pytest.mark.parametrize("file", sorted((ROOT / "schemas").glob("*.json")), ids=lambda file: file.name)
def test_the_shipped_schemas_have_neither_faults_nor_warnings(file: Path) -> None:
    assert json_schema.compile(file, ROOT / "schemas", ROOT).warnings == ()


# jsonschema, the reference in Python, agrees ---------------------------------------------------------------------

_LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ab", "aB1", "2026-01-31"])
_INSTANCES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
_SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "string"},
            {"type": ["integer", "null"]},
            {"minimum": 1},
            {"maxLength": 1},
            {"pattern": "^a"},
            {"format": "date"},
            {"required": ["a"]},
            {"enum": ["a", 1, None]},
            {"const": False},
            {"uniqueItems": True},
            {"additionalProperties": False},
            True,
        ]
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "if": inner,
            "then": inner,
            "propertyNames": inner,
        },
    ),
    max_leaves=6,
)


@given(schema=_SCHEMAS, instance=_INSTANCES)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_jsonschema_comes_to_the_same_verdict(schemas: Schemas, schema: Any, instance: Any) -> None:
    reference = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    violations = schemas.json(schema).violations(instance)
    errors = list(reference.iter_errors(instance))
    assert bool(violations) == bool(errors)
    if isinstance(schema, dict) and "$ref" not in schema:
        places = {"/" + "/".join(map(str, error.absolute_path)) for error in errors}
        assert {each.where for each in violations} == places


@given(value=_INSTANCES)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_violation_never_holds_the_value(schemas: Schemas, value: Any) -> None:
    def planted(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {key: planted(member) for key, member in inner.items()}
        return [planted(member) for member in inner] if isinstance(inner, list) else SECRET

    never = {"not": {}, "type": "boolean", "maxLength": 1, "pattern": "^$", "format": "date", "const": 0, "enum": [0]}
    never |= {"properties": {key: {"$ref": "#"} for key in "abc"}, "items": {"$ref": "#"}}
    violations = schemas.json(never).violations(planted(value))
    assert violations
    assert SECRET not in repr(violations)


def test_a_refusal_before_a_number_as_it_was_written_is_explained(schemas: Schemas) -> None:
    judge = schemas.json({"required": ["id"], "properties": {"amount": {"maximum": 1}}})
    document = json_text.loads(b'{"amount": 0.90}')
    assert [each.rule for each in judge.violations(document)] == ["required"]


def test_a_number_as_it_was_written_is_a_number(schemas: Schemas) -> None:
    judge = schemas.json({"properties": {"amount": {"type": "number", "minimum": 0, "maximum": 1}}})
    assert judge.violations(json_text.loads(b'{"amount": 0.90}')) == ()
    assert [each.rule for each in judge.violations(json_text.loads(b'{"amount": 1.10}'))] == ["maximum"]
