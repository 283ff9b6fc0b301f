"""A section's file name, in whichever way its client writes it.

Quoted, with the escapes of browsers (HTML §4.10.21.8) or in encoded words (RFC 2047), as an extended value (RFC 8187
§3.2), or in numbered pieces (RFC 2231 §3).
"""

import binascii
import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import quote, unquote_to_bytes

from receiver.core.problems import Code, Problem

CHARSETS = {  # of the encodings that may be named; what comes in another is left undecoded
    "utf-8": "utf-8",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
}
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A", "\\": "\\\\"})
PLAIN = re.compile(r"(?!=\?)[^\x00-\x1f\x7f\"%\\]*")  # stands for itself, however it is read
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # browsers write line ends as %0D%0A


def filename(parameters: Mapping[str, str]) -> str | None:
    """Return the file name of a section; filename* wins (RFC 6266 §4.3).

    Raises `Problem`.
    """
    pieces: dict[str, str] = {}
    for name, value in parameters.items():
        if name.startswith("filename*") and name[9:]:
            pieces[name[9:]] = value
    plain, extended = parameters.get("filename"), parameters.get("filename*")
    if pieces and (plain, extended) != (None, None):
        raise Problem(Code.AMBIGUOUS_REQUEST, "A part has its file name both whole and in pieces.")
    found = _decoded(*_apart(extended)) if extended is not None else _joined(pieces) if pieces else None
    if found is None and plain is not None:
        found = _without_folder(_encoded_words(browser_text(plain)))
    if found is not None and _CONTROL.search(found):
        raise Problem(Code.MALFORMED_BODY, "A part's file name has a control character.")
    return found


def disposition(name: str, filename: str | None) -> str:
    """Return a Content-Disposition that is read as these names."""
    written = f'form-data; name="{name.translate(_ESCAPES)}"'
    if filename is None:
        return written
    if PLAIN.fullmatch(filename):
        return f'{written}; filename="{filename}"'
    return f"{written}; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"


def browser_text(text: str) -> str:
    """Return a quoted name without the three escapes of browsers (HTML §4.10.21.8)."""
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%22", '"')


def _apart(extended: str) -> tuple[str, bytes]:
    """Return charset and bytes of an extended value such as `UTF-8''%C3%9C.tif`.

    RFC 8187 §3.2.
    """
    charset, _, rest = extended.partition("'")
    return charset, unquote_to_bytes(rest.partition("'")[2])


def _joined(pieces: Mapping[str, str]) -> str | None:
    """Return a value from numbered pieces, filename*0, filename*1* (RFC 2231 §3).

    Raises `Problem`.
    """
    charset, content = "utf-8", b""
    texts: list[bytes] = []
    for number in range(len(pieces)):
        plain, coded = pieces.get(f"{number}"), pieces.get(f"{number}*")
        if (plain is None) == (coded is None):
            raise Problem(Code.MALFORMED_BODY, "The pieces of a part's file name are not numbered one by one.")
        if coded is not None and number == 0:
            charset, content = _apart(coded)
        else:
            content = unquote_to_bytes(coded) if plain is None else plain.encode()  # type: ignore[arg-type]
        texts.append(content)
    return _decoded(charset, b"".join(texts))


def _decoded(charset: str, content: bytes) -> str | None:
    """Return text, or None if it is not in its character set, or that is not known."""
    with suppress(KeyError, UnicodeDecodeError):
        return content.decode(CHARSETS[charset.lower()])
    return None


def _encoded_words(text: str) -> str:
    """Return encoded words, `=?utf-8?B?…?=`, decoded (RFC 2047); other text as it is."""
    if not text.startswith("=?"):
        return text
    decoded = [_encoded_word(word) for word in text.split()]
    return text if None in decoded else "".join(filter(None, decoded))


def _encoded_word(word: str) -> str | None:
    fields = word.split("?")
    if len(fields) != 5 or (fields[0], fields[4]) != ("=", "="):
        return None
    charset, encoding, text = fields[1:4]
    with suppress(ValueError):
        if encoding in "Bb":
            return _decoded(charset, binascii.a2b_base64(text, strict_mode=True))
        return _decoded(charset, binascii.a2b_qp(text, header=True)) if encoding in "Qq" else None
    return None


def _without_folder(name: str) -> str:
    """Return a name without the Windows folder that old browsers wrote before it."""
    return name.rpartition("\\")[2] if name[1:3] == ":\\" or name.startswith("\\") else name
