"""Starts the service on this machine, delivers the sample documents to it and shows what became of them."""
# ruff: noqa: T201 (it talks to whoever started it)

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess  # noqa: S404 (starts the service)
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import show
from sender import Answer, deliver

SITE = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SAMPLES = (
    # process, sample case, the answer it must get, and a word on it
    ("referrals", "faxed-letter", 200, "a fax and JSON become HL7 (MDM^T02) and JSON"),
    ("referrals", "faxed-letter", 200, "the same again, as a retry would: same receipt, nothing written"),
    ("lab-reports", "lipid-panel", 200, "a PDF and XML become HL7 (ORU^R01, the PDF inside) and CSV"),
    ("intake-forms", "twenty-fields", 200, "an image and twenty fields become XML that satisfies its schema"),
    ("intake-forms", "many-faults", 422, "every fault is told at once, and nothing is published"),
)
TO_TRY = ("referrals", "noise-in-the-name")
START_WITHIN = 30.0  # seconds; a cold start on a slow machine takes three
STOP_WITHIN = 15.0  # seconds; longer than gunicorn gives its workers in gunicorn.conf.py for a delivery this small


def main() -> int:
    """Run the demonstration; return 0 when every delivery got the answer it must get."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--once", action="store_true", help="end after the deliveries, and leave nothing behind")
    once = arguments.parse_args().once
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a kill ends the service too
    token = secrets.token_urlsafe(16)
    with _data_folder(once) as data, _service(data, token) as port:
        show.opening(port, data)
        fine = all([_step(number, data, port, token) for number in range(len(SAMPLES))])
        if not once:
            show.closing(port, data, token, SITE / "mappings" / TO_TRY[0] / "samples" / TO_TRY[1], TO_TRY[0])
            _wait_for_ctrl_c()
    print("Every answer as expected." if fine else "Not every answer was as expected: see above.")
    return 0 if fine else 1


def _step(number: int, data: Path, port: int, token: str) -> bool:
    """Deliver one sample, show it, and say whether the answer and the files are what they must be."""
    process, case, expected, remark = SAMPLES[number]
    folder = SITE / "mappings" / process / "samples" / case
    show.heading(number + 1, process, case, remark)
    answer = deliver(port, process, folder, token)
    show.answer(answer)
    repeated = SAMPLES[number][:2] in [sample[:2] for sample in SAMPLES[:number]]
    if answer.status != expected or (expected == 200 and answer.body["duplicate"] != repeated):
        print(f"   expected: {expected}")
        return False
    return repeated or _written(data, answer)


def _written(data: Path, answer: Answer) -> bool:
    """Show the files that a receipt names; tell whether all of them are there."""
    paths = [
        data / "output" / file["path"] for file in answer.body.get("documents", []) + answer.body.get("records", [])
    ]
    for path in paths:
        show.file(path, data / "output")
    return all(path.is_file() for path in paths)


@contextmanager
def _data_folder(once: bool) -> Iterator[Path]:
    """Give a fresh folder; with `once` it is removed at the end, else it is kept to look into."""
    folder = Path(tempfile.mkdtemp(prefix="receiver-demo-"))
    try:
        yield folder
    finally:
        if once:
            shutil.rmtree(folder)


@contextmanager
def _service(data: Path, token: str) -> Iterator[int]:
    """Run the service under gunicorn on a free port of the loopback interface; end it cleanly, always."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
    environment |= {"RECEIVER_SITE": str(SITE), "RECEIVER_DATA": str(data), "RECEIVER_TOKEN": token}
    command = [BIN / "gunicorn", "-c", "gunicorn.conf.py", "-b", f"127.0.0.1:{port}", "wsgi:app"]
    with (data / "service.log").open("wb") as log:
        service = subprocess.Popen(command, cwd=SITE, env=environment, stdout=log, stderr=log)  # noqa: S603 (our own)
    try:
        _wait_until_ready(service, port, data / "service.log")
        yield port
    finally:
        _stop(service)


def _wait_until_ready(service: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while service.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=START_WITHIN)
        try:
            connection.request("GET", "/readyz")
            connection.getresponse().read()
        except (OSError, HTTPException):
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    sys.exit(f"The service did not start. Its log says:\n\n{log.read_text(errors='replace')}")


def _stop(service: subprocess.Popen[bytes]) -> None:
    service.terminate()
    try:
        service.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()


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
