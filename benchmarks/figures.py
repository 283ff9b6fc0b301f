"""The figures that the service is held to, out of the cases that were measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measuring import Sample
from benchmarks.table import ratio

HEAD = ("figure", "wanted", "found", "")

Results = dict[str, dict[str, list[Sample]]]


@dataclass(frozen=True)
class Figure:
    """A rate of ours against one of a peer, in one case."""

    told: str
    case: str
    against: str
    least: float


FIGURES = (
    Figure("forms, against tuned Flask without ledger", "forms", "flask-tuned", 1.6),
    Figure("forms, against Flask with the same promise", "forms", "flask-equal", 2.2),
    Figure("forms, against Express", "forms", "express", 1.0),
    Figure("forms, against Go net/http", "forms", "go", 0.65),
    Figure("forms, against the limit", "forms", "limit", 0.3),
    Figure("reports, against tuned Flask", "reports", "flask-tuned", 1.0),
    Figure("forms without fsync, against nginx", "memory", "nginx", 0.25),
    Figure("300 MB, against one fdatasync of the same bytes", "scan", "disk", 0.55),
    Figure("300 MB, against Starlette", "scan", "starlette", 2),
)


def rows(results: Results) -> list[Sequence[str]]:
    """Return a row for each figure whose cases were measured."""
    told = [
        _row(each, results[each.case])
        for each in FIGURES
        if {each.against, "receiver"} <= set(results.get(each.case, ()))
    ]
    return [*told, *_own(results)]


def _row(figure: Figure, samples: dict[str, list[Sample]]) -> Sequence[str]:
    return figure_row(figure.told, figure.least, ratio(samples, "receiver", figure.against), most=False)


def _own(results: Results) -> list[Sequence[str]]:
    """Return the figures that compare ours with ours."""
    ours = {case: samples["receiver"] for case, samples in results.items() if "receiver" in samples}
    told = []
    if {"forms", "duplicates"} <= set(ours):
        told.append(
            figure_row(
                "a duplicate, against a first delivery",
                3,
                _middle(ours["duplicates"], "rate") / _middle(ours["forms"], "rate"),
                most=False,
            )
        )
    if {"forms", "wide"} <= set(ours):
        told.append(
            figure_row(
                "CPU of 200 fields, against 20",
                6,
                _middle(ours["wide"], "cpu") / _middle(ours["forms"], "cpu"),
                most=True,
            )
        )
    if {"page", "scan"} <= set(ours):
        growth = _middle(ours["scan"], "worker") - _middle(ours["page"], "worker")
        told.append(figure_row("peak of a worker, MB more for 300 MB than for 1 MB", 10, growth, most=True))
    if "flood" in ours:
        peak = _middle(ours["flood"], "memory")
        told.append(figure_row("peak of all processes, MB, 32 times 50 MB at once", 500, peak, most=True))
    if "silent" in results.get("memory", {}):
        silent = _middle(results["memory"]["silent"], "cpu") / _middle(ours["memory"], "cpu")
        told.append(figure_row("log, counters, notices, % of the CPU, without fsync", 5, 100 * (1 - silent), most=True))
    if "forms" in ours:
        worst = median(sample.p99 / sample.p50 for sample in ours["forms"])
        told.append(figure_row("p99 under full load, against p50", 5, worst, most=True))
    return told


def _middle(samples: Sequence[Sample], name: str) -> float:
    return float(median(getattr(sample, name) for sample in samples))


def figure_row(told: str, bound: float, found: float, *, most: bool) -> Sequence[str]:
    reached = found < bound if most else found >= bound
    return told, f"{'< ' if most else '≥ '}{bound:g}", f"{found:.2f}", "yes" if reached else "no"
