"""What one record costs: the median time to render 20 and 200 fields, in each format.

Each record is rendered in three ways: by Jinja2 itself, which escapes nothing, to compare with; by the receiver with
`| raw` on every value, which shows the cost of the sandbox and its bounds; and as it is meant, escaped for its place.
The values are what faxes carry: names, numbers, dates, and in every tenth field delimiters, quotes and a line break.
Then the processor time of records that `each` makes of 500 rows, with their paths and checks.

    python benchmarks/rendering.py [--json]
"""

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from receiver.authoring.cases.cases import processes
from receiver.core.delivery import Delivery, Reading
from receiver.core.settings import Settings
from receiver.delivery.render import render
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


def median(render: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the median time of one call, in microseconds."""
    render()
    taken = []
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        begun = clock()
        render()
        taken.append(clock() - begun)
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


ROWS = 500
SITE = """
[auth]
open = true
[parts.metadata]
role = "metadata"
[metadata]
schema = "any.json"
source_id = "id"
[tables.items]
rows = "items"
columns = {{ sku = "sku", name = "name", day = "day" }}
[[records]]
template = "item.{kind}.j2"
each = "tables.items"
path = "{{{{ delivery.id }}}}-{{{{ loop.index }}}}.{kind}"
"""
OF_ROWS = {
    "hl7": "MSH|^~\\&|A|B|C|D|{{ delivery.received_at | hl7_ts }}||ORM^O01^ORM_O01|{{ delivery.id }}|P|2.5.1\n"
    'PID|1||{{ item.sku }}^^^B^MR||{{ item.name | person("family") }}\n'
    'OBR|{{ loop.index }}|||{{ item.sku }}|||{{ item.day | date("%m/%d/%Y", "%Y%m%d") }}\n',
    "json": '{"nr": {{ loop.index }}, "sku": {{ item.sku }}, "name": {{ item.name }}, "day": {{ item.day }}}\n',
    "xml": '<item nr="{{ loop.index }}"><sku>{{ item.sku }}</sku><name>{{ item.name }}</name></item>\n',
    "csv": "{{ loop.index }},{{ item.sku }},{{ item.name }},{{ item.day }}\n",
}


def of_rows(folder: Path, kind: str) -> float:
    """Return the processor time of a hundred records of a table, in milliseconds: the median of some deliveries."""
    files = {"schemas/any.json": "true", "mappings/rows/process.toml": SITE.format(kind=kind)}
    for name, text in {**files, f"mappings/rows/item.{kind}.j2": OF_ROWS[kind]}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    process = processes(Settings.from_environment({"RECEIVER_SITE": str(folder)}))["rows"]
    rows = [{"sku": f"A-{number}", "name": PLAIN[1], "day": PLAIN[2]} for number in range(ROWS)]
    reading = process.metadata.read(json.dumps({"id": "1", "items": rows}).encode())
    delivery = Delivery("AAAABBBBCCCCDDDDEEEE", "rows", "1", datetime(2026, 11, 23, tzinfo=UTC), 1)
    gc.freeze()  # as a worker does
    return median(lambda: render(process, delivery, reading, []), time.thread_time) / ROWS / 10


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
        rows = {kind: of_rows(Path(folder) / kind, kind) for kind in OF_ROWS}
    if as_json:
        json.dump({"records": figures, "rows": rows}, sys.stdout, indent=2)
        return
    print("format  fields   jinja µs     raw µs   escaped µs   escaping a value, µs")
    for each in figures:
        per_value = (each["escaped"] - each["raw"]) / each["fields"]
        print(
            f"{each['format']:6} {each['fields']:7} {each['jinja']:10.0f} {each['raw']:10.0f} {each['escaped']:12.0f}"
            f" {per_value:22.2f}"
        )

    print(
        f"\n100 of {ROWS} records by each, ms of the processor:", *(f"{kind} {took:.2f}" for kind, took in rows.items())
    )


if __name__ == "__main__":
    main()
