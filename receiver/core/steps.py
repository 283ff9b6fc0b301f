"""How long the steps of a delivery take: each thread keeps the account of the one that it is at work on."""

import threading
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from time import perf_counter
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Step(StrEnum):
    """The steps, in the order of the path of `delivery/receive.py`."""

    RECEIVE = "receive"  # the body, onto the stage: as fast as its sender
    READ = "read"
    RENDER = "render"
    COMMIT = "commit"
    PUBLISH = "publish"
    QUARANTINE = "quarantine"


class _Account(threading.local):
    def __init__(self) -> None:
        self.seconds: dict[Step, float] = {}


_account = _Account()


def begin() -> dict[Step, float]:
    """Open a new account for this thread and return it: seconds by step, filled as the steps end."""
    _account.seconds = {}
    return _account.seconds


def timed(step: Step) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that is (a piece of) a step: its time goes to the account, also where it raises."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            started = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                seconds = _account.seconds
                seconds[step] = seconds.get(step, 0.0) + perf_counter() - started

        return counted

    return decorate
