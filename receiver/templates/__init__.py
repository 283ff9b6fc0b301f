"""Compiles and renders a process's templates, each value escaped for its place.

The way of a template: `source` (tokens with places) → `compiler`, which asks the
`formats` how each place escapes → Jinja2's own compiler → `template`, which renders within a `budget`.
"""

from receiver.templates.template import Condition, Items, Template
from receiver.templates.templates import Templates
from receiver.templates.tracing import Trace

__all__ = ["Condition", "Items", "Template", "Templates", "Trace"]
