"""A starter for CSV: a header and one row."""

from collections.abc import Sequence

from receiver.formats.slot import Slot

SUFFIX = ".csv"
FIRST = {"delivery_id": "delivery.id", "source_id": "delivery.source_id", "received_at": "delivery.received_at"}


def template(slots: Sequence[Slot], title: str, delimiter: str = ",") -> str:
    """Return the template.

    Cells are quoted if they need it; the items of a list share one.
    """
    between = ", " if delimiter == ";" else "; "
    columns = FIRST | {slot.name: _cell(slot, between) for slot in slots} | {"document": "document.path"}
    header = delimiter.join(_quoted(name, delimiter) for name in columns)
    row = delimiter.join(f"{{{{ {expression} }}}}" for expression in columns.values())
    comment = f"{{# {title.replace('#', ' ')}: one row for each delivery. #}}"
    return f"{comment}\n{header}\n{row}\n"


def _cell(slot: Slot, between: str) -> str:
    return f'{_whole(slot)} | join("{between}")' if slot.many else slot.plain


def _whole(slot: Slot) -> str:
    return f"({slot.items})" if slot.optional else slot.items


def _quoted(name: str, delimiter: str) -> str:
    plain = name.replace("{", "(")
    return f'"{plain.replace(chr(34), chr(34) * 2)}"' if any(sign in plain for sign in delimiter + '"') else plain
