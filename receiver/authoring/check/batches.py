"""Batches whose records may wait without end, or whose files may be in each other's way."""

from collections.abc import Iterator

from receiver.authoring.check.site import Site
from receiver.core.faults import Fault, Severity
from receiver.site.config.wording import value_name


def faults(site: Site) -> Iterator[Fault]:
    """Yield a warning for each batch that nothing closes in time, and a note for one whose files have one name."""
    for process in site.processes:
        for batch in process.config.batches:
            where = ("batches", batch.name)
            if batch.closing.after is None and batch.closing.at is None:
                message = "nothing closes this batch in time: its last records wait until more come"
                hint = 'add after = "1h" or at = "18:00" to close; or have `receiver batch close` run by a timer'
                yield process.config.fault("batch-waits", message, *where, hint=hint, severity=Severity.WARNING)
            if "{{" not in batch.path:
                message = f"each batch is named {value_name(batch.path)}: it waits until the one before is taken away"
                hint = "put {{ batch.number }} into it, unless the importing system asks for this name"
                yield process.config.fault("batch-waits", message, *where, "path", hint=hint, severity=Severity.INFO)
