"""A data folder with a published, a held and a refused delivery, and the console over it."""

from itertools import count

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from receiver.app import create_app as create_service
from receiver.core.settings import Settings
from receiver.store.ledger import Ledger
from receiver.store.sqlite.accounts import Accounts, Role, User
from receiver.web.console import create_app
from receiver.web.console.access import hashed

from .sample import PASSWORD, ROOT, TOKEN, request_of

HASH = hashed(PASSWORD)
NUMBERS = count()


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    data = tmp_path_factory.mktemp("console") / "var"
    return Settings.from_environment({"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(data)})


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


@pytest.fixture
def console(settings, accounts):
    return create_app(settings)


@pytest.fixture
def ids(settings, service) -> dict[str, str]:
    """The ids of three deliveries that no other test has, by their status; the held one has the sourceId `source`."""
    source = f"S-{next(NUMBERS)}"
    for number, changes in enumerate(({}, {"mrn": ("00071234", 0.61)}, {"mrn": None})):
        environ = EnvironBuilder(method="POST", **request_of(f"{source}-{number}", changes)).get_environ()
        run_wsgi_app(service, environ)
    found = [Ledger(settings.ledger).search(source_id=f"{source}-{number}")[0] for number in range(3)]
    return {"source": f"{source}-1", **{entry.status.value: entry.id for entry in found}}
