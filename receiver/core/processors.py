"""Which of the machine's processors a worker's threads work on.

One thread of a Python process runs at a time: the one that has the interpreter's lock. Where they lie on several
processors, each system call that gives the lock away wakes another thread elsewhere, which takes it for the length of a
step and lets the first one wait, or finds it taken again. On one processor the next thread runs once the first has to
wait: two workers on two processors then take 1.3 times as many small deliveries, for 0.85 of the CPU each.

What needs no lock, as the hashing of a large file or a process of its own, works wherever there is room.
"""

import os
from contextlib import suppress

# To this process, when it was started; systemd's CPUAffinity= bounds it. Elsewhere than on Linux the kernel chooses.
ALLOWED = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def bind(number: int) -> None:
    """Have this thread, and all that it starts, work on the processor of a number, counted round."""
    if ALLOWED:
        _assign(0, [ALLOWED[number % len(ALLOWED)]])


def free(process: int = 0) -> None:
    """Let this thread, or a process that was just started, work on all that are allowed."""
    if ALLOWED:
        _assign(process, ALLOWED)


def _assign(thread: int, processors: list[int]) -> None:
    with suppress(OSError):  # taken away from us meanwhile, or not ours to say: the kernel's choice is good enough
        os.sched_setaffinity(thread, processors)
