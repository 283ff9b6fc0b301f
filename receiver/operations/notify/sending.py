"""Sends a notice: to a program of the administrator, or by HTTP.

Bounded in time, and tried a few times.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from receiver.operations.notify.notices import Notice
from receiver.site.config.model import NotifyConfig

PATIENCE = 30  # seconds for a command: a mail server that greets slowly takes ten
ANSWER = 10  # seconds without a byte from a webhook
PAUSES = (1, 5)  # seconds before the second and the third try; after that, the next look
KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR")  # of the environment: the rest may hold tokens


_running: list[subprocess.Popen[bytes]] = []  # one at most: a worker sends one notice after the other
_starting = threading.Lock()  # held until what was started is known to `abandon`


class NotSentError(Exception):
    """A notice that did not arrive, with the reason, without the URL (a secret)."""


def send(config: NotifyConfig, notice: Notice, environ: Mapping[str, str] = os.environ) -> None:
    """Send a notice; if that fails, try again. Raises `NotSentError`."""
    for pause in (*PAUSES, None):
        try:
            once(config, notice, environ)
        except NotSentError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return


def once(config: NotifyConfig, notice: Notice, environ: Mapping[str, str] = os.environ) -> None:
    """Send a notice. Raises `NotSentError`."""
    if config.command:
        _run(config.command, notice, environ)
    elif config.webhook:
        _post(_url(config, environ), notice)


def _run(command: tuple[str, ...], notice: Notice, environ: Mapping[str, str]) -> None:
    """Run a program in its own session, so that a timeout ends all that it started."""
    variables = {name: environ[name] for name in KEPT if name in environ} | notice.variables()
    running = _start(command, variables)
    try:
        running.communicate(notice.json(), timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        _kill(running)
        running.wait()
        raise NotSentError(f"the command took more than {PATIENCE} seconds") from None
    finally:
        _running.remove(running)
    if running.returncode:
        raise NotSentError(f"the command ended with {running.returncode}")


def _start(command: tuple[str, ...], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    with _starting:
        try:
            running = subprocess.Popen(  # noqa: S603 (the administrator's own program, without a shell)
                command,
                stdin=subprocess.PIPE,
                stdout=quiet,
                stderr=quiet,
                env=variables,
                start_new_session=True,
                cwd="/",
            )
        except OSError as error:
            raise NotSentError(f"the command cannot be run ({error.strerror})") from None
        _running.append(running)
    return running


def abandon() -> None:
    """End a program that still runs: nobody else will do so after its timeout."""
    with _starting:
        for running in _running:
            _kill(running)


def _kill(running: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)


def _url(config: NotifyConfig, environ: Mapping[str, str]) -> str:
    url = environ.get(config.variable, "").strip() if config.variable else config.webhook or ""
    if urlsplit(url).scheme not in ("http", "https"):
        raise NotSentError(f"{config.variable} holds no http:// or https:// URL")
    return url


class _NoRedirect(HTTPRedirectHandler):
    """Refuses redirects: a redirected POST becomes a GET without a body."""

    def redirect_request(self, *_: object) -> None:
        return None


def _post(url: str, notice: Notice) -> None:
    """Send the notice to a URL; certificates are verified.

    Proxies are taken from the environment.
    """
    headers = {"Content-Type": "application/json", "User-Agent": "receiver"}
    try:
        request = Request(url, notice.json(), headers, method="POST")  # noqa: S310 (http and https only, see _url)
        with build_opener(_NoRedirect).open(request, timeout=ANSWER):
            pass
    except HTTPError as error:
        error.close()
        raise NotSentError(f"the webhook answered {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise NotSentError(f"the webhook cannot be reached ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    """Return the kind of an error: its words may hold the URL."""
    behind = getattr(error, "reason", None)
    return type(behind if isinstance(behind, Exception) else error).__name__
