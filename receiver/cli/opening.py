"""What the verbs that do the service's work beside it open: its whole context."""

from receiver.authoring.cases.site import processes
from receiver.cli.deliveries import open_ledger
from receiver.core.settings import Settings
from receiver.delivery.context import Context, open_unrecovered
from receiver.site.in_force import loading, state
from receiver.store import ledger


def open_context(settings: Settings) -> Context:
    """Return everything that the service works with, tokens aside. Raises `Misconfigured`, `Problem`.

    Output folders are created before the service ever started: one that is missing afterwards was there, and its
    disk may be away.
    """
    open_ledger(settings)
    ledger.create(settings.ledger)
    return open_unrecovered(settings, processes(settings), create=state.read(settings.data) is None)


def open_context_in_force(settings: Settings) -> Context:
    """Return the context as the service has it, whatever its site looks like by now. Raises as `open_context` does."""
    in_force = state.read(settings.data)
    if in_force is None:
        return open_context(settings)
    open_ledger(settings)
    sites = loading.sites(settings, in_force)
    served = {name: process for site, names in sites for name, process in processes(site, names).items()}
    return open_unrecovered(settings, served, create=False)
