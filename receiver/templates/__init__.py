"""Compiles a process's templates and renders them into records, each value escaped for its place.

The way of a template: `source` (tokens with places, `lines`) → `compiling`, which asks the
`formats` how each place escapes → Jinja2's own compiler → `template`, which renders within a `budget`.
"""

from receiver.templates.compiling.tracing import Trace
from receiver.templates.template import Condition, Template
from receiver.templates.templates import Templates

__all__ = ["Condition", "Template", "Templates", "Trace"]
