"""Corrections of hl7apy's tables, and of its search for groups.

Its tables of 2.3, 2.3.1, 2.7 and 2.8 require fields that the standard leaves optional or conditional there (OBR-27,
OBX-4); those of 2.5.1 are right. It puts a segment into the first group that may hold one, so that the results of a
report become those of an order's document, and takes every member of a choice for required.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

SOUND = "2.5.1"  # the version whose tables are right; what is required in another must be so here, if it exists here

# HL7 table 0354: a structure, named by its first event, and the other events that it serves.
STRUCTURES = """
ADT_A01 A04 A08 A13
ADT_A05 A14 A28 A31
ADT_A06 A07
ADT_A09 A10 A11
ADT_A21 A22 A23 A25 A26 A27 A29 A32 A33
ADT_A30 A34 A35 A36 A46 A47 A48 A49
ADT_A39 A40 A41 A42
ADT_A43 A44
ADT_A50 A51
ADT_A52 A53
ADT_A54 A55
ADT_A61 A62
MDM_T01 T03 T05 T07 T09 T11
MDM_T02 T04 T06 T08 T10
SIU_S12 S13 S14 S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S26
"""
LINES = map(str.split, STRUCTURES.strip().splitlines())
FIRST_OF = {first[:4] + event: first[4:] for first, *others in LINES for event in others}
Tried = dict[int, list[str]]  # by the index of a segment: what was looked for there
BEFORE_A05 = ("2.3", "2.3.1")  # have no ADT_A05: those events are of ADT_A01 there


def structure_of(kind: str, event: str) -> str:
    """Return an event's structure, "ADT_A01" for A04, or its own name without one."""
    return f"{kind}_{FIRST_OF.get(f'{kind}_{event}', event)}"


def with_structure(message: str) -> str:
    """Return the message with a structure in MSH-9 that hl7apy knows.

    "ADT^A04" alone is of ADT_A01.
    """
    fields = message.partition("\r")[0].split(message[3:4])
    kind = fields[8].split(message[4]) if len(fields) > 11 else []
    if len(kind) != 2:
        return message
    event = FIRST_OF.get("_".join(kind), kind[1])
    if (kind[0], event) == ("ADT", "A05") and fields[11].split(message[4])[0] in BEFORE_A05:
        event = "A01"
    fields[8] = message[4].join([kind[0], event])
    return message[3].join(fields) + message[len(message.partition("\r")[0]) :]


@lru_cache(5_000)  # fields and components that are required somewhere are fewer
def is_required(name: str) -> bool:
    """Return whether a field that hl7apy misses is required; some are optional."""
    from hl7apy import load_reference
    from hl7apy.exceptions import HL7apyException

    try:
        owner, _ = name.split("_")
        definition = load_reference(owner, "Segment", SOUND)
    except HL7apyException:  # a component, or a segment that is later
        return True
    return next((limits[0] > 0 for child, _, limits, *_ in definition[1] if child == name), True)


def misplaced(structure: str, version: str, segments: Sequence[str]) -> tuple[int, list[str]] | None:
    """Return the index of the first segment out of order, and what may stand there.

    The index is that behind the last one where something is missing at the end. None where all follow each other as
    the structure says, which has no local segments.
    """
    from hl7apy import load_reference

    tried: Tried = {}
    if len(segments) in _ends(load_reference(structure, "Message", version), segments, frozenset([0]), tried):
        return None
    furthest = max(tried)
    return furthest, list(dict.fromkeys(tried[furthest]))


def _ends(definition: Any, segments: Sequence[str], starts: frozenset[int], tried: Tried) -> frozenset[int]:
    """Return where a group may end that begins at some places, each tried only once."""
    if definition[0] == "choice":
        return frozenset().union(*(_repeated(each, segments, starts, tried) for each in definition[1]))
    for each in definition[1]:
        starts = _repeated(each, segments, starts, tried)
    return starts


def _repeated(child: Any, segments: Sequence[str], starts: frozenset[int], tried: Tried) -> frozenset[int]:
    name, definition, (lowest, highest), kind, *_ = child
    reached, current, count = (starts if lowest == 0 else frozenset()), starts, 0
    while current and (highest < 0 or count < highest):
        if kind == "GRP":
            current = _ends(definition, segments, current, tried)
        else:
            for place in current:
                tried.setdefault(place, []).append(name)
            current = frozenset(place + 1 for place in current if place < len(segments) and segments[place] == name)
        count += 1
        if count >= lowest:
            current -= reached
            reached |= current
    return reached
