"""The terminal: tables, moments, and doing something again on every save."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from receiver.core import units

COLOURS: Mapping[str, str] = {
    "committed": "yellow",
    "published": "green",
    "accepted": "green",
    "held": "yellow",
    "refused": "red",
    "discarded": "magenta",
    "gone": "yellow",
    "changed": "red",
}


def show_table(rows: Sequence[Sequence[str]], heading: Sequence[str] = (), indent: str = "") -> None:
    """Print rows of the same length. A cell that is a status, or what became of a file, has its colour."""
    widths = [max(map(len, column)) for column in zip(*([heading] if heading else []), *rows, strict=True)]
    if heading:
        click.echo(indent + click.style(_line(heading, widths, [""] * len(heading)), bold=True))
    for row in rows:
        click.echo(indent + _line(row, widths, [COLOURS.get(cell, "") for cell in row]))


def show_heading(text: str, colour: str | None = None) -> None:
    """Print a line above what follows."""
    click.secho(text, bold=True, fg=colour)


def _line(cells: Sequence[str], widths: Sequence[int], colours: Sequence[str]) -> str:
    last = len(cells) - 1
    padded = [cell if place == last else cell.ljust(widths[place]) for place, cell in enumerate(cells)]
    styled = (click.style(cell, fg=colour) if colour else cell for cell, colour in zip(padded, colours, strict=True))
    return "  ".join(styled).rstrip()


def moment(text: str) -> datetime:
    """Read an ISO date or time, UTC unless it says otherwise, or how long ago: 2h, 3d. Raises click.BadParameter."""
    try:
        return datetime.now(UTC) - units.duration(text)
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        expected = 'write "2026-03-01", "2026-03-01T14:30", or how long ago: "2h", "3d", "6w"'
        raise click.BadParameter(expected) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown(moment: datetime | None) -> str:
    """Write a moment to the second: 2026-03-01 14:30:05Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if moment else "-"


PAUSE = 0.25  # seconds between two looks: a site has hundreds of files, and looking at them takes milliseconds

State = dict[Path, tuple[int, int]]


def again_on_change(action: Callable[[], None], roots: Iterable[Path]) -> None:
    """Do it now, and on a cleared screen whenever a file at or below `roots` changes, until Ctrl-C."""
    places = list(roots)
    try:
        while True:
            seen = _state(places)
            click.clear()
            action()
            click.secho(f"\nwatching {', '.join(map(str, places))}: again on every save, until Ctrl-C", dim=True)
            while _state(places) == seen:
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        click.echo()


def _state(roots: Iterable[Path]) -> State:
    """Return time and size of each file; one that is gone in between is left out."""
    state: State = {}
    for root in roots:
        for path in [root, *root.rglob("*")] if root.is_dir() else [root]:
            try:
                status = path.stat()
            except OSError:
                continue
            state[path] = status.st_mtime_ns, status.st_size
    return state
