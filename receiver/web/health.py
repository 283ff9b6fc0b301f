"""What a load balancer and a start script ask: is the service there, and would it take a delivery?"""

from dataclasses import asdict
from typing import Any

from flask import Blueprint

from receiver import readiness
from receiver.house import House


def blueprint(house: House) -> Blueprint:
    """Return the pages that need no token."""
    door = Blueprint("health", __name__)

    @door.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "alive"}

    @door.get("/readyz")
    def ready() -> tuple[dict[str, Any], int]:
        checks = readiness.checks(house)
        all_ready = all(check.ready for check in checks)
        told = {"status": "ready" if all_ready else "not ready", "checks": [asdict(check) for check in checks]}
        return told, 200 if all_ready else 503

    return door
