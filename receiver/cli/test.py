"""`receiver test`: every sample case against what it must become."""

import sys
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import groupby
from math import floor
from pathlib import Path

import click

from receiver.authoring.cases import coverage as covered
from receiver.authoring.cases import junit, verdict
from receiver.authoring.cases.cases import Case, cases, processes
from receiver.authoring.cases.coverage import FieldCoverage, FileCoverage, traced
from receiver.authoring.cases.verdict import Proof, Status, prove
from receiver.core.faults import did_you_mean
from receiver.core.settings import Settings
from receiver.schemas.json_library import Library
from receiver.site.compiling import SCHEMAS
from receiver.site.process import Process
from receiver.templates import Trace

COLOURS = {Status.OK: "green", Status.CHANGED: "red", Status.NEW: "yellow", Status.ERROR: "red"}


@click.command()
@click.argument("names", metavar="[PROCESS]...", nargs=-1)
@click.option("--case", help="Only the case of this name.")
@click.option("--update", is_flag=True, help="Write what the cases become to their expected/.")
@click.option(
    "--accept-refusals",
    "refusals",
    metavar="CASE",
    multiple=True,
    help="With --update: this case was published and is refused or held now, and that is right.",
)
@click.option("--coverage", is_flag=True, help="Show which lines, conditions and fields no case tries.")
@click.option("--fail-under", metavar="PERCENT", type=click.FloatRange(0, 100), help="End with 1 below this coverage.")
@click.option("--junit", "junit_file", type=click.Path(path_type=Path), help="Also report to this file, as JUnit XML.")
def command(
    names: Sequence[str],
    case: str | None,
    update: bool,
    refusals: Sequence[str],
    coverage: bool,
    fail_under: float | None,
    junit_file: Path | None,
) -> None:
    """Run every sample case of each PROCESS and compare it with its expected/.

    Without PROCESS: of the whole site.

    Nothing is published, and every delivery arrives at the same moment: 2026-01-02 03:04:05 UTC. A case without
    expected/ is new: look at it with `receiver try`, then write it with --update. What was published and is refused
    now is never written without --accept-refusals. Ends with 0 if every case becomes what it must, 1 if one
    does not, 2 if it was called wrongly or a process is faulty.
    """
    if refusals and not update:
        raise click.UsageError("--accept-refusals goes with --update")
    settings = Settings.from_environment()
    chosen = list(processes(settings, names).values())
    traces = [traced(process) for process in chosen] if coverage or fail_under is not None else []
    found = _cases([process for process, _ in traces] or chosen, case)
    _require(refusals, found)
    proofs = [prove(each, settings.max_body) for each in found]
    written = {proof.name for proof in proofs if update and _settles(proof, refusals)}
    for proof in proofs:
        if proof.name in written:
            verdict.write(proof.case, verdict.files(proof.outcome))
        _show(proof, settled=proof.name in written, update=update)
    _summary(proofs, written)
    if junit_file:
        junit.report(proofs).write(junit_file, "utf-8", xml_declaration=True)
    fine = all(proof.verdict.status is Status.OK or proof.name in written for proof in proofs)
    enough = not traces or _show_coverage(traces, proofs, settings) >= (fail_under or 0)
    sys.exit(0 if fine and enough else 1)


def _cases(chosen: Iterable[Process], name: str | None) -> list[Case]:
    found = [case for process in chosen for case in cases(process)]
    if name is None:
        return found
    named = [case for case in found if case.name == name]
    if not named:
        hint = did_you_mean(name, [case.name for case in found])
        raise click.UsageError(f'there is no case "{name}"' + (f" ({hint})" if hint else ""))
    return named


def _require(refusals: Sequence[str], found: Sequence[Case]) -> None:
    if missing := [name for name in refusals if name not in {case.name for case in found}]:
        hint = did_you_mean(missing[0], [case.name for case in found])
        raise click.UsageError(f'there is no case "{missing[0]}"' + (f" ({hint})" if hint else ""))


def _settles(proof: Proof, refusals: Sequence[str]) -> bool:
    """Return whether --update writes a case.

    Not if it was published and is refused now, unless that is asked for.
    """
    if proof.verdict.status is Status.NEW:
        return True
    refused = proof.outcome.problem is not None and not (proof.case.expected / verdict.PROBLEM).exists()
    return proof.verdict.status is Status.CHANGED and (not refused or proof.case.name in refusals)


def _show(proof: Proof, *, settled: bool, update: bool) -> None:
    status = proof.verdict.status
    hint = "  it has no expected/ yet: --update writes what it becomes" if status is Status.NEW and not settled else ""
    click.echo(f"{click.style('written' if settled else status, fg=COLOURS[status]):18}{proof.name}{hint}")
    for difference in proof.verdict.differences:
        click.echo(f"    {difference}")
    if update and not settled and status is Status.CHANGED:
        told = f"if that is right: receiver test --update --accept-refusals {proof.case.name}"
        click.echo(f"    (not written: it was published before; {told})")
    elif not settled and any(" is called " in difference for difference in proof.verdict.differences):
        click.echo("    (an id follows the process's name and the delivery: after copying or renaming, --update)")


def _summary(proofs: Sequence[Proof], written: Container[str]) -> None:
    counted = Counter("written" if proof.name in written else proof.verdict.status for proof in proofs)
    ends = ", ".join(f"{count} {status}" for status, count in counted.items()) or "none"
    click.echo(f"{len(proofs)} {'case' if len(proofs) == 1 else 'cases'}: {ends}")


def _show_coverage(traces: Sequence[tuple[Process, Trace]], proofs: Sequence[Proof], settings: Settings) -> float:
    """Show what was tried of each process; return the percentage of all templates."""
    files: list[FileCoverage] = []
    for process, trace in traces:
        for file in covered.of_templates(trace):
            files.append(file)
            _show_file(file)
        outcomes = [proof.outcome for proof in proofs if proof.case.process is process]
        if rules := covered.unbroken(process, outcomes):
            click.echo(f"      rules of {process.name} that no case breaks: {', '.join(rules)}")
        _show_unused_fields(process, covered.of_fields(process, _known_fields(process, settings), outcomes))
    total = covered.percent(files)
    click.echo(f"{_percent(total)} of the lines and conditions of all templates were tried")
    return total


def _show_file(file: FileCoverage) -> None:
    click.echo(click.style(f"{_percent(file.percent):>4}", bold=True) + f"  {file.file}")
    if file.lines:
        click.echo(f"      never rendered: {_ranges(file.lines)}")
    for way in (True, False):
        places = [f"{place.line}:{place.column}" for place, never in file.never if never is way]
        if places:
            click.echo(f"      never {str(way).lower()}: {', '.join(places)}")


def _show_unused_fields(process: Process, fields: FieldCoverage) -> None:
    for names, told in ((fields.unread, "no template reads"), (fields.uncarried, "no sample carries")):
        if names:
            click.echo(f"      fields of {process.name} that {told}: {', '.join(names)}")


def _known_fields(process: Process, settings: Settings) -> list[str]:
    """Return the fields that the schema of a process speaks of."""
    from receiver.authoring.check import shape  # loads the checks, which take a third of a second

    name, schemas = process.config.fields.schema, settings.site / SCHEMAS
    library = Library(schemas, settings.site)
    document = library.add(schemas / name) if name else None
    return list(shape.of(shape.root(document, library), library).members) if document else []


def _ranges(lines: Sequence[int]) -> str:
    return ", ".join(_span(lines))


def _span(lines: Sequence[int]) -> Iterator[str]:
    """Yield lines that follow each other together: 9-11."""
    for _, group in groupby(enumerate(lines), lambda pair: pair[1] - pair[0]):
        following = [line for _, line in group]
        yield f"{following[0]}-{following[-1]}" if len(following) > 1 else str(following[0])


def _percent(value: float) -> str:
    """Return a whole percentage, never rounded up: 100% means all of it."""
    return f"{floor(value)}%"
