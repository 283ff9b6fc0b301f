"""What deliveries have left in a stage: every folder but those that lie ready for the next one, empty and locked."""

from pathlib import Path

LOOKS = 5  # at the locks of the machine: a lock that is held is in nearly each list


def left_in(stage: Path) -> list[Path]:
    """Return the folders that nobody holds, or that are not empty. Looks without touching: a lock may be wanted."""
    return [folder for folder in stage.iterdir() if folder.is_dir() and not _is_ready(folder)]


def _is_ready(folder: Path) -> bool:
    try:
        return not any(folder.iterdir()) and _is_locked(folder)
    except FileNotFoundError:
        return True


def _is_locked(folder: Path) -> bool:
    """Tell whether anybody holds the lock of a folder: proc(5), /proc/locks.

    The list comes in pieces, and locks that others take and give meanwhile may hide one of it: so it is read again.
    """
    number = folder.stat().st_ino
    return any(_is_listed(number) for _ in range(LOOKS))


def _is_listed(number: int) -> bool:
    held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(line[1] == "FLOCK" and line[5].endswith(f":{number}") for line in held)
