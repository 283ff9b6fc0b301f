"""Advice about schemas that cannot be read, or are invalid in their own language."""

import re
from typing import Any

from jsonschema.exceptions import ValidationError
from xmlschema.names import XSD_NAMESPACE

from receiver.core.faults import did_you_mean
from receiver.schemas import words

UNREADABLE = "the service needs the right to read it"
QUOTES = tuple("\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb'")  # that JSON does not take for quotes
MALFORMED = (  # how a message about a file that cannot be read begins, and what to do
    ("a comma or the end", "write a comma between two entries, also where a line ends"),
    ("a name in double quotes", "write names in double quotes; JSON has no comments, and no comma before } or ]"),
    (
        "a value is expected",
        "text stands in double quotes; a number, true, false and null without; no comma before ] or }",
    ),
    ("a colon", 'write "name": value'),
    ("a comma must not", "remove the comma"),
    ("this escape", 'write each backslash twice: "\\\\d{2}"'),
    ("the string that starts", "close it with a double quote on its line"),
    ("a control character", "a text stands on one line: write \\n for a line break"),
    ("more follows", "remove what stands behind the last }"),
    ("a name comes twice", "remove one of the two"),
    ("it is not encoded", "save the file as UTF-8"),
    ("it is empty", "write a schema, or restore the file"),
    ("not well-formed XML: mismatched tag", "close each element under its own name, <a> … </a>, or as <a/>"),
    ("not well-formed XML: no element found", "close each element: the file ends too early"),
    ("not well-formed XML: unclosed", "close what begins here"),
    ("not well-formed XML: unbound prefix", 'declare the prefix: xmlns:xs="http://www.w3.org/2001/XMLSchema"'),
    ("not well-formed XML: duplicate attribute", "remove one of the two"),
    ("not well-formed XML: junk", "remove what stands behind the last element"),
    ("not well-formed XML: XML or text declaration", "<?xml … ?> begins the file: nothing stands before it, no blank"),
    ("not well-formed XML", "put values of attributes in straight quotes; write &lt; for < and &amp; for &"),
    ("a DOCTYPE", "remove the DOCTYPE"),
)


def of_file(message: str, letter: str = "") -> tuple[str, str]:
    """Return why a file cannot be read, and what to do; `letter` is where it fails."""
    if letter in QUOTES:
        return f"{letter} is no quote here", 'write straight double quotes: "type"'
    return message, next((hint for beginning, hint in MALFORMED if message.startswith(beginning)), "")


TYPES = {  # words of other languages for a type
    **dict.fromkeys(("text", "str", "varchar", "char"), 'write "string"'),
    **dict.fromkeys(("date", "datetime", "date-time"), 'write "type": "string", and "format": "date" or "date-time"'),
    **dict.fromkeys(("float", "double", "decimal"), 'write "number"'),
    **dict.fromkeys(("dict", "map", "record"), 'write "object"'),
    **dict.fromkeys(("list", "tuple", "set"), 'write "array"'),
    **dict.fromkeys(("bool", "bit"), 'write "boolean"'),
    "int": 'write "integer"',
    "none": 'write "null"',
}
RULES = {
    "minItems": "write at least one",
    "uniqueItems": "remove one of the two",
    "minimum": "write a number from 0 on",
    "exclusiveMinimum": "write a number above 0",
    "pattern": "write it in the form that the draft asks for",
}


def of_json(error: ValidationError) -> str:
    """Report what to write instead of what breaks a rule of JSON Schema itself."""
    wanted: Any = error.validator_value
    found = error.instance
    if error.validator == "enum":
        choices = list(map(str, wanted))
        return TYPES.get(str(found).lower(), "") or did_you_mean(str(found), choices) or "write one of these"
    kinds = {wanted} if isinstance(wanted, str) else set(wanted) if error.validator == "type" else set()
    if "array" in kinds:
        return f"write it as a list: [{words.value(found)}]"
    if "object" in kinds:
        return 'write what is allowed as an object: { "type": "string" }'
    if kinds & {"integer", "number", "boolean"}:
        return "write it without quotes" if isinstance(found, str) else "write a number, or true or false"
    return RULES.get(str(error.validator), "")


FOREIGN = {  # keywords of other languages, and what says the same in JSON Schema
    "max": 'write "maximum" for a number, "maxLength" for a text',
    "min": 'write "minimum" for a number, "minLength" for a text',
    "length": 'write "minLength" and "maxLength"',
    "size": 'write "minLength" and "maxLength", or "minItems" and "maxItems"',
    "regex": 'write "pattern"',
    "regexp": 'write "pattern"',
    "match": 'write "pattern"',
    "nullable": 'write "type": ["string", "null"]',
    "optional": 'what is not listed under "required" may be absent',
    "mandatory": 'list the name under "required", beside "properties"',
    "values": 'write "enum"',
    "options": 'write "enum"',
    "choices": 'write "enum"',
    "oneof": 'write "oneOf", or "enum" for a list of values',
    "fields": 'write "properties"',
    "ref": 'write "$ref"',
    "defs": 'write "$defs"',
}
FOR_TYPE = {
    ("maximum", "string"): 'write "maxLength"',
    ("minimum", "string"): 'write "minLength"',
    ("maxItems", "string"): 'write "maxLength"',
    ("minItems", "string"): 'write "minLength"',
    ("maxLength", "integer"): 'write "maximum"',
    ("maxLength", "number"): 'write "maximum"',
    ("maxLength", "array"): 'write "maxItems", or move it into "items"',
    ("pattern", "array"): 'move it into "items"',
}

UNKNOWN_TYPE = re.compile("unknown type '([^']+)'")
BUILTIN = frozenset(
    """string token normalizedString boolean decimal integer nonNegativeInteger int long positiveInteger float double
    date dateTime time gYear duration anyURI base64Binary""".split()  # noqa: SIM905
)
XSD = (  # what the library says of a schema, and what to do
    ("maxOccurs", 'write a whole number, or "unbounded"'),
    ("minOccurs", "write a whole number, 0 where it may be absent"),
    ("is not an element of the schema", f'an XML Schema begins <xs:schema xmlns:xs="{XSD_NAMESPACE}">'),
    ("is not allowed", "see what XML Schema lets stand at this place"),
    ("unexpected child", "see what XML Schema lets stand at this place"),
    ("missing", "add what is missing"),
)


def of_xsd(message: str) -> str:
    """Report what to do about what xmlschema says of a schema; "" for what is seldom."""
    unknown = UNKNOWN_TYPE.search(message)
    if not unknown:
        return next((hint for said, hint in XSD if said in message), "")
    name = unknown[1].rpartition(":")[2]
    if name in BUILTIN:
        return f'write the prefix of XML Schema before it: "xs:{name}"'
    near = did_you_mean(name, BUILTIN)
    return near.replace('"', '"xs:', 1) if near else "define a type of this name, or write one of XML Schema's own"
