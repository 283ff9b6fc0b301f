"""Looks for original texts in what is about to be kept: a scrubbed case is searched before it is believed."""

import html
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from receiver.authoring.cases.capturing import Sent, laid_out
from receiver.authoring.cases.cases import SAMPLES
from receiver.authoring.cases.outcome import FROZEN, Outcome, run
from receiver.authoring.cases.site import root
from receiver.authoring.cases.verdict import files
from receiver.authoring.scrub.inventing import SHORTEST
from receiver.core.delivery import Role
from receiver.core.problems import Code, Problem, Violation
from receiver.site.compiling import SCHEMAS
from receiver.site.process import Process

NOTHING_WRONG = Problem(Code.FIELDS_INVALID, "", [Violation("", "", "")])  # its file has its own words alone


def telling(texts: Iterable[str]) -> set[str]:
    """Return the texts that are long enough to tell something, folded for a search."""
    return {text.casefold() for text in texts if len(text) >= SHORTEST}


def survivors(process: Process, parts: Sequence[Sent], originals: Iterable[str], kept: Iterable[str]) -> set[str]:
    """Return the original texts that stand in the case that these parts would become.

    Not counted is what is `kept` on purpose, and what stands there whatever is sent: words of the configuration,
    the clock, the blank pages.
    """
    expected = files(run(process, (part.incoming for part in parts)))
    case = _searchable([laid_out(process, parts), expected])
    public = "\n".join([_public(process, parts), *map(str.casefold, kept)])
    return {text for text in telling(originals) if text in case and text not in public}


def _searchable(folders: Iterable[Mapping[str, bytes]]) -> str:
    found = [item for folder in folders for item in folder.items()]
    text = "\n".join(f"{name}\n{content.decode('utf-8', 'replace')}" for name, content in found)
    return f"{text}\n{html.unescape(text)}".casefold()


def _public(process: Process, parts: Sequence[Sent]) -> str:
    return "\n".join([*_configuration(process), *_constants(parts), *laid_out(process, [])]).casefold()


def _configuration(process: Process) -> Iterator[str]:
    for folder in (process.config.folder, root(process) / SCHEMAS):
        for path in folder.rglob("*"):
            if path.is_file() and SAMPLES not in path.relative_to(folder).parts[:1]:
                yield path.read_text("utf-8", "replace")


def _constants(parts: Sequence[Sent]) -> Iterator[str]:
    yield from (f"{name}\n{content.decode()}" for name, content in files(Outcome(problem=NOTHING_WRONG)).items())
    yield FROZEN.isoformat()
    yield FROZEN.strftime("%Y%m%d%H%M%S%z")
    yield from (f"{part.section.name} {part.section.type} {part.suffix}" for part in parts)
    for part in parts:
        if part.role is not Role.METADATA:
            yield part.content.decode("utf-8", "replace")
            yield b64encode(part.content).decode()
            yield f"{len(part.content)} {sha256(part.content).hexdigest()}"
