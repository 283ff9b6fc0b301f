"""A starter for JSON: one object, each field under its own name."""

import json
from collections.abc import Sequence

from receiver.formats.slot import Slot

SUFFIX = ".json"


def template(slots: Sequence[Slot], title: str) -> str:
    """Return the template. Values print their own quotes; what may be absent is null."""
    members = [
        ("id", "delivery.id"),
        ("sourceId", "delivery.source_id"),
        ("version", "delivery.version"),
        ("receivedAt", "delivery.received_at"),
        ("document", "document.path"),
    ]
    fields = [(slot.name, _value(slot)) for slot in slots]
    lines = [f"  {_key(name)}: {{{{ {value} }}}}," for name, value in members]
    inner = ",\n".join(f"    {_key(name)}: {{{{ {value} }}}}" for name, value in fields)
    comment = f"{{# {title.replace('#', ' ')}: a value prints its own quotes, a number none, a list its brackets. #}}"
    return "\n".join([comment, "{", *lines, '  "fields": {', inner, "  }", "}", ""])


def _value(slot: Slot) -> str:
    if slot.date:
        return slot.dated("%Y-%m-%d").replace('else ""', "else none")
    missing = "[]" if slot.many else "none"
    return f"{slot.expression} | default({missing})" if slot.optional else slot.expression


def _key(name: str) -> str:
    """Write a key; what opens a tag of the template is written as an escape."""
    return json.dumps(name, ensure_ascii=False).replace("{", "\\u007b")
