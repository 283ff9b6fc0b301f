"""A process.toml without what is wrong in it, so that one run finds the faults of its templates and schemas as well."""

from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from pathlib import Path as Folder
from typing import Any

from receiver.core.faults import Misconfigured
from receiver.core.positions import Path
from receiver.site.config import rules, shape
from receiver.site.config.build import build
from receiver.site.config.model import ProcessConfig
from receiver.site.config.source import load

AUTH = ("auth-missing", "auth-ambiguous")  # who may deliver is nothing to a template


def read(folder: Folder, site: Folder) -> ProcessConfig | None:
    """Return the configuration with defaults in the place of what is wrong; None where that leaves too little.

    It is never served: it is only for looking further.
    """
    try:
        source = load(folder, site)
    except Misconfigured:
        return None
    rest = deepcopy(source.data)
    _remove(rest, (path for path, _ in shape.faults(source)))
    sound = replace(source, data=rest)
    if list(shape.faults(sound)) or any(fault.code not in AUTH for fault in rules.faults(sound, ())):
        return None
    return build(folder, sound)


def _remove(data: dict[str, Any], paths: Iterable[Path]) -> None:
    """Remove what stands at some paths: whole keys, so that no list entry takes the place of another."""
    for path in paths:
        keys = path[: max((place for place, step in enumerate(path, 1) if isinstance(step, str)), default=0)]
        below: Any = data
        with suppress(LookupError, TypeError):  # it went with what it stood in
            for step in keys[:-1]:
                below = below[step]
            del below[keys[-1]]
