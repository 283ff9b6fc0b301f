"""What all screens share: blueprint, service, accounts, and a delivery by id."""

from flask import Blueprint, abort, current_app

from receiver.store.accounts import Accounts
from receiver.store.entry import Entry
from receiver.web.console.service import Service

pages = Blueprint("pages", __name__)


def service() -> Service:
    """Return the service that is looked at."""
    found: Service = current_app.extensions["service"]
    return found


def accounts() -> Accounts:
    """Return users, sessions and the audit trail."""
    found: Accounts = current_app.extensions["accounts"]
    return found


def entry_of(id_: str) -> Entry:
    """Return a delivery's row; where there is none the answer is 404. Raises Problem."""
    entry = service().context.ledger.find(id_)
    if entry is None:
        abort(404, "The ledger knows no such delivery.")
    return entry
