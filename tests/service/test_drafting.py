"""From a sample of an unknown shape to a served process, by the command line alone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from receiver import cli
from tests.support.running import ROOT, TOKEN, Service, multipart

SHAPES = ROOT / "tests" / "authoring" / "draft" / "shapes"
REQUEST = ROOT / "mappings" / "referrals" / "samples" / "documented-request" / "request.http"
PAGE = (ROOT / "receiver" / "authoring" / "draft" / "site" / "page.pdf").read_bytes()
PATIENCE = 6  # seconds for init, new, check and test: about three on a quiet machine, most of it Python's start


def settings(site: Path) -> dict[str, str]:
    return {"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(site.parent / "var"), "RECEIVER_TOKEN": TOKEN}


def verb(site: Path, *arguments: str) -> None:
    ended = CliRunner().invoke(cli.main, arguments, env=settings(site), catch_exceptions=False)
    assert ended.exit_code == 0, ended.output


def verb_of_its_own(site: Path, *arguments: str) -> None:
    """Start a process, as a user does."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
    command = [sys.executable, "-m", "receiver.cli", *arguments]
    ended = subprocess.run(command, env=plain | settings(site), capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture
def drafted(tmp_path):
    """Return what drafts a process in a new site and serves it."""
    running = []

    def draft(form: str, *files: Path, verb=verb) -> Service:
        site = tmp_path / "site"
        verb(site, "init", str(site))
        verb(site, "new", "scans", "--from", *map(str, files), "--format", form)
        verb(site, "check")
        verb(site, "test")
        service = Service(tmp_path / "data", site=site).start()
        running.append(service)
        return service

    yield draft
    for service in running:
        service.stop()


def test_the_very_request_that_was_captured_is_received(drafted):
    service = drafted("hl7", REQUEST)
    answer = service.request(REQUEST.read_bytes())
    assert answer.status == 200, answer.body
    [record] = (service.output / "scans").glob("*.hl7")
    assert record.read_bytes().startswith(b"MSH|^~\\&|RECEIVER|Scans|")


@pytest.mark.parametrize(
    ("name", "form", "kind", "value"),
    [("pages.json", "xml", "application/json", "Ruth Sample"), ("items.xml", "json", "application/xml", "00099123")],
)
def test_metadata_of_an_unknown_shape_is_received(drafted, name, form, kind, value):
    service = drafted(form, SHAPES / name)
    metadata = (SHAPES / name).read_bytes()
    answer = service.request(
        multipart(("file", "page.pdf", "application/pdf", PAGE), ("metadata", name, kind, metadata))
    )
    assert answer.status == 200, answer.body
    [record] = (service.output / "scans").glob(f"*.{form}")
    assert value in record.read_text()


def test_a_new_user_is_done_in_seconds(drafted):
    began = time.monotonic()
    drafted("json", SHAPES / "pages.json", verb=verb_of_its_own)
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert time.monotonic() - began < PATIENCE * busy + 5  # seconds for the service to start


def test_deliveries_of_shapes_that_nobody_knows_are_received_by_one_service(tmp_path):
    site, unknown = tmp_path / "site", SHAPES.parent / "unknown"
    samples = {"rows": "de-attributes.xml", "pages": "fr-pages.json", "members": "fr-dict.json"}
    verb(site, "init", str(site))
    for process, name in samples.items():
        verb(site, "new", process, "--from", str(unknown / name))
    verb(site, "check")
    verb(site, "test")
    service = Service(tmp_path / "data", site=site).start()
    try:
        for process, name in samples.items():
            kind = f"application/{name.rpartition('.')[2]}"
            parts = (
                ("file", "page.pdf", "application/pdf", PAGE),
                ("metadata", name, kind, (unknown / name).read_bytes()),
            )
            answer = service.request(multipart(*parts, path=f"/api/nextstep/delivery/{process}"))
            assert answer.status == 200, answer.body
            assert len(list((service.output / process).glob("*.json"))) == 1
    finally:
        service.stop()
