"""Originals: the parts of published deliveries as they came, if they are kept.

They are hard links to what is published, so they cost no second copy where data and output share a file system.
They are laid out in the stage, accepted with the rest, and moved here as the last step of the publication.
"""

from collections.abc import Sequence
from pathlib import Path

from receiver.core.delivery import Kind, Output, Part
from receiver.store import durable, folders, kept
from receiver.store.durable import storage
from receiver.store.entry import Entry
from receiver.store.staged import Staged

FOLDER = "originals"
DESCRIPTION = "delivery.json"
README = """\
The parts of published deliveries as they came: one folder for each, <process>/<id>, with delivery.json, which tells
what they are. `receiver replay` works from here. They are removed when their time is over ([retention] originals).
"""


def ensure_folder(data: Path) -> None:
    """Create the folder of all originals. Raises Problem."""
    folders.ensure_folder(data / FOLDER, README)


def folder(data: Path, process: str, id: str) -> Path:  # noqa: A002 (the ledger's word)
    """Return where the originals of one delivery are kept."""
    return data.absolute() / FOLDER / process / id


def lay_out(data: Path, staged: Staged, entry: Entry, parts: Sequence[Part]) -> Output:
    """Put the parts together in the stage; the output returned goes into the entry.

    Raises Problem.
    """
    staged.write()
    laid_out = staged.free(f".{FOLDER}")
    with storage("create a folder in the stage"):
        laid_out.mkdir(mode=folders.FOLDER_MODE)
    for part in parts:
        kept.put(part, laid_out)
    description = kept.describe(entry, parts)
    durable.write_new(laid_out / DESCRIPTION, description)
    durable.sync_folder(laid_out)
    place = str(folder(data, entry.process, entry.id))
    return Output(Kind.ORIGINALS, laid_out.name, "", place, sum(part.size for part in parts), "")


def discard(data: Path, process: str, id: str) -> None:  # noqa: A002 (the ledger's word)
    """Remove the originals of one delivery, if there are any. Raises Problem."""
    kept.take_away(folder(data, process, id))


def load(data: Path, process: str, id: str) -> kept.Kept:  # noqa: A002 (the ledger's word)
    """Read the originals of one delivery. Raises Problem if there are none."""
    return kept.load(folder(data, process, id) / DESCRIPTION)
