"""Answers without the application: to bad heads, and while the ledger is away.

gunicorn would answer HTML that repeats what was sent, and log it. These say what is wrong and repeat nothing.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.http import errors

from receiver import log
from receiver.core import limits
from receiver.core.problems import Code, Problem
from receiver.web import replies

# gunicorn's exception → the problem. Its subclasses come before a class.
_PROBLEMS: dict[type[Exception], tuple[Code, str]] = {
    errors.LimitRequestLine: (Code.URL_TOO_LONG, f"The request line is longer than {limits.MAX_URL} bytes."),
    errors.LimitRequestHeaders: (
        Code.HEADERS_TOO_LARGE,
        f"There are more than {limits.MAX_HEADERS} headers, or one longer than {limits.MAX_HEADER_SIZE} bytes.",
    ),
    errors.ExpectationFailed: (Code.EXPECTATION_FAILED, "The only expectation that is met is 100-continue."),
    errors.InvalidRequestLine: (Code.MALFORMED_REQUEST, "The request line is malformed (RFC 9112 §3)."),
    errors.InvalidRequestMethod: (Code.MALFORMED_REQUEST, "The method is malformed (RFC 9110 §9.1)."),
    errors.InvalidHTTPVersion: (Code.MALFORMED_REQUEST, "The version must be HTTP/1.0 or HTTP/1.1 (RFC 9112 §2.3)."),
    errors.UnsupportedTransferCoding: (Code.MALFORMED_REQUEST, "The only transfer coding that is read is chunked."),
    errors.ObsoleteFolding: (Code.MALFORMED_REQUEST, "A header is folded over several lines (RFC 9112 §5.2)."),
    errors.InvalidHeaderName: (Code.MALFORMED_REQUEST, "The name of a header is malformed (RFC 9112 §5)."),
    errors.InvalidHeader: (
        Code.MALFORMED_REQUEST,
        "A header is malformed, or contradicts another one (RFC 9112 §5 and §6.3).",
    ),
    errors.ParseException: (Code.MALFORMED_REQUEST, "The request is malformed (RFC 9112)."),
}

_LENGTHS = {  # the headers that tell where a body ends
    "CONTENT-LENGTH": "Content-Length is not one number, or comes with Transfer-Encoding (RFC 9112 §6.3).",
    "TRANSFER-ENCODING": "Transfer-Encoding may be chunked alone, once, and in HTTP/1.1 (RFC 9112 §6.1).",
}


def judge(exception: Exception) -> Problem:
    """Return what is wrong with a request that raised `exception`."""
    if isinstance(exception, Problem):
        return exception
    if isinstance(exception, errors.InvalidHeader) and exception.hdr in _LENGTHS:
        return Problem(Code.MALFORMED_REQUEST, _LENGTHS[exception.hdr])
    for kind, (code, detail) in _PROBLEMS.items():
        if isinstance(exception, kind):
            return Problem(code, detail)
    return replies.defect(exception)


def too_slow() -> Problem:
    """Return that a head did not arrive in time."""
    return Problem(Code.TOO_SLOW, f"The headers did not arrive within {limits.HEAD_SECONDS} seconds.")


def shutting_down() -> Problem:
    """Return that the service stops before a head was whole."""
    return Problem(Code.SHUTTING_DOWN, "The service stops, and the headers have not arrived yet.")


def cut_short() -> Problem:
    """Return that a sender closed its side before its head was whole."""
    return Problem(Code.MALFORMED_REQUEST, "The request ended before its headers did.")


def head_too_large() -> Problem:
    """Return that all headers together are too large."""
    return Problem(Code.HEADERS_TOO_LARGE, f"The headers are larger than {limits.MAX_HEAD} bytes.")


def answer(problem: Problem) -> bytes:
    """Return the whole answer as it goes over the connection, which ends with it."""
    reply = replies.refused(problem)
    reply.headers["Connection"] = "close"
    head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
    return f"HTTP/1.1 {reply.status}\r\n{head}\r\n".encode("latin-1") + reply.get_data()


FIRST = 1.0  # seconds until it tries again; the pause doubles up to the longest
LONGEST = 60.0  # seconds: a line in the log for each minute, and a minute at most until deliveries are taken again


class Closed:
    """The application as long as the ledger or a disk cannot be opened: 503, at once.

    It tries again by itself.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request: the process lives, and takes nothing."""
        if environ.get("PATH_INFO") == "/healthz":
            response = replies.alive()
        elif environ.get("PATH_INFO") == "/readyz":
            response = replies.not_ready(self._problem)
        else:
            response = replies.refused(self._problem)
        return response(environ, start_response)

    def try_again(self, begin: Callable[[], None]) -> None:
        """Call `begin`, which installs the application, until it raises nothing."""
        pause = FIRST
        while True:
            log.not_opened(self._problem, pause)
            time.sleep(pause)
            try:
                begin()
            except Problem as problem:
                self._problem = problem
            except Exception as error:  # noqa: BLE001 (a defect must not end the trying, and it is logged)
                log.crashed(error)
            else:
                return
            pause = min(2 * pause, LONGEST)
