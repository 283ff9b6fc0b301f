"""Drafts of a process's files, tried on a copy and saved after check and test.

A draft touches nothing that is in force. What is saved is taken over by the service as any other edit of the site is.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from receiver.authoring.cases import verdict
from receiver.authoring.cases.cases import SAMPLES, cases, incoming, processes
from receiver.authoring.cases.outcome import Outcome, run
from receiver.authoring.check import check
from receiver.core.faults import ConfigurationError, Fault, Severity
from receiver.core.settings import Settings
from receiver.delivery.context import Context
from receiver.operations import rehearsal, replay
from receiver.site import in_force
from receiver.site.config.site import MAPPINGS, files
from receiver.site.config.source import FILE
from receiver.store import durable, folders
from receiver.store.entry import Entry

SUFFIXES = (".toml", ".j2", ".csv")
LONGEST = 500_000  # bytes of a file that is edited: a code table of ten thousand lines
FOLDER = "former"  # in RECEIVER_DATA: what files were before they were saved
KEPT = 100  # former states of one file
README = """\
What files of the site were before somebody saved them in the console: <process>/<file>/<time>. Nothing reads them;
copy one back to undo an edit.
"""


def names(settings: Settings, process: str) -> list[str]:
    """Return the files of a process that may be edited, process.toml first."""
    folder = settings.site / MAPPINGS / process
    found = [path.relative_to(folder) for path in files(folder) if path.suffix in SUFFIXES]
    own = [str(path) for path in found if path.parts[0] != SAMPLES]
    return sorted(own, key=lambda name: (name != FILE, name))


def path_of(settings: Settings, process: str, name: str) -> Path:
    """Return where a file of a process lies."""
    return settings.site / MAPPINGS / process / name


def digest(content: bytes) -> str:
    """Return what tells two states of a file apart."""
    return hashlib.sha256(content).hexdigest()


def as_saved(text: str, former: bytes) -> bytes:
    """Return a browser's text with the line ends that the file had."""
    text = text.replace("\r\n", "\n")
    return (text.replace("\n", "\r\n") if b"\r\n" in former else text).encode()


@contextmanager
def drafted(settings: Settings, process: str, name: str, content: bytes) -> Iterator[Settings]:
    """Yield settings whose site has a draft in the place of a file. Raises Problem."""
    with TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        in_force.copy(settings.site, site)
        site.joinpath(MAPPINGS, process, name).write_bytes(content)
        yield replace(settings, site=site)


def findings(draft: Settings, process: str) -> list[Fault]:
    """Return what `receiver check` says of a process; tokens are unknown here."""
    own = [each for each in check(draft, {}) if each.file.startswith(f"{MAPPINGS}/{process}/")]
    return [each for each in own if not each.code.startswith("token-")]


def of_case(draft: Settings, process: str, name: str) -> Outcome | None:
    """Return what a sample case becomes by a draft; None if there is none.

    Raises ConfigurationError.
    """
    found = {case.name: case for case in cases(processes(draft, [process])[process])}
    case = found.get(name)
    return run(case.process, incoming(case, draft.max_body), version=case.version) if case else None


def of_kept(draft: Settings, context: Context, entry: Entry) -> Outcome:
    """Return what a kept delivery becomes by a draft.

    Raises ConfigurationError, and Problem if it is not kept.
    """
    _, kept = replay.find(context, entry)
    process = processes(draft, [entry.process])[entry.process]
    return rehearsal.judge(context, process, kept, entry, accept_confidence=True)


def broken_cases(draft: Settings, process: str) -> Mapping[str, tuple[str, ...]]:
    """Return the sample cases that do not become what they must, and how they differ.

    Raises ConfigurationError.
    """
    proofs = [verdict.prove(case, draft.max_body) for case in cases(processes(draft, [process])[process])]
    bad = (verdict.Status.CHANGED, verdict.Status.ERROR)
    return {proof.case.name: tuple(proof.verdict.differences) for proof in proofs if proof.verdict.status in bad}


def against(draft: Settings, process: str) -> list[str]:
    """Return what keeps a draft from being saved, line by line."""
    errors = [each for each in findings(draft, process) if each.severity is Severity.ERROR]
    if errors:
        return list(map(str, errors))
    try:
        broken = broken_cases(draft, process)
    except ConfigurationError as error:
        return list(map(str, error.faults))
    return [f"samples/{name}: {line}" for name, lines in broken.items() for line in lines or ("differs",)]


def is_read_only(path: Path) -> bool:
    """Return whether a file of the site cannot be saved here."""
    return not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def save(settings: Settings, process: str, name: str, content: bytes) -> None:
    """Put a draft in the place of a file, whose former state is kept.

    Durable on return. Raises Problem.
    """
    path = path_of(settings, process, name)
    _keep_former(settings.data, process, name, path.read_bytes())
    mode = stat.S_IMODE(path.stat().st_mode)
    durable.write_over(path, content, path.with_name(f".{path.name}.{os.urandom(5).hex()}"), mode)


def _keep_former(data: Path, process: str, name: str, content: bytes) -> None:
    folders.ensure_folder(data / FOLDER, README)
    folder = data / FOLDER / process / name
    folder.mkdir(mode=folders.FOLDER_MODE, parents=True, exist_ok=True)
    durable.write_new(folder / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ"), content)
    durable.sync_folder(folder)
    for old in sorted(folder.iterdir())[:-KEPT]:
        folders.remove(old)
