"""Finds what would go wrong in a site although everything in it compiles."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from receiver.authoring.check import (
    batches,
    delimiters,
    expressions,
    fields,
    host,
    parts,
    paths,
    samples,
    schemas,
    tables,
    templates,
    trials,
    unused,
)
from receiver.authoring.check.site import Site, site
from receiver.core.faults import ConfigurationError, Fault, Severity, reading
from receiver.core.settings import Settings
from receiver.site.compiling import Compiled, compile_pieces
from receiver.site.config.site import MAPPINGS

Check = Callable[[Site], Iterator[Fault]]

CHECKS: tuple[Check, ...] = (  # what is proven without running anything
    *(parts.faults, fields.fields, fields.layouts, fields.identities, paths.faults, tables.faults),
    *(expressions.faults, templates.literals, templates.embedding, templates.encodings, delimiters.faults),
    *(schemas.patterns, schemas.required, schemas.examples, samples.faults),
    *(batches.faults, host.folders, host.notices, unused.unused, unused.without_effect),
)


def check(settings: Settings, environ: Mapping[str, str]) -> list[Fault]:
    """Return every fault of a site: of compiling, and of the checks here."""
    return inspect(settings, compile_pieces(settings, environ), environ)


def inspect(settings: Settings, compiled: Compiled, environ: Mapping[str, str]) -> list[Fault]:
    """Return every fault of a compiled site, including those of compiling."""
    seen = site(settings, compiled, environ)
    proven = {*compiled.faults, *(fault for each in CHECKS for fault in _found(each, seen))}
    return sorted(_merged(proven, _found(trials.faults, seen)))


def _merged(proven: set[Fault], tried: Iterable[Fault]) -> set[Fault]:
    """Merge proven faults and those of trials; on the same line the proven one stays.

    A warning whose line refuses a sample of the process is an error: it is no matter of some delivery any more.
    """
    places = {(fault.file, fault.line) for fault in proven if fault.severity is not Severity.INFO}
    refused = set()
    for fault in tried:
        if (fault.file, fault.line) not in places:
            proven.add(fault)
        elif fault.severity is Severity.ERROR:
            refused.add((fault.file, fault.line))
    raised = {fault for fault in proven if (fault.file, fault.line) in refused and fault.severity is Severity.WARNING}
    return (proven - raised) | {replace(fault, severity=Severity.ERROR) for fault in raised}


def _found(check: Check, seen: Site) -> Iterator[Fault]:
    """Yield what a check finds, as far as it comes."""
    try:
        with reading(MAPPINGS):
            yield from check(seen)
    except ConfigurationError as error:
        yield from error.faults
