"""What one person proposes for a held delivery, until a second one publishes it.

It holds values, so it lies where those lie, and goes with them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from receiver.core import units
from receiver.core.problems import Code, Problem
from receiver.store import quarantine
from receiver.store.data_version import require_known, stamped
from receiver.store.durable import storage
from receiver.store.entry import Entry
from receiver.store.ledger import Ledger
from receiver.store.quarantine import PROPOSAL


@dataclass(frozen=True, slots=True)
class Proposal:
    """Corrections that wait for a second person; none to have it published as it is."""

    by: str
    at: datetime  # aware, UTC
    corrections: Mapping[str, str]


def find(data: Path, entry: Entry) -> Proposal | None:
    """Return what was proposed for a delivery. Raises Problem if that cannot be read."""
    path = quarantine.folder(data, entry.process, entry.id) / PROPOSAL
    with storage("read a proposal"):
        if not path.exists():
            return None
        content = path.read_bytes()
    try:
        described = json.loads(content)
        require_known(described, PROPOSAL)
        return Proposal(described["by"], units.moment(described["at"]), described["corrections"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Problem(Code.STORAGE_FAILED, "the proposal of a kept delivery is damaged") from None


def propose(ledger: Ledger, data: Path, entry: Entry, proposal: Proposal) -> None:
    """Keep a proposal beside a delivery, over an earlier one; durable on return.

    Raises Problem.
    """
    described = {"by": proposal.by, "at": units.stamp(proposal.at), "corrections": dict(proposal.corrections)}
    content = json.dumps(stamped(described), ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace")
    if not quarantine.write_beside(ledger, data, entry, PROPOSAL, content):
        raise Problem(Code.BUSY, "Somebody is at work on this delivery. Look again.")
