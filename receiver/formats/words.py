"""The words in which a difference is told."""

LONGEST = 72  # characters shown of one value
BEFORE = 20  # of them, before the place where two long values part


def changed(where: str, expected: str, got: str) -> str:
    """Say that a value is another one."""
    return f"{where}: expected {expected}, got {got}"


def missing(where: str, expected: str) -> str:
    """Say that something expected is not there."""
    return f"{where}: missing, expected {expected}"


def surplus(where: str, got: str) -> str:
    """Say that something is there that was not expected."""
    return f"{where}: not expected, got {got}"


def values(where: str, expected: str, got: str) -> str:
    """Say how one text differs from another: long ones are shown from where they part."""
    return changed(where, *excerpts(expected, got))


def excerpts(expected: str, got: str) -> tuple[str, str]:
    """Return two texts in quotes, cut to the part in which they first differ."""
    apart = next((place for place, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b), None)
    start = max(0, (min(len(expected), len(got)) if apart is None else apart) - BEFORE)
    start = start if max(len(expected), len(got)) > LONGEST else 0
    return quoted(expected, start), quoted(got, start)


def quoted(text: str, start: int = 0) -> str:
    """Return a text in quotes, on one line, cut where it is long."""
    piece = text[start : start + LONGEST]
    before, after = "…" if start else "", "…" if start + LONGEST < len(text) else ""
    return '"' + before + piece.replace("\r", "\\r").replace("\n", "\\n") + after + '"'
