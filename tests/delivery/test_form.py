import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.problems import Code, Problem
from receiver.delivery import form

BOUNDARY = "XbX"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def body(*sections: bytes, closing: bytes = b"--XbX--\r\n") -> bytes:
    return b"".join(b"--XbX\r\n" + section + b"\r\n" for section in sections) + closing


def section(name: str = "file", content: bytes = b"II*\0", extra: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"; filename="a.tif"\r\nContent-Type: image/tiff\r\n{extra}\r\n'
    return head.encode() + content


class Pieces:
    """A stream that hands out a body cut at the given places."""

    def __init__(self, content: bytes, *cuts: int) -> None:
        ends = [*sorted(cuts), len(content)]
        starts = [0, *sorted(cuts)]
        self.pieces = [content[start:end] for start, end in zip(starts, ends, strict=True) if end > start]

    def read(self, size: int, /) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


def read(
    content: bytes,
    *cuts: int,
    content_type: str = CONTENT_TYPE,
    length: int | None = None,
    max_body: int = 10**6,
):
    stream = Pieces(content, *cuts)
    found = form.sections(stream, content_type, length, max_body)
    return [(i.name, i.filename, i.type, b"".join(i.content)) for i in found]


def refusal(*args, **kwargs) -> Code:
    with pytest.raises(Problem) as caught:
        read(*args, **kwargs)
    return caught.value.code


def test_sections_come_in_order_with_their_heads_and_content():
    content = body(section("file"), section("metadata", b"{}"))
    assert read(content, length=len(content)) == [
        ("file", "a.tif", "image/tiff", b"II*\0"),
        ("metadata", "a.tif", "image/tiff", b"{}"),
    ]


def test_a_body_may_end_with_its_closing_boundary():
    content = body(section("file"), closing=b"--XbX--")
    assert [name for name, *_ in read(content)] == ["file"]


def test_the_answer_never_depends_on_where_the_bytes_were_cut():
    content = b"preamble\r\n" + body(section("file", b"\r\n--Xb\r\n--XbY"), section("metadata")) + b"epilogue"
    whole = read(content)
    for first in range(1, len(content)):
        assert read(content, first) == read(content, first, length=len(content)) == whole
    assert read(content, *range(1, len(content))) == whole


def test_a_head_that_arrives_in_two_pieces_behind_a_large_part_is_not_too_long():
    content = body(section("file", b"x" * 100_000), section("metadata", b"{}"))
    assert [name for name, *_ in read(content, content.index(b"metadata"))] == ["file", "metadata"]


@pytest.mark.parametrize("preamble", [b"x" * 60 + b"\r\n", b"\r\n", b"x" * 1022 + b"\r\n"])
def test_a_preamble_is_passed_over_wherever_the_bytes_were_cut(preamble):
    content = preamble + body(section("file"), section("metadata"))
    for first in range(1, len(preamble) + 12):
        assert [name for name, *_ in read(content, first)] == ["file", "metadata"]
    assert [name for name, *_ in read(content, *range(1, len(content)))] == ["file", "metadata"]


@pytest.mark.parametrize("preamble", [b"x" * 60, b"--XbX in a line\r\n", b"x" * 1023 + b"\r\n", b"x" * 5000 + b"\r\n"])
def test_a_first_boundary_that_is_not_where_it_belongs_is_refused_wherever_the_bytes_were_cut(preamble):
    content = preamble + body(section("file"))
    assert {refusal(content, first) for first in range(1, len(content), 7)} == {Code.MALFORMED_BODY}
    assert refusal(content) is refusal(content, *range(1, len(content))) is Code.MALFORMED_BODY


def test_a_body_cut_anywhere_before_its_end_is_never_a_delivery():
    content = body(section("file", b"12345"), section("metadata", b"{}"), closing=b"--XbX--")
    for end in range(len(content)):
        assert refusal(content[:end]) is Code.TRUNCATED_BODY
        assert refusal(content[:end], length=len(content)) is Code.TRUNCATED_BODY


def test_a_body_shorter_than_it_said_is_refused_though_its_closing_boundary_came():
    content = body(section())
    assert refusal(content, length=len(content) + 1) is Code.TRUNCATED_BODY


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("", Code.NOT_MULTIPART),
        ("application/json", Code.NOT_MULTIPART),
        ("multipart/mixed; boundary=x", Code.NOT_MULTIPART),
        ("multipart/form-data", Code.MALFORMED_BODY),
        ("multipart/form-data; boundary=", Code.MALFORMED_BODY),
        ("multipart/form-data; boundary=" + "x" * 71, Code.MALFORMED_BODY),
        ('multipart/form-data; boundary="a\x01b"', Code.MALFORMED_BODY),
        ("multipart/form-data; boundary=a; boundary=b", Code.AMBIGUOUS_REQUEST),
        ("multipart/form-data; boundary=XbX; boundary*=utf-8''other", Code.AMBIGUOUS_REQUEST),
        ("multipart/form-data; boundary=other", Code.TRUNCATED_BODY),
    ],
)
def test_a_content_type_that_cannot_be_read_is_named(content_type, code):
    assert refusal(body(section()), content_type=content_type) is code


def test_a_quoted_boundary_with_odd_characters_is_read():
    content = body(section()).replace(b"XbX", b"X b:'()+_,./=?X")
    assert len(read(content, content_type='multipart/form-data; boundary="X b:\'()+_,./=?X"')) == 1


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"Content-Type: image/tiff\r\n\r\n", Code.MALFORMED_BODY),
        (b"Content-Disposition: form-data\r\n\r\n", Code.MALFORMED_BODY),
        (b'Content-Disposition: form-data; name=""\r\n\r\n', Code.MALFORMED_BODY),
        (b'Content-Disposition: form-data; name="a"; name="b"\r\n\r\n', Code.AMBIGUOUS_REQUEST),
        (b'Content-Disposition: form-data; name="a"\r\n' * 2 + b"\r\n", Code.AMBIGUOUS_REQUEST),
        (
            b'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n',
            Code.MALFORMED_BODY,
        ),
        (
            b'Content-Disposition: form-data; name="a"\r\nX: ' + b"x" * 100_000 + b"\r\n\r\n",
            Code.HEADERS_TOO_LARGE,
        ),
        (
            b'Content-Disposition: form-data; name="a"\r\n' + b"X: y\r\n" * 2000 + b"\r\n",
            Code.HEADERS_TOO_LARGE,
        ),
        (b'Content-Disposition: form-data; name="' + b"n" * 201 + b'"\r\n\r\n', Code.HEADERS_TOO_LARGE),
        (b'Content-Disposition: form-data; name="a"\n\n', Code.MALFORMED_BODY),
    ],
)
def test_a_part_with_a_bad_head_is_named(head, code):
    assert refusal(body(head + b"content")) is code


def test_the_name_of_a_part_may_have_200_characters():
    assert [name for name, *_ in read(body(section("n" * 200)))] == ["n" * 200]


def test_a_name_parameter_inside_a_quoted_file_name_is_not_a_second_name():
    content = body(b'Content-Disposition: form-data; name="a"; filename="x; name=y"\r\n\r\ncontent')
    assert read(content) == [("a", "x; name=y", "", b"content")]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b'filename="a.tif"', "a.tif"),
        (b"filename=\"a.tif\"; filename*=UTF-8''%C3%9C.pdf", "Ü.pdf"),
        (b'filename="=?UTF-8?Q?=C3=9C.pdf?="', "Ü.pdf"),
        (b'filename="C:\\scans\\a.tif"', "a.tif"),
        (b"filename*=UTF-8''%C3%9C.pdf", "Ü.pdf"),
    ],
)
def test_the_name_of_a_file_is_taken_in_whichever_way_it_is_written(written, name):
    head = b'Content-Disposition: form-data; name="file"; ' + written
    assert read(body(head + b"\r\n\r\nII*")) == [("file", name, "", b"II*")]


def test_more_parts_than_the_limit_are_refused():
    assert refusal(body(*[section(content=b"")] * 1001)) is Code.TOO_MANY_PARTS
    assert len(read(body(*[section(content=b"")] * 1000))) == 1000


def test_a_body_over_the_limit_is_refused_with_and_without_a_length():
    content = body(section())
    assert refusal(content, length=len(content), max_body=len(content) - 1) is Code.BODY_TOO_LARGE
    assert refusal(content, max_body=len(content) - 1) is Code.BODY_TOO_LARGE
    assert len(read(content, length=len(content), max_body=len(content))) == 1
    assert len(read(content, max_body=len(content))) == 1


@pytest.mark.parametrize("length", ["", "Content-Length: 0\r\n"])
def test_a_part_may_end_where_its_head_does(length):
    """RFC 2046 §5.1.1: a body is optional; Go's mime/multipart reads it so. Else the next part would be its content."""
    content = body(section("file"), section("empty", b"", length)[:-2], section("metadata", b"{}"))
    whole = [("file", b"II*\0"), ("empty", b""), ("metadata", b"{}")]
    for first in range(len(content)):
        assert [(name, found) for name, _, _, found in read(content, first)] == whole
    assert [(name, found) for name, _, _, found in read(content, *range(1, len(content)))] == whole


@pytest.mark.parametrize("begun", [b"--Xb", b"\r\n--Xb", b"\r\n", b"\r", b"-", b"--"])
def test_a_content_may_begin_almost_as_a_boundary_does(begun):
    content = body(section("file", begun), section("metadata", b"{}"))
    for first in range(len(content)):
        assert [found for _, _, _, found in read(content, first)] == [begun, b"{}"]
    assert [found for _, _, _, found in read(content, *range(1, len(content)))] == [begun, b"{}"]


def test_content_that_nobody_consumed_is_skipped():
    stream = io.BytesIO(body(section("file", b"x" * 1000), section("metadata")))
    assert [i.name for i in form.sections(stream, CONTENT_TYPE, None, 10**6)] == ["file", "metadata"]


PIECE = st.binary(max_size=20) | st.sampled_from(
    [
        b"--XbX",
        b"--XbX\r\n",
        b"--XbX--",
        b"--",
        b"\r\n",
        b"\r\n\r\n",
        section(),
        b'Content-Disposition: form-data; name="a"',
    ]
)


def outcome(content: bytes, *cuts: int):
    """Return what is read, or the code of the refusal."""
    try:
        return read(content, *cuts)
    except Problem as problem:
        return problem.code


@given(st.lists(PIECE, max_size=12).map(b"".join), st.lists(st.integers(1, 300), max_size=5))
def test_any_bytes_are_read_or_refused_and_read_only_with_their_closing_boundary(content, cuts):
    whole = outcome(content)
    assert whole == outcome(content, *[cut for cut in cuts if cut < len(content)])
    assert isinstance(whole, Code) or b"--XbX--" in content


@given(st.lists(st.binary(max_size=50).filter(lambda content: b"\r\n--XbX" not in content), max_size=4), st.data())
def test_any_content_comes_through_wherever_the_bytes_were_cut(contents, data):
    sent = body(*(section(f"f{number}", content) for number, content in enumerate(contents)))
    cuts = data.draw(st.lists(st.integers(1, len(sent) - 1), max_size=5))
    assert [content for *_, content in read(sent, *cuts)] == contents


def test_a_part_that_condemns_the_request_is_the_last_that_is_read():
    bad = b'Content-Disposition: form-data; name="p"; x="\r\n\r\n'
    stream = Pieces(body(*[bad] * 300), *range(100, 9_000, 100))
    with pytest.raises(Problem):
        list(form.sections(stream, CONTENT_TYPE, None, 10**6))
    assert len(stream.pieces) > 80


@pytest.mark.parametrize("padding", [b" ", b"\t", b" \t" * 100])
def test_blanks_behind_a_boundary_are_passed_over_wherever_the_bytes_were_cut(padding):
    content = body(section("file"), section("metadata")).replace(b"XbX\r\n", b"XbX" + padding + b"\r\n")
    for first in range(1, len(content)):
        assert [name for name, *_ in read(content, first)] == ["file", "metadata"]


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Disposition : form-data; name="a"\r\n\r\n',
        b' Content-Disposition: form-data; name="a"\r\n\r\n',
        b'\xa0Content-Disposition: form-data; name="a"\r\n\r\n',
        b'Content-Disposition: form-data; name="a"\r\n \t\r\n\r\n',
        b'Content-Disposition: form-data; name="a"\r\nX(: y\r\n\r\n',
        b'Content-Disposition: form-data; name="a"\r\n: y\r\n\r\n',
        b'Content-Disposition: form-data; name="a"\r\nContent-Length: 07\r\n\r\n',
        b'Content-Disposition: form-data; name="a"\r\nContent-Length: 6\r\n\r\n',
        b'Content-Disposition: form-data; name="a"\r\nContent-Length: 8\r\n\r\n',
        b'Content-Disposition: form-data; name="a"\r\nContent-Type: a/b; x="\r\n\r\n',
    ],
)
def test_a_head_that_rfc_9110_does_not_allow_is_refused(head):
    assert refusal(body(head + b"content")) is Code.MALFORMED_BODY


def test_a_part_as_long_as_it_tells_is_read_wherever_the_bytes_were_cut():
    content = body(b'Content-Disposition: form-data; name="a"\r\nContent-Length: 7\r\n\r\ncontent')
    for first in range(1, len(content)):
        assert read(content, first) == [("a", None, "", b"content")]


@pytest.mark.parametrize(
    ("arrived", "first"),
    [
        (b"12", b"12"),
        (b"12\r", b"12"),
        (b"12\r4", b"12\r4"),
        (b"12\r4\r\n--", b"12\r4"),
        (b"12\r4\r\n--\r", b"12\r4\r\n--"),
    ],
)
def test_only_what_may_begin_a_boundary_waits_for_what_follows(arrived, first):
    content = body(section("file", b"12\r4\r\n--"))
    stream = Pieces(content, content.index(b"12") + len(arrived))
    (found,) = ([*each.content] for each in form.sections(stream, CONTENT_TYPE, None, 10**6))
    assert (found[0], b"".join(found)) == (first, b"12\r4\r\n--")


def test_no_piece_of_a_content_is_empty():
    content = body(section("file", b"1234"))
    for cut in range(1, len(content)):
        (found,) = ([*each.content] for each in form.sections(Pieces(content, cut), CONTENT_TYPE, None, 10**6))
        assert all(found)


def test_a_body_that_says_how_long_it_is_is_asked_for_no_more_than_that():
    class Asked(io.BytesIO):
        def read(self, size=-1, /):
            assert size > 0
            return super().read(size)

    content = body(section())
    assert len(list(form.sections(Asked(content), CONTENT_TYPE, len(content), 10**6))) == 1


def test_a_body_that_says_it_is_too_large_is_refused_before_any_of_it_is_read():
    with pytest.raises(Problem) as caught:
        form.sections(object(), CONTENT_TYPE, 101, 100)
    assert caught.value.code is Code.BODY_TOO_LARGE


def test_a_head_over_many_lines_is_bounded():
    content = body(b'Content-Disposition: form-data; name="a"\r\nX: y\r\n' + b" y\r\n" * 9_000 + b"\r\ncontent")
    assert refusal(content) is Code.HEADERS_TOO_LARGE
