"""Health pages for load balancers and monitoring: alive, ready, metrics."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response

from receiver.delivery.context import ContextHolder
from receiver.operations import health

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"  # the text format of Prometheus


def blueprint(current: ContextHolder, scrape: Callable[[], bytes]) -> Blueprint:
    """Return the pages that need no token."""
    door = Blueprint("health", __name__)

    @door.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "alive"}

    @door.get("/readyz")
    def ready() -> tuple[dict[str, Any], int]:
        checks = health.checks(current.context)
        all_ready = all(check.ready for check in checks)
        state = {"status": "ready" if all_ready else "not ready", "checks": [asdict(check) for check in checks]}
        return state, 200 if all_ready else 503

    @door.get("/metrics")
    def metrics() -> Response:
        return Response(scrape(), content_type=EXPOSITION)

    return door
