"""Schemas and templates that are dangerous are found before they are used, and nothing is fetched for them."""

import shutil
import time

import pytest

from receiver.authoring.check import check
from receiver.core.faults import Severity
from receiver.core.settings import Settings

from .cases.building import TOKEN
from .cases.configuration import DANGERS, SITE, Danger

MOST = 1.0  # seconds of work for one check


@pytest.fixture
def site(tmp_path):
    return shutil.copytree(SITE, tmp_path / "site")


@pytest.mark.parametrize("danger", DANGERS, ids=lambda danger: danger.input)
def test_check_finds_it(site, nobody, danger: Danger):
    (site / danger.file).write_text(danger.content)
    settings = Settings.from_environment({"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(site / "var")})
    start = time.process_time()
    faults = check(settings, {"RECEIVER_TOKEN": TOKEN})
    assert time.process_time() - start < MOST
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    assert {(fault.file, fault.code) for fault in errors} == {(danger.file, danger.code)}
    with pytest.raises(BlockingIOError):
        nobody.accept()
