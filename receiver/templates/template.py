"""A compiled template, a record's condition, and how a rendering was stopped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from types import GeneratorType, TracebackType
from typing import Any, TypeVar

import jinja2
from jinja2.runtime import Context

from receiver.core.faults import did_you_mean
from receiver.core.problems import Code, Problem, Violation
from receiver.formats import budget
from receiver.formats.errors import ExceededError, MissingNameError, RefusedError
from receiver.schemas.json_explain import pointer
from receiver.templates.environment import Seen
from receiver.templates.names import NAMES
from receiver.templates.reads import MAX_LABELS, Read
from receiver.templates.source import Place
from receiver.templates.unit import Unit

OF_VALUES = frozenset(  # rules that a value breaks, whatever the template says; others are of a kind or an argument
    {"age", "ascii", "character", "date", "days_between", "encoding", "extract", "fhir_time", "fixed", "float"}
    | {"hl7_null", "hl7_ts", "int", "lookup", "number", "person", "phone", "plus", "sum_of", "without"}
)
SENT = ("fields", "tables", "metadata")  # names of what the sender sent
KNOWN = ("fields", "confidence", "delivery", "document")  # whose own names may be shown: no data among them
LISTED = "listed"  # the variable that holds what `each` gives

Made = TypeVar("Made")


class Template:
    """One template, compiled. Threads may share it."""

    def __init__(self, name: str, compiled: jinja2.Template, unit: Unit, finish: Callable[[str], str]) -> None:
        self.name = name  # of its file, relative to the site
        self.reads: tuple[Read, ...] = tuple(sorted(unit.reads))  # each place that reads a field
        self.names = frozenset(unit.names) & NAMES  # of ours, that it reads anything of
        self.files: tuple[str, ...] = tuple(unit.files)  # the templates and tables that it uses
        self._compiled = compiled
        self._finish = finish
        self._unit = unit
        self._reporter = RenderErrorReporter(unit)

    def render(self, names: dict[str, object]) -> str:
        """Return the record.

        An `OSError` from an embedded document passes through, and the `Problem` of one whose pages cannot be counted.

        Raises `Problem` with the field's name and the template's line, never the value.
        """
        try:
            pieces = self._compiled.root_render_func(Seen(self._compiled, names))
            return self._finish(budget.whole(pieces))
        except Exception as error:  # noqa: BLE001 (whatever it is, its own text may hold a value)
            stopped = self._stopped(error, names)
        raise stopped  # outside of the handler, so that it carries no trace of the frames that hold values

    def evaluate(self, names: dict[str, object], made: Callable[[Context], Made]) -> Made:
        """Return what is made of the names in the template's context.

        Raises as `render` does.
        """
        budget.start()
        try:
            return made(Seen(self._compiled, names))
        except Exception as error:  # noqa: BLE001 (as above)
            stopped = self._stopped(error, names)
        raise stopped

    def _stopped(self, error: Exception, names: Mapping[str, object]) -> Exception:
        """Return what is raised for an error that stops a rendering."""
        if isinstance(error, OSError):
            return error
        if isinstance(error, Problem):
            return error.with_traceback(None)
        return self._problem(error, names)

    def run(self, context: Context) -> "GeneratorType[str, None, None]":
        """Run the template, piece by piece."""
        return self._compiled.root_render_func(context)  # type: ignore[return-value]  # it is a generator

    def lines(self, names: dict[str, object]) -> list[Place]:
        """Return for each line of the record where in the templates it begins.

        Renders once more, and so is for records that are refused.
        """
        return self.evaluate(names, self._lines)

    def _lines(self, context: Context) -> list[Place]:
        places: list[Place | None] = [None]
        pieces = self.run(context)
        for piece in pieces:
            number = self._compiled.get_corresponding_lineno(pieces.gi_frame.f_lineno)  # type: ignore[union-attr]  # it runs
            offset = 0
            for index, text in enumerate(piece.split("\n")):
                if index:
                    places.append(None)
                if places[-1] is None and text.strip():
                    places[-1] = self._unit.places.wrote(number, piece, offset)
                offset += len(text) + 1
        known = [place for place in places if place]
        if self._finish("\n") == "" or not known:  # HL7 leaves blank lines out
            return known
        return list(accumulate(places, lambda before, place: place or before, initial=known[0]))[1:]

    def _frames(self, traceback: TracebackType | None) -> list[TracebackType]:
        """Return the frames that were rendering this template, the innermost last."""
        frames = []
        while traceback:
            if traceback.tb_frame.f_globals.get("__jinja_template__") is self._compiled:
                frames.append(traceback)
            traceback = traceback.tb_next
        return frames

    def _problem(self, error: Exception, names: Mapping[str, object]) -> Problem:
        frames = self._frames(error.__traceback__)
        numbers = [self._compiled.get_corresponding_lineno(frame.tb_lineno) for frame in frames]
        return self._reporter.problem(self.name, error, numbers, _held(frames), names)


def _held(frames: Sequence[TracebackType]) -> list[object]:
    """Return what the variables of the template held, the innermost last."""
    every = (item for frame in frames for item in frame.tb_frame.f_locals.items())
    return [value for name, value in every if name.startswith("l_")]  # as Jinja2 calls them


class Condition:
    """An expression that says whether something is done. Threads may share it."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self.reads = template.reads
        self.names = template.names
        self.files = template.files

    def holds(self, names: dict[str, object]) -> bool:
        """Return whether it holds. Raises `Problem` as `Template.render` does."""
        return bool(self._template.render(names))


class Items:
    """An expression that gives a list: a record is made for each of its items.

    Threads may share it.
    """

    def __init__(self, template: Template, table: str = "") -> None:
        self.table = table  # the one whose rows they are, whole and in order; "" for any other list
        self._template = template
        self.reads = template.reads
        self.files = template.files

    def of(self, names: dict[str, object]) -> list[Any]:
        """Return the list. Raises `Problem` as `Template.render` does."""
        return self._template.evaluate(names, self._listed)

    def _listed(self, context: Context) -> list[Any]:
        budget.concat(self._template.run(context))
        listed: list[Any] = context.vars[LISTED]
        return listed


def listed(value: Any) -> list[Any]:
    """Return the items of a list, counted. Raises `RefusedError` for what is none."""
    if isinstance(value, Mapping):
        raise RefusedError("is an object, not a list")
    return list(budget.each(value))


class RenderErrorReporter:
    """Explains why a rendering stopped: the line and what it read, never a value."""

    def __init__(self, unit: Unit) -> None:
        self._places = unit.places
        self._labels = unit.labels
        self._words = unit.words | NAMES

    def problem(
        self,
        name: str,
        error: Exception,
        numbers: Sequence[int],
        held: Sequence[object],
        names: Mapping[str, object],
    ) -> Problem:
        """Return the problem of a template for an error at some places, innermost last.

        `held` are the values of its variables then, by which a row of a table is known. A value that a filter or its
        place cannot take is the sender's, like one that its schema refuses; the line that asks for it stands beside.
        All else is the template's.
        """
        place = self._places.place(numbers[-1] if numbers else 0)
        label = self._label(numbers)
        if isinstance(error, RefusedError):
            label = _offending(_of_sender(label), error.offends, names)
        where = f"{place.file}:{place.line}"
        violation = self._violation(error, where, label, names)
        sent = _places(label, [names.get("item"), *held], names) if violation.rule in OF_VALUES else []
        if not sent:
            return Problem(Code.TEMPLATE_FAILED, f"{name} cannot be rendered for this delivery.", [violation])
        code = Code.FIELDS_INVALID if label.startswith(("fields.", "tables.")) else Code.METADATA_INVALID
        violations = [replace(violation, where=each, schema=where) for each in sent]
        return Problem(code, f"{name} needs values that are written otherwise.", violations)

    def _violation(self, error: Exception, where: str, label: str, names: Mapping[str, object]) -> Violation:
        if isinstance(error, MissingNameError):
            return Violation(where, "undefined", self._not_there(error, label, names))
        if isinstance(error, ExceededError) or (isinstance(error, RefusedError) and not label):
            return Violation(where, error.rule, error.reason[:1].upper() + error.reason[1:].rstrip(".") + ".")
        if isinstance(error, RefusedError):
            return Violation(where, error.rule, f"{label} {error.reason}.")
        kind = type(error).__name__
        return Violation(where, "value", f"{label or 'The template'} has a value that cannot be used here ({kind}).")

    def _label(self, numbers: Sequence[int]) -> str:
        """Return what was read, by the innermost place that reads the delivery itself."""
        labels = [self._labels.get(number, "") for number in reversed(numbers)]
        own = [label for label in labels if label.split(".")[0] in NAMES]
        return next(iter(own), next(filter(None, labels), ""))

    def _not_there(self, error: MissingNameError, label: str, names: Mapping[str, object]) -> str:
        advice = 'where it may be missing, write `is defined` or `| default("")`'
        owners = [name for name in KNOWN if name in names and names[name] is error.owner]
        if not isinstance(error.name, str) or error.name not in self._words:
            return f"{label or 'What is read here'} is not there; {advice}."
        if not owners:
            return f'{label or error.name} is not there: nothing is called "{error.name}"; {advice}.'
        known = names[owners[0]]
        hint = did_you_mean(error.name, known) if isinstance(known, Mapping) else ""
        return f"{owners[0]}.{error.name} is not there; {hint or advice + '.'}"


def _places(label: str, held: Sequence[object], names: Mapping[str, object]) -> list[str]:
    """Return the paths of the values read; none if some are not the sender's."""
    places = []
    for each in label.split(", "):
        owner, *steps = each.split(".")
        if owner not in SENT or not steps:
            return []
        path = _in_row(steps, held, names) if owner == "tables" else steps
        places.append(("" if owner == "metadata" else owner) + pointer(path))
    return places


def _in_row(steps: Sequence[str], held: Sequence[object], names: Mapping[str, object]) -> Sequence[str | int]:
    """Return the steps to a cell, with the numbers of the current row, if any."""
    rows = dict(_rows(names.get("tables"), ()))
    paths = [rows[id(value)] for value in reversed(held) if id(value) in rows]
    within = [path for path in paths if list(path[::2]) == list(steps[: len(path) // 2])]
    path = max(within, key=len, default=())
    return [*path, *steps[len(path) // 2 :]]


def _rows(tables: object, path: tuple[str | int, ...]) -> Iterator[tuple[int, tuple[str | int, ...]]]:
    """Yield each row, by its identity, and those of the tables in it."""
    for name, rows in tables.items() if isinstance(tables, Mapping) else ():
        for index, row in enumerate(rows if isinstance(rows, list) else ()):
            if isinstance(row, Mapping):
                yield id(row), (*path, name, index)
                yield from _rows(row, (*path, name, index))


def _of_sender(label: str) -> str:
    """Return which of several names read are the sender's; our own fit any filter."""
    return ", ".join(each for each in label.split(", ") if each.split(".")[0] in SENT) or label


def _offending(label: str, offends: Callable[[str], bool] | None, names: Mapping[str, object]) -> str:
    """Return which of the names read is to blame; any if only own ones are known."""
    if offends is None:
        return label
    read = label.split(", ")
    found = [each for each in read if _holds(_value(each, names), offends)]
    if label and not found and all(each.split(".")[0] not in NAMES for each in read):
        fields = names.get("fields")
        known = fields.items() if isinstance(fields, Mapping) else ()
        found = [f"fields.{name}" for name, value in known if _holds(value, offends)]
    return ", ".join(found[:MAX_LABELS]) or label


def _value(label: str, names: Mapping[str, object]) -> object:
    value: object = names
    for step in label.split("."):
        if isinstance(value, list):  # rows: every cell of that name
            value = [row.get(step) for row in value if isinstance(row, Mapping)]
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _holds(value: object, offends: Callable[[str], bool]) -> bool:
    """Return whether a text, or one within a list or an object, offends."""
    if isinstance(value, Mapping):
        return any(_holds(each, offends) for each in value.values())
    if isinstance(value, list | tuple):
        return any(_holds(each, offends) for each in value)
    return isinstance(value, str) and offends(value)
