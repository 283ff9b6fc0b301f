"""What scrubbing must keep, and what must not survive it."""

import html
from base64 import b64encode
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from receiver.authoring.cases.capturing import Sent, laid_out
from receiver.authoring.cases.cases import SAMPLES, root
from receiver.authoring.cases.coverage import traced
from receiver.authoring.cases.outcome import FROZEN, Outcome, run
from receiver.authoring.cases.verdict import files
from receiver.authoring.scrub.inventing import SHORTEST
from receiver.core.delivery import Role
from receiver.core.problems import Code, Problem, Violation
from receiver.metadata.tables import outline
from receiver.schemas.encodings import MalformedError
from receiver.site.compiling import SCHEMAS
from receiver.site.process import Process

PLACED = {  # whose violations stand at places that do not depend on values
    Code.METADATA_INVALID,
    Code.FIELDS_INVALID,
    Code.CONFIDENCE_LOW,
    Code.TEMPLATE_FAILED,
    Code.RULE_BROKEN,
}


class Sameness:
    """Judges deliveries to one process, and records their way through its templates."""

    def __init__(self, process: Process) -> None:
        self.process, self._trace = traced(process)

    def judged(self, parts: Sequence[Sent]) -> tuple[Hashable, Hashable]:
        """Return how a delivery is judged, and its way, without anything of its values."""
        self._trace.forget()
        outcome = run(self.process, (part.incoming for part in parts))
        lines = frozenset(line for line, rendered in self._trace.lines.items() if rendered)
        ways = frozenset((place, way) for place, seen in self._trace.conditions.items() for way in seen)
        return (_verdict(outcome), structure(self.process, parts)), (lines, ways)


def _verdict(outcome: Outcome) -> Hashable:
    """Return the problem and the rules that are broken, or how much is published."""
    if outcome.problem:
        placed = outcome.problem.code in PLACED
        broken = [(each.rule, each.schema or "", each.where if placed else "") for each in outcome.problem.violations]
        return outcome.problem.code, tuple(sorted(broken))
    return len(outcome.rendered.records) if outcome.rendered else 0


def structure(process: Process, parts: Sequence[Sent]) -> Hashable:
    """Return the names of all fields and cells with their confidences.

    Of a refused delivery, too.
    """
    form, layout = process.metadata.form, process.metadata.layout
    for part in parts:
        if part.role is Role.METADATA:
            try:
                document = form.parse(part.content)
            except MalformedError:
                return None
            found = form.fields(document, layout)
            read = layout.read(found.items if found else ())
            fields = [(str(name), str(confidence)) for name, _, confidence in read]
            return str((fields, list(outline(form.top(document), form, process.metadata.tables))))
    return None


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
