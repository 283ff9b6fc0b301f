"""Starter templates: sibling modules for the record formats, with the same function.

`template(slots, title)` returns a template that prints every field, laid out to be read and changed.
"""

from types import ModuleType

from receiver.drafting.templates import csv, hl7, json, text, xml

TEMPLATES: dict[str, ModuleType] = {"hl7": hl7, "json": json, "xml": xml, "csv": csv, "text": text}
