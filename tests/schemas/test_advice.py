"""Whoever writes a schema is told what to write instead."""

import pytest

from receiver.schemas import advice
from tests.support.schema_folder import Schemas


@pytest.mark.parametrize(
    ("message", "letter", "told"),
    [
        ("a value is expected here", "“", ("“ is no quote here", 'write straight double quotes: "type"')),
        ("a colon is expected here", "}", ("a colon is expected here", 'write "name": value')),
        ("it is empty", "", ("it is empty", "write a schema, or restore the file")),
        ("a DOCTYPE is not accepted", "", ("a DOCTYPE is not accepted", "remove the DOCTYPE")),
        ("what it is: a DOCTYPE", "", ("what it is: a DOCTYPE", "")),
    ],
)
def test_a_file_that_cannot_be_read_comes_with_what_to_do(message, letter, told):
    assert advice.of_file(message, letter) == told


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        ({"type": "Text"}, 'write "string"'),
        ({"type": "DateTime"}, 'write "type": "string", and "format": "date" or "date-time"'),
        ({"type": "integr"}, 'did you mean "integer"?'),
        ({"type": 5}, "write one of these"),
        ({"properties": []}, 'write what is allowed as an object: { "type": "string" }'),
        ({"enum": "a"}, 'write it as a list: ["a"]'),
        ({"maxLength": "5"}, "write it without quotes"),
        ({"maxLength": None}, "write a number, or true or false"),
        ({"title": 5}, ""),
        ({"minLength": -1}, "write a number from 0 on"),
    ],
)
def test_a_keyword_with_a_wrong_value_is_told_what_to_write(schemas: Schemas, schema, hint):
    (fault,) = schemas.json_faults(schema)
    assert fault.hint == hint


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("maxOccurs value 'x' is not an integer", 'write a whole number, or "unbounded"'),
        ("minOccurs value 'x' is not an integer", "write a whole number, 0 where it may be absent"),
        ("attribute 'x' is missing", "add what is missing"),
        ("something else", ""),
        ("unknown type 'string'", 'write the prefix of XML Schema before it: "xs:string"'),
        ("unknown type 'x:y:date'", 'write the prefix of XML Schema before it: "xs:date"'),
        ("unknown type 'xs:strng'", 'did you mean "xs:string"?'),
        ("unknown type 'phone'", "define a type of this name, or write one of XML Schema's own"),
        *(
            (f"unknown type 'x{name}'", f'did you mean "xs:{name}"?')
            for name in ("positiveInteger", "base64Binary", "normalizedString")
        ),
    ],
)
def test_a_complaint_of_the_xsd_library_comes_with_what_to_do(message, hint):
    assert advice.of_xsd(message) == hint
