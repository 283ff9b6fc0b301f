"""What was told and is not well again: a file under RECEIVER_DATA, which outlives every worker."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from receiver.core import units
from receiver.operations.notify.notices import Fault
from receiver.store import durable, folders, stage
from receiver.store.durable import storage

FOLDER = "notify"
FILE = "told.json"
README = """\
told.json holds what people were told and is not well again yet. Without it they would be told again.
"""

Standing = dict[str, dict[Fault, datetime]]  # process → fault → when it was told; aware, UTC


@contextmanager
def alone(data: Path) -> Iterator[bool]:
    """Be the only one on this host who tells; False where another one does. Raises Problem."""
    folders.own(data / FOLDER, README)
    lock = stage.hold(data / FOLDER)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def read(data: Path) -> Standing:
    """Return what was told; nothing where the file is missing or spoilt: then it is told again. Raises Problem."""
    with storage("read what was told"):
        try:
            content = (data / FOLDER / FILE).read_bytes()
        except FileNotFoundError:
            return {}
    try:
        return {process: _moments(faults) for process, faults in json.loads(content).items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def _moments(faults: Mapping[str, str]) -> dict[Fault, datetime]:
    return {Fault(fault): units.moment(at) for fault, at in faults.items()}


def write(data: Path, standing: Standing) -> None:
    """Note durably what was told. Raises Problem."""
    written = {
        process: {fault.value: units.stamp(at) for fault, at in faults.items()}
        for process, faults in sorted(standing.items())
        if faults
    }
    folder = data / FOLDER
    scratch = folder / f"{FILE}.new"
    folders.remove(scratch)  # of one who was killed while writing it
    durable.write_over(folder / FILE, json.dumps(written, indent=1).encode() + b"\n", scratch)
