"""Application factory: the only wiring of settings, site, ledger and Flask.

`create_app` is complete under any WSGI server. Its first process on a data folder proves the site, creates the ledger
and recovers what a crash left behind; each that starts beside it serves what is in force. A server that forks workers
may call `prepare` once before: then a faulty configuration ends the start, and workers need not compile.
"""

import os
from collections.abc import Mapping

from flask import Blueprint, Flask
from werkzeug.exceptions import HTTPException

from receiver import log
from receiver.core.faults import ConfigurationError
from receiver.core.settings import Settings
from receiver.delivery.context import ContextHolder, open_context, open_unrecovered
from receiver.operations import meters, metrics, reload, retention, tracing
from receiver.operations.notify import alerts
from receiver.site import in_force
from receiver.site.process import Process
from receiver.store import ledger
from receiver.store.rows import Roots
from receiver.web import deliveries, health, replies

_compiled: dict[Settings, Mapping[str, Process]] = {}  # by `prepare`, for the workers that are forked after it


def prepare(settings: Settings | None = None) -> None:
    """Prove configuration and folders, and create the ledger, before any fork.

    Raises `SettingsError`, `ConfigurationError` or `Problem`, whose text tells every fault.
    """
    settings = settings or Settings.from_environment()
    in_force.move_in(settings)
    with in_force.joining(settings.local) as first:
        _compiled[settings] = _begin(settings, first=first)
    open_unrecovered(settings, _compiled[settings], create=False).ledger.close()


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application; without `settings` they come from the environment.

    Raises what `prepare` raises.
    """
    app = Flask("receiver", static_folder=None)
    app.session_interface = replies.NoSessions()
    app.url_map = replies.Routes()
    for each in blueprints(settings):
        app.register_blueprint(each)
    app.register_error_handler(HTTPException, replies.unroutable)
    app.register_error_handler(Exception, lambda error: replies.refused(replies.defect(error)))
    return app


def blueprints(settings: Settings | None = None) -> tuple[Blueprint, Blueprint]:
    """Return the blueprints of deliveries and health, for other applications, too.

    Each may be registered under another prefix. What serves them works until this process ends. Raises what `prepare`
    raises.
    """
    settings = settings or Settings.from_environment()
    log.set_up(settings.log)
    current = ContextHolder(open_context(settings, _processes(settings), create=False))
    current.context.announce()
    retention.start(current)
    reload.start(current)
    alerts.start(current)
    counters = meters.Meters(current.context, meters.folder_in(settings.local))
    log.standard.writer.count_lost = counters.log_lost
    return deliveries.blueprint(current, counters, _tracing()), health.blueprint(current, metrics.scrape(current))


def _tracing() -> tracing.Record | None:
    """Return the tracer of deliveries, if OpenTelemetry's own variables ask for it."""
    if not tracing.wanted(os.environ):
        return None
    if tracing.installed():
        return tracing.start()
    log.not_traced()
    return None


def _processes(settings: Settings) -> Mapping[str, Process]:
    in_force.move_in(settings)
    with in_force.joining(settings.local) as first:
        return _begin(settings, first=True) if first else _in_force(settings)


def _begin(settings: Settings, *, first: bool) -> Mapping[str, Process]:
    """Put the site in force, create the ledger, and return the processes."""
    processes = in_force.establish(settings)
    ledger.create(settings.ledger, Roots.of(settings))
    meters.prepare(settings.local, first=first)
    return processes


def _in_force(settings: Settings) -> Mapping[str, Process]:
    """Return what is in force; where its copies were removed, the site as it is.

    Raises ConfigurationError.
    """
    try:
        if served := in_force.read(settings.local):
            return in_force.load(settings, served, _compiled.get(settings, {}))
    except ConfigurationError as error:
        log.not_reloaded(str(error))
    return in_force.establish(settings)
