"""Looks deeper than a start does: what a site would do wrong although everything in it compiles."""

from collections.abc import Iterator, Mapping
from types import ModuleType

from receiver.checking import (
    effects,
    encodings,
    examples,
    fields,
    layouts,
    notices,
    outputs,
    parts,
    paths,
    samples,
    trials,
    unused,
)
from receiver.checking.site import Site, site
from receiver.config.site import MAPPINGS
from receiver.faults import Fault, Misconfigured
from receiver.libraries import reading
from receiver.process.compiling import Compiled, compile_pieces
from receiver.settings import Settings

# Sibling modules with the same function: `faults(site)`
CHECKS: tuple[ModuleType, ...] = (
    *(parts, layouts, fields, effects, paths, outputs),
    *(encodings, examples, notices, samples, trials, unused),
)


def check(settings: Settings, environ: Mapping[str, str]) -> list[Fault]:
    """Return every fault of a site: those that forbid a start, and those that a delivery would meet."""
    return inspect(settings, compile_pieces(settings, environ), environ)


def inspect(settings: Settings, compiled: Compiled, environ: Mapping[str, str]) -> list[Fault]:
    """Return every fault of what is compiled of a site, also those that compiling has found."""
    seen = site(settings, compiled, environ)
    deeper = {fault for each in CHECKS for fault in _found(each, seen)}
    return sorted({*compiled.faults, *deeper})


def _found(check: ModuleType, seen: Site) -> Iterator[Fault]:
    """Yield what a check finds, as far as it comes."""
    try:
        with reading(MAPPINGS):
            yield from check.faults(seen)
    except Misconfigured as error:
        yield from error.faults
