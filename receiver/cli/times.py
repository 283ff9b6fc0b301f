"""Moments as people type them, and as they are shown: always UTC, as in the ledger."""

from datetime import UTC, datetime
from typing import Any

import click

from receiver import units


class Moment(click.ParamType[datetime]):
    """An ISO date or time, UTC unless it says otherwise, or how long ago: 2h, 3d, 6w."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return datetime.now(UTC) - units.duration(value)
        except (ValueError, OverflowError):
            pass
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail('write "2026-03-01", "2026-03-01T14:30", or how long ago: "2h", "3d", "6w"', param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def shown(moment: datetime | None) -> str:
    """Write a moment to the second: 2026-03-01 14:30:05Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if moment else "-"
