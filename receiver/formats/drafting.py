"""Starter templates: sibling modules for the record formats, with the same function.

`template(slots, title)` returns a template that prints every field, laid out to be read and changed.
"""

from types import ModuleType

from receiver.formats.csv import draft as csv
from receiver.formats.hl7 import draft as hl7
from receiver.formats.json import draft as json
from receiver.formats.text import draft as text
from receiver.formats.xml import draft as xml

TEMPLATES: dict[str, ModuleType] = {"hl7": hl7, "json": json, "xml": xml, "csv": csv, "text": text}
