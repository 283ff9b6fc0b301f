"""Starts the service on this machine, delivers the sample documents to it and shows what became of them."""
# ruff: noqa: T201 (it talks to whoever started it)

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import sender
import show
from service import LOG, USER, console, service

SITE = Path(__file__).resolve().parent.parent


class Step(NamedTuple):
    """One delivery of the demonstration, and the answer that it must get."""

    process: str
    case: str
    status: int
    duplicate: bool
    remark: str

    @property
    def sample(self) -> Path:
        return SITE / "mappings" / self.process / "samples" / self.case


STEPS = (
    Step("referrals", "faxed-letter", 200, False, "a fax with JSON becomes HL7 (MDM^T02) and JSON"),
    Step("referrals", "faxed-letter", 200, True, "the same again, as a retry would: same receipt, nothing written"),
    Step(
        "referrals", "mrn-uncertain", 202, False, "a field that the platform is not sure of: held until somebody looks"
    ),
    Step("lab-reports", "lipid-panel", 200, False, "a PDF with XML becomes HL7 (ORU^R01, PDF inside) and CSV"),
    Step("intake-forms", "twenty-fields", 200, False, "an image with twenty fields becomes XML, proven by its schema"),
    Step("intake-forms", "many-faults", 422, False, "every fault is told at once, and nothing is published"),
)
BY_HAND = Step("referrals", "noise-in-the-name", 200, False, "")


def main() -> int:
    """Run the demonstration; return 0 when every delivery got the answer it must get."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--once", action="store_true", help="end after the deliveries and leave nothing behind")
    once = arguments.parse_args().once
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)  # whatever ends this ends the service too
    token = secrets.token_urlsafe(16)
    with _data_folder(keep=not once) as data, service(SITE, data, token) as port:
        show.opening(port, data)
        outcomes = [_run(number, step, data / "output", port, token) for number, step in enumerate(STEPS, 1)]
        if not all(outcomes):
            show.log_end(data / LOG)
        if not once:
            password = secrets.token_urlsafe(12)
            with console(SITE, data, password) as pages:
                show.closing(port, data / "output", BY_HAND.process, sender.parts(BY_HAND.sample), token)
                show.console(pages, USER, password)
                _wait_for_ctrl_c()
    print(f"\n{outcomes.count(True)} of {len(outcomes)} deliveries went as they should.")
    return 0 if all(outcomes) else 1


def _run(number: int, step: Step, output: Path, port: int, token: str) -> bool:
    """Deliver one sample, show all of it, and say whether answer and files are what they must be."""
    parts = sender.parts(step.sample)
    show.heading(number, step.process, step.case, step.remark)
    show.request(step.process, parts)
    answer = sender.deliver(port, step.process, parts, token)
    show.answer(answer)
    if answer.status != step.status or answer.body.get("duplicate", False) != step.duplicate:
        print(f"   This should have been {step.status}{' and a duplicate' if step.duplicate else ''}.")
        return False
    paths = [output / file["path"] for kind in ("documents", "records") for file in answer.body.get(kind, [])]
    if not step.duplicate:
        for path in paths:
            show.file(path, output)
    return all(path.is_file() for path in paths)


@contextmanager
def _data_folder(*, keep: bool) -> Iterator[Path]:
    """Yield a new folder. It is removed at the end, unless it is to be kept or something failed unforeseen."""
    folder = Path(tempfile.mkdtemp(prefix="receiver-demo-"))
    try:
        yield folder
    except Exception:
        show.log_end(folder / LOG)
        keep = True
        raise
    finally:
        if keep:
            print(f"Kept: {folder}")
        else:
            shutil.rmtree(folder)


def _wait_for_ctrl_c() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
