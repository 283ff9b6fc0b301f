"""The service without its server: requests go straight into the application, onto real files."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

from receiver.app import create_app, prepare
from receiver.settings import Settings

from .cases.building import BOUNDARY, SCANS, TOKEN

SITE = Path(__file__).parent / "site"
# folders that the service keeps
OWN = {"stage", "output", "quarantine", "originals", "metrics", "housekeeping", "configuration"}
SWEEP = 200  # deliveries after which what was published or kept is thrown away


class Inside:
    """The application over the site of the table."""

    def __init__(self, data: Path) -> None:
        environment = {"RECEIVER_SITE": str(SITE), "RECEIVER_DATA": str(data), "RECEIVER_MIN_FREE": "0"}
        settings = Settings.from_environment(environment)
        prepare(settings)
        self.app = create_app(settings)
        self.data = data
        self.count = 0

    def post(self, body: bytes, path: str = SCANS, kind: str | None = None, **headers: str) -> tuple[int, Any]:
        """Deliver a body; return the status and the answer."""
        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "receiver.test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "receiver.test",
            "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
            "CONTENT_TYPE": kind or f"multipart/form-data; boundary={BOUNDARY}",
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **headers,
        }
        told: list[str] = []
        answer = b"".join(self.app.wsgi_app(environ, lambda status, _headers, _error=None: told.append(status)))
        self._sweep()
        return int(told[0].split()[0]), json.loads(answer)

    @property
    def left(self) -> list[Path]:
        """Return what is left in the stage."""
        return [path for path in (self.data / "stage").iterdir() if path.is_dir()]

    @property
    def folders(self) -> set[str]:
        """Return the names of everything beside the ledger."""
        return {path.name for path in self.data.iterdir() if not path.name.startswith("ledger")}

    def _sweep(self) -> None:
        self.count += 1
        if self.count % SWEEP == 0:
            for folder in ("output", "quarantine"):
                for path in (self.data / folder).glob("*/*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
