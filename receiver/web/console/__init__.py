"""The console: an application of its own, where people see and act on deliveries.

    receiver console --bind 127.0.0.1:8081          or: gunicorn 'receiver.web.console:create_app()'

The delivery service never serves it, so that a slow page never costs a delivery. It reads the ledger and what is kept
beside the running service, as the verbs do.
"""

from flask import Flask
from werkzeug.exceptions import HTTPException

from receiver import log
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.store import ledger
from receiver.store.accounts import Accounts
from receiver.store.jobs import Jobs
from receiver.store.ledger import Ledger
from receiver.store.reservations import Reservations
from receiver.store.rows import Roots
from receiver.web.console import access, bulk, delivery, listing, overview, showing, station, workbench  # noqa: F401 (their pages)
from receiver.web.console.images import Images
from receiver.web.console.pages import pages
from receiver.web.console.runner import Runner
from receiver.web.console.service import Service
from receiver.web.replies import STATUSES, NoSessions


def create_app(settings: Settings | None = None) -> Flask:
    """Return the console; without `settings` they come from the environment.

    Raises `SettingsError`, `Problem`.
    """
    settings = settings or Settings.from_environment()
    log.set_up(settings.log)
    ledger.create(settings.ledger, Roots.of(settings))
    opened = Ledger(settings.ledger, Roots.of(settings))
    accounts = Accounts(opened.connections)
    app = Flask(__name__)
    app.session_interface = NoSessions()  # ours lie in the ledger's database
    access.protect(app, accounts, settings)
    service = Service(settings)
    app.extensions |= {"service": service, "accounts": accounts, "images": Images()}
    jobs = app.extensions["jobs"] = Jobs(opened.connections)
    app.extensions |= {"reservations": Reservations(opened.connections), "runner": Runner(service, jobs, accounts)}
    app.register_blueprint(pages)
    app.add_template_filter(showing.moment)
    app.add_template_filter(showing.size)
    app.register_error_handler(Problem, lambda problem: showing.failure(STATUSES[problem.code][0], problem.detail))
    app.register_error_handler(HTTPException, _failed)
    return app


def _failed(error: HTTPException) -> tuple[str, int]:
    return showing.failure(error.code or 500, error.description or error.name)
