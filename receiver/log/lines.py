"""How a line of the log is written: for a person, or as JSON; with nothing of an exception but its kind and place."""

import json
import logging
import re
import time
from traceback import StackSummary, walk_tb
from typing import Any

FORMS = ("text", "json")
PLAIN = re.compile(r"[\w.,:;/+-]*", re.ASCII)  # words that need no look at their characters: nearly all
_json = json.JSONEncoder(ensure_ascii=False, default=str).encode  # `json.dumps` would make one for each line


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1]:
            fields = fields | {"defect": place_of(record.exc_info[1])}
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return self.line(f"{second}.{int(record.msecs):03}Z", record, fields)

    def line(self, moment: str, record: logging.LogRecord, fields: dict[str, Any]) -> str:
        raise NotImplementedError


class Text(_Lines):
    """`2026-03-01T14:30:05.123Z INFO published id=… process=… receive=0.003 …`."""

    def line(self, moment: str, record: logging.LogRecord, fields: dict[str, Any]) -> str:
        """Write one line."""
        words = [moment, record.levelname, _one_line(record.getMessage())]
        _add_words(words, fields)
        return " ".join(words)


class Json(_Lines):
    """One JSON object a line: `time`, `level`, `event`, `pid`, and what the event has to tell."""

    def line(self, moment: str, record: logging.LogRecord, fields: dict[str, Any]) -> str:
        """Write one line."""
        head = {"time": moment, "level": record.levelname.lower(), "event": record.getMessage(), "pid": record.process}
        return _json(head | {name: value for name, value in fields.items() if value != ""})


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


def _add_words(words: list[str], fields: dict[str, Any]) -> None:
    """Add `name=value` for each field that has a value, and for those of a field that has several."""
    for name, value in fields.items():
        if isinstance(value, dict):
            _add_words(words, value)
        elif isinstance(value, float):
            words.append(f"{name}={value:.4f}")
        elif value != "":
            text = str(value)
            words.append(f"{name}={text if PLAIN.fullmatch(text) else _word(text)}")


def _word(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if not text.isprintable() or set(text) & set(' "=') else text


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)
