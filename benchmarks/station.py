"""Works through a queue of held deliveries at the console's station, in a real browser, by keyboard alone.

    python -m benchmarks.station [COUNT]

Prints keys, seconds, and how many of the typed characters are in the published records. Then a single one is found in
the list, corrected and published, and another one published as it is by `receiver replay`, which corrects nothing.
"""

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from receiver.app import create_app as create_service
from receiver.core.delivery import Status
from receiver.core.settings import Settings
from receiver.store.accounts import Accounts, Role, User
from receiver.store.ledger import Ledger
from receiver.web.console import create_app
from receiver.web.console.access import hashed
from tests.console.conftest import OPTIONS, deliver
from tests.console.sample import PASSWORD, ROOT, TOKEN

SHOWN = ".item[data-id='{}']:not([hidden]) [name='field.mrn']:focus"


def main(count: int) -> None:
    """Work through `count` deliveries and print what it took."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment({"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": f"{folder}/var"})
        os.environ["RECEIVER_TOKEN"] = TOKEN
        service = create_service(settings)
        for number in range(count):
            deliver(service, f"S-{number}", {"mrn": ("0007123O", 0.61)})
        ledger = Ledger(settings.ledger)
        Accounts(ledger.connections).put(User("ada", Role.OPERATOR, hashed(PASSWORD)))
        server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        queue = [entry.id for entry in ledger.search(status=Status.HELD, limit=count, oldest_first=True)]
        with _page(f"http://127.0.0.1:{server.port}") as page:
            keys, seconds = _work(page, queue)
            lost = sum(_lost(settings, ledger, id_, _value(number)) for number, id_ in enumerate(queue))
            print(f"{count} deliveries, {keys} keys, {seconds:.1f} s ({seconds / count:.2f} s each), {lost} lost")
            deliver(service, "S-list", {"mrn": ("0007123O", 0.61)})
            print("one from the list: {} keys, {:.1f} s".format(*_correct(page)))
        server.shutdown()
        thread.join()
        deliver(service, "S-replay", {"mrn": ("0007123O", 0.61)})
        print("receiver replay: {} keys, {:.1f} s".format(*_replay(settings, ledger.search(limit=1)[0].id)))


@contextlib.contextmanager
def _page(url: str) -> Iterator[Page]:
    """Yield a page of a browser in which somebody is logged in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        page = browser.new_page(viewport={"width": 1500, "height": 1000}, base_url=url)
        page.goto("/login")
        page.fill("[name=name]", "ada")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:text('Now')")
        yield page
        browser.close()


def _work(page: Page, queue: list[str]) -> tuple[int, float]:
    """Work through the queue of the station."""
    keys = 0
    page.goto("/station/referrals")
    begun = perf_counter()
    for number, id_ in enumerate(queue):
        page.wait_for_selector(SHOWN.format(id_))
        page.keyboard.type(_value(number))
        page.keyboard.press("Control+Enter")
        keys += len(_value(number)) + 1
    page.wait_for_selector("#waiting:text-is('0')")
    return keys, perf_counter() - begun


def _correct(page: Page) -> tuple[int, float]:
    """Correct and publish the first one of the list."""
    page.goto("/deliveries?status=held")
    begun = perf_counter()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-doubt]:focus")
    page.keyboard.press("Control+a")
    page.keyboard.type(_value(0))
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=The delivery was corrected.")
    return 4 + len(_value(0)), perf_counter() - begun


def _replay(settings: Settings, id_: str) -> tuple[int, float]:
    """Publish a delivery as it is from a shell."""
    words = ["replay", id_, "--accept-confidence"]
    begun = perf_counter()
    command = [sys.executable, "-m", "receiver.cli", *words]
    subprocess.run(command, env=os.environ | settings.variables(), check=True, capture_output=True)
    return len(" ".join(["receiver", *words])) + 1, perf_counter() - begun


def _value(number: int) -> str:
    return f"8{number:07}"


def _lost(settings: Settings, ledger: Ledger, id_: str, value: str) -> int:
    """Return how many characters of a value are not in the record of its delivery."""
    entry = ledger.find(id_)
    if entry is None or entry.status is not Status.PUBLISHED:
        return len(value)
    path = next(Path(output.path) for output in entry.outputs if output.path.endswith(".hl7"))
    found = (settings.output / path).read_text().partition("PID|1||")[2].partition("^")[0]
    return 0 if found == value else sum(a != b for a, b in zip(found.ljust(len(value)), value, strict=False))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
