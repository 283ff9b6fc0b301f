"""Why a rendering stops, in words that never repeat a value."""

from collections.abc import Callable

from jinja2.runtime import StrictUndefined


class RefusedError(Exception):
    """A value that its place or its filter rejects.

    The reason completes "fields.reason …".

    `offends` returns whether a text has what this one was refused for.
    """

    def __init__(self, reason: str, rule: str = "value", offends: Callable[[str], bool] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rule = rule
        self.offends = offends


class ExceededError(RefusedError):
    """A rendering that costs more than `limits` allows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, "limit")


class MissingNameError(Exception):
    """A name or field that this delivery does not have."""

    def __init__(self, missing: "Missing") -> None:
        super().__init__()
        self.name: object = missing._undefined_name
        self.owner: object = missing._undefined_obj


class MisplacedError(Exception):
    """Literal text or a value at a place of the record where it cannot be right.

    Found when a template is compiled.
    """

    def __init__(self, message: str, hint: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.offset = offset  # characters from the start of the literal text


class Missing(StrictUndefined):
    """The undefined value: all but `is defined` and `default` raises."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        # Every forbidden use asks for the message first; Jinja's own would show types and names of data.
        raise MissingNameError(self)
