"""The sequence of docs/operations.md, "Setting it up", on a machine that has nothing of the service yet.

It runs in mounts of its own: users, files and folders that it makes are gone with it. Left out are systemd, whose part
a shell function takes, and the installation of the wheel, which `make package` tries.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.running import ROOT, free_port

PAGE = (ROOT / "docs" / "operations.md").read_text()
SAMPLE = ROOT / "mappings" / "referrals" / "samples" / "faxed-letter"
TOOLS = ("unshare", "mount", "useradd", "runuser", "install")
MACHINE = """
set -eu
mount --bind "$CHECKOUT" /srv
case "$PYTHON" in /root/*)
    mount --bind "$PYTHON" /mnt
    mount -t tmpfs -o mode=755 tmpfs /root
    mkdir -p "$PYTHON"
    mount --bind /mnt "$PYTHON"
esac
mount -t tmpfs tmpfs /media
mkdir /media/etc /media/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/media/etc,workdir=/media/work /etc
for folder in /opt /usr/local/bin /var/lib; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mkdir -p /etc/systemd/system

python3() {  # -m venv /opt/receiver
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\nexit 0\\n' > "$3/bin/pip"
    printf '#!/bin/sh\\nPYTHONPATH=/srv exec /srv/.venv/bin/python -m receiver.cli "$@"\\n' > "$3/bin/receiver"
    chmod 755 "$3/bin/pip" "$3/bin/receiver"
}

systemctl() {
    case "$*" in "enable --now receiver")
        command=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/receiver.service | sed "s/:8080/:$PORT/")
        (cd / && exec runuser --user receiver -- sh -c "set -a; . /etc/receiver/environment; exec $command") &
        service=$!
        until curl --silent --fail --output /dev/null "http://127.0.0.1:$PORT/healthz"; do
            kill -0 $service
            sleep 0.1
        done
    esac
}

trap 'kill ${service:-} || :; wait ${service:-} || :' EXIT
"""
AFTERWARDS = """
cd /media/place
receiver send "http://127.0.0.1:$PORT/api/nextstep/delivery/referrals" file.pdf metadata.json --token "$token"
test -n "$(find /var/lib/receiver/output/referrals -name '*.json' -user receiver -perm 640)"
test -z "$(find /var/lib/receiver ! -user receiver)"
(cd / && runuser --user receiver -- receiver --env /etc/receiver/environment status)
"""

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason="only root can set a machine up"
)


def commands() -> str:
    section = PAGE.partition("## Setting it up\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"\n((?: {4}\S[^\n]*\n)+)", section)
    return re.sub(r"^ {4}", "", block, flags=re.MULTILINE)


def test_the_page_sets_a_machine_up_that_takes_a_delivery(tmp_path):
    environment = os.environ | {"CHECKOUT": str(ROOT), "PYTHON": sys.base_prefix, "PORT": str(free_port())}
    for name in [name for name in environment if name.startswith("RECEIVER_")]:
        del environment[name]
    place = (
        "mkdir /media/place; cd /media/place; ln -s /srv/deploy deploy\n"
        f"cp /srv/{SAMPLE.relative_to(ROOT)}/metadata.json .\n"
        "printf '%%PDF-1.4 an invented page' > file.pdf\n"
    )
    script = tmp_path / "script"
    script.write_text(MACHINE + place + commands() + AFTERWARDS)
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-x", script],
        env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if "mount: " in done.stderr and "overlay" in done.stderr.splitlines()[-1]:
        pytest.skip("no overlay can be mounted here")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ready for deliveries" in done.stdout
