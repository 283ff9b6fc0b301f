"""What one record costs: the median time to render 20 and 200 fields, in each format.

Each record is rendered in three ways: by Jinja2 itself, which escapes nothing, to compare with; by the receiver with
`| raw` on every value, which shows the cost of the sandbox and its bounds; and as it is meant, escaped for its place.
The values are what faxes carry: names, numbers, dates, and in every tenth field delimiters, quotes and a line break.

    python benchmarks/rendering.py [--json]
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from receiver.core.delivery import Delivery, Reading
from receiver.templates import Templates
from receiver.templates.names import names

SIZES = (20, 200)  # fields of one record
SECONDS = 1.0  # of each measurement
PLAIN = ("142637A", "Smith, John Q", "02/20/1964", "Ana Lucía Gómez", "R06.09", "(555) 013-4217")
SPECIAL = 'O\'Brien & "Sons" |^~\\ <b>; second line\nthird'


def field(number: int, mark: str) -> str:
    return f"{{{{ fields.field_{number}{mark} }}}}"


def hl7(count: int, mark: str) -> str:
    lines = [r"MSH|^~\&|A|B|C|D|20261123||ORU^R01^ORU_R01|1|P|2.5.1"]
    lines += [f"OBX|{n}|TX|CODE^Name||{field(n, mark)}||||||F" for n in range(count)]
    return "\n".join(lines) + "\n"


def json_(count: int, mark: str) -> str:
    quote = '"' if mark else ""  # raw text is no JSON: the quotes are the template's
    return "{" + ",\n".join(f'"field_{n}": {quote}{field(n, mark)}{quote}' for n in range(count)) + "}\n"


def xml(count: int, mark: str) -> str:
    inner = "\n".join(f'<field n="{n}">{field(n, mark)}</field>' for n in range(count))
    return f"<form>\n{inner}\n</form>\n"


def csv(count: int, mark: str) -> str:
    header = ",".join(f"field_{n}" for n in range(count))
    return f"{header}\n{','.join(field(n, mark) for n in range(count))}\n"


TEMPLATES: dict[str, Callable[[int, str], str]] = {"hl7": hl7, "json": json_, "xml": xml, "csv": csv}


def values(count: int) -> dict[str, str]:
    return {f"field_{n}": SPECIAL if n % 10 == 9 else PLAIN[n % len(PLAIN)] for n in range(count)}


def context(count: int) -> dict[str, object]:
    fields = values(count)
    delivery = Delivery("AAAABBBBCCCCDDDDEEEE", "benchmark", "1", datetime(2026, 11, 23, tzinfo=UTC), 1)
    return names(delivery, Reading("1", fields, dict.fromkeys(fields, 0.9), None))


def median(render: Callable[[], object]) -> float:
    """Return the median time of one call, in microseconds."""
    render()
    taken = []
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        begun = time.perf_counter()
        render()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e6


def measure(folder: Path, kind: str, count: int) -> dict[str, float]:
    """Return the medians of the three ways, in microseconds."""
    make, known = TEMPLATES[kind], context(count)
    templates = Templates(folder, folder)
    bare = jinja2.Environment(autoescape=False).from_string(make(count, ""))
    ways: dict[str, Callable[[], object]] = {"jinja": lambda: bare.render(known)}
    for way, mark in (("raw", " | raw"), ("escaped", "")):
        (folder / f"{way}.j2").write_text(make(count, mark), "utf-8")
        compiled = templates.record(f"{way}.j2", kind)
        ways[way] = lambda compiled=compiled: compiled.render(known)  # type: ignore[misc]
    return {way: median(render) for way, render in ways.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory() as folder:
        figures = [
            {"format": kind, "fields": count} | measure(Path(folder), kind, count)
            for kind in TEMPLATES
            for count in SIZES
        ]
    if as_json:
        json.dump(figures, sys.stdout, indent=2)
        return
    print("format  fields   jinja µs     raw µs   escaped µs   escaping a value, µs")
    for each in figures:
        per_value = (each["escaped"] - each["raw"]) / each["fields"]
        print(
            f"{each['format']:6} {each['fields']:7} {each['jinja']:10.0f} {each['raw']:10.0f} {each['escaped']:12.0f}"
            f" {per_value:22.2f}"
        )


if __name__ == "__main__":
    main()
