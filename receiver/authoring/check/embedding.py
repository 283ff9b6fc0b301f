"""Documents within records: one of several, one that is larger than the template takes."""

from collections.abc import Iterator

from jinja2 import nodes

from receiver.authoring.check.site import Site
from receiver.authoring.check.written import Written, texts
from receiver.core import units
from receiver.core.delivery import Role
from receiver.core.faults import Fault
from receiver.formats.limits import MAX_DOCUMENT
from receiver.site.config.model import PartConfig


def faults(site: Site) -> Iterator[Fault]:
    """Yield templates that read one document of several, and those that embed less than a part may have."""
    for process in site.processes:
        rules = [part for part in process.config.parts if part.role is Role.DOCUMENT]
        written = [each for each in texts(site, process) if each.record]
        if rules and rules[0].many and not any(list(each.names("documents")) for each in written):
            yield from _first(written, rules[0])
        for each in written:
            yield from _sizes(each, rules)


def _first(written: list[Written], rule: PartConfig) -> Iterator[Fault]:
    for each in written:
        for node in list(each.names("document"))[:1]:
            message = f'several documents may come as "{rule.name}", and only the first is told of'
            yield each.fault(node, "first-only", message, "write {% for document in documents %} … {% endfor %}")


def _sizes(written: Written, rules: list[PartConfig]) -> Iterator[Fault]:
    for node in written.root.find_all(nodes.Filter):
        limit = _limit(node) if node.name == "base64" else None
        for rule in rules if limit is not None else ():
            if limit is not None and rule.max_size is not None and rule.max_size > limit:
                message = (
                    f"no more than {units.size_text(limit)} are embedded, and {rule.name} may have "
                    f"{units.size_text(rule.max_size)}: a document between them is refused"
                )
                hint = "give both the same size"
                yield written.fault(node, "size-misfit", message, hint)
                break


def _limit(node: nodes.Filter) -> int | None:
    argument = node.args[0] if node.args else nodes.Const(MAX_DOCUMENT)
    value = argument.value if isinstance(argument, nodes.Const) else None
    try:
        size = units.size(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return min(size, MAX_DOCUMENT) if isinstance(size, int) else None
