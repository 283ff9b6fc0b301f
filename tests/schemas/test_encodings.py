"""What bytes are is found out by their mark, what is said of them, and how they look; never by a guess."""

import pytest

from receiver.schemas.encodings import MalformedError, at, decoded

MARKED = "its byte order mark"


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_comes_first_and_is_no_text(codec):
    assert decoded("é".encode(codec), "latin-1", "us-ascii") == "é"


@pytest.mark.parametrize(("mark", "codec"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_a_mark_tells_the_order(mark, codec):
    assert decoded(mark + "é".encode(codec)) == "é"


@pytest.mark.parametrize("content", [b"\x1f\x8b\b\0", b"PK\3\4\0"])
def test_what_is_packed_is_told(content):
    with pytest.raises(MalformedError, match="it is packed"):
        decoded(content)
    assert decoded(b"a" + content, "latin-1").startswith("a")  # within a text it is nothing


@pytest.mark.parametrize(
    ("charset", "declared", "text"),
    [("", "", "é"), ("UTF8", "latin-1", "é"), ("", "UTF_8", "é"), ("shift_jis", "utf-8", "ﾃｩ"), ("utf-8", "?", "é")],
)
def test_a_charset_goes_before_a_declaration(charset, declared, text):
    assert decoded("é".encode(), charset, declared) == text


@pytest.mark.parametrize("name", ["ISO-8859-15", "iso_8859-15", "LATIN-9", "l9", "x" * 41, "rot13", "base64", "idna",
                                  "unicode_escape", "utf-7", "punycode", "zlib", "undefined"])  # fmt: skip
def test_an_encoding_of_text_is_known_under_any_writing_of_its_name_and_no_other(name):
    if "9" in name:
        assert decoded(b"\xa4", name) == "€"
    else:
        with pytest.raises(MalformedError, match="is not an encoding that is known here"):
            decoded(b"a", name)


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        (b"ab\0c", "latin-1", "ab\0c"),  # only the first character tells
        (b"\0\0", "latin-1", "\0\0"),
        (b"a\0", "utf-16-le", "a"),
        (b"\0a", "utf-16-be", "a"),
        (b"a\0\0\0", "utf-32-le", "a"),
        (b"\0\0\0a", "utf-32", "a"),
        (b"\n\0", "utf-16", "\n"),
        (b"\0\n", "utf-16", "\n"),
        (b"\n\0\0\0", "utf-32", "\n"),
        (b"\0\0\0\n", "utf-32", "\n"),
    ],
)
def test_the_first_character_tells_the_order(content, charset, text):
    assert decoded(content, charset) == text


@pytest.mark.parametrize(
    ("content", "charset"),
    [(b"a\0", "utf-16-be"), (b"\0a", "utf-16-le"), (b"a\0\0\0", "utf-16"), (b"ab", "utf-16"), (b"a\0", "utf-8"),
     (b"a\0", ""), (b"\0a", ""), (b"a\0\0\0", ""), (b"\0\0\0a", ""), (b"a\0", "shift_jis")],
)  # fmt: skip
def test_an_order_that_cannot_be_is_refused(content, charset):
    with pytest.raises(MalformedError, match="send UTF-8"):
        decoded(content, charset)


@pytest.mark.parametrize(
    ("content", "charset", "own", "taken"),
    [
        (b"\xc3\xa9", "latin-1", False, False),
        (b"\xc3\xa9", "cp1252", False, False),
        (b"\xc3\xa9", "koi8-r", False, False),
        (b"\xc3\xa9", "latin-1", True, True),
        (b"\xe9", "latin-1", False, True),
        (b"e", "latin-1", False, True),
        (b"\xc3\xa9", "utf-8", False, True),
        (b"\xc3\xa9", "shift_jis", False, True),
    ],
)
def test_utf_8_under_another_name_is_suspected(content, charset, own, taken):
    if taken:
        assert decoded(content, charset, own=own) == content.decode(charset)
    else:
        with pytest.raises(MalformedError, match="its bytes are UTF-8: say UTF-8, or send it as it says"):
            decoded(content, charset, own=own)


@pytest.mark.parametrize(
    ("content", "charset", "message", "place"),
    [
        (b"a\nb\xff c\n", "", "it is not encoded in UTF-8", (2, 2)),
        (b"a\xff", "ascii", "it is not encoded in ASCII, as the charset of its part says", (1, 2)),
        ("é\n".encode("utf-16") + b"\x00\xd8", "", f"it is not encoded in UTF-16-LE, as {MARKED} says", (2, 1)),
    ],
)
def test_bytes_of_another_encoding_are_told_with_their_place(content, charset, message, place):
    with pytest.raises(MalformedError) as caught:
        decoded(content, charset)
    assert (caught.value.message, (caught.value.line, caught.value.column)) == (message, place)
    assert str(caught.value) == message


@pytest.mark.parametrize(("position", "place"), [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (4, (3, 1)), (5, (3, 2))])
def test_a_fault_has_line_and_column_from_one(position, place):
    found = at("a\nb\ncd", position, "x")
    assert (found.message, found.line, found.column) == ("x", *place)
    assert (MalformedError("x").line, MalformedError("x").column) == (1, 1)
    assert str(MalformedError("x", *place)) == "x"


def test_a_line_break_at_the_beginning_counts():
    found = at("\na", 1, "x")
    assert (found.line, found.column) == (2, 1)
