"""The paths to the fields, against the schema of the metadata that they lead through."""

from collections.abc import Iterator
from typing import Any

from receiver.authoring.check import shape
from receiver.authoring.check.shape import Node
from receiver.authoring.check.site import Site
from receiver.core.faults import Fault, Severity, did_you_mean
from receiver.site.compiling import Pieces

FROM_EACH = ("name", "value", "confidence")


def faults(site: Site) -> Iterator[Fault]:
    """Yield paths of JSON metadata that name what its schema does not."""
    for process in site.processes:
        document = site.schema(process.config.metadata.schema) if process.config.metadata.form == "json" else None
        if process.metadata and document:
            root, layout = shape.root(document, site.library), process.metadata.layout
            yield from _judged(site, process, root, process.metadata.source_id, "metadata", "source_id")
            yield from _judged(site, process, root, layout.each, "fields", "each")
            each = _at(site, root, _keys(layout.each))
            item = shape.items(each, site.library) if each else None
            for name in FROM_EACH if item else ():
                yield from _judged(site, process, item, getattr(layout, name), "fields", name)


def _keys(path: Any) -> tuple[str, ...]:
    """Return the steps of a JMESPath that is nothing but names; of any other none."""
    keys: tuple[str, ...] = path.keys
    return keys


def _judged(site: Site, process: Pieces, top: Node | None, path: Any, *position: str) -> Iterator[Fault]:
    for index, key in enumerate(_keys(path)):
        node = _at(site, top, _keys(path)[:index])
        known = shape.of(node, site.library) if node else None
        if known is None or known.knows(key) or not (known.members or known.closed):
            continue
        near = did_you_mean(key, known.members)
        if near or known.closed:
            message = f'{process.config.metadata.schema} knows nothing called "{key}" there'
            severity = Severity.ERROR if known.closed else Severity.WARNING
            yield process.config.fault("unknown-path", message, *position, hint=near, severity=severity)


def _at(site: Site, top: Node | None, keys: tuple[str, ...]) -> Node | None:
    for key in keys:
        member = shape.of(top, site.library).members.get(key) if top else None
        top = member.node if member else None
    return top
