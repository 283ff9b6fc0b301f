"""Says what is wrong with the head of a section, or of a body, that `form.py` could not read."""

import re
from collections.abc import Mapping

from receiver.core import limits
from receiver.core.problems import Code, Problem

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
NAME = re.compile(rf"[ \t]*+({TOKEN.pattern})=")
QUOTED = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)  # RFC 9110 §5.6.4
SEVERAL = re.compile(rf"(?:{TOKEN.pattern})?[ \t]*+,")


def parameter(header: str, at: int, whose: str, found: Mapping[str, str], unquoted: str) -> Problem:
    """Return what is wrong with the parameter that begins at `at`."""
    named = NAME.match(header, at)
    if not named:
        return Problem(Code.MALFORMED_BODY, f"{whose} has a parameter that is not name=value.")
    name, start = named[1].lower(), named.end()
    if name in found:
        return Problem(Code.AMBIGUOUS_REQUEST, f"{whose} has a parameter twice.")
    if header.startswith('"', start):
        if not QUOTED.match(header, start):
            return Problem(Code.MALFORMED_BODY, f"{whose} has a quote that does not end.")
        detail = f"{whose} goes on behind a quoted value, where only a semicolon may be."
        return Problem(Code.AMBIGUOUS_REQUEST, detail)
    if name == unquoted:
        return Problem(Code.AMBIGUOUS_REQUEST, f"{whose} has a quote inside of a value without quotes.")
    if SEVERAL.match(header, start):
        detail = f"{whose} has several values, joined by a comma, or quotes are missing."
        return Problem(Code.AMBIGUOUS_REQUEST, detail)
    return Problem(
        Code.MALFORMED_BODY,
        f"{whose} has an empty value, or quotes are missing: "
        "write them where a value has other characters than letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 §5.6.2).",
    )


def too_long() -> Problem:
    """Return what a header over the limit is answered with."""
    return Problem(
        Code.HEADERS_TOO_LARGE, f"A part has a header that is longer than {limits.MAX_PART_HEADER_SIZE} bytes."
    )
