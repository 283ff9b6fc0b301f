"""Does something again whenever files change."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import click

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
