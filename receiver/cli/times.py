"""Moments as people type them, and as they are shown: always UTC, as in the ledger."""

from datetime import UTC, datetime

import click

from receiver import units


def moment(text: str) -> datetime:
    """Read an ISO date or time, UTC unless it says otherwise, or how long ago: 2h, 3d. Raises click.BadParameter."""
    try:
        return datetime.now(UTC) - units.duration(text)
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        expected = 'write "2026-03-01", "2026-03-01T14:30", or how long ago: "2h", "3d", "6w"'
        raise click.BadParameter(expected) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown(moment: datetime | None) -> str:
    """Write a moment to the second: 2026-03-01 14:30:05Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if moment else "-"
