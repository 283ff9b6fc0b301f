"""How a line of the log is written: for a person, or as JSON; with nothing of an exception but its kind and place."""

import json
import logging
import re
from datetime import UTC, datetime
from traceback import StackSummary, walk_tb
from typing import Any

FORMS = ("text", "json")
PLAIN = re.compile(r"[\w.,:;/+-]*", re.ASCII)  # words that need no look at their characters: nearly all


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = getattr(record, "told", {})
        if record.exc_info and record.exc_info[1]:
            told = told | {"defect": place_of(record.exc_info[1])}
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return self.line(moment.replace("+00:00", "Z"), record, {name: told[name] for name in told if told[name] != ""})

    def line(self, moment: str, record: logging.LogRecord, told: dict[str, Any]) -> str:
        raise NotImplementedError


class Text(_Lines):
    """`2026-03-01T14:30:05.123Z INFO published id=… process=… receive=0.003 …`."""

    def line(self, moment: str, record: logging.LogRecord, told: dict[str, Any]) -> str:
        """Write one line."""
        inner = {name: value for each in told.values() if isinstance(each, dict) for name, value in each.items()}
        plain = {name: value for name, value in told.items() if not isinstance(value, dict)} | inner
        words = "".join(f" {name}={_word(value)}" for name, value in plain.items())
        return f"{moment} {record.levelname} {_one_line(record.getMessage())}{words}"


class Json(_Lines):
    """One JSON object a line: `time`, `level`, `event`, `pid`, and what the event has to tell."""

    def line(self, moment: str, record: logging.LogRecord, told: dict[str, Any]) -> str:
        """Write one line."""
        head = {"time": moment, "level": record.levelname.lower(), "event": record.getMessage(), "pid": record.process}
        return json.dumps(head | told, ensure_ascii=False, default=str)


def formatter(form: str) -> logging.Formatter:
    """Return what writes lines in one of `FORMS`."""
    return Json() if form == "json" else Text()


def place_of(error: BaseException | None) -> str:
    """Return the kinds of an exception and of those behind it, each with its frames, never their words.

    What Python says of an exception, and what holds it, may quote what was being worked on.
    """
    pieces = []
    while error is not None:
        frames = StackSummary.extract(walk_tb(error.__traceback__), lookup_lines=False)
        pieces.append(type(error).__name__ + "".join(f" < {each.filename}:{each.lineno}" for each in reversed(frames)))
        error = error.__cause__ or error.__context__
    return "; after ".join(pieces)


def _word(value: Any) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    if PLAIN.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=False) if not text.isprintable() or set(text) & set(' "=') else text


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)
