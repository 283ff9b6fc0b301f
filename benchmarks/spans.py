"""Where the time of a thread goes: each moment is charged to the innermost step that is being done."""

import functools
import inspect
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = "hand over to a thread and back"  # the step that all others are within
CALIBRATION = 20_000  # empty steps, to tell what one costs


class _Thread(threading.local):
    def __init__(self) -> None:
        self.steps: list[str] = []
        self.cpu = self.wall = 0


_thread = _Thread()
_cpu: dict[str, int] = {}  # nanoseconds by step
_wall: dict[str, int] = {}
_calls: dict[str, int] = {}
_missing: list[str] = []  # what was to be watched and is not there any more


def forget() -> None:
    """Begin anew."""
    for account in (_cpu, _wall, _calls):
        account.clear()


def _charge(step: str | None) -> None:
    """Charge what has passed in this thread since the last time to a step, or to nobody."""
    cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
    if step is not None:
        _cpu[step] = _cpu.get(step, 0) + cpu - _thread.cpu
        _wall[step] = _wall.get(step, 0) + wall - _thread.wall
    _thread.cpu, _thread.wall = cpu, wall


def _begin(step: str) -> None:
    steps = _thread.steps
    _charge(steps[-1] if steps else None)
    steps.append(step)
    _calls[step] = _calls.get(step, 0) + 1


def _end() -> None:
    _charge(_thread.steps.pop())


def charged(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with its own time charged to a step within ROOT; of a generator, what passes within it."""

    @functools.wraps(function)
    def generated(*args: Any, **kwargs: Any) -> Any:
        inner = function(*args, **kwargs)
        if not _thread.steps:
            yield from inner
            return
        while True:
            _begin(step)
            try:
                item = next(inner)
            except StopIteration:
                return
            finally:
                _end()
            yield item

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if step != ROOT and not _thread.steps:
            return function(*args, **kwargs)
        _begin(step)
        try:
            return function(*args, **kwargs)
        finally:
            _end()

    return generated if inspect.isgeneratorfunction(function) else called


def watch(step: str, owner: Any, name: str) -> None:
    """Charge a function of a module or class to a step, wherever modules of ours have imported it.

    One that is not there stays within the step around it, and the account tells.
    """
    function = getattr(owner, name, None)
    if function is None:
        _missing.append(f"{owner.__name__}.{name}")
        return
    watched = charged(step, function)
    setattr(owner, name, watched)
    for module in [each for key, each in sys.modules.items() if key.startswith("receiver.")]:
        for known, value in list(vars(module).items()):
            if value is function:
                setattr(module, known, watched)


def cost() -> float:
    """Return the nanoseconds of CPU that charging one call takes."""
    empty = charged(ROOT, lambda: None)
    begin = time.thread_time_ns()
    for _ in range(CALIBRATION):
        empty()
    return (time.thread_time_ns() - begin) / CALIBRATION


def write(path: Path, **more: float) -> None:
    """Write the account down."""
    path.write_text(json.dumps({"cpu": _cpu, "wall": _wall, "calls": _calls, "missing": _missing, **more}))
