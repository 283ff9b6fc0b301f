"""The samples of a process, against its own schemas."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from receiver.checking.site import Site
from receiver.checking.spots import spot
from receiver.config.model import PartConfig
from receiver.delivery import Role
from receiver.faults import Fault, Severity
from receiver.problems import Problem, Violation
from receiver.process import Process
from receiver.proving.cases import REQUEST, Case, cases, incoming, is_part
from receiver.proving.files import named

PROBLEM = "problem.json"  # in expected/: the sample is to be refused
MAX_TOLD = 10  # violations of one sample: the rest is seen by `receiver try`


class Metadata(NamedTuple):
    """The metadata of a sample, and where it begins."""

    file: Path
    content: bytes
    line: int = 1


def faults(site: Site) -> Iterator[Fault]:
    """Yield samples that are to pass and do not, and those that nobody expects anything of."""
    for pieces in site.processes:
        process = pieces.process(Path(), "")
        found = cases(process) if process else []
        for case in found:
            if not case.expected.is_dir():
                message, hint = "nothing says what this sample must become", "receiver test --update writes expected/"
                yield Fault(_file(site, case.folder), 1, 1, "sample-unproven", message, hint, Severity.INFO)
        passing = [case for case in found if not (case.expected / PROBLEM).exists()]
        if passing and all(_lacks_id(site, case) for case in passing):
            yield _wrong_path(passing)
        else:
            yield from (fault for case in passing for fault in _judged(site, case))


def _lacks_id(site: Site, case: Case) -> bool:
    metadata = _metadata(case, site.settings.max_body)
    return metadata is not None and any(each.rule == "source_id" for each in _violations(case.process, metadata))


def _wrong_path(passing: list[Case]) -> Fault:
    """Blame the path, where no sample has a document's id there."""
    message = f"there is no document's id at this path in any of the samples ({len(passing)})"
    hint = "write the path that leads to it in the metadata, as sourceId does, or document.id"
    return passing[0].process.config.fault("unknown-path", message, "metadata", "source_id", hint=hint)


def _judged(site: Site, case: Case) -> Iterator[Fault]:
    metadata = _metadata(case, site.settings.max_body)
    if metadata is None:
        message = "the sample has no metadata, and so would be refused"
        hint = f'name a file after the part, "{_rule(case.process).name}"'
        yield Fault(_file(site, case.folder), 1, 1, "sample-without-metadata", message, hint)
        return
    for violation in _violations(case.process, metadata)[:MAX_TOLD]:
        line, column = spot(case.process.metadata, metadata.content, violation.where)
        message = f"the sample is rejected: {violation.where} {violation.message}"
        hint = "expect it in expected/problem.json, or mend one of the two"
        file = _file(site, metadata.file)
        yield Fault(file, metadata.line + line - 1, column, "sample-rejected", message, hint)


def _violations(process: Process, metadata: Metadata) -> tuple[Violation, ...]:
    try:
        process.metadata.read(metadata.content)
    except Problem as problem:
        return problem.violations
    return ()


def _metadata(case: Case, max_body: int) -> Metadata | None:
    request, name = case.folder / REQUEST, _rule(case.process).name
    if not request.exists():
        files = (path for path in sorted(case.folder.iterdir()) if path.is_file() and not path.name.startswith("."))
        found = (path for path in files if named(str(path), is_part(case.process)).section.name == name)
        return next((Metadata(path, path.read_bytes()) for path in found), None)
    try:
        content = next((_content(each) for each in incoming(case, max_body) if each.section.name == name), None)
    except (Problem, ValueError):
        content = None
    whole = request.read_bytes()
    return Metadata(request, content, whole[: whole.find(content)].count(b"\n") + 1) if content is not None else None


def _content(each: object) -> bytes:
    return b"".join(each.content)  # type: ignore[attr-defined]


def _rule(process: Process) -> PartConfig:
    return next(part for part in process.config.parts if part.role is Role.METADATA)


def _file(site: Site, path: Path) -> str:
    return path.relative_to(site.settings.site).as_posix()
