"""Who may see what: login, sessions, roles, and protection from other sites.

A session's id is in a cookie that no script reads and no other site sends; it is new at each login, and ends with a
changed password or role. Actions come by POST alone, and from our own pages.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, Response, abort, g, redirect, render_template, request, url_for
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from receiver.core.settings import Settings
from receiver.store import digests
from receiver.store.accounts import Accounts, Role, User

COOKIE = "receiver_console"
USER = "receiver.user"  # in the WSGI environment: whom a trusted proxy names
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LONGEST = 1_000  # characters of a password: argon2 would work on a megabyte for long
MAX_FORM = 64 * 1024  # bytes: a form of ours has some hundred

P = ParamSpec("P")
R = TypeVar("R")

_hasher = PasswordHasher()
_nobody = _hasher.hash(secrets.token_urlsafe())  # compared with for a name that does not exist: it takes as long


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    return _hasher.hash(password)


class Proxied:
    """WSGI middleware: believes only a trusted proxy about user and scheme."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app = app
        self._behind = ProxyFix(app, x_for=1, x_proto=1)
        self._trusted = frozenset(filter(None, settings.console_proxies.split(",")))
        self._user = f"HTTP_{settings.console_user.upper().replace('-', '_')}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a request."""
        trusted = environ.get("REMOTE_ADDR") in self._trusted
        environ[USER] = environ.get(self._user, "") if trusted else ""
        return (self._behind if trusted else self._app)(environ, start_response)


def protect(app: Flask, accounts: Accounts, settings: Settings) -> None:
    """Admit only logged-in users, or those of a trusted proxy, and no other site."""
    app.wsgi_app = Proxied(app.wsgi_app, settings)  # type: ignore[method-assign]
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = MAX_FORM

    @app.before_request
    def let_in() -> AnyResponse | None:
        if request.method not in ("GET", "HEAD") and not _is_ours():
            abort(403, "This did not come from a page of the console.")
        if request.endpoint in ("login", "static"):
            return None
        named = request.environ[USER]
        g.user = accounts.user(named) if named else accounts.session(request.cookies.get(COOKIE, ""), datetime.now(UTC))
        if g.user is None and named:
            abort(403, "The proxy names a user whom `receiver user add` has not made.")
        if g.user is None:
            return redirect(url_for("login"), 303)
        return None

    @app.after_request
    def close(response: Response) -> Response:
        response.headers.extend(HEADERS)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.context_processor
    def known() -> dict[str, Any]:
        return {"user": g.get("user"), "Role": Role}

    app.add_url_rule("/login", "login", lambda: _login(accounts, settings), methods=["GET", "POST"])
    app.add_url_rule("/logout", "logout", lambda: _logout(accounts), methods=["POST"])


def needs(role: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a view that only a role may see."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not g.user.role.includes(role):
                abort(403, f"This needs the role {role}.")
            return view(*args, **kwargs)

        return guarded

    return decorate


def _is_ours() -> bool:
    """Return whether a request is from our origin, by Sec-Fetch-Site or Origin."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    try:
        origin = urlsplit(request.headers.get("Origin", "")).netloc
    except ValueError:
        return False
    return origin != "" and origin == request.host


def _login(accounts: Accounts, settings: Settings) -> str | AnyResponse | tuple[str, int]:
    if request.method == "GET":
        return render_template("login.html")
    name, password = request.form.get("name", ""), request.form.get("password", "")
    now, address = datetime.now(UTC), request.remote_addr or ""
    user = accounts.user(name)
    # A name that is not there is counted, too, or it would be told apart; but it may be a password in the wrong place.
    who = user.name if user else f"unknown {digests.digest(settings.data, 'login', name)[: digests.SHOWN]}"
    wait = accounts.wait(who, address, now)
    if wait.total_seconds() > 0:
        message = f"Too many logins have failed. Try again in {int(wait.total_seconds()) + 1} seconds."
        return render_template("login.html", message=message), 429
    if not _fits(user, password) or user is None:
        accounts.note(who, "login-failed", note=address)
        return render_template("login.html", message="Name or password is wrong."), 401
    accounts.end(request.cookies.get(COOKIE, ""))
    accounts.note(user.name, "login", note=address)
    response = redirect(url_for("pages.now"), 303)
    id_ = accounts.begin(user, now)
    response.set_cookie(COOKIE, id_, httponly=True, secure=request.is_secure, samesite="Strict")
    return response


def _fits(user: User | None, password: str) -> bool:
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(user.hash if user else _nobody, password)
    except (VerificationError, InvalidHashError):
        return False


def _logout(accounts: Accounts) -> AnyResponse:
    accounts.end(request.cookies.get(COOKIE, ""))
    accounts.note(g.user.name, "logout")
    response = redirect(url_for("login"), 303)
    response.delete_cookie(COOKIE)
    return response
