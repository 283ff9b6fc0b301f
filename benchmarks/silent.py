"""The service without its log, its counters and its notices: what they cost."""

import logging
from typing import Any

from receiver.server.configuration import *  # noqa: F403


def post_worker_init(_worker: Any) -> None:
    """Silence a worker once its application is there."""
    from receiver.operations.meters import Meters
    from receiver.operations.notify import alerts

    logging.getLogger("receiver").disabled = True
    for name in ("begin", "accepted", "refused", "end"):
        setattr(Meters, name, lambda *_: None)
    alerts.look = lambda *_: None  # type: ignore[assignment]
