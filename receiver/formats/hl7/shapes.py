"""Remembers what hl7apy has found right, so that it judges each kind of segment once and not each message.

hl7apy judges a message by its shape alone: which segments follow each other, and where in each of them something
stands; what stands there it does not weigh. Within one structure of messages a segment is always judged by the same
definition. So a message whose order of segments was right, and each of whose segments has a shape that was right, is
right. `tests/records/test_hl7_shapes.py` holds hl7apy to that.
"""

import re

HEAD = "MSH|^~\\&|"  # the delimiters that HL7 v2.5.1 §2.5.4 suggests: messages with others are judged in full
VALUE = re.compile(r"[^|^~&\s][^|^~&\r]*")  # from its first character on: hl7apy takes blanks for nothing
TYPE, VERSION = 8, 11  # where MSH-9 and MSH-12 are, counted in separators: they tell the structure
MOST = 20_000  # orders and shapes remembered, some hundred bytes each; a template prints some dozen


class Shapes:
    """The shapes that were right, of all messages of this process."""

    def __init__(self) -> None:
        self._right: set[tuple[str, ...]] = set()

    def known(self, message: str) -> bool:
        """Tell whether all of a message was right in messages before it."""
        return message.startswith(HEAD) and self._right.issuperset(_pieces(message))

    def learn(self, message: str) -> None:
        """Remember a message that is right."""
        if message.startswith(HEAD) and len(self._right) < MOST:
            self._right.update(_pieces(message))


def _pieces(message: str) -> set[tuple[str, ...]]:
    """Return the order of the segments, and each segment with an x for each value; all with the structure's name."""
    segments = message.split("\r")
    fields = segments[0].split("|")
    structure = tuple(fields[place] if len(fields) > place else "" for place in (TYPE, VERSION))
    names = [segment[:3] for segment in segments]
    shapes = VALUE.sub("x", "\r".join(segment[3:] for segment in segments)).split("\r")
    pieces = {(*structure, *piece) for piece in set(zip(names, shapes, strict=True))}
    return pieces | {(*structure, " ".join(names))}
