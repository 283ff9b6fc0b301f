"""Compiles the processes of a site once, with the faults of all in one run.

The service starts with what `proven` returns; `receiver check` looks deeper into what `compile_pieces` returns.
"""

import hashlib
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from receiver.core.faults import ConfigurationError, Fault, Severity, reading
from receiver.core.settings import Settings
from receiver.schemas.folder import Schemas
from receiver.site.config.build import read, read_provisional
from receiver.site.config.site import conflicts, files, find, shared_files
from receiver.site.config.tokens import Tokens, read_tokens
from receiver.site.pieces import Pieces, compile_process
from receiver.site.process import Process

SCHEMAS = "schemas"
SAMPLES = "samples"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A site as far as it could be compiled."""

    folders: tuple[Path, ...]  # of every process, also of those whose process.toml cannot be read
    processes: tuple[Pieces, ...]
    schemas: Schemas
    faults: tuple[Fault, ...]


def proven(
    settings: Settings, environ: Mapping[str, str] = os.environ, only: Container[str] | None = None
) -> dict[str, Process]:
    """Return every process of the site by name, or only some.

    Raises `ConfigurationError` with every error there is.
    """
    processes, faults = compile_site(settings, environ, only)
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    if errors:
        raise ConfigurationError(errors)
    return processes


def compile_site(
    settings: Settings, environ: Mapping[str, str] = os.environ, only: Container[str] | None = None
) -> tuple[dict[str, Process], list[Fault]]:
    """Return sound processes by name, and all faults; with `only`, of some processes."""
    compiled = compile_pieces(settings, environ, only)
    schemas = b"".join(_contents(settings.site / SCHEMAS))
    processes = {}
    for each in compiled.processes:
        output = (settings.output / each.config.output.directory).absolute()
        process = each.process(output, _digest(each.config.folder, schemas), settings.output)
        if process:
            processes[process.name] = process
    return processes, list(compiled.faults)


def compile_pieces(
    settings: Settings, environ: Mapping[str, str] = os.environ, only: Container[str] | None = None
) -> Compiled:
    """Return each process's compiled pieces, and all faults; with `only`, of some."""
    found, faults = find(settings.site)
    folders = [folder for folder in found if only is None or folder.name in only]
    schemas = Schemas(settings.site / SCHEMAS, settings.site)
    processes: list[Pieces] = []
    for folder in folders:
        try:
            configured = read(folder, settings.site)
        except ConfigurationError as error:
            faults += [*error.faults, *_further(folder, schemas)]
            continue
        tokens, objections = read_tokens(configured, environ)
        compiled = compile_process(configured, tokens, schemas)
        faults += [*objections, *compiled.faults, *(compiled.metadata.warnings if compiled.metadata else ())]
        processes.append(compiled)
    faults += _conflicts(processes, settings.output)
    return Compiled(tuple(folders), tuple(processes), schemas, tuple(sorted(set(faults))))


def digests(site: Path) -> dict[str, str]:
    """Return the digest of each process's files by its name, also of faulty ones."""
    schemas = b"".join(_contents(site / SCHEMAS))
    return {folder.name: _digest(folder, schemas) for folder in find(site)[0]}


def _further(folder: Path, schemas: Schemas) -> tuple[Fault, ...]:
    """Return faults of templates and schemas beside those of a faulty process.toml."""
    try:
        with reading(folder.relative_to(schemas.site).as_posix()):
            configured = read_provisional(folder, schemas.site)
    except ConfigurationError:  # as when it was read the first time
        return ()
    return compile_process(configured, Tokens(()), schemas).faults if configured else ()


def _conflicts(processes: Sequence[Pieces], output: Path) -> list[Fault]:
    tokens = {each.config.name: each.tokens for each in processes}
    return conflicts([each.config for each in processes], tokens, output)


def _digest(folder: Path, schemas: bytes) -> str:
    """Digest every file that a process is compiled from.

    Its folder without the samples, shared files, the schemas.
    """
    shared = (_content(path, folder.parent) for path in shared_files(folder, SAMPLES))
    return hashlib.sha256(b"".join([*_contents(folder, without=SAMPLES), *shared]) + schemas).hexdigest()


def _contents(folder: Path, without: str = "") -> Iterator[bytes]:
    for path in files(folder):
        if path.relative_to(folder).parts[0] != without:
            yield _content(path, folder)


def _content(path: Path, folder: Path) -> bytes:
    content = path.read_bytes()
    return f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content
