"""Whether whoever is to be told of faults could be reached from here."""

import os
from collections.abc import Iterator
from pathlib import Path

from receiver.authoring.check.site import Site
from receiver.core.faults import Fault, Severity
from receiver.site.config.model import ProcessConfig


def faults(site: Site) -> Iterator[Fault]:
    """Yield programs that are not there and variables that are not set: on the host of the service they must be."""
    for process in site.processes:
        yield from _command(process.config)
        yield from _webhook(process.config, site)


def _command(config: ProcessConfig) -> Iterator[Fault]:
    program = next(iter(config.notify.command), None)
    if program and not (Path(program).is_file() and os.access(program, os.X_OK)):
        message, hint = "this program is not here, or may not be run", "where the service runs it must be there"
        path = ("notify", "command", 0)
        yield config.fault("program-missing", message, *path, hint=hint, severity=Severity.WARNING)


def _webhook(config: ProcessConfig, site: Site) -> Iterator[Fault]:
    variable = config.notify.variable
    if variable and not site.environ.get(variable, "").strip():
        message = f"the variable {variable} is not set: nobody would be told"
        hint = f"set {variable} in the environment of the service"
        yield config.fault("variable-missing", message, "notify", "webhook", hint=hint, severity=Severity.WARNING)
