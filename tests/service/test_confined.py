"""As the unit and the container have it: not root, no capability, and nothing can be written but its own folders."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support import planted
from tests.support.running import ROOT, TALKATIVE, Service, free_port, multipart

TOOLS = ("unshare", "setpriv", "mount")
USER = 10001  # the container's; no such user exists here
# Everything becomes read-only but the two folders; then root is given up for good.
SCRIPT = f"""
set -e
mount --bind "$CHECKOUT" /srv  # wherever it lies, and whoever may reach it there
cd /srv
case "$PYTHON" in /root/*)  # a Python that only root may reach is shown to everybody
    mount --bind "$PYTHON" /mnt
    mount -t tmpfs -o mode=755 tmpfs /root
    mkdir -p "$PYTHON"
    mount --bind /mnt "$PYTHON"
esac
mount --bind "$RECEIVER_DATA" "$RECEIVER_DATA"
mount --bind "$RECEIVER_OUTPUT" "$RECEIVER_OUTPUT"
mount -o remount,bind,ro /
mount -t tmpfs -o ro tmpfs /var/tmp
mount -t tmpfs tmpfs /dev/shm
exec setpriv --reuid {USER} --regid {USER} --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
"""
FAX = (ROOT / "mappings" / "referrals" / "samples" / "faxed-letter" / "file--123456789.tif").read_bytes()
METADATA = (ROOT / "mappings" / "referrals" / "samples" / "faxed-letter" / "metadata.json").read_bytes()

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason="only root can take everything away"
)


class Confined(Service):
    """The service behind walls."""

    def start(self) -> "Confined":
        self.port = free_port()
        python = sys.executable.replace(f"{ROOT}/", "/srv/")
        serving = [python, "-m", "receiver.cli", "serve", "--bind", f"127.0.0.1:{self.port}", *TALKATIVE]
        places = {"CHECKOUT": str(ROOT), "PYTHON": sys.base_prefix, "PYTHONPATH": "/srv", "RECEIVER_SITE": "/srv"}
        planted.RUN.starts(self.log, self.site)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh", *serving],
                env=self.variables() | places | {"PYTHONDONTWRITEBYTECODE": "1"},
                stdout=log,
                stderr=log,
            )
        self.wait_until_ready()
        return self


def mode_of(path: Path) -> int:
    """The mode that is right for a path: a stage inside the output is for the service alone."""
    if path.name == ".stage" and "output" in path.parts:
        return 0o700
    return 0o750 if path.is_dir() else 0o640


@pytest.fixture
def place():
    """Two folders that another user may reach, as those of pytest may not."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        for name in ("data", "output"):
            (root / name).mkdir()
            os.chown(root / name, USER, USER)
        yield root


def test_it_serves_without_root_where_only_data_and_output_can_be_written(place):
    data, output = place / "data", place / "output"
    service = Confined(data, environment={"RECEIVER_OUTPUT": str(output), "RECEIVER_MINFREE": "1"}).start()
    try:
        pid = service.process.pid
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        assert (status["Uid"].split(), status["NoNewPrivs"], int(status["CapBnd"], 16)) == ([str(USER)] * 4, "1", 0)
        mounts = [line.split() for line in Path(f"/proc/{pid}/mounts").read_text().splitlines()]
        (*_, options) = [options.split(",") for _, target, _, options, *_ in mounts if target == "/"]
        assert "ro" in options
        delivery = multipart(
            ("file", "scan.tif", "image/tiff", FAX), ("metadata", "metadata.json", "application/json", METADATA)
        )
        assert service.request(delivery).json["status"] == "published"
        refused = delivery.replace(b"142637A", b"------A")
        answer = service.request(refused).json
        assert answer["code"] == "fields-invalid", answer["detail"]
        assert service.request(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").json["status"] == "ready"
    finally:
        service.stop()
    assert service.process.returncode == 0
    told = service.log.read_text()
    assert told.count(" serving processes=3 names=intake-forms,lab-reports,referrals") == 1
    assert told.count("RECEIVER_MINFREE: nothing reads this variable; did you mean RECEIVER_MIN_FREE?") == 1
    copies = data / "local" / "configuration" / "copies"  # of the site, with the site's own modes
    (used,) = (data / "tokens" / "referrals").iterdir()
    assert used.name.startswith("env-RECEIVER_TOKEN.")
    written = [path for folder in (data, output) for path in folder.rglob("*") if copies not in path.parents]
    assert any(path.suffix == ".hl7" for path in written)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in written}
    assert {path: oct(mode) for path, mode in modes.items() if mode != mode_of(path)} == {}
