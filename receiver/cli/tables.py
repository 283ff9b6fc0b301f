"""Tables on a terminal: columns as wide as what they hold, coloured only where somebody looks at them."""

from collections.abc import Mapping, Sequence

import click

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
