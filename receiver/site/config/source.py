"""One process.toml as it was written: its values, and where each of them stands."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.core.faults import Fault, Misconfigured, Severity
from receiver.core.positions import Positions, toml_positions
from receiver.site.config.syntax import not_toml, not_utf8

FILE = "process.toml"
UTF8_MARK = b"\xef\xbb\xbf"  # some editors begin every file with it; TOML knows no such thing


@dataclass(frozen=True, slots=True)
class Source:
    """The values of a process.toml and their places."""

    file: str  # relative to the site's folder
    data: dict[str, Any]
    positions: Positions

    def position(self, path: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Return line and column of what stands at `path`, or of the nearest thing above it."""
        return self.positions.of(path, key=key)

    def fault(
        self,
        code: str,
        message: str,
        path: Sequence[str | int],
        *,
        hint: str = "",
        severity: Severity = Severity.ERROR,
        key: bool = False,
    ) -> Fault:
        """Return a fault at the value that stands at `path`, or at its key."""
        line, column = self.position(path, key=key)
        return Fault(self.file, line, column, code, message, hint, severity)


def load(folder: Path, site: Path) -> Source:
    """Parse the process.toml of a process's folder. Raises `Misconfigured` where it is no TOML."""
    path = folder / FILE
    file = path.relative_to(site).as_posix()
    try:
        content = path.read_bytes().removeprefix(UTF8_MARK)
    except OSError as error:
        message, hint = f"cannot be read: {error.strerror}", "every process has this file in its folder"
        raise Misconfigured([Fault(file, 1, 1, "file-unreadable", message, hint)]) from error
    try:
        text = content.decode("utf-8")
        return Source(file, tomllib.loads(text), toml_positions(content))
    except UnicodeDecodeError as error:
        raise Misconfigured([not_utf8(file, content, error)]) from error
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured([not_toml(file, text, error)]) from error
