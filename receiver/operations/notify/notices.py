"""A notice: one fault of one process, at its onset or at its recovery."""

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Event(StrEnum):
    """What a notice is for."""

    ONSET = "onset"
    RECOVERY = "recovery"
    TEST = "test"


class Condition(StrEnum):
    """What a notice can be of; the names are those of `[notify] on`, and one more."""

    REFUSED = "refused"
    HELD = "held"
    TEMPLATE = "template"
    SILENCE = "silence"
    SPACE = "space"
    OUTPUT = "output"
    LEDGER = "ledger"
    CONFIGURATION = "configuration"
    TEST = "test"  # nothing is wrong: somebody tries whether notices arrive


# what to do about it, beginning with a command
ADVICE: Mapping[Condition, str] = {
    Condition.REFUSED: "receiver log --process {process} --status refused",
    Condition.HELD: "receiver log --process {process} --status held",
    Condition.TEMPLATE: "receiver log --process {process} --since 2h, then receiver replay ID --dry-run",
    Condition.SILENCE: "receiver status; then ask the platform, and receiver reconcile with its list",
    Condition.SPACE: "receiver prune --dry-run; see docs/operations.md, A full disk",
    Condition.OUTPUT: "receiver status; then mount the output or give it back to the service, senders come again",
    Condition.LEDGER: "receiver status; see docs/operations.md, A ledger that was moved",
    Condition.CONFIGURATION: "receiver check; what was in force before stays so",
    Condition.TEST: "",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: our own names, codes, counts and times; nothing of a delivery."""

    event: Event
    process: str
    title: str  # of the process, as people call it
    fault: Condition
    since: datetime  # aware, UTC: when the alert opened
    at: datetime  # aware, UTC
    summary: str  # in words, for people
    counts: Mapping[str, int]  # what there is how often: code of a problem → deliveries

    @property
    def text(self) -> str:
        """The whole notice in a sentence, as a chat shows it."""
        opening = {Event.ONSET: "", Event.RECOVERY: "well again: ", Event.TEST: "only a test: "}[self.event]
        return f"{self.title} ({self.process}) on {socket.gethostname()}: {opening}{self.summary}"

    def content(self) -> dict[str, Any]:
        """Return the notice as JSON has it."""
        moments = {"since": _stamp(self.since), "at": _stamp(self.at)}
        plain = {name: value for name, value in asdict(self).items() if name != "summary"}
        advice = ADVICE[self.fault].format(process=self.process)
        return {"text": self.text} | plain | moments | {"host": socket.gethostname(), "advice": advice}

    def json(self) -> bytes:
        """Return what a command reads and a webhook is sent."""
        return json.dumps(self.content(), ensure_ascii=False).encode() + b"\n"

    def variables(self) -> dict[str, str]:
        """Return the environment of a command: NOTIFY_TEXT, NOTIFY_EVENT and so on."""
        plain = {name: value for name, value in self.content().items() if name != "counts"}
        return {f"NOTIFY_{name.upper()}": value for name, value in plain.items()}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
