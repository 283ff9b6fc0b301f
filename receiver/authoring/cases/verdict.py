"""Compares the outcome of a sample case with expected/, and writes expected/."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from receiver.authoring.cases.cases import Case, Files, NotARequestError, expected, incoming
from receiver.authoring.cases.outcome import Outcome, run
from receiver.core.delivery import Record
from receiver.core.delivery import Status as DeliveryStatus
from receiver.core.problems import Problem
from receiver.formats.comparing import RecordStyle, differences
from receiver.site.config.model import ProcessConfig

PROBLEM = "problem.json"
JUDGED = ("where", "rule", "schema")  # of a violation; its message is for people, and may become a better one


class Status(StrEnum):
    """How a case ends."""

    OK = "ok"
    CHANGED = "changed"
    NEW = "new"  # nobody has said yet what it must become
    ERROR = "error"  # the case itself cannot be run


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case ended, and every difference."""

    status: Status
    differences: tuple[str, ...] = ()


def judge(case: Case, outcome: Outcome) -> Verdict:
    """Compare an outcome with what is expected of the case."""
    wanted = expected(case)
    if wanted is None:
        return Verdict(Status.NEW)
    found = tuple(compare(case.process.config, wanted, files(outcome)))
    return Verdict(Status.CHANGED if found else Status.OK, found)


def files(outcome: Outcome) -> Files:
    """Return what is kept of an outcome in expected/."""
    if outcome.problem:
        return {PROBLEM: _described(outcome.problem, held=outcome.held)}
    rendered = outcome.rendered
    records = {_name(record): record.content for record in (*rendered.records, *outcome.batches)} if rendered else {}
    return records | ({rendered.marker: b""} if rendered and rendered.marker else {})


def _name(record: Record) -> str:
    """Return a record's name in expected/.

    One of another output folder is below its name.
    """
    return f"{record.root.name}/{record.path}" if record.root else record.path


def compare(config: ProcessConfig, wanted: Files, got: Files) -> Iterator[str]:
    """Yield one line for each difference, with its file's name before it."""
    if PROBLEM in wanted and PROBLEM in got:
        yield from _problems(wanted[PROBLEM], got[PROBLEM])
        return
    if PROBLEM in wanted or PROBLEM in got:
        yield from _verdicts(wanted, got)
        return
    renamed = _renamed([path for path in wanted if path not in got], [path for path in got if path not in wanted])
    yield from (f"{old}: is called {new} now" for old, new in renamed.items())
    for path in wanted:
        found = renamed.get(path, path)
        if found not in got:
            yield f"{path}: missing"
            continue
        form = forms(config).get(PurePosixPath(found).suffix, RecordStyle())
        yield from (f"{found}  {each}" for each in differences(form, wanted[path], got[found]))
    yield from (f"{path}: not expected" for path in got if path not in wanted and path not in renamed.values())


def write(case: Case, files: Files) -> None:
    """Make expected/ hold these files and no others; equal files are not touched."""
    for path in sorted(case.expected.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and path.relative_to(case.expected).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        target = case.expected / name
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def _described(problem: Problem, *, held: bool) -> bytes:
    document = {
        "status": DeliveryStatus.HELD if held else DeliveryStatus.REFUSED,
        "code": problem.code,
        "violations": [asdict(violation) for violation in problem.violations],
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def forms(config: ProcessConfig) -> Mapping[str, RecordStyle]:
    """Return how records are written, by the ending of their names."""
    of_batches = {batch.name: batch.path for batch in config.batches}
    paths = [record.path or of_batches[record.batch or ""] for record in config.records]
    return {
        PurePosixPath(path).suffix: RecordStyle(record.format, record.encoding, record.delimiter)
        for path, record in zip(paths, config.records, strict=True)
    }


def _renamed(gone: list[str], new: list[str]) -> dict[str, str]:
    """Report files that only have another name.

    Ids, and so names, follow the content.
    """
    found = {}
    for path in gone:
        same = [other for other in new if PurePosixPath(other).suffix == PurePosixPath(path).suffix]
        if same:
            found[path] = same[0]
            new.remove(same[0])
    return found


def _problems(wanted: bytes, got: bytes) -> Iterator[str]:
    try:
        one: dict[str, Any] = json.loads(wanted)
        before = [_judged(violation) for violation in one["violations"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        yield f'{PROBLEM}: must be {{"code": …, "violations": [{{"where", "rule", "message", "schema"}}, …]}}'
        return
    other = json.loads(got)
    after = [_judged(violation) for violation in other["violations"]]
    for name in ("code", *(["status"] if "status" in one else [])):  # which may be left out: code and rules matter
        if one.get(name) != other[name]:
            yield f"{name}: expected {one.get(name)}, got {other[name]}"
    yield from (f"violation missing: {_line(each)}" for each in before if each not in after)
    yield from (f"violation not expected: {_line(each)}" for each in after if each not in before)


def _verdicts(wanted: Files, got: Files) -> Iterator[str]:
    if PROBLEM in wanted:
        yield f"expected to be refused or held, got published: {', '.join(got)}"
        return
    document = json.loads(got[PROBLEM])
    yield f"expected to be published, got {document['code']}"
    yield from (f"{_line(_judged(each))}: {each['message']}" for each in document["violations"])


def _judged(violation: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(violation.get(name) for name in JUDGED)


def _line(judged: tuple[Any, ...]) -> str:
    return " ".join(str(each) for each in judged if each)


@dataclass(frozen=True, slots=True)
class Proof:
    """One case, what became of it, and how that compares."""

    case: Case
    outcome: Outcome
    verdict: Verdict
    seconds: float

    @property
    def name(self) -> str:
        """The case's name with its process before it."""
        return f"{self.case.process.name}/{self.case.name}"


def prove(case: Case, max_body: int) -> Proof:
    """Run one case."""
    began = time.perf_counter()
    try:
        outcome = run(case.process, incoming(case, max_body), version=case.version)
        verdict = judge(case, outcome)
    except (NotARequestError, OSError) as error:
        outcome, verdict = Outcome(), Verdict(Status.ERROR, (str(error),))
    return Proof(case, outcome, verdict, time.perf_counter() - began)
