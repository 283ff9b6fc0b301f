"""Real HTTP clients, and the ways in which their users send a delivery: one row each in docs/http.md."""

import fcntl
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / "build" / "clients"  # what npm installs, once
JARS = Path("/usr/share/java")
APACHE = ("httpmime", "httpclient", "httpcore", "commons-logging", "commons-codec")
JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # starts in half the time, and does little else
PATIENCE = 120  # seconds: a compiler starts, on a busy machine


@dataclass(frozen=True)
class Target:
    """Where a delivery goes."""

    url: str
    token: str
    source_id: str

    @property
    def metadata(self) -> str:
        return json.dumps({"sourceId": self.source_id, "fields": [{"name": "remark", "value": "sent by a client"}]})

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Sender:
    """One client with one way to send; `send` returns the status."""

    client: str
    way: str  # for people
    send: Callable[[Target, Path], int]  # the folder holds fax.tif
    needs: tuple[str, ...] = ()  # programs
    filename: str | None = "fax.tif"  # what the document is to be called
    install: Callable[[], str] = lambda: ""  # returns why it cannot be had, or ""


def command(*words: str) -> Callable[[Target, Path], int]:
    """Return a sender that runs a program, with what is in braces filled in; its output begins with the status."""

    def send(target: Target, folder: Path) -> int:
        (folder / "metadata.json").write_text(target.metadata)
        filled = [
            word.replace("URL", target.url).replace("TOKEN", target.token).replace("SOURCE", target.source_id)
            for word in words
        ]
        ran = subprocess.run(filled, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return int(ran.stdout.split()[0])

    return send


def curl(*words: str) -> Callable[[Target, Path], int]:
    usual = ("--silent", "--noproxy", "*", "--output", "answer.json", "--write-out", "%{http_code}", "URL")
    return command("curl", *usual, "--header", "Authorization: Bearer TOKEN", *words)


def node(program: str, *how: str) -> Callable[[Target, Path], int]:
    return command("node", str(HERE / program), "URL", "TOKEN", "SOURCE", *how)


def java(*how: str) -> Callable[[Target, Path], int]:
    return command(*JAVA, str(HERE / "Deliver.java"), "URL", "TOKEN", "SOURCE", *how)


def apache(*how: str) -> Callable[[Target, Path], int]:
    path = ":".join(str(JARS / f"{name}.jar") for name in APACHE)
    return command(*JAVA, "-cp", path, str(HERE / "Apache.java"), "URL", "TOKEN", "SOURCE", *how)


def debian() -> str:
    """Return why Apache's client cannot be had, or ""."""
    return "" if all((JARS / f"{name}.jar").exists() for name in APACHE) else "libhttpmime-java must be installed"


@cache
def npm() -> str:
    """Install what package.json names, once; return why that failed, or ""."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run in several processes
        if not (CACHE / "node_modules" / "form-data").exists():
            shutil.copy(HERE / "package.json", CACHE)
            install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
            ran = subprocess.run(install, cwd=CACHE, capture_output=True, text=True, timeout=PATIENCE, check=False)
            if ran.returncode:
                return f"npm install failed: {ran.stderr[-200:]}"
    return ""


def axios(*how: str) -> Callable[[Target, Path], int]:
    def send(target: Target, folder: Path) -> int:
        (folder / "node_modules").symlink_to(CACHE / "node_modules")
        return node("axios.mjs", *how)(target, folder)

    return send


def requests(target: Target, folder: Path, *, typed: bool, chunked: bool = False) -> int:
    import requests

    with (folder / "fax.tif").open("rb") as scan, requests.Session() as session:
        named = {"file": ("fax.tif", scan, "image/tiff"), "metadata": (None, target.metadata, "application/json")}
        form = {"files": named} if typed else {"files": {"file": scan}, "data": {"metadata": target.metadata}}
        session.trust_env = False
        prepared = session.prepare_request(requests.Request("POST", target.url, headers=target.bearer, **form))
        if chunked:
            body = prepared.body
            prepared.prepare_body(iter([body[:100], body[100:]]), None)
            del prepared.headers["Content-Length"]
        return session.send(prepared).status_code


def httpx(target: Target, folder: Path, *, typed: bool) -> int:
    import httpx

    scan = (folder / "fax.tif").read_bytes()
    if typed:
        form = {
            "files": {
                "file": ("Über weisung.tif", scan, "image/tiff"),
                "metadata": ("metadata.json", target.metadata.encode()),
            }
        }
    else:
        form = {"files": {"file": Unsized(scan)}, "data": {"metadata": target.metadata}}
    with httpx.Client(trust_env=False) as client:
        return client.post(target.url, headers=target.bearer, **form).status_code


class Unsized(io.BytesIO):
    """A stream of which nobody knows the length: it is sent in chunks."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def fileno(self) -> int:
        raise io.UnsupportedOperation


TYPED = ("--form", "file=@fax.tif;type=image/tiff", "--form", "metadata=@metadata.json;type=application/json")
FIELD = ("--form", "metadata=<metadata.json")
UMLAUT = 'Über"weisung.tif'


def senders() -> Iterator[Sender]:
    """Yield every client and way."""
    yield Sender("curl", "files with types", curl(*TYPED), ("curl",))
    yield Sender(
        "curl",
        "a file as application/octet-stream, metadata as a field",
        curl("--form", "file=@fax.tif;type=application/octet-stream", *FIELD),
        ("curl",),
    )
    yield Sender("curl", "a file without a type of its own", curl("--form", "file=@fax.tif", *FIELD), ("curl",))
    yield Sender("curl", "chunked", curl("--header", "Transfer-Encoding: chunked", *TYPED), ("curl",))
    yield Sender("curl", "Expect: 100-continue", curl("--header", "Expect: 100-continue", *TYPED), ("curl",))
    yield Sender(
        "curl",
        "a file name with a quote, beyond ASCII",
        curl("--form", 'file=@fax.tif;filename="Über\\"weisung.tif"', *FIELD),
        ("curl",),
        UMLAUT,
    )
    yield Sender("requests", "files with types", lambda *to: requests(*to, typed=True))
    yield Sender("requests", "a file without a type, metadata as a field", lambda *to: requests(*to, typed=False))
    yield Sender("requests", "chunked", lambda *to: requests(*to, typed=True, chunked=True))
    yield Sender(
        "httpx",
        "a file name beyond ASCII, metadata without a type",
        lambda *to: httpx(*to, typed=True),
        (),
        "Über weisung.tif",
    )
    yield Sender(
        "httpx",
        "a stream without a name or length, metadata as a field",
        lambda *to: httpx(*to, typed=False),
        (),
        "upload",
    )
    yield Sender("Node fetch", "files with types and a name beyond ASCII", node("fetch.mjs"), ("node",), UMLAUT)
    yield Sender(
        "Node fetch", "a Blob without a type, metadata as a field", node("fetch.mjs", "untyped"), ("node",), "blob"
    )
    yield Sender("axios with form-data", "buffers with types", axios(), ("node", "npm"), "my fax.tif", npm)
    yield Sender(
        "axios with form-data", "a stream, metadata as a field", axios("stream"), ("node", "npm"), "fax.tif", npm
    )
    yield Sender("Java HttpClient", "a length", java(), ("java", "javac"))
    yield Sender("Java HttpClient", "chunked", java("chunked"), ("java", "javac"))
    yield Sender("Java HttpClient", "Expect: 100-continue", java("expect"), ("java", "javac"))
    for way, how, filename in [
        ("a file, metadata as a field", (), "fax.tif"),
        ("Expect: 100-continue", ("expect",), "fax.tif"),
        ("a stream without a name or length, metadata as a field", ("stream",), None),
        ("a file name beyond ASCII", ("rfc6532",), "Überweisung.tif"),
    ]:
        yield Sender("Apache HttpClient", way, apache(*how), ("java", "javac"), filename, debian)


SENDERS = list(senders())
