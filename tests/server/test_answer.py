"""The head of an answer is what gunicorn's own would be, and its date is right though it is made once a second."""

import re
import types
from email.utils import formatdate

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi

from receiver.server import answer
from receiver.server.answer import Answer

HEADERS = [("Content-Type", "text/plain"), ("Content-Length", "2")]


class Collected(bytearray):
    """A socket that only takes, and counts how often."""

    sends = 0

    def sendall(self, data: bytes) -> None:
        self.sends += 1
        self += data


def sent(kind: type[wsgi.Response], version: tuple[int, int], headers: list[tuple[str, str]], *, closes: bool) -> bytes:
    request = types.SimpleNamespace(version=version, method="POST", should_close=lambda: closes)
    response = kind(request, sock := Collected(), Config())
    response.start_response("200 OK", headers)
    response.write(b"ok")
    response.close()
    return re.sub(rb"Date: [^\r]+", b"Date: now", bytes(sock))


@pytest.mark.parametrize("version", [(1, 0), (1, 1)])
@pytest.mark.parametrize("headers", [HEADERS, HEADERS[:1], []])
@pytest.mark.parametrize("closes", [True, False])
def test_an_answer_is_sent_as_gunicorn_would(version, headers, closes):
    ours = sent(Answer, version, headers, closes=closes)
    assert ours == sent(wsgi.Response, version, headers, closes=closes)
    assert b"Date: now" in ours


@pytest.mark.parametrize(("pieces", "sends"), [([], 1), ([b"ok"], 1), ([b"o", b"k"], 2)])
def test_the_head_goes_out_with_the_first_piece(pieces, sends):
    request = types.SimpleNamespace(version=(1, 1), method="POST", should_close=lambda: False)
    response = Answer(request, sock := Collected(), Config())
    response.start_response("200 OK", HEADERS)
    for piece in pieces:
        response.write(piece)
    response.close()
    assert (sock.sends, sock.partition(b"\r\n\r\n")[2]) == (sends, b"".join(pieces))


def test_an_answer_has_the_date_of_its_second(monkeypatch):
    dates = []
    for moment in (0.9, 1.0, 1.9, 86_400.0):
        monkeypatch.setattr(answer.time, "time", lambda moment=moment: moment)
        request = types.SimpleNamespace(version=(1, 1), method="GET", should_close=lambda: False)
        response = Answer(request, sock := Collected(), Config())
        response.start_response("200 OK", HEADERS)
        response.close()
        dates += re.findall(rb"Date: ([^\r]+)\r\n", sock)
    assert dates == [formatdate(second, usegmt=True).encode() for second in (0, 1, 1, 86_400)]
