"""The log of the service: one line per delivery, in words of the domain, never a field's value.

info: it went well. warning: a delivery was not accepted. error: somebody must look.
"""

import logging
from collections.abc import Mapping
from typing import Any

from receiver.delivery import Receipt
from receiver.log import lines
from receiver.problems import Code, Problem
from receiver.store.recover import Report

logger = logging.getLogger("receiver")

OURS = {Code.STORAGE_FAILED, Code.DISK_FULL, Code.INTERNAL_ERROR}  # the sender can do nothing about them


def set_up(form: str = "text") -> None:
    """Write to standard error in this form, unless whoever runs us has arranged for something else."""
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(lines.formatter(form))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def accepted(receipt: Receipt, cost: Mapping[str, Any] | None = None) -> None:
    """Tell that a delivery was published, held, or known already; `cost` says what it took."""
    files = (*receipt.documents, *receipt.records)
    told = {
        "id": receipt.id,
        "process": receipt.process,
        "version": receipt.version,
        "documents": len(receipt.documents),
        "records": len(receipt.records),
        "written": 0 if receipt.duplicate else sum(file.size for file in files),
    }
    _tell(logging.INFO, "duplicate" if receipt.duplicate else receipt.status, told | dict(cost or {}))


def refused(problem: Problem, process: str, cost: Mapping[str, Any] | None = None) -> None:
    """Tell that a delivery was not accepted, with every rule it breaks and where."""
    told = {
        "id": problem.kept_as,
        "process": process,
        "code": problem.code.value,
        "detail": problem.detail,
        "violations": "; ".join(f"{violation.where}: {violation.rule}" for violation in problem.violations),
    }
    _tell(logging.ERROR if problem.code in OURS else logging.WARNING, "refused", told | dict(cost or {}))


def crashed(error: BaseException | None) -> None:
    """Tell where a defect of our own showed."""
    _tell(logging.ERROR, "defect", {"defect": lines.place_of(error)})


def pruned(process: str, kind: str, count: int) -> None:
    """Tell how much of what was over is removed; nothing where there was nothing."""
    if count:
        _tell(logging.INFO, "pruned", {"process": process, "kind": kind, "count": count})


def discarded(id_: str, process: str, status: str, reason: str) -> None:
    """Tell that a delivery has left quarantine without being published."""
    _tell(logging.WARNING, "discarded", {"id": id_, "process": process, "was": status, "reason": reason})


def housekeeping_failed(problem: Problem) -> None:
    """Tell that pruning could not go on; it is tried again."""
    _tell(logging.ERROR, "not pruned", {"code": problem.code.value, "detail": problem.detail})


def recovered(report: Report) -> None:
    """Tell what a start found of an earlier life; nothing where there was nothing."""
    if report.finished or report.swept or report.quarantined:
        counts = {"published": len(report.finished), "swept": report.swept, "quarantined": report.quarantined}
        _tell(logging.INFO, "recovered", counts)
    for id_, problem in report.failed.items():
        told = {"id": id_, "code": problem.code.value, "detail": problem.detail}
        _tell(logging.ERROR, "not published", told)


def _tell(level: int, event: str, told: Mapping[str, Any]) -> None:
    if logger.isEnabledFor(level):  # made here: the logger would look for the line of code that called it
        record = logging.LogRecord(logger.name, level, "", 0, event, None, None)
        record.told = told
        logger.handle(record)
