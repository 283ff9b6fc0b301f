"""The log of the service: one line per delivery, never a field's value.

info: it went well. warning: a delivery was not accepted. error: somebody must look.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from receiver.core.batches import Batch
from receiver.core.delivery import Receipt
from receiver.core.problems import Code, Problem
from receiver.log import lines
from receiver.log.lines import Writer
from receiver.store.recover import Report

logger = logging.getLogger("receiver")
_size = attrgetter("size")

OURS = {
    Code.STORAGE_FAILED,
    Code.DISK_FULL,
    Code.SCANNER_AWAY,
    Code.INTERNAL_ERROR,
}  # the sender can do nothing about them


class Standard(logging.Handler):
    """Writes each line to a descriptor by a `Writer`; nobody waits for the reader."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.writer = Writer(descriptor, self._lost)

    def handle(self, record: logging.LogRecord) -> bool:
        """Have one line written, without the lock that `logging` has around it."""
        self.writer.write(self._line(record))
        return True

    def _lost(self, count: int) -> bytes:
        return self._line(_record(logging.WARNING, "the log was not read in time, lines are lost", {"count": count}))

    def _line(self, record: logging.LogRecord) -> bytes:
        return (self.format(record) + "\n").encode(errors="backslashreplace")


standard = Standard(2)  # standard error: the descriptor outlives what Python makes of it


def set_up(form: str = "text") -> None:
    """Log to standard error in this form, unless the program has set up logging."""
    if not logger.handlers:
        standard.setFormatter(lines.formatter(form))
        logger.addHandler(standard)
        logger.setLevel(logging.INFO)
        logger.propagate = False  # another server's handler would write each line again, without what it tells


def serving(processes: Sequence[str]) -> None:
    """Log what is served, once the service listens."""
    _log(logging.INFO, "serving", {"processes": len(processes), "names": ",".join(processes)})


@cache  # once in each process
def unpaced() -> None:
    """Log that this is another server than ours: slow senders hold threads there."""
    _log(logging.WARNING, "slow clients hold threads: this server is not `receiver serve`", {})


def not_traced() -> None:
    """Log that a collector of traces is configured, but the library is missing."""
    _log(logging.WARNING, "no traces are sent: pip install receiver[otel]", {})


def unread(line: str) -> None:
    """Log of a variable that looks like a setting, and that nobody reads."""
    _log(logging.WARNING, "a variable is not read", {"variable": line})


def accepted(receipt: Receipt, cost: Mapping[str, Any] | None = None) -> None:
    """Log that a delivery was published, held, or a duplicate; `cost` is its work."""
    files = (*receipt.documents, *receipt.records)
    fields = {
        "id": receipt.id,
        "process": receipt.process,
        "version": receipt.version,
        "documents": len(receipt.documents),
        "records": len(receipt.records),
        "written": 0 if receipt.duplicate else sum(map(_size, files)),
        **(_reasons(receipt.problem) if receipt.problem else {}),
        **(cost or {}),
    }
    _log(logging.INFO, "duplicate" if receipt.duplicate else receipt.status, fields)


def refused(problem: Problem, process: str, cost: Mapping[str, Any] | None = None) -> None:
    """Log that a delivery was not accepted, with every rule it breaks and where."""
    fields = {
        "id": problem.kept_as,
        "process": process,
        **_reasons(problem),
        **(cost or {}),
    }
    _log(logging.ERROR if problem.code in OURS else logging.WARNING, "refused", fields)


def _reasons(problem: Problem) -> dict[str, Any]:
    violations = "; ".join(f"{violation.where}: {violation.rule}" for violation in problem.violations)
    return {"code": problem.code.value, "detail": problem.detail, "violations": violations}


def put_off(id_: str, problem: Problem) -> None:
    """Log that work is left for an accepted delivery; recovery does it."""
    _log(logging.ERROR, "accepted, and not finished", _told_of(id_, problem))


def batch_published(batch: Batch) -> None:
    """Log that a batch was published, by its number.

    Its file's name is for the importing system.
    """
    fields = {"process": batch.process, "batch": batch.name, "number": batch.number, "records": batch.count}
    _log(logging.INFO, "batch published", fields)


def batch_waits(batch: Batch, problem: Problem) -> None:
    """Log why a closed batch could not be published; it is tried every minute."""
    _log(logging.ERROR, "batch not published", _told_of(batch.id, problem))


def crashed(error: BaseException | None) -> None:
    """Log where a defect of our own showed."""
    _log(logging.ERROR, "defect", {"defect": lines.place_of(error)})


def pruned(process: str, kind: str, count: int) -> None:
    """Log how much of what was over is removed; nothing if there was nothing."""
    if count:
        _log(logging.INFO, "pruned", {"process": process, "kind": kind, "count": count})


def clock_was_set(until: str) -> None:
    """Log that nothing is removed for its age yet, since the clock was set.

    Or the machine was off.
    """
    _log(logging.WARNING, "the clock was set, or the machine was off: nothing goes for its age", {"before": until})


def discarded(id_: str, process: str, status: str, reason: str) -> None:
    """Log that a delivery has left quarantine without being published."""
    _log(logging.WARNING, "discarded", {"id": id_, "process": process, "was": status, "reason": reason})


def housekeeping_failed(problem: Problem) -> None:
    """Log that pruning could not go on; it is tried again."""
    _log(logging.ERROR, "not pruned", {"code": problem.code.value, "detail": problem.detail})


def configured(process: str, digest: str) -> None:
    """Log that an edit of a process is in force; without a digest, that it is gone."""
    _log(logging.INFO, "configured" if digest else "process removed", {"process": process, "configuration": digest})


def kept_back(fault: str) -> None:
    """Log what keeps an edit back: what was in force before stays so."""
    _log(logging.ERROR, "edit kept back, the configuration before stays in force", {"fault": fault})


def nothing_kept_back() -> None:
    """Log that the site is in force again as it lies there."""
    _log(logging.INFO, "no edit is kept back any more", {})


def not_reloaded(reason: str) -> None:
    """Log that an edit could not be judged, or that a worker cannot use it."""
    _log(logging.ERROR, "not reloaded, the configuration before stays in force", {"reason": reason})


def notified(process: str, fault: str, event: str) -> None:
    """Log that people were told of a fault, or of its end."""
    _log(logging.INFO, "notified", {"process": process, "fault": fault, "what": event})


def not_notified(process: str, fault: str, event: str, reason: str) -> None:
    """Log that people could not be told; it is tried again."""
    _log(logging.ERROR, "not notified", {"process": process, "fault": fault, "what": event, "reason": reason})


def not_watched(problem: Problem) -> None:
    """Log that it cannot be seen how the processes stand; it is tried again."""
    _log(logging.ERROR, "not watched", {"code": problem.code.value, "detail": problem.detail})


def not_opened(problem: Problem, seconds: float) -> None:
    """Log that a worker cannot begin, and when it tries again."""
    fields = {"code": problem.code.value, "detail": problem.detail, "again": f"{seconds:g} s"}
    _log(logging.ERROR, "not opened", fields)


def recovered(report: Report) -> None:
    """Log what a start found of an earlier life; nothing if there was nothing."""
    if report.finished or report.swept or report.quarantined:
        counts = {"published": len(report.finished), "swept": report.swept, "quarantined": report.quarantined}
        _log(logging.INFO, "recovered", counts)
    for id_, problem in report.failed.items():
        _log(logging.ERROR, "not published", _told_of(id_, problem))


def _told_of(id_: str, problem: Problem) -> dict[str, Any]:
    return {"id": id_, "code": problem.code.value, "detail": problem.detail}


def _log(level: int, event: str, fields: Mapping[str, Any]) -> None:
    if logger.isEnabledFor(level):
        logger.handle(_record(level, event, fields))


def _record(level: int, event: str, fields: Mapping[str, Any]) -> logging.LogRecord:
    """Make a record here: the logger would look for the line of code that called it."""
    record = logging.LogRecord(logger.name, level, "", 0, event, None, None)
    record.fields = fields
    return record
