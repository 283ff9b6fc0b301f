"""Batches that may wait without end, or whose files may get the same name."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from receiver.authoring.check.site import Site
from receiver.core.faults import Fault, Severity
from receiver.site.config.model import BatchConfig
from receiver.site.config.wording import value_name
from receiver.site.pieces import Pieces
from receiver.templates.templates import declared_delimiter

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def faults(site: Site) -> Iterator[Fault]:
    """Yield a warning for each batch that nothing closes, and for equal names."""
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
            yield from _columns(process, batch)


def _columns(process: Pieces, batch: BatchConfig) -> Iterator[Fault]:
    """Yield a header whose columns differ from those of the rows.

    Only where both are one line of a template.
    """
    for each in process.records:
        record, header = each.config, process.config.folder / str(batch.header)
        if record.batch != batch.name or record.format != "csv" or not batch.header or not each.template:
            continue
        template = process.config.folder.parents[1] / each.template.name
        delimiter = record.delimiter or declared_delimiter(template.read_text("utf-8-sig")) or ","
        line, columns = _only_line(header, delimiter)
        rows = _only_line(template, delimiter)[1]
        if columns and rows and columns != rows:
            message = f"the header has {columns} columns, and the rows of {record.template} have {rows}"
            file = header.relative_to(process.config.folder.parents[1]).as_posix()
            yield Fault(file, line, 1, "record-invalid", message, "name each column once", Severity.WARNING)


def _only_line(file: Path, delimiter: str) -> tuple[int, int]:
    """Return the number of the only line that a template prints, and its columns.

    0 if there are more, or none.
    """
    text = file.read_text("utf-8-sig") if file.is_file() else ""
    plain = TAG.sub(lambda tag: "x" * tag[0].startswith("{{") + "\n" * tag[0].count("\n"), text)
    written = [(number, line) for number, line in enumerate(plain.splitlines(), 1) if line.strip()]
    if len(written) != 1 or "{% for" in text:
        return 0, 0
    [(number, line)] = written
    return number, len(next(csv.reader([line], delimiter=delimiter)))
