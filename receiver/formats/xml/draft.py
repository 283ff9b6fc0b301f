"""A starter for XML: one element for each field."""

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from receiver.formats.slot import Slot

SUFFIX = ".xml"
NAME = re.compile(r"(?!xml)[A-Za-z_][A-Za-z0-9_.-]*", re.IGNORECASE)
HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<record id="{{ delivery.id }}" version="{{ delivery.version }}" sourceId="{{ delivery.source_id }}">
  <received>{{ delivery.received_at }}</received>
  <document path="{{ document.path }}" sha256="{{ document.sha256 }}"/>
"""


def template(slots: Sequence[Slot], title: str) -> str:
    """Return the template. A field that is absent leaves no element behind."""
    comment = f"<!-- {escape(title).replace('-', ' ')} -->\n"
    head = HEAD.replace("<record", comment + "<record")
    return head + "".join(f"{line}\n" for slot in slots for line in _element(slot)) + "</record>\n"


def _element(slot: Slot) -> list[str]:
    begin, end = _tags(slot.name)
    if slot.many:
        return [f"  {{% for each in {slot.items} %}}", f"  {begin}{{{{ each }}}}{end}", "  {% endfor %}"]
    value = f"  {begin}{{{{ {slot.dated('%Y-%m-%d') if slot.date else slot.expression} }}}}{end}"
    if slot.optional:
        return [f"  {{% if {slot.expression} is defined %}}", value, "  {% endif %}"]
    return [value]


def _tags(name: str) -> tuple[str, str]:
    """Return an element named after a field, or with the name in an attribute."""
    if NAME.fullmatch(name):
        return f"<{name}>", f"</{name}>"
    return f"<field name={quoteattr(name.replace('{', '('))}>", "</field>"
