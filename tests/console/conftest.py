"""A data folder with a published, a held and a refused delivery, the console over it, and a browser before that."""

import os
import shutil
import threading
import time
from contextlib import closing
from itertools import count

import pytest
from argon2 import PasswordHasher
from werkzeug.serving import make_server
from werkzeug.test import EnvironBuilder, run_wsgi_app

from receiver.app import create_app as create_service
from receiver.core.delivery import Status
from receiver.core.settings import Settings
from receiver.store.accounts import Accounts, Role, User
from receiver.store.entry import Entry
from receiver.store.ledger import Ledger
from receiver.web.console import create_app

from .sample import PASSWORD, ROOT, TOKEN, request_of

HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(
    PASSWORD
)  # a login of a test takes no tenth of a second
NUMBERS = count()
MORE = """
[console]
keys = ["mrn"]
[tables.items]
rows = "lines"
each = "cells"
[[records]]
template = "lines.txt.j2"
path = "{{ delivery.id }}.txt"
format = "text"
when = "tables.items"
"""
LINES = "{% for row in tables.items %}{{ row.sku }}={{ row.qty }}\n{% endfor %}"
CHROMIUM = shutil.which("chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """Return the settings of a site of its own: ours, with a key to search by, and a table."""
    folder = tmp_path_factory.mktemp("console")
    for name in ("mappings", "schemas"):
        shutil.copytree(ROOT / name, folder / "site" / name)
    with (folder / "site/mappings/referrals/process.toml").open("a") as file:
        file.write(MORE)
    (folder / "site/mappings/referrals/lines.txt.j2").write_text(LINES)
    environ = {"RECEIVER_SITE": str(folder / "site"), "RECEIVER_DATA": str(folder / "var")}
    return Settings.from_environment(environ)


@pytest.fixture(scope="module")
def service(settings):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEIVER_TOKEN", TOKEN)
        return create_service(settings)


@pytest.fixture
def accounts(settings, service) -> Accounts:
    made = Accounts(Ledger(settings.ledger).connections)
    for role in Role:
        made.put(User(f"{role} person", role, HASH))
    return made


@pytest.fixture(scope="module")
def app(settings, service):
    """One console for all tests of a module: it compiles the site once."""
    return create_app(settings)


@pytest.fixture
def console(app, accounts):
    """Return the console, with users who have no session yet."""
    return app


@pytest.fixture
def ids(settings, service) -> dict[str, str]:
    """The ids of three deliveries that no other test has, by their status; the held one has the sourceId `source`."""
    source = f"S-{next(NUMBERS)}"
    for number, changes in enumerate(({}, {"mrn": ("00071234", 0.61)}, {"mrn": None})):
        deliver(service, f"{source}-{number}", changes)
    found = [Ledger(settings.ledger).search(source_id=f"{source}-{number}")[0] for number in range(3)]
    return {"source": f"{source}-1", **{entry.status.value: entry.id for entry in found}}


def deliver(service, source_id: str, changes, **more) -> None:
    """Deliver a fax as the platform would."""
    run_wsgi_app(service, EnvironBuilder(method="POST", **request_of(source_id, changes, **more)).get_environ())


def settled(settings, id_: str) -> Entry:
    """Return what became of a delivery: it is marked as published a moment after its files lie there."""
    ledger, deadline = Ledger(settings.ledger), time.monotonic() + 60
    while (entry := ledger.find(id_)).status is Status.COMMITTED and time.monotonic() < deadline:
        time.sleep(0.02)
    return entry


def at_once(app):
    """Read an answer whole and close it: Werkzeug's server leaves it open if the browser has gone."""

    def answer(environ, start_response):
        with closing(app(environ, start_response)) as pieces:
            return [b"".join(pieces)]

    return answer


@pytest.fixture
def url(console):
    server = make_server("127.0.0.1", 0, at_once(console), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("no chromium here")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield opened
        opened.close()


@pytest.fixture
def page(request, browser, url):
    expected = request.node.get_closest_marker("expects")
    yield from opened_by(browser, url, "operator person", expected.args[0] if expected else None)


def opened_by(browser, url, name, expected=None):
    """Yield a page of a person's own browser session, whose console says nothing but of an answer that is expected.

    What the policy refuses would be said there, too.
    """
    context = browser.new_context(viewport={"width": 1500, "height": 1000})
    context.set_default_timeout(60_000)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{url}/login")
    page.locator("[name=name]").press_sequentially(name)
    page.locator("[name=password]").press_sequentially(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text('Now')")
    page.wait_for_load_state("load")  # its scripts have run: they listen to keys
    yield page
    context.close()
    assert [text for text in said if expected is None or f"status of {expected} " not in text] == []
