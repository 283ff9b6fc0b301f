"""The only wiring: settings and site become a house, and the house a Flask application."""

from flask import Flask
from werkzeug.exceptions import HTTPException

from receiver import log
from receiver.faults import Misconfigured
from receiver.house import Current, opened, unrecovered
from receiver.in_force import loading, state
from receiver.keeping import housekeeping
from receiver.metrics import folder, page
from receiver.metrics.meters import Meters
from receiver.notify import looking
from receiver.process import Process
from receiver.reloading import watching
from receiver.settings import Settings
from receiver.store import ledger
from receiver.web import deliver, health, replies

_proven: dict[Settings, dict[str, Process]] = {}  # by `prepare`: a worker that is forked after it need not compile


def prepare(settings: Settings | None = None) -> None:
    """Prove the configuration and the folders, and create the ledger, once, before any worker starts.

    Raises `SettingsError`, `Misconfigured` or `Problem`, whose text tells every fault.
    """
    settings = settings or Settings.from_environment()
    processes = loading.establish(settings)
    _proven[settings] = processes
    ledger.create(settings.ledger)
    unrecovered(settings, processes, create=False)
    folder.prepare(settings.data)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application. Raises what `prepare` raises."""
    settings = settings or Settings.from_environment()
    prepared = folder.shared()  # not where another server than ours runs, which has not called `prepare`
    counted = prepared or folder.prepare(settings.data)
    log.set_up(settings.log)
    in_force = state.read(settings.data) if prepared else None
    processes = _in_force(settings, in_force) if in_force else loading.establish(settings)
    current = Current(opened(settings, processes, create=False))
    housekeeping.start(current)
    watching.start(current)
    looking.start(current)
    app = Flask("receiver", static_folder=None)
    meters = Meters(current.house, counted)
    log.standard.writer.count_lost = meters.log_lost
    deliver.open_door(app, current, meters)
    app.register_blueprint(health.blueprint(current, page.scrape(current, counted)))
    app.register_error_handler(HTTPException, replies.unroutable)
    app.register_error_handler(Exception, lambda error: deliver.broken(meters, error))
    return app


def _in_force(settings: Settings, current: state.State) -> dict[str, Process]:
    """Return what is in force; where somebody removed the copies, the site as it lies there. Raises Misconfigured."""
    try:
        return loading.load(settings, current, _proven.get(settings, {}))
    except Misconfigured as error:
        log.not_reloaded(str(error))
        return loading.establish(settings)
