"""A filter's objections to its constant arguments, before any value comes."""

from typing import NamedTuple


class Objection(NamedTuple):
    """What is wrong, and what to write; without a hint the filter's usage is shown."""

    message: str = ""
    hint: str = ""

    def __bool__(self) -> bool:
        """Return whether there is something wrong."""
        return bool(self.message)


NONE = Objection()
