"""The operator's settings, read from the environment in this module only."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from receiver.core import units

PREFIX = "RECEIVER_"
POSTGRES_EXTRA = "pip install 'receiver[postgres]'"
SAMPLE_TOKEN = "RECEIVER_TOKEN"  # noqa: S105 (its name: the shipped processes take their token from it)


class SettingsError(ValueError):
    """Settings that cannot be used; `problems` has one line for each wrong value."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def _ledger(text: str) -> str:
    if text.startswith("postgresql://"):
        if find_spec("psycopg_pool") is None:
            raise ValueError(f"the modules that a ledger on PostgreSQL needs: {POSTGRES_EXTRA}")
        return text
    if not text.startswith("sqlite:") or text == "sqlite:":
        raise ValueError(
            'sqlite: and the path of a file, such as "sqlite:var/ledger.db", or the URL of a PostgreSQL database, '
            'such as "postgresql://receiver@db.example.org/receiver"'
        )
    return text


def _without_password(text: str) -> str:
    """Return the URL of a server as it may be shown."""
    return re.sub(r"(://[^/@:]*):.*@|(?<=[?&])password=[^&]*", lambda found: f"{found[1]}@" if found[1] else "", text)


def _size(text: str) -> int:
    try:
        return units.size(text)
    except ValueError:
        raise ValueError('a size such as "512 MB", "2 GB" or a number of bytes') from None


def _size_above_zero(text: str) -> int:
    count = _size(text)
    if not count:
        raise ValueError("a size of at least one byte")
    return count


def _log(text: str) -> str:
    if text not in ("text", "json"):
        raise ValueError('"text" or "json"')
    return text


def _addresses(text: str) -> str:
    try:
        return ",".join(str(ip_address(each.strip())) for each in text.split(",") if each.strip())
    except ValueError:
        raise ValueError('addresses with commas between them, such as "127.0.0.1,10.0.0.7"') from None


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]*", text):
        raise ValueError('the name of a header, such as "X-Remote-User"')
    return text


def _option(parse: Callable[[str], Any], default: str, doc: str) -> dict[str, Any]:
    """Describe one setting: how its text is read, its default and what it means.

    A default may name RECEIVER_DATA's value as `{data}`. The parser's ValueError says what was expected.
    """
    return {"parse": parse, "default": default, "doc": doc}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, each with its meaning beside it.

    Relative paths start at the working directory.
    """

    site: Path = field(metadata=_option(Path, ".", "Folder that holds schemas/ and mappings/."))
    data: Path = field(
        metadata=_option(Path, "var", "Folder of all that the service keeps: ledger, stage, quarantine and more.")
    )
    output: Path = field(
        metadata=_option(
            Path, "{data}/output", "Root of the processes' output folders. Follows RECEIVER_DATA unless set."
        )
    )
    ledger: str = field(
        metadata=_option(
            _ledger,
            "sqlite:{data}/ledger.db",
            "Where the ledger lives; postgresql://… if several hosts share it. Follows RECEIVER_DATA unless set.",
        )
    )
    local: Path = field(
        metadata=_option(
            Path,
            "{data}/local",
            "Folder of what belongs to this host alone. To be set if several hosts share RECEIVER_DATA.",
        )
    )
    max_body: int = field(metadata=_option(_size_above_zero, "512 MB", "Largest request accepted."))
    min_free: int = field(
        metadata=_option(
            _size, "256 MB", "Below this much free space a delivery is turned away before its body is read."
        )
    )
    log: str = field(metadata=_option(_log, "text", 'How the log is written: "text" for people, "json" for machines.'))
    console_proxies: str = field(
        metadata=_option(
            _addresses, "", "Addresses of proxies before the console, with commas: they say who asks, and by https."
        )
    )
    console_user: str = field(
        metadata=_option(_header, "", "Header in which such a proxy names the user who has logged in there.")
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every setting; an empty variable counts as unset.

        Raises `SettingsError` with all wrong values.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        for option in fields(cls):
            text = _text(option.name, environ)
            try:
                values[option.name] = option.metadata["parse"](text)
            except ValueError as expected:
                problems.append(f"{_variable(option.name)}: expected {expected}")
        if problems:
            raise SettingsError(problems)
        return cls(**values)

    def variables(self) -> dict[str, str]:
        """Return the environment that these settings are read from."""
        values = {option.name: getattr(self, option.name) for option in fields(self)}
        return {_variable(name): str(value) for name, value in values.items()}


class Setting(NamedTuple):
    """One line of `receiver settings`, all as text."""

    variable: str
    value: str
    default: str
    doc: str


def describe(environ: Mapping[str, str] = os.environ) -> list[Setting]:
    """Return every setting with its present value."""
    lines = []
    for option in fields(Settings):
        name, default = option.name, option.metadata["default"]
        shown = default.format(data=_text("data", {}))
        value = _without_password(_text(name, environ)) if name == "ledger" else _text(name, environ)
        lines.append(Setting(_variable(name), value, shown, option.metadata["doc"]))
    return lines


def unknown_variables(environ: Mapping[str, str] = os.environ, named: Iterable[str] = ()) -> list[str]:
    """Return a line for each unknown RECEIVER_… variable.

    `named` are those that tokens name.
    """
    known = {_variable(option.name) for option in fields(Settings)} | {SAMPLE_TOKEN, *named}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    return [f"{name}: nothing reads this variable{_nearest_setting(name)}" for name in unknown]


def _nearest_setting(variable: str) -> str:
    """Compare without the prefix, which makes any two variables look alike."""
    near = get_close_matches(variable.removeprefix(PREFIX), [option.name.upper() for option in fields(Settings)], n=1)
    return f"; did you mean {PREFIX}{near[0]}?" if near else ""


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _text(name: str, environ: Mapping[str, str]) -> str:
    """Return the text of a setting, or its default, which RECEIVER_DATA may decide."""
    written = environ.get(_variable(name), "").strip()
    if written:
        return written
    default: str = Settings.__dataclass_fields__[name].metadata["default"]
    if "{data}" not in default:
        return default
    return default.format(data=_text("data", environ))
