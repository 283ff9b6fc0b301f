"""Rules of process.toml between [[records]] and [batches], and on their places."""

from collections.abc import Iterator, Sequence
from typing import Any

from receiver.core.faults import Fault, did_you_mean
from receiver.core.positions import Path
from receiver.site.config.source import Source
from receiver.site.config.wording import value_name

ALIKE = ("encoding", "line_ends", "delimiter", "quote", "forbid")  # header and trailer are written as records


def faults(source: Source, formats: Sequence[str | None]) -> Iterator[Fault]:
    """Yield unknown batches, empty ones, and those whose records are written unlike."""
    batches: dict[str, Any] = source.data.get("batches", {})
    first: dict[str, int] = {}
    for index, record in enumerate(source.data.get("records", [])):
        name = record.get("batch")
        if name is not None and name not in batches:
            hint = did_you_mean(name, batches) or f"add [batches.{name}]"
            yield source.fault("unknown-batch", f"there is no batch {value_name(name)}", _at(index, "batch"), hint=hint)
        elif name is not None:
            yield from _unlike(source, first.setdefault(name, index), index, formats)
    for name in batches.keys() - first.keys():
        message, hint = "no record goes into this batch", f"write batch = {value_name(name)} in one of the [[records]]"
        yield source.fault("no-effect", message, ("batches", name), hint=hint)


def place(source: Source, index: int, record: dict[str, Any]) -> Iterator[Fault]:
    """Yield a record that has no place to go to, or two."""
    if "batch" not in record and "path" not in record:
        hint = "The record's name in the output folder; or batch, if it goes into one"
        yield source.fault("missing-key", "the key path is missing in [[records]]", _at(index, "path"), hint=hint)
    elif "batch" in record and "path" in record:
        message = "a record that goes into a batch is no file of its own"
        yield source.fault("no-effect", message, _at(index, "path"), hint="remove this line: the batch has a path")
    for key in {"directory", "group"} & record.keys() if "batch" in record else ():
        message, hint = "the batch says where it is published", f"write {key} under [batches.{record['batch']}]"
        yield source.fault("no-effect", message, _at(index, key), hint=hint)
    if "group" in record and "directory" not in record and "batch" not in record:
        message, hint = (
            "the process's own folder has its group under [output]",
            "write directory beside it",
        )
        yield source.fault("no-effect", message, _at(index, "group"), hint=hint)


def _unlike(source: Source, first: int, index: int, formats: Sequence[str | None]) -> Iterator[Fault]:
    """Yield what a record has otherwise than the first one of its batch."""
    one, other = source.data["records"][first], source.data["records"][index]
    unlike = [key for key in ALIKE if one.get(key) != other.get(key)]
    for key in unlike if formats[first] == formats[index] else ["format", *unlike]:
        message = f"{key} is not the same as for the other records of the batch {value_name(other['batch'])}"
        place = _at(index, key if key in other else "batch")
        yield source.fault("batch-mixed", message, place, hint="one file is written in one way")


def _at(index: int, key: str) -> Path:
    return ("records", index, key)
