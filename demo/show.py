"""Prints what the demonstration does, for the eye."""
# ruff: noqa: T201 (printing is its work)

import json
import os
import re
import shlex
import sys
from pathlib import Path

from sender import Answer, sections

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
TEXT = {".hl7", ".json", ".xml", ".csv", ".txt"}
LONG_BASE64 = re.compile(r"[A-Za-z0-9+/=]{120,}")


def opening(port: int, data: Path) -> None:
    print(f"\n{_bold('receiver')} serves at {_bold(f'http://127.0.0.1:{port}')}")
    print(f"  output   {data / 'output'}")
    print(f"  log      {data / 'service.log'}")


def heading(number: int, process: str, case: str, remark: str) -> None:
    print(f"\n{_bold(f'{number}  {process}')}  {remark}\n   {_dim(f'mappings/{process}/samples/{case}')}\n")


def answer(answer: Answer) -> None:
    """Show the request in a few lines, then the whole answer."""
    print(f"   POST {answer.target}")
    for name, filename, kind, size in answer.sections:
        print(f"     {name:<9} {filename:<16} {kind:<17} {size:>7,} bytes")
    colour = "32" if answer.status < 300 else "33"
    print(f"   {_paint(colour, str(answer.status))}  in {answer.seconds * 1000:.0f} ms")
    print(_indented(json.dumps(answer.body, indent=2, ensure_ascii=False), "     "))


def file(path: Path, root: Path) -> None:
    """Show a text file's lines, an image's size."""
    print(f"\n   {_bold(str(path.relative_to(root)))}", end="")
    if not path.is_file():
        print("  is missing")
    elif path.suffix in TEXT:
        print(f"\n{_indented(_lines(path), '     ')}")
    else:
        print(f"  {path.stat().st_size:,} bytes")


def closing(port: int, data: Path, token: str, sample: Path, process: str) -> None:
    """Tell how to go on by hand: one command to deliver, one to see what it wrote."""
    forms = [
        f"-F {shlex.quote(f'{name}=@{_found(sample, filename)};type={kind};filename={filename}')}"
        for name, filename, kind, _ in sections(sample)
    ]
    parts = [f"curl -H {shlex.quote(f'Authorization: Bearer {token}')}", *forms]
    print(f"\n{_bold('Try it')} from another terminal, in {Path.cwd()}:\n")
    print(" \\\n    ".join(["  " + parts[0], *parts[1:], f"http://127.0.0.1:{port}/api/nextstep/delivery/{process}"]))
    print(f"\n  ls -l {data / 'output' / process}")
    print(f"\nIt serves until Ctrl-C; {data} is kept.", flush=True)


def _found(sample: Path, filename: str) -> str:
    path = next(path for path in sample.iterdir() if path.name in (filename, f"file--{filename}"))
    return os.path.relpath(path)


def _lines(path: Path) -> str:
    """Return a record as it is read: HL7 ends its segments with CR, and base64 is nothing to look at."""
    text = path.read_bytes().decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return LONG_BASE64.sub(lambda found: f"{found[0][:24]}…({len(found[0]):,} characters)", text)


def _indented(text: str, by: str) -> str:
    return "\n".join(by + line for line in text.split("\n"))


def _paint(colour: str, text: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if COLOUR else text


def _bold(text: str) -> str:
    return _paint("1", text)


def _dim(text: str) -> str:
    return _paint("2", text)
