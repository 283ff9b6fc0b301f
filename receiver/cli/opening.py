"""What the verbs that do the service's work beside it open: its whole context."""

import click

from receiver.authoring.cases.site import processes
from receiver.cli.deliveries import open_ledger
from receiver.core.settings import Settings
from receiver.delivery.context import Context, open_unrecovered
from receiver.site import in_force
from receiver.store import ledger
from receiver.store.ledger import Ledger


def open_context(settings: Settings) -> Context:
    """Return everything that the service works with, tokens aside. Raises `Misconfigured`, `Problem`.

    Output folders are created before the service ever started: one that is missing afterwards was there, and its
    disk may be away.
    """
    open_ledger(settings)
    ledger.create(settings.ledger)
    return open_unrecovered(settings, processes(settings), create=in_force.read(settings.data) is None)


def look_at_context(settings: Settings) -> Context:
    """Return the context as the service has it, to look at: no file or folder is made. Raises as `open_context` does.

    What is missing or cannot be used is for `health` to report, also the ledger of a service that was started before.
    """
    state = in_force.read(settings.data)
    if state is None:
        open_ledger(settings)
        return Context(settings, processes(settings), Ledger(settings.ledger), {})
    sites = in_force.sites(settings, state)
    served = {name: process for site, names in sites for name, process in processes(site, names).items()}
    return Context(settings, served, Ledger(settings.ledger), {})


def report_away(context: Context) -> bool:
    """Tell of each process whose output cannot be written; False where there is none."""
    away = context.away()
    for name, problem in away.items():
        click.echo(f"{name}: {problem.detail}", err=True)
    return bool(away)
