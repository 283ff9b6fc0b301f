"""Looks every few seconds how each process stands, and tells what is different from what was told."""

import atexit
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from receiver import log
from receiver.core.problems import Problem
from receiver.delivery.context import Context, Current
from receiver.operations.notify import conditions, sending, told
from receiver.operations.notify.conditions import Finding, Seen
from receiver.operations.notify.notices import Event, Fault, Notice
from receiver.operations.notify.told import Standing
from receiver.site.process import Process

LOOK = 2  # seconds between two looks: one takes some milliseconds, and a test need not wait long
REST = 100  # times what a look took of the processor: 20,000 deliveries in quarantine take it for 75 ms
FAREWELL = 3  # seconds in which a worker that ends may finish a notice: another one would send it again


def start(current: Current) -> None:
    """Begin to look in the background, until the worker ends."""
    ending = threading.Event()
    watching = threading.Thread(target=_watch, args=(current, ending), name="notify", daemon=True)
    watching.start()

    def end() -> None:
        ending.set()
        watching.join(FAREWELL)
        sending.abandon()

    atexit.register(end)


def _watch(current: Current, ending: threading.Event) -> None:
    pause: float = LOOK
    failed = ""  # what the log was told last: an outage is one line, not one every few seconds
    while not ending.wait(pause):
        began = time.thread_time()
        try:
            look(current.context, datetime.now(UTC))
            failed = ""
        except Problem as problem:
            if problem.detail != failed:
                log.not_watched(problem)
            failed = problem.detail
        except Exception as error:  # noqa: BLE001 (a defect here must not end the looking, and it is told)
            log.crashed(error)
        pause = max(LOOK, REST * (time.thread_time() - began))


def look(context: Context, now: datetime) -> None:
    """Tell what is new, unless nobody is to be told, or another worker is at it. Raises Problem."""
    processes = [process for process in context.processes.values() if process.config.notify.wanted]
    if not processes:
        return
    with told.alone(context.settings.data) as mine:
        if mine:
            _tell(context, processes, now)


def _tell(context: Context, processes: list[Process], now: datetime) -> None:
    """Tell what is new of each process. Raises the last `Problem`, once all the others are told."""
    seen = conditions.see(context, now)
    standing = _watched(told.read(context.settings.data), processes)
    failed: Problem | None = None
    for process in processes:
        try:
            for new in list(changes(seen, process, standing[process.name])):
                if not _sent(process, new):
                    break  # whoever cannot be reached now is told at the next look
                _note(standing[process.name], new)
                told.write(context.settings.data, standing)
        except Problem as problem:
            failed = problem
    if failed:
        raise failed


def _watched(standing: Standing, processes: list[Process]) -> Standing:
    """Return what was told of what is still watched: the rest is neither well nor unwell."""
    return {
        process.name: {
            fault: since for fault, since in standing.get(process.name, {}).items() if fault in process.config.notify.on
        }
        for process in processes
    }


def changes(seen: Seen, process: Process, standing: dict[Fault, datetime]) -> Iterator[Notice]:
    """Yield a notice for each fault that began or ended since it was told. Raises Problem."""
    found = dict(conditions.judge(seen, process, standing))
    for fault, finding in found.items():
        if fault not in standing:
            yield notice(Event.ONSET, process, fault, seen.now, seen.now, finding)
    for fault, since in standing.items():
        if fault not in found and seen.tells(fault):
            yield notice(Event.RECOVERY, process, fault, since, seen.now, Finding(WELL[fault]))


WELL = {
    Fault.REFUSED: "nothing was refused for an hour, or what was is refused no longer",
    Fault.HELD: "nothing waits for a person",
    Fault.TEMPLATE: "its records could be made for an hour, or those that could not be are made",
    Fault.SILENCE: "deliveries come again",
    Fault.SPACE: "there is enough free space",
    Fault.OUTPUT: "its output can be written",
    Fault.LEDGER: "the ledger can be used",
    Fault.CONFIGURATION: "no edit of it is kept back",
}


def notice(event: Event, process: Process, fault: Fault, since: datetime, now: datetime, finding: Finding) -> Notice:
    """Return what is told of a process."""
    config = process.config
    return Notice(event, config.name, config.title, fault, since, now, finding.told, finding.counts)


def _sent(process: Process, new: Notice) -> bool:
    try:
        sending.send(process.config.notify, new)
    except sending.NotSentError as error:
        log.not_notified(new.process, new.fault, new.event, str(error))
        return False
    log.notified(new.process, new.fault, new.event)
    return True


def _note(faults: dict[Fault, datetime], notice: Notice) -> None:
    if notice.event is Event.ONSET:
        faults[notice.fault] = notice.at
    else:
        del faults[notice.fault]
