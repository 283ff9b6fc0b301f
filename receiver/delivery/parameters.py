"""A header's value and its parameters, `form-data; name="file"`, read in one pass (RFC 9110 §5.6.6).

Libraries skip what they cannot read and let the last of several win, so that two readers of one header may see
different names. Here all of it is read, or the header is refused.
"""

import re

from receiver.core.problems import Code, Problem

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_NAME = re.compile(rf"({TOKEN.pattern})=")
_QUOTED = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)  # RFC 9110 §5.6.4
_ESCAPED = re.compile(r'\\(["\\])')  # other backslashes stand for themselves: browsers do not escape them
_BLANKS = re.compile(r"[ \t]*")  # OWS, RFC 9110 §5.6.3


def value(header: str) -> str:
    """Return what stands before the parameters, in lower case."""
    return header.partition(";")[0].strip(" \t").lower()


def parse(header: str, whose: str, *, unquoted: str) -> dict[str, str]:
    """Return the parameters of a header by their names, in lower case.

    `whose` header it is, for messages. Of the parameter `unquoted`, which is a file name, a value without quotes
    goes on to the next semicolon. Raises `Problem`.
    """
    found: dict[str, str] = {}
    at = header.find(";")
    while 0 <= at < len(header):  # at a semicolon
        at = _after_blanks(header, at + 1)
        if header[at : at + 1] in ("", ";"):  # RFC 9110 lets a parameter be empty
            continue
        named = _NAME.match(header, at)
        if not named:
            raise Problem(Code.MALFORMED_BODY, f"{whose} has a parameter that is not name=value.")
        name = named[1].lower()
        if name in found:
            raise Problem(Code.AMBIGUOUS_REQUEST, f"{whose} has a parameter twice.")
        found[name], at = _value(header, named.end(), whose, to_semicolon=name == unquoted)
    return found


def _value(header: str, start: int, whose: str, *, to_semicolon: bool) -> tuple[str, int]:
    """Return the value that begins at `start`, and the place of the semicolon behind it, or the header's end."""
    if header.startswith('"', start):
        return _quoted(header, start, whose)
    if to_semicolon:
        end = header.find(";", start) % (len(header) + 1)
        if '"' in header[start:end]:
            raise Problem(Code.AMBIGUOUS_REQUEST, f"{whose} has a quote inside of a value without quotes.")
        return header[start:end].strip(" \t"), end
    token = TOKEN.match(header, start)
    end = _after_blanks(header, token.end() if token else start)
    if header.startswith(",", end):
        raise Problem(Code.AMBIGUOUS_REQUEST, f"{whose} has several values, joined by a comma, or quotes are missing.")
    if not token or header[end : end + 1] not in ("", ";"):
        raise Problem(
            Code.MALFORMED_BODY,
            f"{whose} has an empty value, or quotes are missing: "
            "write them where a value has other characters than letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 §5.6.2).",
        )
    return token[0], end


def _quoted(header: str, start: int, whose: str) -> tuple[str, int]:
    quoted = _QUOTED.match(header, start)
    if not quoted:
        raise Problem(Code.MALFORMED_BODY, f"{whose} has a quote that does not end.")
    end = _after_blanks(header, quoted.end())
    if header[end : end + 1] not in ("", ";"):
        raise Problem(Code.AMBIGUOUS_REQUEST, f"{whose} goes on behind a quoted value, where only a semicolon may be.")
    text = quoted[1]
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text, end


def _after_blanks(header: str, start: int) -> int:
    blanks = _BLANKS.match(header, start)
    return blanks.end() if blanks else start
