"""The configuration that a process owner writes: mappings/<process>/process.toml, read and judged."""

from pathlib import Path

from receiver.core.faults import Misconfigured, reading
from receiver.site.config import rules, shape
from receiver.site.config.build import build
from receiver.site.config.model import ProcessConfig
from receiver.site.config.source import FILE, load


def read(folder: Path, site: Path) -> ProcessConfig:
    """Read the process.toml of one process's folder. Raises `Misconfigured` with all of its faults at once."""
    with reading((folder / FILE).relative_to(site).as_posix()):
        source = load(folder, site)
        found = list(shape.faults(source))
        broken = {path for path, _ in found}
        faults = {fault for _, fault in found} | set(rules.faults(source, broken))
        if faults:
            raise Misconfigured(faults)
        return build(folder, source)
