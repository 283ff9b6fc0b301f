"""Patterns of the fields schemas that let in more than they say: without anchors, or with a range such as [A-z]."""

import re
from collections.abc import Iterator

from receiver.authoring.check.shape import Member, Node, items
from receiver.authoring.check.site import Site
from receiver.core.faults import Fault, Severity

MIXED = re.compile(r"\[[^\]]*A-z")
WHOLE = re.compile(r"\{\d+(,\d*)?\}|[0-9A-Za-z\])][+*]")  # what counts its characters means the whole value
ANCHORED = re.compile(r"\^.*\$", re.DOTALL)


def faults(site: Site) -> Iterator[Fault]:
    """Yield patterns of fields that cannot be meant."""
    for name in sorted({str(each.config.fields.schema) for each in site.processes if each.config.fields.schema}):
        shape = site.shape(name)
        for member in shape.members.values() if shape else ():
            for node in _schemas(member, site):
                if isinstance(node.schema.get("pattern"), str):
                    yield from _loose(node, node.schema["pattern"])


def _schemas(member: Member, site: Site) -> Iterator[Node]:
    yield from member.certain
    inner = items(member.node, site.library)
    if inner:
        yield inner


def _loose(node: Node, pattern: str) -> Iterator[Fault]:
    message = hint = ""
    if MIXED.search(pattern):
        message = "A-z takes [ \\ ] ^ _ and ` as well, which stand between Z and a"
        hint = "write A-Za-z"
    elif WHOLE.search(pattern) and not ANCHORED.fullmatch(pattern):
        message = "a pattern is looked for anywhere in the value: what stands before or behind it is not asked"
        hint = f"write ^{pattern.removeprefix('^').removesuffix('$')}$"
    if message:
        yield node.document.fault(
            (*node.path, "pattern"), "loose-pattern", message, hint=hint, severity=Severity.WARNING
        )
