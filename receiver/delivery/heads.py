"""What the headers of a multipart body and of its sections say, and whether they say one thing only."""

import re
from collections.abc import Iterable, Iterator, Mapping

from receiver.core import limits
from receiver.core.delivery import Section
from receiver.core.problems import Code, Problem
from receiver.delivery import parameters
from receiver.delivery.delimited import too_long
from receiver.delivery.filenames import browser_text, filename

BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]*+(?<! )")  # RFC 2046 §5.1.1
IDENTITY_ENCODINGS = {"", "7bit", "8bit", "binary"}  # RFC 7578 §4.7: others are not to be sent
LENGTH = re.compile(r"0|[1-9][0-9]{0,18}")  # of a section, in bytes
READ = {"content-disposition", "content-type", "content-length", "content-transfer-encoding"}  # others may say anything
MAX_CHARSET = 40  # characters: of the IANA's names, RFC 2978 §2.3
CONTENT_TYPE, DISPOSITION = "The request's Content-Type", "A part's Content-Disposition"


def boundary(content_type: str) -> str:
    """Return what stands between the sections of a body of this Content-Type. Raises `Problem`."""
    if parameters.value(content_type) != "multipart/form-data":
        raise Problem(Code.NOT_MULTIPART, "The request must be multipart/form-data.")
    told = parameters.parse(content_type, CONTENT_TYPE, unquoted="")
    _require_one_way(told, "boundary", CONTENT_TYPE)
    found = told.get("boundary", "")
    if not 0 < len(found) <= limits.MAX_BOUNDARY or not BOUNDARY.fullmatch(found):
        raise Problem(
            Code.MALFORMED_BODY,
            f"The Content-Type needs a boundary of 1 to {limits.MAX_BOUNDARY} characters that RFC 2046 §5.1.1 allows.",
        )
    return found


def section(lines: Iterable[bytes]) -> tuple[Section, int | None]:
    """Return what the head of a section says of it, and the length in bytes, where it tells one. Raises `Problem`."""
    headers = _headers(lines)
    if headers.get("content-transfer-encoding", "").lower() not in IDENTITY_ENCODINGS:
        raise Problem(
            Code.MALFORMED_BODY,
            "A part has a Content-Transfer-Encoding; send its bytes as they are (RFC 7578 §4.7).",
        )
    disposition, type_ = headers.get("content-disposition", ""), headers.get("content-type", "")
    if parameters.value(disposition) != "form-data":
        raise Problem(Code.MALFORMED_BODY, "A part has no Content-Disposition: form-data (RFC 7578 §4.2).")
    told = parameters.parse(disposition, DISPOSITION, unquoted="filename")
    typed = parameters.parse(type_, "A part's Content-Type", unquoted="name")
    head = Section(_name(told), filename(told), parameters.value(type_), _charset(typed.get("charset", "")))
    return head, _length(headers.get("content-length"))


def _headers(lines: Iterable[bytes]) -> dict[str, str]:
    """Return the headers by their names in lower case."""
    headers: dict[str, str] = {}
    for number, line in enumerate(_unfolded(lines), start=1):
        if number > limits.MAX_PART_HEADERS:
            raise Problem(Code.HEADERS_TOO_LARGE, f"A part has more than {limits.MAX_PART_HEADERS} headers.")
        name, colon, value = _text(line).partition(":")
        if not colon or not parameters.TOKEN.fullmatch(name):
            raise Problem(Code.MALFORMED_BODY, "A part has a header that is not name: value (RFC 9110 §5.1).")
        name = name.lower()
        if name in headers and name in READ:
            raise Problem(Code.AMBIGUOUS_REQUEST, "A part has one of its headers twice.")
        headers[name] = value.strip(" \t")
    return headers


def _unfolded(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the headers, each in one line: one that begins with a blank goes on with the line before it."""
    pieces: list[bytes] = []
    size = 0
    for line in lines:
        folded = line[:1] in (b" ", b"\t")
        if folded and (not pieces or line.isspace()):
            raise Problem(Code.MALFORMED_BODY, "A part has a line of blanks among its headers.")
        if pieces and not folded:
            yield b" ".join(pieces)
            pieces, size = [], 0
        pieces.append(line.strip(b" \t") if folded else line)
        size += len(line)
        if size > limits.MAX_PART_HEADER_SIZE:
            raise too_long()
    if pieces:
        yield b" ".join(pieces)


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Problem(Code.MALFORMED_BODY, "A part has a header that is not in UTF-8 (RFC 7578 §5.1).") from None


def _name(told: Mapping[str, str]) -> str:
    _require_one_way(told, "name", DISPOSITION)
    name = browser_text(told.get("name", ""))
    if not name:
        raise Problem(Code.MALFORMED_BODY, "A part has no name (RFC 7578 §4.2).")
    if len(name) > limits.MAX_PART_NAME:
        raise Problem(Code.HEADERS_TOO_LARGE, f"A part's name is longer than {limits.MAX_PART_NAME} characters.")
    return name


def _charset(told: str) -> str:
    """Return a charset as it is told; one that is no token can be no name that anybody knows."""
    return told if not told or (len(told) <= MAX_CHARSET and parameters.TOKEN.fullmatch(told)) else "unknown"


def _require_one_way(told: Mapping[str, str], parameter: str, whose: str) -> None:
    """Raise where a parameter comes in an extended form, which some read in its place (RFC 2231, RFC 8187)."""
    if any(name.startswith(f"{parameter}*") for name in told):
        raise Problem(Code.AMBIGUOUS_REQUEST, f"{whose} has {parameter}*; write {parameter} alone, as it is.")


def _length(told: str | None) -> int | None:
    if told is None:
        return None
    if not LENGTH.fullmatch(told):
        raise Problem(Code.MALFORMED_BODY, "A part has a Content-Length that is no number.")
    return int(told)
