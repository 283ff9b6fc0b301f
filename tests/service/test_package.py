"""The wheel: with everything in it, installed by itself, it serves."""

import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.support import planted
from tests.support.running import ROOT, TALKATIVE, TOKEN, Service, free_port, multipart

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build in a copy: a build leaves folders behind."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "receiver", source / "receiver", ignore=LEFT_OUT)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", source / "dist", "."], cwd=source, check=True)
    return next((source / "dist").glob("receiver-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install it in a folder of its own, before which this checkout is not seen."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", folder, wheel], check=True)
    return folder


def receiver(installed: Path, *arguments: object, cwd: Path, **environment: str):
    variables = {name: value for name, value in os.environ.items() if not name.startswith("RECEIVER_")}
    return subprocess.run(
        [sys.executable, "-m", "receiver.cli", *map(str, arguments)],
        cwd=cwd,
        env=variables | {"PYTHONPATH": str(installed)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    files = {p.relative_to(ROOT).as_posix() for p in (ROOT / "receiver").rglob("*") if p.is_file()}
    wanted = {name for name in files if "__pycache__" not in name}
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())


def test_what_is_installed_is_what_runs(installed, tmp_path):
    code = "import receiver.cli; print(receiver.cli.__file__)"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True
    )
    assert told.stdout.startswith(str(installed))


def test_it_makes_a_site_checks_it_and_delivers_to_it(installed, tmp_path):
    assert receiver(installed, "init", "site", cwd=tmp_path).returncode == 0
    for folder in ("schemas", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / "site" / folder, dirs_exist_ok=True)
    variables = {"RECEIVER_SITE": "site", "RECEIVER_TOKEN": TOKEN}
    checked = receiver(installed, "check", cwd=tmp_path, **variables)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    port = free_port()
    service = Service(tmp_path / "var", tmp_path / "site", port=port)
    planted.RUN.starts(service.log, service.site)
    with service.log.open("wb") as log:
        service.process = subprocess.Popen(
            [sys.executable, "-m", "receiver.cli", "serve", "--bind", f"127.0.0.1:{port}", *TALKATIVE],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(installed)} | variables,
            stderr=log,
        )
    try:
        wait_until_alive(service)
        case = ROOT / "mappings" / "referrals" / "samples" / "faxed-letter"
        raw = multipart(
            ("file", "a.tif", "image/tiff", next(case.glob("*.tif")).read_bytes()),
            ("metadata", "metadata.json", "application/json", (case / "metadata.json").read_bytes()),
            path="/api/nextstep/delivery/referrals",
        )
        answer = service.request(raw)
        assert answer.status == 200, service.log.read_text()
        assert (tmp_path / "var" / "output" / answer.json["records"][0]["path"]).is_file()
    finally:
        service.stop()


def wait_until_alive(service: Service) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if service.request(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status == 200:
                return
        except (OSError, ValueError):
            time.sleep(0.1)
    raise AssertionError("it did not start")
