"""The only wiring: settings and site become a house, and the house a Flask application."""

from flask import Flask
from werkzeug.exceptions import HTTPException

from receiver import log
from receiver.house import opened, unrecovered
from receiver.keeping import housekeeping
from receiver.metrics import folder
from receiver.process import compiling
from receiver.settings import Settings
from receiver.store import ledger
from receiver.web import deliver, health, replies


def prepare(settings: Settings | None = None) -> None:
    """Prove the configuration and the folders, and create the ledger, once, before any worker starts.

    Raises `SettingsError`, `Misconfigured` or `Problem`, whose text tells every fault.
    """
    settings = settings or Settings.from_environment()
    processes = compiling.proven(settings)
    ledger.create(settings.ledger)
    unrecovered(settings, processes)
    folder.prepare(settings.data)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application. Raises what `prepare` raises."""
    settings = settings or Settings.from_environment()
    if not folder.shared():  # another server than ours, which has not called `prepare`
        folder.prepare(settings.data)
    from receiver.metrics import meters as counting  # not before it is told where to count
    from receiver.metrics import page

    log.set_up(settings.log)
    house = opened(settings, compiling.proven(settings))
    housekeeping.start(house)
    app = Flask("receiver", static_folder=None)
    meters = counting.Meters(house)
    app.register_blueprint(deliver.blueprint(house, meters))
    app.register_blueprint(health.blueprint(house, page.scrape(house, meters)))
    app.register_error_handler(HTTPException, replies.unroutable)
    app.register_error_handler(Exception, lambda error: deliver.broken(meters, error))
    return app
