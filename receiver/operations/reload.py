"""Watches the site: an edit is judged once it rests, then taken over by workers.

    one worker:   is the site as it was judged?  no, and the same as at the last look ──▶ judging.py, in its own process
    every worker: is another state in force?     yes ──▶ compile what changed, put a new context in the place of the old

So what keeps an edit back is logged once, and an idle site costs a stat(2) a second for each of its files.
"""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from itertools import cycle

from receiver import log
from receiver.core.faults import ConfigurationError
from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.delivery.context import Context, ContextHolder, stages_of
from receiver.site import in_force
from receiver.site.process import Process

LOOK = 0.5  # seconds between two looks: an edit rests for one of them, and comes into force at the next but one
AGAIN = 60.0  # seconds until the same edit is judged anew, where that came to no end
PATIENCE = 60.0  # seconds for judging: 50 processes take three; a schema may be a bomb


def start(current: ContextHolder) -> None:
    """Begin to watch in the background, until the worker ends."""
    threading.Thread(target=_watch, args=(current,), name="reloading", daemon=True).start()


def _watch(current: ContextHolder) -> None:
    watch, logged = Watch(current), ""
    while True:
        time.sleep(LOOK)
        try:
            watch.look()
            logged = ""
        except Problem as problem:
            if problem.detail != logged:  # it may last, and is logged once
                log.not_reloaded(problem.detail)
            logged = problem.detail
        except Exception as error:  # noqa: BLE001 (a defect here must not end the thread, and it is logged)
            log.crashed(error)


class Watch:
    """What one worker has seen of site and state."""

    def __init__(self, current: ContextHolder) -> None:
        self.current = current
        self.settings = current.context.settings
        self.mark: tuple[int, int] | None = None  # of the state that was taken over last
        self.judged = ""  # the fingerprint that it speaks of
        self.seen = ""  # the fingerprint at the last look
        self.asked = ("", 0.0)  # the fingerprint that was last given to be judged, and when
        self.turns = cycle((True, False))  # a site that rests is looked at every other time
        self.lock: int | None = None  # held by the one worker that looks at the site, until it ends

    def look(self) -> None:
        """Take over what is in force; have an edit judged that rests. Raises Problem."""
        self.lock = self.lock or in_force.watch(self.settings.local)
        if self.lock and (self.seen != self.judged or next(self.turns)):
            self._look_at_site()
        mark = in_force.mark(self.settings.local)
        if mark != self.mark:
            self.mark = mark
            self._follow()

    def _look_at_site(self) -> None:
        seen = in_force.fingerprint(self.settings.site)
        rests, self.seen = seen == self.seen, seen
        if rests and seen != self.judged and self._is_due(seen):
            self.asked = (seen, time.monotonic())
            judge(self.settings)

    def _is_due(self, seen: str) -> bool:
        asked, moment = self.asked
        return seen != asked or time.monotonic() - moment >= AGAIN

    def _follow(self) -> None:
        """Take over what is in force. Raises Problem."""
        found = in_force.read(self.settings.local)
        if found is None:
            return  # somebody has removed it: what runs goes on
        self.judged = found.judged
        context = self.current.context
        try:
            self.current.context = rebuilt(context, in_force.load(self.settings, found, context.processes))
            self.current.context.announce()
        except (ConfigurationError, Problem) as error:
            log.not_reloaded(str(error))


def rebuilt(context: Context, processes: dict[str, Process]) -> Context:
    """Return a context with other processes; what did not change is the same object.

    Raises Problem.
    """
    changed = {name: process for name, process in processes.items() if process is not context.processes.get(name)}
    same = {name: stage for name, stage in list(context.stages.items()) if name in processes.keys() - changed}
    made = stages_of(context.settings, changed, context.ledger.owner, create=False)
    return replace(context, processes=processes, stages=same | made)


def judge(settings: Settings) -> None:
    """Have the site judged. Raises Problem if that comes to no end."""
    command = [sys.executable, "-P", "-m", "receiver.operations.judging"]  # -P: not from the current folder
    try:
        ended = subprocess.run(  # noqa: S603 (our own)
            command, env=os.environ | settings.variables(), stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise Problem(Code.INTERNAL_ERROR, f"judging it took more than {PATIENCE:.0f} seconds") from None
    if ended.returncode:
        raise Problem(Code.INTERNAL_ERROR, f"judging it ended with {ended.returncode}")
