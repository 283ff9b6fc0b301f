"""One value that a starter template can print."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """One value that a template can print."""

    name: str  # "mrn", or "address.city" for a part of an object
    expression: str  # fields.mrn
    optional: bool  # the field may be absent
    many: bool  # a list
    date: str | None  # how it is read as a date
    empty: bool  # may be empty or null
    breaks: bool  # has line breaks
    role: str  # what it is to a patient's record

    @property
    def plain(self) -> str:
        """Write what is printed, whether the field is there or not."""
        return f'{self.expression} | default("")' if self.optional else self.expression

    @property
    def items(self) -> str:
        """Write the list to loop over."""
        return f"{self.expression} | default([])" if self.optional else self.expression

    @property
    def certain(self) -> bool:
        """Return whether there is always something to print."""
        return not (self.optional or self.empty)

    @property
    def there(self) -> str:
        """Write the condition that there is something to print."""
        return f"{self.expression} is defined and {self.expression}" if self.optional else self.expression

    def dated(self, write: str) -> str:
        """Write a date in another form; nothing if it is absent or empty."""
        converted = f'{self.expression} | date("{self.date}", "{write}")'
        return converted if self.certain else f'{converted} if {self.there} else ""'
