"""The version of JSON files under RECEIVER_DATA; each file has its own.

A file without one was written before there was any, and is read as version 1. Whatever changes the meaning of a file
raises VERSION, and reads the versions before it. What a newer program wrote is refused: it may mean something else.
From 2 on, journals tell paths from the roots on.
"""

from collections.abc import Mapping
from typing import Any

from receiver.core.problems import Code, Problem

KEY = "dataVersion"
VERSION = 2


def stamped(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a file with the version of today before it."""
    return {KEY: VERSION, **content}


def require_known(content: Mapping[str, Any], what: str) -> None:
    """Raise Problem if a newer program wrote `what`."""
    version = content.get(KEY, VERSION)
    if not isinstance(version, int) or version > VERSION:
        detail = (
            f"{what} was written by a newer program (version {version} of the data, and this program knows none "
            f"above {VERSION}): start the newer program that wrote it"
        )
        raise Problem(Code.STORAGE_FAILED, detail)
