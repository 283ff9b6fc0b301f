"""Values that are not there, as .NET and others write them: as if the field had not come."""

import json
from pathlib import Path

import pytest

from receiver.core.problems import Problem
from tests.support.metadata_of import reader_of

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
NAME, ID = "name", "sourceId"


def in_json(*fields: dict) -> bytes:
    return json.dumps({ID: "1", "fields": list(fields)}).encode()


def in_xml(fields: str) -> bytes:
    return f"<document {XSI}><sourceId>1</sourceId><fields>{fields}</fields></document>".encode()


@pytest.mark.parametrize(
    ("fields", "right", "source"),
    [
        ([{NAME: "a", "value": None}], {}, "dotnet/runtime #30690: null is written unless told otherwise"),
        ([{NAME: "a"}], {}, "JsonIgnoreCondition.WhenWritingNull"),
        ([{NAME: "a", "value": None, "confidence": None}], {}, "every property null"),
        ([{NAME: "a", "value": None, "confidence": 0.01}], {}, "sure of nothing"),
        ([{NAME: "a", "value": None}, {NAME: "a", "value": "x"}], {"a": "x"}, "one of two is null"),
        ([{NAME: "b", "value": None}, {NAME: "b", "value": "x"}], {"b": ["x"]}, "a repeated field"),
        ([{NAME: "b", "value": None}], {}, "a repeated field, never there"),
        ([{NAME: "a", "value": ""}], {"a": ""}, "empty is a value"),
        ([{NAME: "a", "value": "null"}], {"a": "null"}, "the word is a value"),
        ([{NAME: "a", "value": 0}, {NAME: "c", "value": False}], {"a": 0, "c": False}, "as are 0 and false"),
    ],
)
def test_null_in_json_is_no_field(fields, right, source):
    reading = reader_of(repeated=("b",)).read(in_json(*fields))
    assert reading.fields == right, source
    assert set(reading.confidence) <= set(right)


def test_the_members_of_an_object_may_be_null(tmp_path):
    (tmp_path / "any.schema.json").write_text("{}")
    reader = reader_of(tmp_path, schema="any.schema.json", name="key", value="value", confidence="`null`")
    assert reader.read(b'{"sourceId": "1", "fields": {"a": null, "b": "x"}}').fields == {"b": "x"}


@pytest.mark.parametrize(
    ("fields", "right"),
    [
        ('<field name="a" xsi:nil="true"/>', {}),
        ('<field name="a" xsi:nil="1" confidence="0.1"></field>', {}),
        ('<field name="a" xsi:nil="false">x</field>', {"a": "x"}),
        ('<field name="a"/>', {"a": ""}),
        ('<field name="a" nil="true"/>', {"a": ""}),  # an attribute of the sender's own
        ('<field name="a" xsi:nil="true"/><field name="a">x</field>', {"a": "x"}),
    ],
)
def test_nil_in_xml_is_no_field(fields, right):
    assert reader_of(schema="nextstep-metadata.xsd").read(in_xml(fields)).fields == right


def test_a_field_that_must_be_there_is_told_as_missing(tmp_path):
    for name in ("nextstep-metadata.schema.json", "nextstep-metadata.xsd"):
        (tmp_path / name).write_bytes((Path(__file__).parents[2] / "schemas" / name).read_bytes())
    rules = {"required": ["a"], "properties": {"a": {"type": "string"}}}
    (tmp_path / "fields.schema.json").write_text(json.dumps(rules))
    for schema, content in (
        ("nextstep-metadata.schema.json", in_json({NAME: "a", "value": None})),
        ("nextstep-metadata.xsd", in_xml('<field name="a" xsi:nil="true"/>')),
    ):
        with pytest.raises(Problem) as caught:
            reader_of(tmp_path, schema=schema, fields_schema="fields.schema.json").read(content)
        assert [each.rule for each in caught.value.violations] == ["required"]
