"""The encoding of metadata: byte order mark, the part's charset, or declared.

RFC 7303 §3 has this order for XML. For JSON, which is UTF-8 (RFC 8259 §8.1), a mark and a charset are heeded alike,
for platforms send both. What contradicts itself in a way that no rule resolves is refused: a wrong name would be the
price of a guess.
"""

import re
from encodings.aliases import aliases

MARKS = (  # UTF-32 first: its mark begins as that of UTF-16 does
    (b"\xff\xfe\x00\x00", "utf_32_le"),
    (b"\x00\x00\xfe\xff", "utf_32_be"),
    (b"\xff\xfe", "utf_16_le"),
    (b"\xfe\xff", "utf_16_be"),
    (b"\xef\xbb\xbf", "utf_8"),
)
ORDERS = {  # without a mark: how the first character, which is ASCII in JSON and XML, begins
    "utf_32_le": re.compile(rb"[^\0]\0\0\0", re.DOTALL),
    "utf_32_be": re.compile(rb"\0\0\0[^\0]", re.DOTALL),
    "utf_16_le": re.compile(rb"[^\0]\0", re.DOTALL),
    "utf_16_be": re.compile(rb"\0[^\0]", re.DOTALL),
}
WIDE = re.compile("utf_(16|32)")
TEXT = re.compile(
    "ascii|utf_(8|16|32)(_[lb]e)?|latin_1|iso8859_\\d+|iso2022_\\w+|cp\\d+|koi8_\\w|mac_\\w+|tis_620|ptcp154|kz1048|hp_roman8"
    "|shift_jis\\w*|euc_\\w+|gbk|gb2312|gb18030|big5\\w*|johab"
)
ONE_BYTE = re.compile("latin_1|iso8859_\\d+|cp(125\\d|437|85\\d)|koi8_\\w|mac_\\w+")  # nothing in them looks like UTF-8
MORE = {  # names that .NET and libxml2 know, and Python does not
    "unicode": "utf_16",
    "ucs2": "utf_16",
    "iso10646ucs2": "utf_16",
    "csunicode": "utf_16",
    "unicodefffe": "utf_16_be",
    "ucs4": "utf_32",
    "iso10646ucs4": "utf_32",
    "unicode11utf8": "utf_8",
    "xsjis": "shift_jis",
    "xmacroman": "mac_roman",
    "koi8u": "koi8_u",
    "windows874": "cp874",
}
MARK, CHARSET, DECLARATION = "its byte order mark", "the charset of its part", "its XML declaration"
HINT = "send UTF-8"
SIGNS = re.compile("[^a-z0-9]+")  # in the name of an encoding
PACKED = (b"\x1f\x8b\b", b"PK\3\4")  # gzip (RFC 1952 §2.3.1) and ZIP: no text begins so


def _folded(name: str) -> str:
    return SIGNS.sub("", name.lower())


# All names without their dashes: UTF8 is UTF-8 for libxml2 and .NET too. A dictionary of our own, since Python looks
# for a module of any name that it is asked for, and remembers it.
KNOWN = {_folded(name): codec for pair in aliases.items() for name, codec in (pair, (pair[1],) * 2)} | MORE
KNOWN = {name: codec for name, codec in KNOWN.items() if TEXT.fullmatch(codec)}


def decoded(content: bytes, charset: str = "", declared: str = "", *, own: bool = False) -> str:
    """Return a text without its byte order mark; `declared` is the encoding it names.

    What is `own`, and not sent, is never suspected. Raises `MalformedError`.
    """
    for mark, codec in MARKS:
        if content.startswith(mark):
            return _strict(content[len(mark) :], codec, MARK)
    if content.startswith(PACKED):
        raise MalformedError("it is packed; send it as it is")
    said = CHARSET if charset else DECLARATION if declared else ""
    codec = _known(charset or declared, said) if said else "utf_8"
    codec = _ordered(codec, content, said)
    text = _strict(content, codec, said)
    if not own and ONE_BYTE.fullmatch(codec) and not content.isascii() and _is_utf8(content):
        raise MalformedError(f"{said} says {_shown(codec)}, and its bytes are UTF-8: say UTF-8, or send it as it says")
    return text


def _known(name: str, said: str) -> str:
    codec = KNOWN.get(_folded(name))
    if codec is None:
        raise MalformedError(f"{said} is not an encoding that is known here; {HINT}")
    return codec


def _ordered(codec: str, content: bytes, said: str) -> str:
    """Return the encoding with the order of its bytes; raise if they cannot be in it."""
    looks = _order(content)
    if not WIDE.match(codec) and not looks:
        return codec
    if not said:
        raise MalformedError(
            f"it is not encoded in UTF-8; it looks like {_shown(looks[:6])}, and has no byte order mark; {HINT}"
        )
    if not WIDE.match(codec):
        raise MalformedError(
            f"{said} says {_shown(codec)}, and its bytes look like {_shown(looks[:6])}; {HINT}, and say so"
        )
    if not looks.startswith(codec):
        raise MalformedError(f"{said} says {_shown(codec)}, and its bytes are not; {HINT}, and say so")
    return looks


def _order(content: bytes) -> str:
    """Return the UTF-16 or UTF-32 that a text without a mark looks like; "" for none."""
    return next((codec for codec, pattern in ORDERS.items() if pattern.match(content)), "")


def _strict(content: bytes, codec: str, said: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        start = error.start
    before = content[:start].decode(codec, "replace")
    why = f", as {said} says" if said else ""
    raise at(before, len(before), f"it is not encoded in {_shown(codec)}{why}")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(codec: str) -> str:
    return {"latin_1": "ISO-8859-1"}.get(codec, codec.replace("iso8859_", "iso-8859-").replace("_", "-").upper())


class MalformedError(ValueError):
    """Bytes that cannot be read.

    Says what is wrong and where, never what stands there.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line  # from 1
        self.column = column  # from 1, in characters


def at(text: str, position: int, message: str) -> MalformedError:
    """Return the fault with the line and column of a position in the text."""
    return MalformedError(message, text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))
