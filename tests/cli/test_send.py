"""`receiver send`: what it sends, what it shows, and how it ends."""

import os
import pty
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from receiver import cli
from tests.support.running import ROOT, TOKEN

SAMPLE = ROOT / "mappings" / "referrals" / "samples" / "faxed-letter"
FAX, METADATA = SAMPLE / "file--123456789.tif", SAMPLE / "metadata.json"
ELSEWHERE = "http://127.0.0.1:9/api/nextstep/delivery/referrals"  # never reached: refused before


def send(*arguments, token: str = TOKEN):
    verb = ["send", *map(os.fspath, arguments)]
    return CliRunner().invoke(cli.main, verb, env={"RECEIVER_TOKEN": token}, catch_exceptions=False)


def url(service, process: str = "referrals") -> str:
    return f"http://127.0.0.1:{service.port}/api/nextstep/delivery/{process}"


def large(folder: Path) -> Path:
    path = folder / "large.tif"
    path.write_bytes(FAX.read_bytes() + bytes(20_000_000))
    return path


def test_an_accepted_delivery_ends_with_0_and_shows_its_receipt(service):
    command = [sys.executable, "-m", "receiver.cli", "send", url(service), FAX, METADATA]
    environment = os.environ | {"RECEIVER_TOKEN": TOKEN}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout.splitlines()[0]) == (0, "200 OK")
    assert '"status": "published"' in told.stdout


def test_a_refused_delivery_ends_with_1_and_shows_why(service):
    told = send(url(service), FAX)
    assert told.exit_code == 1
    assert "The metadata part is missing." in told.stdout


@pytest.mark.parametrize(("process", "token", "status"), [("referrals", "x" * 20, "401"), ("nothing", TOKEN, "404")])
def test_a_large_delivery_that_is_refused_at_its_head_shows_the_answer(service, tmp_path, process, token, status):
    told = send(url(service, process), large(tmp_path), METADATA, token=token)
    assert (told.exit_code, told.stdout[:3], told.stderr) == (1, status, "")


def test_a_large_delivery_shows_how_far_it_is(service, tmp_path):
    screen, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "receiver.cli", "send", url(service), str(large(tmp_path)), str(METADATA)],
        env=os.environ | {"RECEIVER_TOKEN": TOKEN, "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=terminal,
    ) as sending:
        os.close(terminal)
        shown = b""
        while piece := read(screen):
            shown += piece
    assert sending.returncode == 0
    assert len(set(re.findall(rb"(\d+)%", shown))) > 5
    assert b"100%" in shown


def read(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:  # the terminal is closed: EIO, as Linux tells it
        return b""


@pytest.mark.parametrize("name", [b'two\nlines".tif', b"latin\xe4.tif", "ümlaut.tif".encode()])
def test_a_file_may_have_any_name(service, tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(FAX.read_bytes())
    assert send(url(service), path, METADATA).exit_code == 0


@pytest.mark.parametrize(
    ("address", "token"),
    [
        ("ftp://127.0.0.1/x", TOKEN),
        ("http:///x", TOKEN),
        ("http://127.0.0.1:port/x", TOKEN),
        ("http://127.0.0.1:99999/x", TOKEN),
        (ELSEWHERE, "ends-with-a-return\r"),
        (ELSEWHERE, "bëarer"),
    ],
)
def test_what_cannot_be_sent_to_is_told_in_a_sentence_that_keeps_the_token(address, token):
    told = send(address, FAX, token=token)
    assert told.exit_code == 2
    assert token.strip() not in told.stderr


def test_a_blank_or_an_accent_in_the_url_is_sent_as_a_url_has_it(service):
    told = send(url(service, "no such pröcess"), FAX, METADATA)
    assert (told.exit_code, told.stdout[:3]) == (1, "404")


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b""])
def test_a_server_that_gives_no_whole_answer_ends_with_1_and_one_line(tmp_path, answer):
    small = tmp_path / "small.json"
    small.write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=talk, args=(listening, answer))
        server.start()
        told = send(f"http://127.0.0.1:{listening.getsockname()[1]}/x", small)
        server.join()
    assert told.exit_code == 1
    assert len(told.stderr.splitlines()) == 1


def talk(listening: socket.socket, answer: bytes) -> None:
    connection, _ = listening.accept()
    with connection:
        received = b""
        while b"}\r\n--receiver-" not in received and (piece := connection.recv(65536)):
            received += piece
        connection.sendall(answer)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    told = send(ELSEWHERE, tmp_path / "none.tif")
    assert told.exit_code == 2
    assert "none.tif" in told.stderr


def test_a_delivery_without_a_token_is_told_how_to_give_one(service):
    without, wrong = send(url(service), FAX, METADATA, token=""), send(url(service), FAX, METADATA, token="wrong-one")
    assert (without.exit_code, without.stdout.splitlines()[0]) == (1, "401 Unauthorized")
    assert without.stderr == "no token was sent: give one with --token, or in RECEIVER_TOKEN\n"
    assert (wrong.exit_code, wrong.stderr) == (1, "")
