"""A starter for HL7 v2.5.1 MDM^T02, with each field as an observation.

It refers to the document by its path.
"""

import re
from collections.abc import Iterator, Sequence

from receiver.formats.slot import Slot

SUFFIX = ".hl7"
DELIMITERS = re.compile(r"[|^~\\&{}%#\s]+")
MSH = (
    r"MSH|^~\&|RECEIVER|{title}|EHR|CLINIC|{{ received }}||MDM^T02^MDM_T02|{{ delivery.id }}|P|2.5.1"
    "|||AL|NE||UNICODE UTF-8"
)
TXA = "TXA|1|CN|IM|||{{ received }}||||||{{ delivery.id }}^RECEIVER||||{{ document.path }}|DO||AV"
RP = "OBX|1|RP|57133-1^Document^LN||{{ document.path }}^RECEIVER||||||F"


def template(slots: Sequence[Slot], title: str) -> str:
    """Return the template: the patient in PID, every other field in an OBX."""
    known = patient(slots)
    single = [slot for slot in slots if slot not in known.values() and not slot.many]
    lines = [
        f"{{# {_label(title)}: HL7 v2.5.1 MDM^T02. One line is one segment; values are escaped by themselves. #}}",
        "{% set received = delivery.received_at | hl7_ts %}",
        MSH.replace("{title}", _label(title)),
        "EVN|T02|{{ received }}",
        _pid(known),
        "PV1|1|O",
        TXA,
        RP,
        *(_observation(slot, number) for number, slot in enumerate(single, 2)),
        *_lists([slot for slot in slots if slot.many], len(single) + 1),
    ]
    return "\n".join(lines) + "\n"


def patient(slots: Sequence[Slot]) -> dict[str, Slot]:
    """Return the fields that identify the patient: a whole name, or its parts."""
    known = {slot.role: slot for slot in reversed(slots) if slot.role and not slot.many}
    if "name" in known:
        return {role: slot for role, slot in known.items() if role not in ("family", "given")}
    return known if "family" in known else {role: slot for role, slot in known.items() if role != "given"}


def _pid(known: dict[str, Slot]) -> str:
    number = _identifier(known["mrn"]) if "mrn" in known else ""
    family = given = ""
    if "name" in known:
        whole = f"({known['name'].plain})" if known["name"].optional else known["name"].plain
        family, given = (_printed(f'{whole} | person("{part}")') for part in ("family", "given"))
    elif "family" in known:
        family = _printed(known["family"].plain)
        given = _printed(known["given"].plain) if "given" in known else ""
    born = known.get("dob")
    birth = _printed(born.dated("%Y%m%d") if born.date else born.plain) if born else ""
    return f"PID|1||{number}||{family}^{given}||{birth}"


def _identifier(mrn: Slot) -> str:
    """Write PID-3: who has assigned an identifier is only said of one that is there."""
    number = f"{_printed(mrn.expression)}^^^CLINIC^MR"
    return number if mrn.certain else f"{{% if {mrn.there} %}}{number}{{% endif %}}"


def _observation(slot: Slot, number: int) -> str:
    kind, value = ("DT", slot.dated("%Y%m%d")) if slot.date else ("ST", slot.plain)
    return _obx(str(number), kind, slot, _printed(value))


def _lists(slots: Sequence[Slot], before: int) -> Iterator[str]:
    """Yield a loop for each list; the observations are counted on."""
    count = f"loop.index + {before}"
    for slot in slots:
        yield f"{{% for each in {slot.items} %}}"
        yield _obx(_printed(count), "ST", slot, "{{ each }}")
        yield "{% endfor %}"
        count += f" + ({slot.items}) | length"


def _obx(number: str, kind: str, slot: Slot, value: str) -> str:
    label = _label(slot.name)
    return f"OBX|{number}|{kind}|{label}^{label}^L||{value}||||||F"


def _printed(expression: str) -> str:
    return f"{{{{ {expression} }}}}"


def _label(name: str) -> str:
    return DELIMITERS.sub(" ", name).strip() or "field"
