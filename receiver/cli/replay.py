"""`receiver replay`: judges kept deliveries anew, by today's configuration."""

import os
import pwd
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import click

from receiver.cli.deliveries import entries, find, open_context, require_process
from receiver.cli.terminal import moment
from receiver.core.delivery import Replay, Status
from receiver.core.problems import Code, Violation
from receiver.core.settings import Settings
from receiver.delivery.context import Context
from receiver.operations import rehearsal, replay
from receiver.store.entry import Entry

TOLD = 5  # violations shown of each delivery if there are several: `receiver show` tells all
FINE = {
    replay.Result.PUBLISHED,
    replay.Result.BEFORE,
    rehearsal.Result.PUBLISHED,
    rehearsal.Result.BEFORE,
    rehearsal.Result.SAME,
}
SELECTABLE = (Status.HELD, Status.REFUSED, Status.PUBLISHED)

Judge = Callable[[Entry], tuple[str, list[str]]]  # the result, and what is told below it


@click.command()
@click.argument("ids", metavar="[ID]…", nargs=-1)
@click.option("--process", metavar="PROCESS", help="Every delivery of this process …")
@click.option("--status", type=click.Choice([each.value for each in SELECTABLE]), help="… that stands like this.")
@click.option("--since", type=moment, metavar="TIME", help="… received since 2026-03-01, or 2h ago.")
@click.option(
    "--accept-confidence", is_flag=True, help="Publish what you have looked at, though its confidence is low."
)
@click.option(
    "--accept-rules", is_flag=True, help="Publish what you have looked at, though it breaks rules that hold it."
)
@click.option(
    "--dry-run", is_flag=True, help="Write nothing: tell the verdict, or the difference to what was published."
)
def command(
    ids: Sequence[str],
    process: str | None,
    status: str | None,
    since: datetime | None,
    accept_confidence: bool,
    accept_rules: bool,
    dry_run: bool,
) -> None:
    """Judge kept deliveries anew, by today's configuration.

    They are those with an ID, of which the start is enough, or all of a status.

    What is published by it leaves quarantine; the rest stays there with today's reason. What was published before
    stays as it is; with --dry-run it is compared with what today's configuration makes of its originals. Works
    beside the running service. Ends with 0 if every delivery is published, or the same, and with 1 if not.
    """
    _refuse_misuse(ids, process, status, since, dry_run=dry_run)
    settings = Settings.from_environment()
    context = open_context(settings)
    require_process(context.ledger, settings, process)
    if ids:
        chosen = [find(context.ledger, id_) for id_ in ids]
    else:  # the oldest first, so that versions follow the order in which they came
        wanted = entries(context.ledger, process=process, status=Status(str(status)), since=since)
        chosen = list(wanted)[::-1]
    how = Replay(datetime.now(UTC), person(), accept_confidence, accept_rules=accept_rules)
    judge = partial(_rehearse if dry_run else _replay, context, how, len(chosen) == 1)
    sys.exit(0 if _run(chosen, judge) else 1)


def _refuse_misuse(
    ids: Sequence[str], process: str | None, status: str | None, since: datetime | None, *, dry_run: bool
) -> None:
    if bool(ids) == bool(process or status or since):
        raise click.UsageError("name deliveries by their ids, or choose them by --process, --status and --since")
    if not ids and status is None:
        raise click.UsageError("say which: --status held or --status refused (or published, with --dry-run)")
    if status == Status.PUBLISHED and not dry_run:
        raise click.UsageError("what was published stays as it is; --dry-run shows what would be different today")


def _run(chosen: Sequence[Entry], judge: Judge) -> bool:
    """Judge one by one and show each result; return whether all are fine."""
    count: dict[str, int] = {}
    for number, entry in enumerate(chosen, start=1):
        result, below = judge(entry)
        place = f"{number}/{len(chosen)}  " if len(chosen) > 1 else ""
        first, *more = below or [""]
        colour = "green" if result in FINE else "red"
        click.echo(f"{place}{entry.id}  {click.style(result, fg=colour)}  {first}".rstrip())
        for line in more:
            click.echo(f"    {line}")
        count[result] = count.get(result, 0) + 1
    if len(chosen) != 1:
        counts = ", ".join(f"{number} {result}" for result, number in count.items())
        click.secho(f"{len(chosen)} deliveries{': ' if counts else ''}{counts}", bold=True)
    return set(count) <= {*FINE}


def _replay(context: Context, how: Replay, alone: bool, entry: Entry) -> tuple[str, list[str]]:
    replayed = replay.replay(context, entry, replace(how, at=datetime.now(UTC)))
    now = replayed.entry
    moved = [f"as {now.id}"] if now.id != entry.id else []
    if replayed.problem and replayed.result is replay.Result.FAILED:
        return replayed.result, [replayed.problem.detail]
    if replayed.result in FINE:
        return replayed.result, [" ".join([f"version {now.version}, {now.file_count} files", *moved])]
    below = _violations(now.violations, alone)
    if now.code is Code.CONFIDENCE_LOW:
        below.append("have a look: receiver show; then receiver replay --accept-confidence publishes it as it is")
    if now.code is Code.RULE_BROKEN and replayed.result is replay.Result.HELD:
        below.append("have a look: receiver show; then receiver replay --accept-rules publishes it as it is")
    return replayed.result, [" ".join([now.code or "", *moved]), *below]


def _rehearse(context: Context, how: Replay, alone: bool, entry: Entry) -> tuple[str, list[str]]:
    found = rehearsal.rehearse(context, entry, accept_confidence=how.accept_confidence, accept_rules=how.accept_rules)
    if found.problem:
        judged = found.result is not rehearsal.Result.FAILED
        counts = f"{found.problem.code}: {found.problem.detail}" if judged else found.problem.detail
        return found.result, [counts, *_violations(found.problem.violations, alone)]
    heading = "expected is what was published, got what it would be now" if found.result == "different" else ""
    return found.result, [heading, *found.lines]


def _violations(violations: Sequence[Violation], alone: bool) -> list[str]:
    shown = violations if alone else violations[:TOLD]
    lines = [f"{each.where}  {each.rule}  {each.message}" for each in shown]
    rest = len(violations) - len(shown)
    return [*lines, f"and {rest} more"] if rest else lines


def person() -> str:
    """Return who is at the terminal, also under sudo; the ledger records it."""
    try:
        return os.getlogin()
    except OSError:
        pass
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
