"""What the owner says of the paths, if they cannot be seen or were seen wrongly."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from types import ModuleType

from receiver.metadata.fields import WrongPathError

NONE = "none"  # as a confidence: the platform sends none
SHOWN = 12  # paths told in a message: as many as a person reads


class WrongOptionError(ValueError):
    """An option that leads nowhere.

    Says what was found instead: paths, never what stands there.
    """

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = f"--{option.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Paths in the language of the metadata; None for what is to be found.

    Each is an option of the same name.
    """

    fields: str | None = None
    name: str | None = None
    value: str | None = None
    confidence: str | None = None
    source_id: str | None = None

    def of_fields(self) -> list[str]:
        """Return the names of the options given that say something of the fields."""
        return [each for each in ("fields", "name", "value", "confidence") if getattr(self, each) is not None]

    def prove(self, form: ModuleType) -> None:
        """Compile every path. Raises `WrongOptionError`."""
        for option in (each.name for each in fields(self) if getattr(self, each.name) is not None):
            try:
                form.path(getattr(self, option))
            except WrongPathError as error:
                raise WrongOptionError(option, f"{error.message} (at its column {error.column})") from None


def listed(paths: Sequence[str]) -> str:
    """Write paths for a message, the first of many."""
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return (", ".join(paths[:SHOWN]) or "nothing") + more
