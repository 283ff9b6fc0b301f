"""Parts looked through by clamd: by a stand-in for its protocol, and by a real one where Debian's is there."""

import shutil
import socket
import subprocess
import threading
import time
from contextlib import closing, contextmanager
from types import SimpleNamespace as Given

import pytest

from receiver.core.delivery import Arrival, Part, Replay, Role, Section, Status
from receiver.core.problems import Problem
from receiver.delivery import receive, scan
from receiver.operations import replay
from tests.support.home import FAX, NOON, Home, metadata

# EICAR's test file, in two halves: whole, a scanner on a developer's machine would take this file away.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    made.configure("[parts.file]\n", f'[parts.file]\nscan = "clamd:{tmp_path}/clamd:ctl"\nsniff = false\n')
    yield made
    made.close()


def received(connection):
    """Read a stream as clamd does; return its content."""
    reader = connection.makefile("rb")
    assert reader.read(10) == b"zINSTREAM\0"
    content = b""
    while size := int.from_bytes(reader.read(4), "big"):
        content += reader.read(size)
    return content


@contextmanager
def clamd(home, answer):
    """Answer each stream by what `answer` makes of its content, a piece at a time."""
    path = home.root / "clamd:ctl"
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                for piece in answer(received(connection)):
                    connection.sendall(piece)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def receive_one(home, *more):
    """Have a delivery judged as by the service. Raises Problem."""
    sections = [
        Section("file", "scan.tif", "image/tiff", content=[FAX]),
        Section("metadata", "metadata.json", "application/json", content=[metadata()]),
        *more,
    ]
    receive.receive(home.context, home.context.processes["referrals"], sections, Arrival(NOON, "192.0.2.7"))


def judging(content):
    return [b"stream: Eicar-Test-", b"Signature FOUND\0"] if EICAR in content else [b"stream: OK\0"]


def test_what_is_clean_is_published(home):
    seen = []
    with clamd(home, lambda content: seen.append(content) or judging(content)):
        assert home.deliver(fax=FAX).status is Status.PUBLISHED
        assert home.deliver(source_id="S2", fax=b"II*\0" + bytes(3_000_000)).status is Status.PUBLISHED
    assert [len(each) for each in seen] == [len(FAX), 3_000_004]


def test_what_is_found_is_held_with_its_reason_and_replayed_once_it_is_not(home):
    with clamd(home, judging):
        entry = home.deliver(fax=EICAR)
        assert (entry.status, entry.code) == (Status.HELD, "malware-found")
        assert [(each.where, each.message) for each in entry.violations] == [
            ("file", "clamd found Eicar-Test-Signature")
        ]
        assert home.outputs() == {}
        again = replay.replay(home.context, entry, Replay(NOON, "somebody", accept_confidence=True))
        assert again.result is replay.Result.HELD
    with clamd(home, lambda _content: [b"stream: OK\0"]):  # its signatures were wrong
        assert replay.replay(home.context, entry, Replay(NOON, "somebody")).result is replay.Result.PUBLISHED


@pytest.mark.parametrize(
    "answer", [[b"INSTREAM size limit exceeded. ERROR\0"], [b"stream: Can't open file ERROR\0"], [], [b"what?"]]
)
def test_an_answer_that_is_no_verdict_turns_the_delivery_away(home, answer):
    with clamd(home, lambda _content: answer), pytest.raises(Problem) as problem:
        receive_one(home)
    assert problem.value.code == "scanner-away"
    assert home.ledger.search() == []


def test_a_scanner_that_is_away_turns_the_delivery_away(home):
    with pytest.raises(Problem) as problem:
        receive_one(home)
    assert problem.value.code == "scanner-away"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(home.root / "clamd:ctl"))
    listening.close()  # its file stays, and nobody listens
    with pytest.raises(Problem, match="ConnectionRefused"):
        receive_one(home)


def test_a_delivery_that_came_before_is_not_looked_through_again(home):
    with clamd(home, judging):
        first = home.deliver()
    assert home.deliver().id == first.id


def test_only_what_a_rule_has_scanned_is_looked_through(home):
    home.configure("[parts.file]\n", '[delivery]\nunknown_parts = "keep"\n\n[parts.file]\n')
    seen = []
    with clamd(home, lambda content: seen.append(content) or judging(content)):
        receive_one(home, Section("other", None, "text/plain", content=[b"unknown"]))
    assert seen == [FAX]


def test_a_scanner_that_says_nothing_is_not_waited_for_without_end(home, monkeypatch):
    monkeypatch.setattr(scan, "PATIENCE", 0.01)
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(home.root / "clamd:ctl"))
        listening.listen()  # what is sent waits for nobody
        with pytest.raises(Problem, match="TimeoutError"):
            receive_one(home)


class Socket:
    """What clamd would send, a piece at a time; none may be asked for beyond them."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def recv(self, _size):
        return self.pieces.pop(0)


@pytest.mark.parametrize(
    "pieces",
    [[b"stream: O", b"K\0"], [b"x" * scan.LONGEST], [b"x" * (scan.LONGEST - 1), b"x"], [b"x" * 2000], [b"x", b""]],
    ids=len,
)
def test_an_answer_is_read_to_its_end_and_not_beyond(pieces):
    clamd = Socket(*pieces)
    assert scan._answer(clamd) == b"".join(pieces).decode().removesuffix("\0")
    assert clamd.pieces == []


@pytest.mark.parametrize(
    ("answer", "found"),
    [("stream: OK", ""), ("stream: Two Words FOUND", "Two Words"), ("stream: OK ERROR", None), ("FOUND OK ", None)],
)
def test_a_scanner_is_asked_once_and_its_last_word_is_the_verdict(monkeypatch, answer, found):
    calls = []

    def opened(family):
        calls.append(family)
        return Given(settimeout=calls.append, connect=calls.append, close=lambda: calls.append("closed"))

    monkeypatch.setattr(scan, "socket", Given(socket=opened, AF_UNIX="unix"))
    monkeypatch.setattr(scan, "_send", lambda _, part: calls.append(part))
    monkeypatch.setattr(scan, "_answer", lambda _: answer)
    if found is None:
        with pytest.raises(Problem, match="could not look through a part"):
            scan._signature("/clamd.ctl", "part")
    else:
        assert scan._signature("/clamd.ctl", "part") == found
    assert calls == ["unix", scan.PATIENCE, "/clamd.ctl", "part", "closed"]


def test_a_part_is_sent_behind_its_length_and_nothing_after_its_end(tmp_path):
    sent = []
    (tmp_path / "part").write_bytes(b"II*")
    part = Part("file", None, "", Role.DOCUMENT, ".tif", 3, "", tmp_path, "part")
    scan._send(Given(sendall=sent.append), part)
    assert b"".join(sent) == b"zINSTREAM\0\0\0\0\3II*\0\0\0\0"


@pytest.mark.parametrize("error", [BrokenPipeError, ConnectionResetError])
def test_a_scanner_that_takes_no_more_may_have_answered(tmp_path, error):
    class Closed:
        def sendall(self, content):
            if content != b"zINSTREAM\0":
                raise error

    (tmp_path / "part").write_bytes(b"x")
    scan._send(Closed(), Part("file", None, "", Role.DOCUMENT, ".tif", 1, "", tmp_path, "part"))


@pytest.mark.skipif(shutil.which("clamd") is None, reason="Debian's clamav-daemon is not installed")
def test_a_real_clamd_finds_eicar(home, tmp_path):
    (tmp_path / "signatures").mkdir()
    (tmp_path / "signatures" / "test.ndb").write_text(f"Eicar-Test-Signature:0:0:{EICAR.hex()}\n")
    tmp_path.joinpath("clamd.conf").write_text(
        f"LocalSocket {tmp_path}/clamd:ctl\nDatabaseDirectory {tmp_path}/signatures\nForeground yes\n"
    )
    running = subprocess.Popen(["clamd", "--config-file", tmp_path / "clamd.conf"], stdout=subprocess.DEVNULL)
    try:
        while not (tmp_path / "clamd:ctl").exists():
            assert running.poll() is None
            time.sleep(0.02)
        assert home.deliver(fax=EICAR).code == "malware-found"
        assert home.deliver(source_id="S2").status is Status.PUBLISHED
    finally:
        running.terminate()
        running.wait()
