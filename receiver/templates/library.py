"""The files of one process that its templates use: other templates, and code tables."""

from pathlib import Path

from receiver.core.faults import Fault, Misconfigured, did_you_mean
from receiver.formats.limits import MAX_FILE
from receiver.templates import tables
from receiver.templates.source import Source
from receiver.templates.tables import Table


class Library:
    """Reads the templates and tables of a folder, each once."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.folder = folder
        self.site = site
        self.tables: dict[str, Table] = {}

    def file(self, name: str) -> str:
        """Return a file's name as faults tell it: relative to the site."""
        path = self.folder / name
        return path.relative_to(self.site).as_posix() if path.is_relative_to(self.site) else path.as_posix()

    def source(self, name: str) -> Source:
        """Read a template. Raises `Misconfigured`."""
        file = self.file(name)
        try:
            if (self.folder / name).stat().st_size > MAX_FILE:
                raise Misconfigured([Fault(file, 1, 1, "template-too-large", f"it has more than {MAX_FILE:,} bytes")])
            text = (self.folder / name).read_text("utf-8-sig")
        except OSError:
            raise Misconfigured([Fault(file, 1, 1, "unknown-template", "this file cannot be read")]) from None
        except UnicodeDecodeError:
            raise Misconfigured([Fault(file, 1, 1, "template-unreadable", "it is not UTF-8")]) from None
        return Source(file, text)

    def missing(self, name: str) -> str | None:
        """Return a hint if there is no such template in the folder, or None if there is."""
        inside = (self.folder / name).resolve().is_relative_to(self.folder.resolve())
        if inside and (self.folder / name).is_file():
            return None
        known = [path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.j2")]
        return did_you_mean(name, known) or "templates are named from the process's folder"

    def table(self, name: str) -> Table | str:
        """Return a code table, read once, or a hint if there is none. Raises `Misconfigured` for a bad one."""
        if name not in self.tables:
            path = self.folder / tables.FOLDER / f"{name}.csv"
            known = sorted(found.stem for found in path.parent.glob("*.csv"))
            if name not in known:
                return did_you_mean(name, known) or f"tables stand in {self.file(tables.FOLDER)}/"
            self.tables[name] = tables.read(path, self.table_file(name))
        return self.tables[name]

    def table_file(self, name: str) -> str:
        """Return a code table's file as faults tell it."""
        return self.file(f"{tables.FOLDER}/{name}.csv")
