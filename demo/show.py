"""Prints what the demonstration does, for the eye."""
# ruff: noqa: T201 (printing is its work)

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from sender import Answer, target

from receiver.authoring.cases.cases import Named

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
TEXT = {".hl7", ".json", ".xml", ".csv", ".txt"}
WIDTH = 110  # columns
LOG_LINES = 15  # a failure tells itself in a few
FLAT_OBJECT = re.compile(r"(?<=\s)\{\n[^{}]*\}")
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
LONG_BASE64 = re.compile(r"[A-Za-z0-9+/=]{120,}")


def opening(port: int, data: Path) -> None:
    """Tell where the service is and where it writes."""
    print(f"\n{_bold('receiver')} serves at {_bold(f'http://127.0.0.1:{port}')} and writes to {data / 'output'}")


def heading(number: int, process: str, case: str, remark: str) -> None:
    """Open one delivery's chapter."""
    print(f"\n{_bold(f'{number}  {process}')}  {remark}\n   {_dim(f'mappings/{process}/samples/{case}')}\n")


def request(process: str, parts: Sequence[Named]) -> None:
    """Show a request: one line for each part."""
    print(f"   POST {target(process)}")
    for part in parts:
        head, size = part.section, part.path.stat().st_size
        print(f"     {head.name:<9} {head.filename:<14} {head.type:<16} {size:>7,} bytes")


def answer(answer: Answer) -> None:
    """Show the whole answer."""
    colour = "32" if answer.status < 300 else "33"
    print(f"   {_paint(colour, str(answer.status))} in {answer.seconds * 1000:.0f} ms")
    print(_indented(_compact(answer.body)))


def file(path: Path, root: Path) -> None:
    """Show the lines of a record, the size of a document."""
    name = _bold(str(path.relative_to(root)))
    if not path.is_file():
        print(f"\n   {name}  is missing")
    elif path.suffix in TEXT:
        print(f"\n   {name}\n{_indented(_readable(path.read_bytes()))}")
    else:
        print(f"\n   {name}  {path.stat().st_size:,} bytes")


def closing(port: int, output: Path, process: str, parts: Sequence[Named], token: str) -> None:
    """Tell how to go on by hand: one command that delivers, one that shows what came of it."""
    lines = [f"curl -sS -H {quote(f'Authorization: Bearer {token}')}", *map(_form, parts)]
    lines.append(f"http://127.0.0.1:{port}{target(process)}")
    print(f"\n{_bold('Try it yourself')}, from another terminal:\n")
    print("  " + " \\\n    ".join(lines))
    print(f"  ls -l {quote(str(output / process))}")


def console(port: int, user: str, password: str) -> None:
    """Tell where the console is, who may log in, and how all of it ends."""
    print(f"\n{_bold('The console')}: http://127.0.0.1:{port}, name {_bold(user)}, password {_bold(password)}")
    print("\nCtrl-C ends the service and keeps its folder.", flush=True)


def log_end(log: Path) -> None:
    """Show the last lines of the service's log: what it has to say of a failure."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    if lines:
        print(f"\n{_bold('The service says')}, at the end of its log:\n\n" + _indented("\n".join(lines[-LOG_LINES:])))


def _form(part: Named) -> str:
    return "-F " + quote(f"{part.section.name}=@{part.path};type={part.section.type};filename={part.section.filename}")


def _compact(body: dict[str, Any]) -> str:
    """Return JSON with each file and each violation in one line where it fits, and digests cut short."""
    text = DIGEST.sub(lambda found: f"{found[0][:12]}…", json.dumps(body, indent=2, ensure_ascii=False))
    return FLAT_OBJECT.sub(_one_line, text)


def _one_line(found: re.Match[str]) -> str:
    line = re.sub(r"\n\s*", " ", found[0]).replace("{ ", "{").replace(" }", "}")
    return line if len(line) <= WIDTH else found[0]


def _readable(record: bytes) -> str:
    """Return a record as a person reads it: HL7 ends its segments with CR, and base64 is nothing to look at."""
    text = record.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return LONG_BASE64.sub(lambda found: f"{found[0][:24]}…({len(found[0]):,} characters)", text)


def _indented(text: str) -> str:
    return "\n".join("     " + line for line in text.split("\n"))


def _paint(colour: str, text: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if COLOUR else text


def _bold(text: str) -> str:
    return _paint("1", text)


def _dim(text: str) -> str:
    return _paint("2", text)
