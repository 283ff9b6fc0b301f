"""The processes and files of a site, and the rules between its processes.

What is hidden, or an editor's backup, is no part of a site.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path

from receiver.core.faults import ConfigurationError, Fault, Severity
from receiver.core.settings import unknown_variables
from receiver.site.config.build import read
from receiver.site.config.model import ProcessConfig
from receiver.site.config.tokens import Tokens, variables
from receiver.site.config.wording import either, value_name
from receiver.templates.library import SHARED, TABLES_FOLDER

MAPPINGS = "mappings"
SHARED_NAME = re.compile(rf"[\"']{SHARED}/([^\"']+)[\"']")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # a segment of a URL, a folder and an MSH-friendly word alike


def find(site: Path) -> tuple[list[Path], list[Fault]]:
    """Return a site's process folders by name, and faults: bad names, or none."""
    found = (folder for folder in _folders(site / MAPPINGS) if folder.name != SHARED)
    folders = sorted(folder for folder in found if not folder.name.startswith("."))
    if not folders:
        return [], [_no_process(site)]
    good = [folder for folder in folders if NAME.fullmatch(folder.name)]
    return good, [_bad_name(folder) for folder in folders if folder not in good]


def conflicts(configs: Sequence[ProcessConfig], tokens: Mapping[str, Tokens], output: Path) -> list[Fault]:
    """Return the faults between processes.

    `tokens` by process name; `output` is the root of all output.
    """
    return [
        *_taken(configs, "host", lambda config: config.route.host),
        *_taken(configs, "default", lambda config: config.route.default),
        *_shared_tokens(configs, tokens),
        *_shared_output(configs, output),
    ]


def named_variables(site: Path) -> set[str]:
    """Return the variables that processes name for tokens and webhooks."""
    named: set[str] = set()
    for folder in find(site)[0]:
        with suppress(ConfigurationError):
            config = read(folder, site)
            named.update(variables(config), filter(None, [config.notify.variable]))
    return named


def unread_variables(site: Path) -> list[str]:
    """Return a line for each RECEIVER_… variable that nothing reads."""
    return unknown_variables(named=named_variables(site)) if unknown_variables() else []


def shared_files(folder: Path, samples: str) -> list[Path]:
    """Return files of `_shared/` that a process names, and those that these name."""
    shared = folder.parent / SHARED
    waiting = [path for path in files(folder) if path.relative_to(folder).parts[0] != samples]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path.suffix not in (".j2", ".toml"):
            continue
        for name in SHARED_NAME.findall(path.read_text("utf-8", "replace")):
            named = {shared / name, shared / TABLES_FOLDER / f"{name}.csv"} - found
            new = [each for each in named if each.is_file()]
            found.update(new)
            waiting += new
    return sorted(found)


def _folders(mappings: Path) -> list[Path]:
    return [entry for entry in mappings.iterdir() if entry.is_dir()] if mappings.is_dir() else []


def _no_process(site: Path) -> Fault:
    hint = "receiver init makes a site, receiver new a process; RECEIVER_SITE tells where the site is"
    message = "the site has no process" if site.is_dir() else f"there is no folder {site} that could be the site"
    return Fault(MAPPINGS, 1, 1, "no-process", message, hint)


def _bad_name(folder: Path) -> Fault:
    message = f"{value_name(folder.name)} cannot be the name of a process: it stands in a URL"
    hint = "rename the folder: a-z, 0-9, - and _, at most 64, beginning with a letter or digit"
    return Fault(f"{MAPPINGS}/{folder.name}", 1, 1, "bad-name", message, hint)


def _taken(configs: Sequence[ProcessConfig], key: str, read: Callable[[ProcessConfig], object]) -> Iterator[Fault]:
    first: dict[object, ProcessConfig] = {}
    for config in configs:
        value = read(config)
        if value and first.setdefault(value, config) is not config:
            message = f"route.{key} leads to {first[value].name} already"
            yield config.fault("route-taken", message, "route", key, hint="one process of the two only")


def _shared_tokens(configs: Sequence[ProcessConfig], tokens: Mapping[str, Tokens]) -> Iterator[Fault]:
    """Yield processes whose common token does not tell which one is meant.

    The bare delivery URL goes by host name, else by token, else to the default.

    A token of several processes is in order as long as one of the other two decides.
    """
    if any(config.route.default for config in configs):
        return
    sharing: dict[bytes, list[ProcessConfig]] = {}
    for config in configs:
        for digest in set(tokens[config.name].digests) if config.route.host is None else ():
            sharing.setdefault(digest, []).append(config)
    groups = {tuple(config.name for config in group): group for group in sharing.values() if len(group) > 1}
    for names, group in groups.items():
        message = f"{either(names)}: they share a token, so the bare delivery URL cannot tell which is meant"
        hint = "give one of them default = true, or each its own token; harmless where only their own URLs are used"
        yield group[-1].fault("token-shared", message, "auth", "tokens", hint=hint, severity=Severity.WARNING)


def _shared_output(configs: Sequence[ProcessConfig], output: Path) -> Iterator[Fault]:
    written = [(config, position, name) for config in configs for position, name in directories(config)]
    for (first, _, one), (second, position, other) in combinations(written, 2):
        folder, another = (output / one).resolve(), (output / other).resolve()
        if first is second and folder == another and one != first.output.directory:
            continue  # two records for one importing system
        if folder.is_relative_to(another) or another.is_relative_to(folder):
            owner = first.name if first is not second else "the process, or of another record of it"
            message = f"{value_name(other)} is, holds or lies in the output folder of {owner}"
            whose = "process writes into" if first is not second else "importing system has"
            hint = f"each {whose} a folder of its own"
            yield second.fault("output-shared", message, *position, hint=hint)
        elif str(folder).casefold() == str(another).casefold():
            message = f"{value_name(other)} differs only in case from the output folder {value_name(one)}"
            hint = "give it another name: for Windows and CIFS the two are one folder"
            yield second.fault("output-shared", message, *position, hint=hint, severity=Severity.WARNING)


def directories(config: ProcessConfig) -> list[tuple[tuple[str | int, ...], str]]:
    """Return a process's output folders as written, its own first, with places."""
    found: list[tuple[tuple[str | int, ...], str]] = [(("output", "directory"), config.output.directory)]
    for index, record in enumerate(config.records):
        found += [(("records", index, "directory"), record.directory)] if record.directory else []
    for batch in config.batches:
        found += [(("batches", batch.name, "directory"), batch.directory)] if batch.directory else []
    return found


BACKUP = "~"  # how editors end the name of what a file was before

Entry = os.DirEntry[str]


def files(folder: Path) -> list[Path]:
    """Return every file below a folder by path; links are followed, in a circle once."""
    return sorted(Path(entry.path) for entry in entries(folder))


def entries(folder: Path) -> Iterator[Entry]:
    """Yield the same in any order, cheaply: it is done twice a second."""
    return _below(str(folder), set())


def _below(folder: str, seen: set[tuple[int, int]]) -> Iterator[Entry]:
    try:
        state = os.stat(folder)  # noqa: PTH116 (a Path for each file would cost ten times as much)
        found = list(os.scandir(folder))
    except OSError:  # gone meanwhile, or not ours to read
        return
    if (state.st_dev, state.st_ino) in seen:
        return
    seen.add((state.st_dev, state.st_ino))
    for entry in found:
        if entry.name.startswith(".") or entry.name.endswith(BACKUP):
            continue
        if entry.is_dir():
            yield from _below(entry.path, seen)
        elif entry.is_file():
            yield entry
