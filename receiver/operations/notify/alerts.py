"""Checks every few seconds how each process is, and sends notices of changes."""

import atexit
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from receiver import log
from receiver.core import units
from receiver.core.problems import Problem
from receiver.delivery.context import Context, ContextHolder
from receiver.operations import health
from receiver.operations.notify import conditions, sending
from receiver.operations.notify.conditions import Seen, Symptom
from receiver.operations.notify.notices import Condition, Event, Notice
from receiver.site.process import Process
from receiver.store import durable, folders, stage
from receiver.store.data_version import require_known, stamped
from receiver.store.durable import storage

FOLDER = "notify"
FILE = "told.json"
README = """\
told.json holds what people were told and is not well again yet. Without it they would be told again.
"""

OpenAlerts = dict[str, dict[Condition, datetime]]  # process → fault → its onset; aware, UTC


@contextmanager
def alone(data: Path) -> Iterator[bool]:
    """Hold the lock on sending from this host; yield False if it is taken.

    Raises Problem.
    """
    folders.ensure_folder(data / FOLDER, README)
    lock = stage.lock_folder(data / FOLDER)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def read(data: Path) -> OpenAlerts:
    """Return the open alerts; none if the file is missing or damaged.

    Then notices are sent again. Raises Problem.
    """
    with storage("read what was told"):
        try:
            content = (data / FOLDER / FILE).read_bytes()
        except FileNotFoundError:
            return {}
    try:
        content = json.loads(content)
        require_known(content, f"{data / FOLDER / FILE}")
        return {process: _moments(faults) for process, faults in content.get("told", content).items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def _moments(faults: Mapping[str, str]) -> dict[Condition, datetime]:
    return {Condition(fault): units.moment(at) for fault, at in faults.items()}


def write(data: Path, open_alerts: OpenAlerts) -> None:
    """Write the open alerts durably. Raises Problem."""
    written = {
        process: {fault.value: units.stamp(at) for fault, at in faults.items()}
        for process, faults in sorted(open_alerts.items())
        if faults
    }
    folder = data / FOLDER
    scratch = folder / f"{FILE}.new"
    folders.remove(scratch)  # of a worker that was killed while writing it
    durable.write_over(folder / FILE, json.dumps(stamped({"told": written}), indent=1).encode() + b"\n", scratch)


LOOK = 2  # seconds between two looks: one takes some milliseconds, and a test need not wait long
REST = 100  # times what a look took of the processor: 20,000 deliveries in quarantine take it for 75 ms
FAREWELL = 3  # seconds in which a worker that ends may finish a notice: another one would send it again


def start(current: ContextHolder) -> None:
    """Start to check in the background, until the worker ends."""
    ending = threading.Event()
    watching = threading.Thread(target=_watch, args=(current, ending), name="notify", daemon=True)
    watching.start()

    def end() -> None:
        ending.set()
        watching.join(FAREWELL)
        sending.abandon()

    atexit.register(end)


def _watch(current: ContextHolder, ending: threading.Event) -> None:
    pause: float = LOOK
    failed = ""  # what was logged last: an outage is one line, not one every few seconds
    while not ending.wait(pause):
        began = time.thread_time()
        try:
            look(current.context, datetime.now(UTC))
            failed = ""
        except Problem as problem:
            if problem.detail != failed:
                log.not_watched(problem)
            failed = problem.detail
        except Exception as error:  # noqa: BLE001 (a defect here must not end the thread, and it is logged)
            log.crashed(error)
        pause = max(LOOK, REST * (time.thread_time() - began))


def look(context: Context, now: datetime) -> None:
    """Send what is new, unless no process has notices, or another worker does it.

    Raises Problem.
    """
    processes = [process for process in context.processes.values() if process.config.notify.wanted]
    if not processes:
        return
    with alone(context.settings.data) as mine, _once(context) as ours:
        if mine and ours:
            _notify(context, processes, now)


def _once(context: Context) -> AbstractContextManager[bool]:
    """Hold the lock of all hosts; without the ledger each host reports that itself."""
    if context.ledger.hosts and not health.ledger(context).ready:
        return nullcontext(True)
    return context.ledger.once("notify")


def _notify(context: Context, processes: list[Process], now: datetime) -> None:
    """Send what is new of each process.

    Raises the last `Problem`, after trying all of them.
    """
    seen = conditions.see(context, now)
    open_alerts = _watched(read(context.settings.data), processes)
    failed: Problem | None = None
    for process in processes:
        try:
            for new in list(changes(seen, process, open_alerts[process.name])):
                if not _sent(process, new):
                    break  # tried again at the next check
                _note(open_alerts[process.name], new)
                write(context.settings.data, open_alerts)
        except Problem as problem:
            failed = problem
    if failed:
        raise failed


def _watched(open_alerts: OpenAlerts, processes: list[Process]) -> OpenAlerts:
    """Return the open alerts of what is still watched; others cannot recover."""
    return {
        process.name: {
            fault: since
            for fault, since in open_alerts.get(process.name, {}).items()
            if fault in process.config.notify.on
        }
        for process in processes
    }


def changes(seen: Seen, process: Process, open_alerts: dict[Condition, datetime]) -> Iterator[Notice]:
    """Yield a notice for each fault that began or ended since the last check.

    Raises Problem.
    """
    found = dict(conditions.judge(seen, process, open_alerts))
    for fault, symptom in found.items():
        if fault not in open_alerts:
            yield notice(Event.ONSET, process, fault, seen.now, seen.now, symptom)
    for fault, since in open_alerts.items():
        if fault not in found and seen.tells(fault):
            yield notice(Event.RECOVERY, process, fault, since, seen.now, Symptom(WELL[fault]))


WELL = {
    Condition.REFUSED: "nothing was refused for an hour, or what was is refused no longer",
    Condition.HELD: "nothing waits for a person",
    Condition.TEMPLATE: "its records could be made for an hour, or those that could not be are made",
    Condition.SILENCE: "deliveries come again",
    Condition.SPACE: "there is enough free space",
    Condition.OUTPUT: "its output can be written",
    Condition.LEDGER: "the ledger can be used",
    Condition.CONFIGURATION: "no edit of it is kept back",
}


def notice(
    event: Event, process: Process, fault: Condition, since: datetime, now: datetime, symptom: Symptom
) -> Notice:
    """Return the notice of a process's fault."""
    config = process.config
    return Notice(event, config.name, config.title, fault, since, now, symptom.text, symptom.counts)


def _sent(process: Process, new: Notice) -> bool:
    try:
        sending.send(process.config.notify, new)
    except sending.NotSentError as error:
        log.not_notified(new.process, new.fault, new.event, str(error))
        return False
    log.notified(new.process, new.fault, new.event)
    return True


def _note(faults: dict[Condition, datetime], notice: Notice) -> None:
    if notice.event is Event.ONSET:
        faults[notice.fault] = notice.at
    else:
        del faults[notice.fault]
