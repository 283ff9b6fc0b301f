"""Entries as rows of the table `deliveries`: plain columns, JSON text for lists.

A path is told from one of the named folders on (`Roots`): hosts may have mounted them elsewhere, and they may be moved.
"""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from receiver.core import units
from receiver.core.delivery import Kind, Output, Status
from receiver.core.problems import Code, Violation
from receiver.core.settings import Settings
from receiver.store.entry import OUTPUTS, Attempt, DamagedRow, Entry, PartLine, attempt_to_dict, to_dict

_encode = units.json_writer(json.JSONEncoder(ensure_ascii=False, separators=(",", ":")))
_decode = json.JSONDecoder().decode  # `json.loads` looks first what it was given

_JSON_NAMES = {  # by column: what `to_dict` calls it
    "id": "id",
    "process": "process",
    "source_id": "sourceId",
    "version": "version",
    "status": "status",
    "received_at": "receivedAt",
    "committed_at": "committedAt",
    "published_at": "publishedAt",
    "peer": "peer",
    "configuration": "configuration",
    "parts": "parts",
    "documents": "documents",
    "records": "records",
    "marker": "marker",
    "originals": "originals",
    "output": "output",
    "stage_folder": "stage",
    "code": "code",
    "violations": "violations",
    "attempts": "attempts",
    "attempt_count": "attemptCount",
}
COLUMNS = tuple(_JSON_NAMES)
_LISTS = ("parts", *OUTPUTS.values(), "violations", "attempts")
Row: TypeAlias = tuple[Any, ...]  # in the order of COLUMNS

AT_ONCE = 10_000  # rows of one statement: less than a second
REMEMBERED = 1_000  # paths that are told again and again: folders of the stage and the output

_in_order = itemgetter(*_JSON_NAMES.values())


class Roots:
    """Where this host has the folders that rows tell paths by.

    They are `output/…` and `data/…`.

    What lies in none of them is told as it is, and so must be the same on every host.
    """

    def __init__(self, **folders: Path) -> None:
        self.folders = {name: str(folder.absolute()) for name, folder in folders.items()}
        self._deepest_first = sorted(self.folders.items(), key=_depth)
        self.relative = lru_cache(REMEMBERED)(self._relative)
        self.between = lru_cache(REMEMBERED)(self._between)

    @classmethod
    def of(cls, settings: Settings) -> "Roots":
        """Return those of the service."""
        return cls(output=settings.output, data=settings.data)

    def _relative(self, path: str) -> str:
        """Return a path as rows tell it."""
        for name, root in self._deepest_first:
            if path == root or path.startswith(f"{root}/"):
                return name + path[len(root) :]
        return path

    def _between(self, root: str, folder: str) -> list[str]:
        """Return a folder and those above it, as rows tell them, down to what lies in `root`."""
        found: list[str] = []
        while len(folder) > len(root):
            found.append(self.relative(folder))
            folder = folder.rpartition("/")[0]
        return found

    def spellings(self) -> list[tuple[str, str]]:
        """Return name and path of each as older rows may have it, links aside.

        The deepest comes first.
        """
        found = [(name, path) for name, root in self.folders.items() for path in {root, os.path.realpath(root)}]
        return sorted(found, key=_depth)

    def absolute(self, told: str) -> str:
        """Return the path that a row tells."""
        name, slash, rest = told.partition("/")
        return self.folders[name] + slash + rest if name in self.folders else told


def _depth(root: tuple[str, str]) -> int:
    return -len(root[1])


NO_ROOTS = Roots()


def row(entry: Entry, roots: Roots) -> Row:
    """Return the values of `COLUMNS`."""
    values = to_dict(entry, roots.relative)
    values["output"], values["stage"] = roots.relative(entry.output), roots.relative(entry.stage)
    for name in _LISTS:
        values[name] = _encode(values[name])
    return _in_order(values)  # type: ignore[no-any-return]


def list_text(items: list[Any]) -> str:
    """Return a list of a row as its column has it."""
    return _encode(items)


def attempt_text(attempt: Attempt) -> str:
    """Return one of the column `attempts`."""
    return _encode(attempt_to_dict(attempt))


def entry(values: Sequence[Any], roots: Roots) -> Entry:
    """Return the entry of a row of `COLUMNS`, texts as str or bytes.

    Raises DamagedRow.
    """
    try:
        if bytes in map(type, values):  # as a rule there are none
            values = [each.decode() if isinstance(each, bytes) else each for each in values]
        return _entry(values, roots)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _damaged(values) from None


def _damaged(values: Sequence[Any]) -> DamagedRow:
    column = {
        name: each.decode(errors="replace") if isinstance(each, bytes) else str(each)
        for name, each in zip(COLUMNS, values, strict=True)
    }
    with suppress(ValueError):
        return DamagedRow(column["id"], units.moment(column["received_at"]))
    return DamagedRow(column["id"], None)


def _entry(values: Sequence[Any], roots: Roots) -> Entry:
    column = dict(zip(COLUMNS, values, strict=True))
    for name in ("parts", "violations", "attempts"):
        column[name] = _decode(column[name])
    outputs = [
        output_of(kept | {"kind": kind}, roots) for kind, name in OUTPUTS.items() for kept in _decode(column.pop(name))
    ]
    column |= {
        "status": Status(column["status"]),
        "received_at": units.moment(column["received_at"]),
        "committed_at": column["committed_at"] and units.moment(column["committed_at"]),
        "published_at": column["published_at"] and units.moment(column["published_at"]),
        "parts": tuple(PartLine(**part) for part in column["parts"]),
        "outputs": tuple(outputs),
        "output": roots.absolute(column["output"]),
        "stage": roots.absolute(column.pop("stage_folder")),
        "code": column["code"] and Code(column["code"]),
        "violations": tuple(Violation(**violation) for violation in column["violations"]),
        "attempts": tuple(Attempt(**kept | {"at": units.moment(kept["at"])}) for kept in column["attempts"]),
    }
    return Entry(**column)


def output_to_dict(output: Output, roots: Roots) -> dict[str, Any]:
    """Return an output as JSON, its paths as rows tell them."""
    return output._asdict() | {"target": roots.relative(output.target), "root": roots.relative(output.root)}


def output_of(kept: dict[str, Any], roots: Roots) -> Output:
    """Return the output that JSON tells. Raises ValueError, KeyError, TypeError."""
    paths = {"target": roots.absolute(kept["target"]), "root": roots.absolute(kept.get("root", ""))}
    return Output(**kept | paths | {"kind": Kind(kept["kind"])})


def make_relative(connection: Any) -> None:
    """Have rows of before, which tell absolute paths, tell them from the roots on."""
    last = connection.execute("SELECT coalesce(max(rowid), 0) FROM deliveries").get
    for name, folder in connection.roots.spellings():
        names = ("documents", "records", "marker", "originals")
        columns = _from_root(name, folder, ("output", "stage_folder"), names, _encode)
        for start in range(0, last, AT_ONCE):
            between = (start, start + AT_ONCE)
            _update(connection, "deliveries", columns, "output <> '' AND rowid > ? AND rowid <= ?", *between)
        _update(connection, "batches", _from_root(name, folder, ("output", "stage_folder"), ("file",), json.dumps))
        _update(connection, "claims", _from_root(name, folder, ("target",)))


_Columns = dict[str, tuple[str, list[Any]]]  # by name: what it becomes, and the values in that


def _from_root(
    name: str,
    folder: str,
    plain: Sequence[str],
    outputs: Sequence[str] = (),
    encode: Callable[[dict[str, str]], str] = _encode,
) -> _Columns:
    """Return what becomes of columns with a path, and of those with outputs as JSON."""
    size = len(folder) + 1
    found: _Columns = {
        column: (
            f"CASE WHEN substr({column} || '/', 1, ?) = ? THEN ? || substr({column}, ?) ELSE {column} END",
            [size, f"{folder}/", name, size],
        )
        for column in plain
    }
    begun = [encode({key: f"{path}/"})[1:-2] for key in ("target", "root") for path in (folder, name)]
    values = [*begun, *(encode({"root": path})[1:-1] for path in (folder, name))]
    replaced = "replace(replace(replace(%s, ?, ?), ?, ?), ?, ?)"
    return found | {column: (replaced % column, values) for column in outputs}


def _update(connection: Any, table: str, columns: _Columns, where: str = "1 = 1", *values: Any) -> None:
    changed = ", ".join(f"{name} = {becomes}" for name, (becomes, _) in columns.items())
    given = [value for _, some in columns.values() for value in some]
    connection.execute(f"UPDATE {table} SET {changed} WHERE {where}", (*given, *values))  # noqa: S608 (our own)
