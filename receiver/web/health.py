"""What a load balancer and a start script ask: is the service there?"""

from flask import Blueprint


def blueprint() -> Blueprint:
    """Return the pages that need no token."""
    door = Blueprint("health", __name__)

    @door.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "alive"}

    return door
