"""What a filter has to say against its constant arguments, before any value comes."""

from typing import NamedTuple


class Objection(NamedTuple):
    """What is wrong, and what to write instead; without a hint how the filter is written is shown."""

    message: str = ""
    hint: str = ""

    def __bool__(self) -> bool:
        """Return whether there is something wrong."""
        return bool(self.message)


NONE = Objection()
