"""What verbs share: the ledger, the context, and deliveries as JSON and CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from receiver.cli import FINDINGS
from receiver.core.delivery import Kind, Output, Status
from receiver.core.faults import did_you_mean
from receiver.core.settings import Settings
from receiver.store import ledger
from receiver.store.entry import OUTPUTS, DamagedRow, Entry
from receiver.store.entry import to_dict as entry_to_dict
from receiver.store.rows import Roots

if TYPE_CHECKING:
    from receiver.delivery.context import Context

PAGE = 500  # entries read at once: some megabytes
CANDIDATES = 6  # entries listed if the start of an id fits several


class Filter(TypedDict, total=False):
    """Which entries are asked for."""

    process: str | None
    status: Status | None
    source_id: str | None
    since: datetime | None


def open_ledger(settings: Settings) -> ledger.Ledger:
    """Return the ledger of the service.

    A missing one is not created: nothing was received there.
    """
    opened = ledger.Ledger(settings.ledger, Roots.of(settings))
    if opened.path and not opened.path.exists():
        raise click.UsageError(f"there is no ledger {opened.path}: is RECEIVER_DATA set as it is for the service?")
    return opened


def open_context(settings: Settings) -> "Context":
    """Return everything that the service works with, without tokens.

    Output folders are created before the service ever started: one that is missing afterwards was there, and its
    disk may be away.

    Raises `ConfigurationError`, `Problem`.
    """
    from receiver.authoring.cases.cases import processes
    from receiver.delivery.context import open_unrecovered
    from receiver.site import in_force

    open_ledger(settings)
    ledger.create(settings.ledger, Roots.of(settings))
    return open_unrecovered(settings, processes(settings), create=in_force.read(settings.local) is None)


def look_at_context(settings: Settings) -> "Context":
    """Return the service's context for reading: no file or folder is made.

    What is missing or cannot be used is for `health` to report, also the ledger of a service that was started before.

    Raises as `open_context` does.
    """
    from receiver.authoring.cases.cases import processes
    from receiver.delivery.context import Context, processes_in_force
    from receiver.site import in_force

    state = in_force.read(settings.local)
    if state is None:
        return Context(settings, processes(settings), open_ledger(settings), {})
    kept = ledger.Ledger(settings.ledger, Roots.of(settings))
    return Context(settings, processes_in_force(settings, state), kept, {})


def report_away(context: "Context") -> bool:
    """Print each process whose output cannot be written; False if there is none."""
    away = context.away()
    for name, problem in away.items():
        click.echo(f"{name}: {problem.detail}", err=True)
    return bool(away)


def require_process(kept: ledger.Ledger, settings: Settings, name: str | None) -> None:
    """End the verb if neither site nor ledger has a process of this name.

    An empty answer would be wrong.
    """
    configured = {path.parent.name for path in settings.site.glob("mappings/*/process.toml")}
    if name is not None and name not in configured and not kept.search(process=name, limit=1):
        hint = did_you_mean(name, configured)
        raise click.UsageError(f"there is no process {name}, and none in the ledger{hint and f': {hint}'}")


def report_damaged(row: DamagedRow) -> None:
    """Print a damaged row; the verb goes on with the others, and ends with 1."""
    click.echo(f"{row.id}  {row.detail}", err=True)
    click.get_current_context().meta[FINDINGS] = True


def find(kept: ledger.Ledger, start: str) -> Entry:
    """Return the entry whose id starts so; the verb ends if it is not exactly one."""
    found = kept.starting(start.upper(), CANDIDATES)
    if not found:
        raise click.ClickException(f"no delivery has an id that starts with {start}")
    if len(found) > 1 and found[0].id != start.upper():
        ids = ", ".join(entry.id for entry in found)
        raise click.UsageError(f"{start} is the start of several ids: {ids}")
    if isinstance(found[0], DamagedRow):
        raise click.ClickException(found[0].detail)
    return found[0]


def entries(kept: ledger.Ledger, **wanted: Unpack[Filter]) -> Iterator[Entry]:
    """Yield entries, the newest first, page by page: an audit trail may be long.

    Damaged ones are reported.
    """
    last: datetime | None = None
    seen: set[str] = set()  # of the last moment: the next page begins with it
    damaged: set[str] = set()
    while page := [
        entry for entry in kept.search(**wanted, until=_after(last), limit=PAGE) if entry.id not in seen | damaged
    ]:
        for each in page:
            if isinstance(each, Entry):
                yield each
            else:
                report_damaged(each)
                damaged.add(each.id)
        before, last = last, next((each.received_at for each in page[::-1] if each.received_at), last)
        seen = (seen if last == before else set()) | {entry.id for entry in page if entry.received_at == last}


def _after(last: datetime | None) -> datetime | None:
    return last + timedelta(microseconds=1) if last else None


def to_dict(entry: Entry) -> dict[str, Any]:
    """Return a delivery as verbs print it, outputs without their names in the stage."""
    form = entry_to_dict(entry)
    for name in OUTPUTS.values():
        for output in form[name]:
            del output["staged"]
    return form


def whereabouts(output: Output) -> str:
    """Return whether published files are still in place: there, changed or gone."""
    try:
        state = Path(output.target).lstat()
    except OSError:
        return "gone"
    whole = output.kind is Kind.ORIGINALS or state.st_size == output.size
    return "there" if whole else "changed"


Row = Mapping[str, Any]  # as `to_dict` makes it
FORMULA = frozenset("=+-@\t\r")  # what a spreadsheet takes for the start of one (OWASP ASVS 5.0, 1.2.10)


def with_batches(kept: ledger.Ledger, entry: Entry) -> dict[str, Any]:
    """Return a delivery as the verbs print it, with the batches of its records."""
    found = kept.batches.of_deliveries([entry.id]).get(entry.id, [])
    return to_dict(entry) | {"batches": [batch.id for batch in found]}


def csv_lines(kept: ledger.Ledger, entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the heading and then each delivery, as lines that end with CRLF."""
    yield _csv_line(COLUMNS)
    for entry in entries:
        row = with_batches(kept, entry)
        yield _csv_line(cell(row) for cell in COLUMNS.values())


def _csv_line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(map(_guarded, cells))
    return written.getvalue()


def _guarded(cell: str) -> str:
    """Put a ' before what a spreadsheet would calculate.

    A sourceId is the sender's text.
    """
    return f"'{cell}" if cell.lstrip(" ")[:1] in FORMULA and cell else cell


def _plain(name: str) -> Callable[[Row], str]:
    return lambda row: "" if row[name] is None else str(row[name])


def _each(name: str, *keys: str) -> Callable[[Row], str]:
    """Return a function that writes several things into a cell, by these facts."""
    return lambda row: "; ".join(" ".join(str(item[key]) for key in keys if item[key] != "") for item in row[name])


_SINGLE = (
    *("id", "process", "sourceId", "version", "status", "code", "receivedAt", "committedAt", "publishedAt"),
    *("peer", "configuration"),
)
_FILE = ("path", "size", "sha256")

COLUMNS: Mapping[str, Callable[[Row], str]] = {
    **{name: _plain(name) for name in _SINGLE},
    "parts": _each("parts", "role", "name", "type", "size", "sha256"),
    "documents": _each("documents", *_FILE),
    "records": _each("records", *_FILE),
    "marker": _each("marker", *_FILE),
    "originals": _each("originals", "target"),
    "violations": _each("violations", "where", "rule", "message"),
    "attempts": _each("attempts", "at", "outcome", "code", "peer", "note"),
    "attemptCount": _plain("attemptCount"),
    "batches": lambda row: "; ".join(row["batches"]),
}
