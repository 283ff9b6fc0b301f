"""Tables for the terminal, which Markdown reads as well."""

from collections.abc import Sequence
from statistics import median

from benchmarks.measuring import Sample

HEAD = ("", "per second", "spread", "of ours", "p50 ms", "p99 ms", "CPU ms", "memory MB")


def case_rows(samples: dict[str, list[Sample]], size: int | None) -> list[Sequence[str]]:
    """Return a row for each server, the fastest first; with a size in bytes, the rate is told in MB/s."""
    rows: list[Sequence[str]] = []
    factor = size / 1e6 if size else 1
    for name in sorted(samples, key=lambda each: -median(sample.rate for sample in samples[each])):
        rates = [sample.rate * factor for sample in samples[name]]
        middle = {each: median(getattr(sample, each) for sample in samples[name]) for each in Sample.__slots__}
        rows.append(
            (
                name,
                f"{median(rates):.0f}",
                f"{min(rates):.0f}–{max(rates):.0f}",
                f"{ratio(samples, name, 'receiver'):.2f}",
                *(f"{middle['p50']:.1f}", f"{middle['p99']:.1f}", f"{middle['cpu']:.2f}", f"{middle['memory']:.0f}"),
            )
        )
    return rows


def ratio(samples: dict[str, list[Sample]], one: str, other: str) -> float:
    """Return the median over the rounds of one's rate against the other's: a slow minute slows both."""
    pairs = zip(samples[one], samples[other], strict=True)
    return median(each.rate / against.rate for each, against in pairs)


def written(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with its columns aligned: the first one to the left."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [_line(head, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
    return f"| {' | '.join(cells)} |"
