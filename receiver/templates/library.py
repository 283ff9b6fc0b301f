"""The files that a process's templates use: other templates, and code tables."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from receiver.core.faults import ConfigurationError, Fault, did_you_mean
from receiver.formats import values
from receiver.formats.budget import MAX_FILE
from receiver.formats.errors import RefusedError
from receiver.templates.source import Source

TABLES_FOLDER = "tables"
SHARED = "_shared"  # the folder beside the processes' own whose templates and tables every one may use


class Likeness(NamedTuple):
    """Which keys count as the same."""

    ignore_case: bool = False
    strip: bool = False  # of white space at both ends

    def plain(self, key: str) -> str:
        """Return what all keys that count as the same have in common."""
        stripped = key.strip() if self.strip else key
        return stripped.casefold() if self.ignore_case else stripped


EXACT = Likeness()


@dataclass(frozen=True, slots=True)
class Table:
    """One code table.

    A key is looked up exactly as it is written, unless its `Likeness` allows more.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    indexes: dict[tuple[str, Likeness], dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def row(self, key: str, column: str, likeness: Likeness = EXACT) -> tuple[str, ...] | None:
        """Return the row that has a key in a column, the first one if several have."""
        if (column, likeness) not in self.indexes:
            position = self.columns.index(column)
            rows = {likeness.plain(row[position]): row for row in reversed(self.rows)}
            self.indexes[column, likeness] = rows
        return self.indexes[column, likeness].get(likeness.plain(key))

    def alike(self, column: str, likeness: Likeness) -> tuple[str, str] | None:
        """Return the first two keys of a column that a likeness makes equal; or None."""
        position = self.columns.index(column)
        seen: dict[str, str] = {}
        for row in self.rows:
            first = seen.setdefault(likeness.plain(row[position]), row[position])
            if first != row[position]:
                return first, row[position]
        return None


def read_table(path: Path, file: str) -> Table:
    """Read a table; `file` is its name in faults. Raises `ConfigurationError`."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise ConfigurationError([Fault(file, 1, 1, "bad-table", f"it has more than {MAX_FILE:,} bytes")])
        rows = list(_rows(path.read_text("utf-8-sig"), file))
    except UnicodeDecodeError as error:
        raise ConfigurationError([_not_utf8(file, error)]) from None
    except OSError as error:
        hint = "the service needs the right to read it"
        raise ConfigurationError([Fault(file, 1, 1, "bad-table", f"cannot be read: {error.strerror}", hint)]) from None
    if not rows or len(rows[0]) < 2 or len(set(rows[0])) < len(rows[0]) or rows[0][0].lower().startswith("sep="):
        hint = "write the names of the columns in the first line, each once: code,name"
        if rows and re.search("[;\t]", "".join(rows[0])):
            hint = "columns are parted by commas"
        if rows and rows[0][0].lower().startswith("sep="):
            hint = "leave the line sep=, away: it is for Excel alone"
        message = "it needs a header with two or more different columns"
        raise ConfigurationError([Fault(file, 1, 1, "bad-table", message, hint)])
    faults = list(_table_faults(rows, file))
    if faults:
        raise ConfigurationError(faults)
    return Table(path.stem, tuple(rows[0]), tuple(tuple(row) for row in rows[1:] if row))


def _rows(text: str, file: str) -> Iterator[list[str]]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            yield row
            line = reader.line_num + 1
    except csv.Error:
        message, hint = (
            "this row is not CSV",
            'a quote that opens a cell closes it, and within it stands twice: "a ""b"" c"',
        )
        raise ConfigurationError([Fault(file, line, 1, "bad-table", message, hint)]) from None


def _not_utf8(file: str, error: UnicodeDecodeError, code: str = "bad-table") -> Fault:
    """Return the fault at the first character of another encoding.

    Excel writes one for "CSV", Notepad for "ANSI".
    """
    *lines, last = error.object[: error.start].split(b"\n")
    hint = 'save it as UTF-8; in Excel choose "CSV UTF-8"'
    column = len(last.decode("utf-8-sig", "replace")) + 1
    return Fault(file, len(lines) + 1, column, code, "a character that is not UTF-8", hint)


def _table_faults(rows: list[list[str]], file: str) -> list[Fault]:
    faults = []
    seen: dict[str, int] = {}
    for line, row in enumerate(rows, 1):
        if row and len(row) != len(rows[0]):
            message = f"this row has {len(row)} columns and the header has {len(rows[0])}"
            hint = "columns are parted by commas; a cell that has one stands in double quotes"
            faults.append(Fault(file, line, 1, "bad-table", message, hint))
        elif row and line > 1 and seen.setdefault(row[0], line) != line:
            message = f"this key stands in line {seen[row[0]]} already"
            faults.append(Fault(file, line, 1, "bad-table", message, "remove one of the two rows"))
    return faults


_NONE = object()


def lookup(tables: Mapping[str, Table]) -> Callable[..., Any]:
    """Return the `lookup` filter over some tables."""

    def lookup(
        value: object,
        table: str,
        column: str = "",
        key: str = "",
        default: object = _NONE,
        *,
        ignore_case: bool = False,
        strip: bool = False,
    ) -> object:
        """Return a table's entry for a value: second column by the first, or named ones.

        Raises `RefusedError` if the table has no such key and there is no default.
        """
        found = tables[table]
        row = found.row(values.text(value), key or found.columns[0], Likeness(ignore_case, strip))
        if row is not None:
            return row[found.columns.index(column) if column else 1]
        if default is _NONE:
            raise RefusedError(f'has a value that is not in the table "{table}"', "lookup")
        return default

    return lookup


class Library:
    """Reads templates and tables of a folder and of the shared one, each once."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.folder = folder
        self.site = site
        self.tables: dict[str, Table] = {}

    def path(self, name: str) -> Path:
        """Return where a file is: in the folder, or with `_shared/` in the shared one."""
        return self._root(name) / name.removeprefix(f"{SHARED}/")

    def _root(self, name: str) -> Path:
        return self._shared if name.startswith(f"{SHARED}/") else self.folder

    def file(self, name: str) -> str:
        """Return a file's name as faults show it: relative to the site."""
        path = self.path(name)
        return path.relative_to(self.site).as_posix() if path.is_relative_to(self.site) else path.as_posix()

    def source(self, name: str) -> Source:
        """Read a template. Raises `ConfigurationError`."""
        file, path = self.file(name), self.path(name)
        try:
            if path.stat().st_size > MAX_FILE:
                raise ConfigurationError(
                    [Fault(file, 1, 1, "template-too-large", f"it has more than {MAX_FILE:,} bytes")]
                )
            text = path.read_text("utf-8-sig")
        except OSError:
            hint = "the service needs the right to read it"
            raise ConfigurationError(
                [Fault(file, 1, 1, "unknown-template", "this file cannot be read", hint)]
            ) from None
        except UnicodeDecodeError as error:
            raise ConfigurationError([_not_utf8(file, error, "template-unreadable")]) from None
        return Source(file, text)

    def missing(self, name: str) -> str | None:
        """Return a hint if there is no such template, or None if there is."""
        path = self.path(name)
        if path.resolve().is_relative_to(self._root(name).resolve()) and path.is_file():
            return None
        known = [path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.j2")]
        known += [path.relative_to(self.folder.parent).as_posix() for path in self._shared.rglob("*.j2")]
        return did_you_mean(name, known) or "templates are named from the process's folder"

    def table(self, name: str) -> Table | str:
        """Return a code table, read once, or a hint if there is none.

        Raises `ConfigurationError` for a bad one.
        """
        if name not in self.tables:
            known = [path.stem for path in sorted((self.folder / TABLES_FOLDER).glob("*.csv"))]
            known += [f"{SHARED}/{path.stem}" for path in sorted((self._shared / TABLES_FOLDER).glob("*.csv"))]
            if name not in known:
                return did_you_mean(name, known) or f"tables stand in {self.file(TABLES_FOLDER)}/"
            self.tables[name] = read_table(self.path(_table_name(name)), self.table_file(name))
        return self.tables[name]

    def table_file(self, name: str) -> str:
        """Return a code table's file as faults show it."""
        return self.file(_table_name(name))

    @property
    def _shared(self) -> Path:
        return self.folder.parent / SHARED


def _table_name(name: str) -> str:
    """Return a table's file: `gender` is tables/gender.csv.

    `_shared/gender` is _shared/tables/gender.csv.
    """
    shared = f"{SHARED}/" if name.startswith(f"{SHARED}/") else ""
    return f"{shared}{TABLES_FOLDER}/{name.removeprefix(shared)}.csv"
