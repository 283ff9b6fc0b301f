"""`make instructions`: how many instructions of Python's bytecode one delivery takes, by function.

The number is the same in each run but for 1 %, whatever else the machine does: what a change saves shows at once.
It tells nothing of what C and the kernel do; `make profile` and `make bench` tell the time.
"""

import argparse
import json
import os
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from benchmarks import measuring, peers, site, table, tools
from benchmarks.cases import CASES
from benchmarks.server import Failed
from receiver.server import worker
from receiver.server.configuration import *  # noqa: F403

workers = 1
WARM_UP = 20  # deliveries: what the first ones compile or open
FROM = f"{sysconfig.get_path('purelib')}/", f"{sysconfig.get_path('stdlib')}/", f"{site.ROOT}/"  # not shown
HEAD = "instructions", "of it %", "calls", "where"


def post_worker_init(_worker: Any) -> None:
    """Count the instructions of one delivery, once the others have been: gunicorn calls it in its worker."""
    plain = worker.Worker.take_in
    done = 0

    def take_in(self: Any, connection: Any) -> Any:
        nonlocal done
        done += 1
        return plain(self, connection) if done <= WARM_UP else counted(lambda: plain(self, connection))

    worker.Worker.take_in = take_in  # type: ignore[method-assign]


def counted(deliver: Callable[[], Any]) -> Any:
    """Return what `deliver` does, and write what it took."""
    calls, instructions = Counter[CodeType](), Counter[CodeType]()

    def enter(frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any]:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        code = frame.f_code
        calls[code] += 1

        def within(_frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
            instructions[code] += event == "opcode"
            return within

        return within

    sys.settrace(enter)
    try:
        return deliver()
    finally:
        sys.settrace(None)
        rows = [(code.co_filename, code.co_qualname, calls[code], instructions[code]) for code in calls]
        Path(os.environ["WATCHED"]).write_text(json.dumps(rows))


def main() -> int:
    asked = _arguments()
    tools.go()
    site.write(peers.SITE)
    case = next(case for case in CASES if case.name == asked.case)
    try:
        rows = measuring.watched(case, "instructions", WARM_UP + 1, tools.CACHE)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"one delivery: {case.told}\n")
    print(table.written(HEAD, _rows(rows, asked.most, by_function=asked.functions)))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--case", default="forms", help=f"one of {','.join(case.name for case in CASES)}")
    parser.add_argument("--functions", action="store_true", help="by function, not by file")
    parser.add_argument("--most", type=int, default=50, help="rows that are shown")
    return parser.parse_args()


def _rows(rows: list[tuple[str, str, int, int]], most: int, *, by_function: bool) -> list[tuple[str, ...]]:
    """Return a row for each file or function, those first that take most, and the whole."""
    instructions, calls = Counter[str](), Counter[str]()
    for file, function, times, count in rows:
        where = _shown(file) + (f"  {function}" if by_function else "")
        instructions[where] += count
        calls[where] += times
    whole = instructions.total()
    listed = [
        (str(count), f"{100 * count / whole:.1f}", str(calls[where]), where)
        for where, count in instructions.most_common(most)
    ]
    return [*listed, (str(whole), "100", str(calls.total()), "the whole")]


def _shown(file: str) -> str:
    for place in FROM:
        file = file.removeprefix(place)
    return file


if __name__ == "__main__":
    sys.exit(main())
