"""The findings of one run, and what every report wants to know of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from receiver.core.faults import Fault, Severity


@dataclass(frozen=True, slots=True)
class Findings:
    """The faults of some processes."""

    faults: Sequence[Fault]
    processes: int  # that were looked at
    site: Path

    def file(self, fault: Fault) -> str:
        """Return a fault's file as it is called from the working directory, where the site lies below that."""
        path, here = (self.site / fault.file).absolute(), Path.cwd()
        return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()

    def uri(self, fault: Fault) -> str:
        """Return the same as a URI reference (RFC 3986 §4.1)."""
        file = self.file(fault)
        return f"file://{quote(file)}" if file.startswith("/") else quote(file)

    def summary(self) -> str:
        """Count the findings: "3 processes: 1 error, 2 warnings"."""
        counts = Counter(fault.severity for fault in self.faults)
        told = [_counted(counts[severity], severity.value) for severity in Severity if counts[severity]]
        return f"{_counted(self.processes, 'process', 'es')}: {', '.join(told) or 'no fault'}"


def with_hint(fault: Fault) -> str:
    """Write a fault's message with its hint."""
    return f"{fault.message} ({fault.hint})" if fault.hint else fault.message


def _counted(number: int, word: str, plural: str = "s") -> str:
    return f"{number} {word}{'' if number == 1 else plural}"
