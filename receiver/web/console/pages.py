"""What all screens share: their blueprint, the service that they look at, the accounts, and one delivery by its id."""

from flask import Blueprint, abort, current_app

<<<<<<< HEAD
from receiver.store.entry import Entry
from receiver.store.sqlite.accounts import Accounts
=======
from flask import Blueprint, Response, abort, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from receiver import documents
from receiver.core.delivery import Replay, Status
from receiver.core.problems import Problem
from receiver.delivery.context import Context
from receiver.operations import health, replay
from receiver.operations import rehearsal as rehearsals
from receiver.store import quarantine
from receiver.store.accounts import Accounts, Role
from receiver.store.entry import Attempt, DamagedRow, Entry
from receiver.store.ledger import KEPT
from receiver.web.console import showing
from receiver.web.console.access import needs
>>>>>>> bc5b779 (ledger: keep it on PostgreSQL, behind the same functions)
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
