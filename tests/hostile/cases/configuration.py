"""Schemas and templates that are dangerous: what an author might write, and the fault that `receiver check` finds."""

import json
from dataclasses import dataclass
from pathlib import Path

from .xml import LISTENER

SITE = Path(__file__).parent.parent / "site"
TEMPLATE = "mappings/scans/scan.hl7.j2"
FIELDS = "schemas/scans.fields.schema.json"
FORMS = "schemas/forms.xsd"
AWAY = LISTENER.decode()


@dataclass(frozen=True)
class Danger:
    """One row: a file of the site with this content, and the code of the fault."""

    input: str  # for people
    file: str
    content: str
    code: str


def schema(**more: object) -> str:
    """The schema of the fields, with more in it."""
    return json.dumps(json.loads((SITE / FIELDS).read_text()) | more)


def xsd(top: str = "", before: str = "") -> str:
    """The XSD, with more at its top, and before it."""
    shipped = (SITE / FORMS).read_text().partition("?>\n")[2]
    return before + shipped.replace('<xs:element name="document">', f'{top}<xs:element name="document">', 1)


def printed(text: str) -> str:
    """The template, with one more segment."""
    return (SITE / TEMPLATE).read_text() + f"NTE|3||{text}\n"


def assertion(test: str) -> str:
    """The XSD, with an assertion of XSD 1.1 about a field."""
    versioned = xsd().replace(
        "<xs:schema ",
        '<xs:schema xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1" ',
        1,
    )
    return versioned.replace("</xs:extension>", f'<xs:assert test="{test}"/></xs:extension>', 1)


def include(location: str) -> str:
    """An element that includes another schema."""
    return f'<xs:include schemaLocation="{location}"/>'


TEMPLATES = {
    "a method that formats by a text: `'{0.__class__}'.format(fields)`": (
        "{{ '{0.__class__}'.format(fields) }}",
        "unknown-method",
    ),
    "the same by a filter: `attr('format')`": ("{{ '{0}' | attr('format') }}", "unknown-filter"),
    "what lies behind Jinja2's own names: `cycler.__init__.__globals__`": (
        "{{ cycler.__init__.__globals__ }}",
        "unknown-name",
    ),
    "the environment": ("{{ environment }}", "unknown-name"),
    "a value that says which template: `import fields.remark`": ("{% import fields.remark as x %}", "unknown-template"),
    "a file of the system: `include '/etc/passwd'`": ("{% include '/etc/passwd' %}", "unknown-template"),
    "a file outside of the site": ("{% include '../../../../etc/passwd' %}", "unknown-template"),
    "a macro that calls itself": ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "macro-recursion"),
    "5,000 brackets": ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "template-syntax"),
    "a template of more than 1 MB": ("x" * 1_000_001, "template-too-large"),
}
ENDLESS = {  # with a sample in the site: what is cut off when it is rendered
    "two loops of 100,000 turns": "{% for x in range(10**5) %}{% for y in range(10**5) %}{% endfor %}{% endfor %}",
    "`'a' * 10**9`": "{{ 'a' * 10**9 }}",
    "`10 ** (10**10)`": "{{ 10 ** (10**10) }}",
    "`range(10**9) | list`": "{{ range(10**9) | list }}",
    "`fields.remark | center(10**9)`": "{{ fields.remark | center(10**9) }}",
}
SCHEMAS = {
    "a reference to the network": (schema(properties={"remark": {"$ref": AWAY}}), "unresolved-reference"),
    "a reference to a file of the system": (schema(allOf=[{"$ref": "file:///etc/passwd"}]), "unresolved-reference"),
    "a reference out of `schemas/`": (schema(allOf=[{"$ref": "../../../etc/passwd"}]), "unresolved-reference"),
    "a draft from the network": (schema(**{"$schema": AWAY}), "unknown-draft"),
    "a pattern that only backtracking can match: `(?=a)`": (
        schema(patternProperties={"(?=a)": {}}),
        "unbounded-pattern",
    ),
    "a pattern that refers back: `(a)\\1`": (schema(**{"not": {"pattern": r"(a)\1"}}), "unbounded-pattern"),
    "a pattern that would fill the memory: `(\\w{1000}){1000}`": (
        schema(patternProperties={r"(\w{1000}){1000}": {}}),
        "invalid-pattern",
    ),
}
XSDS = {
    "an include from the network": (xsd(include(f"{AWAY}x.xsd")), "unresolved-reference"),
    "an import from the network": (
        xsd(f'<xs:import namespace="urn:x" schemaLocation="{AWAY}x.xsd"/>'),
        "unresolved-reference",
    ),
    "an include of a file of the system": (xsd(include("file:///etc/passwd")), "unresolved-reference"),
    "a DOCTYPE from the network": (xsd(before=f'<!DOCTYPE x SYSTEM "{AWAY}">'), "not-xml"),
    "an external entity": (xsd(before='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'), "not-xml"),
    "an assertion that fetches: `doc('http://…')`": (assertion(f"doc('{AWAY}')"), "unsafe-assertion"),
    "an assertion that backtracks: `matches(., '(a+)+b')`": (assertion("matches(., '(a+)+b')"), "unsafe-assertion"),
}

DANGERS = [
    *(Danger(f"template: {what}", TEMPLATE, printed(text), "template-without-end") for what, text in ENDLESS.items()),
    *(Danger(f"template: {what}", TEMPLATE, printed(text), code) for what, (text, code) in TEMPLATES.items()),
    *(Danger(f"JSON Schema: {what}", FIELDS, *danger) for what, danger in SCHEMAS.items()),
    *(Danger(f"XSD: {what}", FORMS, *danger) for what, danger in XSDS.items()),
]
