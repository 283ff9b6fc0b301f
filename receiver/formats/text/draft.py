"""A starter for plain text: one line for each field."""

from collections.abc import Sequence

from receiver.formats.slot import Slot

SUFFIX = ".txt"


def template(slots: Sequence[Slot], title: str) -> str:
    """Return the template.

    A value stays on its line: where it came with line breaks, blanks take their place.
    """
    lines = [
        title.replace("{", "("),
        "delivery: {{ delivery.id }}",
        "source id: {{ delivery.source_id }}",
        "received: {{ delivery.received_at }}",
        "document: {{ document.path }}",
        *(f"{slot.name.replace('{', '(')}: {{{{ {_value(slot)} }}}}" for slot in slots),
    ]
    return "\n".join(lines) + "\n"


def _value(slot: Slot) -> str:
    value = f'({slot.items}) | join(", ")' if slot.many else slot.plain
    return f'({value}).split() | join(" ")' if slot.breaks and not slot.many else value
