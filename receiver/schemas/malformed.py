"""The one exception of the strict parsers."""


class MalformedError(ValueError):
    """Bytes that cannot be read. Says what is wrong and where, never what stands there."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line  # from 1
        self.column = column  # from 1, in characters


def at(text: str, position: int, message: str) -> MalformedError:
    """Return the fault with the line and column of a position in the text."""
    return MalformedError(message, text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))
