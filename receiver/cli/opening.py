"""What the verbs that do the service's work beside it open: its whole house."""

from receiver.cli.finding import open_ledger
from receiver.house import House, unrecovered
from receiver.proving.site import processes
from receiver.settings import Settings
from receiver.store import ledger


def open_house(settings: Settings) -> House:
    """Return everything that the service works with, tokens aside. Raises `Misconfigured`, `Problem`."""
    open_ledger(settings)
    ledger.create(settings.ledger)
    return unrecovered(settings, processes(settings))
