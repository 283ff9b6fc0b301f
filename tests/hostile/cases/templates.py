"""Templates that would never end, or fill the memory: each is cut off, and told with its line."""

from .building import BOMBS, QUARANTINE, Case, delivery, file, json_part, metadata

WHAT = {
    "loop": "10,000,000,000 turns of two loops",
    "size": "a text of 1,000,000,000 characters",
    "power": "a number of 10,000,000,001 digits",
    "doubling": "a text that doubles a thousand times",
    "counting": "a list of 1,000,000,000 numbers",
    "padding": "a value padded to 1,000,000,000 characters",
    "replacing": "a text that grows eightfold a thousand times",
}


def cases() -> list[Case]:
    """One delivery for each template of the process `bombs`."""
    return [
        Case(
            f"a template with {what}",
            delivery(file(), json_part(metadata(f"bomb-{name}", name)), path=BOMBS),
            422,
            "template-failed",
            QUARANTINE,
        )
        for name, what in WHAT.items()
    ]
