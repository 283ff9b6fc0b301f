"""The log of the service: one line per delivery, in words of the domain, never a field's value."""

import logging
from traceback import StackSummary, walk_tb

from receiver.delivery import Receipt
from receiver.problems import Problem
from receiver.store.recover import Report

logger = logging.getLogger("receiver")


def set_up() -> None:
    """Write to standard error, unless whoever runs us has arranged for something else."""
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def accepted(receipt: Receipt) -> None:
    """Tell that a delivery was published, held, or known already."""
    outcome = "duplicate" if receipt.duplicate else receipt.status
    logger.info("%s id=%s process=%s version=%s", outcome, receipt.id, receipt.process, receipt.version)


def refused(problem: Problem, process: str) -> None:
    """Tell that a delivery was not accepted, with every rule it breaks and where."""
    where = "".join(f"; {violation.where}: {violation.rule}" for violation in problem.violations)
    kept = f" id={problem.kept_as}" if problem.kept_as else ""
    logger.warning("refused%s process=%s code=%s: %s%s", kept, process, problem.code, problem.detail, where)


def crashed(error: BaseException | None) -> None:
    """Tell where a defect of our own showed: the kinds of exception and their frames, never their words.

    What Python says of an exception, and what holds it, may quote what was being worked on.
    """
    pieces = []
    while error is not None:
        frames = StackSummary.extract(walk_tb(error.__traceback__), lookup_lines=False)
        pieces.append(type(error).__name__ + "".join(f" < {each.filename}:{each.lineno}" for each in reversed(frames)))
        error = error.__cause__ or error.__context__
    logger.error("defect: %s", "; after ".join(pieces))


def pruned(process: str, kind: str, count: int) -> None:
    """Tell how much of what was over is removed; nothing where there was nothing."""
    if count:
        logger.info("pruned process=%s: %d %s", process, count, kind)


def discarded(id_: str, process: str, status: str, reason: str) -> None:
    """Tell that a delivery has left quarantine without being published."""
    logger.warning("discarded id=%s process=%s, which was %s: %s", id_, process, status, reason)


def housekeeping_failed(problem: Problem) -> None:
    """Tell that pruning could not go on; it is tried again."""
    logger.error("not pruned code=%s: %s", problem.code, problem.detail)


def recovered(report: Report) -> None:
    """Tell what a start found of an earlier life; nothing where there was nothing."""
    if report.finished or report.swept or report.quarantined:
        numbers = len(report.finished), report.swept, report.quarantined
        logger.info("recovered: %d published, %d leftovers swept, %d in quarantine settled", *numbers)
    for id_, problem in report.failed.items():
        logger.error("not published id=%s code=%s: %s", id_, problem.code, problem.detail)
