"""A compiled template, and the condition on which a record is made."""

from collections.abc import Callable, Mapping
from types import TracebackType

import jinja2

from receiver.core.problems import Problem
from receiver.formats import budget
from receiver.templates.reads import Read
from receiver.templates.unit import Unit
from receiver.templates.why import Why


class Template:
    """One template, compiled. Threads may share it."""

    def __init__(self, name: str, compiled: jinja2.Template, unit: Unit, finish: Callable[[str], str]) -> None:
        self.name = name  # of its file, relative to the site
        self.reads: tuple[Read, ...] = tuple(sorted(unit.reads))  # each place that reads a field
        self.files: tuple[str, ...] = tuple(unit.files)  # the templates and tables that it uses
        self._compiled = compiled
        self._finish = finish
        self._why = Why(unit)

    def render(self, names: Mapping[str, object]) -> str:
        """Return the record. Raises `Problem` with the field's name and the template's line, never the value.

        An `OSError` from an embedded document passes through, and the `Problem` of one whose pages cannot be counted.
        """
        budget.start()
        try:
            context = self._compiled.new_context(dict(names))
            return self._finish(budget.concat(self._compiled.root_render_func(context)))
        except OSError:
            raise
        except Problem as broken:
            problem = broken.with_traceback(None)
        except Exception as error:  # noqa: BLE001 (whatever it is, its own text may tell a value)
            problem = self._why.problem(self.name, error, self._numbers(error.__traceback__), names)
        # Outside of the handler, so that the problem carries no trace of the frames that hold values.
        raise problem

    def _numbers(self, traceback: TracebackType | None) -> list[int]:
        """Return the places that were being rendered, the innermost last."""
        numbers = []
        while traceback:
            if traceback.tb_frame.f_globals.get("__jinja_template__") is self._compiled:
                numbers.append(self._compiled.get_corresponding_lineno(traceback.tb_lineno))
            traceback = traceback.tb_next
        return numbers


class Condition:
    """An expression that says whether something is done. Threads may share it."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self.reads = template.reads
        self.files = template.files

    def holds(self, names: Mapping[str, object]) -> bool:
        """Return whether it holds. Raises `Problem` as `Template.render` does."""
        return bool(self._template.render(names))
