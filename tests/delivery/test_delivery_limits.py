"""The limits of a body and its heads, each from both sides; what a part is taken for; and what is said of it."""

import hashlib
import io

import pytest

from receiver.core import limits
from receiver.core.delivery import Role, Section
from receiver.core.problems import Code, Problem
from receiver.delivery import form, parts
from receiver.delivery.filenames import disposition, filename
from receiver.site.config.model import PartConfig
from receiver.store.stage import Stage
from tests.delivery.test_form import CONTENT_TYPE, Pieces, body, read, refusal

DISPOSITION = b'Content-Disposition: form-data; name="a"\r\n'
TAKEN = "taken"


def outcome(content: bytes, **given) -> Code | str:
    stream = Pieces(content)
    try:
        for section in form.sections(stream, CONTENT_TYPE, given.get("length"), 10**6):
            b"".join(section.content)
    except Problem as problem:
        return problem.code
    return TAKEN


LINE = limits.MAX_PART_HEADER_SIZE


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (DISPOSITION + b"X: " + b"x" * (LINE - 3) + b"\r\n\r\n", TAKEN),
        (DISPOSITION + b"X: " + b"x" * (LINE - 2) + b"\r\n\r\n", Code.HEADERS_TOO_LARGE),
        (DISPOSITION + b"X: y\r\n" * 15 + b"\r\n", TAKEN),
        (DISPOSITION + b"X: y\r\n" * 16 + b"\r\n", Code.HEADERS_TOO_LARGE),
        (DISPOSITION + b"X: y\r\n " + b"z" * (LINE - 5) + b"\r\n\r\n", TAKEN),
        (DISPOSITION + b"X: y\r\n " + b"z" * (LINE - 4) + b"\r\n\r\n", Code.HEADERS_TOO_LARGE),
        (DISPOSITION + b"X: a\tb\r\n\r\n", TAKEN),
        (DISPOSITION + b"X: a:b\r\n\r\n", TAKEN),
        (DISPOSITION + b"X\r\n\r\n", Code.MALFORMED_BODY),
        (DISPOSITION + b"X: a\x08b\r\n\r\n", Code.MALFORMED_BODY),
        (DISPOSITION + b"X: a\x7fb\r\n\r\n" + b"z" * LINE, Code.MALFORMED_BODY),
        (DISPOSITION + b"X: a\rb\r\n\r\n", Code.MALFORMED_BODY),
        (DISPOSITION + b"X: \xff\r\n\r\n", Code.MALFORMED_BODY),
        (DISPOSITION + b"Content-Length: 7\r\n\r\n", TAKEN),
        (DISPOSITION + b"Content-Length: 0\r\n\r\n", Code.MALFORMED_BODY),
        (DISPOSITION + b"Content-Length: x\r\n\r\n", Code.MALFORMED_BODY),
        (DISPOSITION + b"Content-Length: 1" + b"0" * 19 + b"\r\n\r\n", Code.MALFORMED_BODY),
        (DISPOSITION + b"Content-Transfer-Encoding: Binary\r\n\r\n", TAKEN),
        (DISPOSITION + b"Content-Transfer-Encoding: 8bit\r\n\r\n", TAKEN),
        (DISPOSITION + b"Content-Transfer-Encoding:\r\n\r\n", TAKEN),
        (DISPOSITION + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n", Code.MALFORMED_BODY),
        (DISPOSITION + b"content-type: a/b\r\nContent-Type: a/b\r\n\r\n", Code.AMBIGUOUS_REQUEST),
        (DISPOSITION + b"X: 1\r\nX: 2\r\n\r\n", TAKEN),
        (b'Content-Disposition: attachment; name="a"\r\n\r\n', Code.MALFORMED_BODY),
        (b'Content-Disposition: FORM-DATA ; name="a"\r\n\r\n', TAKEN),
        (b"Content-Disposition: form-data; name*=utf-8''a\r\n\r\n", Code.AMBIGUOUS_REQUEST),
        (b'Content-Disposition: form-data; name="a"; name*0=b\r\n\r\n', Code.AMBIGUOUS_REQUEST),
        (b'Content-Disposition: form-data;\r\n name="a"\r\n\r\n', TAKEN),
        (b'Content-Disposition: form-data; name="\xc3\xa9"\r\n\r\n', TAKEN),
    ],
    ids=lambda value: repr(value)[40:90],
)
def test_a_head_is_read_as_far_as_its_limits(head, found):
    assert outcome(body(head + b"content")) == found


def test_a_header_over_two_lines_is_read_as_one():
    content = body(b'Content-Disposition: form-data; name="a";\r\n\tfilename="my\r\n  fax.tif"\r\n\r\nx')
    (section,) = form.sections(Pieces(content), CONTENT_TYPE, None, 10**6)
    assert section.filename == "my fax.tif"


@pytest.mark.parametrize(
    ("start", "found"),
    [
        (b"x" * (limits.MAX_PREAMBLE + len("--XbX")), Code.TRUNCATED_BODY),
        (b"x" * (limits.MAX_PREAMBLE + len("--XbX") + 1), Code.MALFORMED_BODY),
        (b"xxxx--" + b"x" * limits.MAX_PREAMBLE + b"\r\nx", Code.MALFORMED_BODY),
        (b"--XbX\r\nX: " + b"x" * (LINE - 3), Code.TRUNCATED_BODY),
        (b"--XbX\r\nX: " + b"x" * (LINE - 1), Code.HEADERS_TOO_LARGE),
    ],
    ids=len,
)
def test_what_goes_on_without_end_is_read_no_further_than_its_limit(start, found):
    assert outcome(start) is found


def test_a_line_end_may_come_apart_behind_the_longest_header():
    head = b"--XbX\r\nX: " + b"x" * (LINE - 3) + b"\r"
    rest = b"\n" + DISPOSITION + b"\r\nx\r\n--XbX--\r\n"
    assert read(head + rest, len(head)) == [("a", None, "", b"x")]


@pytest.mark.parametrize("size", [limits.MAX_PREAMBLE, limits.MAX_PREAMBLE + 1])
def test_a_preamble_may_be_so_long(size):
    found = outcome(b"x" * (size - 2) + b"\r\n" + body(DISPOSITION + b"\r\nx"))
    assert found == (TAKEN if size == limits.MAX_PREAMBLE else Code.MALFORMED_BODY)


@pytest.mark.parametrize("size", [0, 1, limits.MAX_BOUNDARY, limits.MAX_BOUNDARY + 1])
def test_a_boundary_may_be_so_long(size):
    header = f'multipart/form-data; boundary="{"x" * size}"'
    if 0 < size <= limits.MAX_BOUNDARY:
        assert form.boundary(header) == "x" * size
    else:
        with pytest.raises(Problem):
            form.boundary(header)


@pytest.mark.parametrize("character", ["\x7f", "<", "@", "é", " "])
def test_a_boundary_has_the_characters_of_the_rfcs_alone_and_no_blank_at_its_end(character):
    with pytest.raises(Problem):
        form.boundary(f'multipart/form-data; boundary="x{character}"')


def test_a_body_that_is_longer_or_shorter_than_it_says_is_not_read_beyond_its_length():
    content = body(DISPOSITION + b"\r\nx")
    stream = io.BytesIO(content + b"GET / HTTP/1.1")
    assert len(list(form.sections(stream, CONTENT_TYPE, len(content), 10**6))) == 1
    assert stream.read() == b"GET / HTTP/1.1"
    assert outcome(content, length=len(content) + 1) is Code.TRUNCATED_BODY
    assert outcome(content[:-4]) is Code.TRUNCATED_BODY
    assert outcome(content + b"epilogue") == TAKEN


@pytest.mark.parametrize("problem", [Problem(Code.TOO_SLOW, "slow"), OSError("gone"), ValueError("nonsense")])
def test_what_a_stream_raises_is_a_problem_of_the_body(problem):
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise problem

    with pytest.raises(Problem) as caught:
        list(form.sections(Broken(), CONTENT_TYPE, None, 10**6))
    expected = problem.code if isinstance(problem, Problem) else Code.TRUNCATED_BODY
    assert caught.value.code is expected


@pytest.mark.parametrize("line", [b"--XbXy\r\n", b"--XbX-\r\n", b"--XbX x\r\n"])
def test_a_boundary_that_does_not_end_its_line_is_refused(line):
    content = b"--XbX\r\n" + DISPOSITION + b"\r\nx\r\n" + line + DISPOSITION + b"\r\ny\r\n--XbX--\r\n"
    assert refusal(content) is Code.MALFORMED_BODY


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_boundary_that_ends_in_half_a_line_end_is_refused_wherever_the_bytes_were_cut(cut):
    content = b"--XbX\n" + DISPOSITION + b"\r\nx\r\n--XbX--\r\n"
    assert refusal(content, cut) is Code.MALFORMED_BODY


def test_a_first_boundary_within_a_line_is_refused():
    assert refusal(b"x--XbX\r\n" + DISPOSITION + b"\r\nx\r\n--XbX--\r\n") is Code.MALFORMED_BODY


@pytest.mark.parametrize(
    ("charset", "found"),
    [("utf-8", "utf-8"), ('"utf 8"', "unknown"), ("x" * 40, "x" * 40), ("x" * 41, "unknown"), ('""', "")],
)
def test_the_charset_of_a_part_is_a_token_or_unknown(charset, found):
    lines = iter([DISPOSITION[:-2], b"Content-Type: Text/Plain ; charset=" + charset.encode(), b""])
    section, length = form.section(lambda: next(lines))
    assert (section.charset, section.type, length) == (found, "text/plain", None)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.tif", 'form-data; name="f"; filename="a.tif"'),
        (None, 'form-data; name="f"'),
        ("", 'form-data; name="f"; filename=""'),
        ('a"b', "form-data; name=\"f\"; filename*=UTF-8''a%22b"),
        ("a%b", "form-data; name=\"f\"; filename*=UTF-8''a%25b"),
        ("=?x", "form-data; name=\"f\"; filename*=UTF-8''%3D%3Fx"),
        ("a=?x", 'form-data; name="f"; filename="a=?x"'),
        ("é", 'form-data; name="f"; filename="é"'),
        ("a\\b", "form-data; name=\"f\"; filename*=UTF-8''a%5Cb"),
    ],
)
def test_a_file_name_is_written_so_that_it_is_read_alike(name, written):
    assert disposition("f", name) == written
    assert filename(form.parse(written, "", unquoted="")) == name


def test_a_name_is_written_with_its_escapes():
    assert disposition('a"\r\n\\', None) == 'form-data; name="a%22%0D%0A\\\\"'


# parts ----------------------------------------------------------------------------------------------------------

PDF, TIFF, PNG, JPEG = b"%PDF-1.4", b"II*\0", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"
DICOM = b"\0" * 128 + b"DICM"


def rule(name: str = "file", role: Role = Role.DOCUMENT, **more) -> PartConfig:
    return PartConfig(name, role, **{"types": (), "max_size": None, "required": False, "many": True, **more})


def collected(tmp_path, rules, *sections, unknown="keep"):
    with Stage(tmp_path / "stage").open() as staged:
        return parts.collect(rules, unknown, list(sections), staged)


@pytest.mark.parametrize(
    ("said", "head", "name", "role", "types", "type_", "suffix"),
    [
        ("image/tiff", PDF, "a.pdf", Role.DOCUMENT, (), "image/tiff", ".tif"),
        ("image/x-tiff", TIFF, None, Role.DOCUMENT, ("image/tiff",), "image/tiff", ".tif"),
        ("", PDF, "a.tif", Role.DOCUMENT, (), "application/pdf", ".pdf"),
        ("application/octet-stream", b"\0" * 1019 + b"%PDF-", None, Role.DOCUMENT, (), "application/pdf", ".pdf"),
        (
            "application/octet-stream",
            b"\0" * 1020 + b"%PDF-",
            None,
            Role.DOCUMENT,
            (),
            "application/octet-stream",
            ".bin",
        ),
        ("*/*", PNG, None, Role.DOCUMENT, (), "image/png", ".png"),
        ("", JPEG, None, Role.DOCUMENT, (), "image/jpeg", ".jpg"),
        ("", DICOM, None, Role.DOCUMENT, (), "application/dicom", ".dcm"),
        ("", b"MM\0+", None, Role.DOCUMENT, (), "image/tiff", ".tif"),
        ("", b"x", "a.JPEG", Role.DOCUMENT, (), "image/jpeg", ".jpg"),
        ("", b"x", "a.csv", Role.DOCUMENT, (), "text/csv", ".csv"),
        ("", b"x", None, Role.DOCUMENT, (), "", ".bin"),
        ("", b" \r\n\t{", None, Role.METADATA, (), "application/json", ".json"),
        ("", b"[", None, Role.METADATA, (), "application/json", ".json"),
        ("text/plain", b"\xef\xbb\xbf<a/>", None, Role.METADATA, (), "application/xml", ".xml"),
        ("text/plain", b"\xff\xfe<\0a\0", None, Role.METADATA, (), "application/xml", ".xml"),
        ("text/plain", b"\xfe\xff\0<\0a", None, Role.METADATA, (), "application/xml", ".xml"),
        ("text/plain", b"x", None, Role.METADATA, (), "text/plain", ".txt"),
        ("text/plain", b"{", None, Role.DOCUMENT, (), "text/plain", ".txt"),
        ("text/plain", b"{", None, Role.METADATA, ("text/plain",), "text/plain", ".txt"),
        ("text/plain", b"{", None, Role.METADATA, ("text/plain", "application/json"), "application/json", ".json"),
        (
            "application/octet-stream",
            TIFF,
            None,
            Role.DOCUMENT,
            ("application/octet-stream",),
            "application/octet-stream",
            ".bin",
        ),
        ("application/x-octet-stream", TIFF, None, Role.DOCUMENT, ("image/tiff",), "image/tiff", ".tif"),
        ("text/xml", b"<", None, Role.METADATA, (), "application/xml", ".xml"),
        ("", b"{", "a.xml", Role.METADATA, (), "application/json", ".json"),
        ("text/plain", b"x", "a.xml", Role.METADATA, (), "application/xml", ".xml"),
        ("", b"{", "a.xml", Role.DOCUMENT, (), "application/xml", ".xml"),
        ("", b"{", None, Role.DOCUMENT, (), "application/json", ".json"),
        ("application/json", b"<a/>", None, Role.METADATA, (), "application/json", ".json"),
    ],
)
def test_a_part_is_what_is_said_or_else_what_it_looks_like(tmp_path, said, head, name, role, types, type_, suffix):
    found = collected(tmp_path, [rule(role=role, types=types)], Section("file", name, said, content=[head]))
    assert [(part.type, part.suffix, part.role) for part in found.parts] == [(type_, suffix, role)]


def test_what_is_kept_in_a_file_is_taken_whole_and_never_cut(tmp_path):
    (tmp_path / "kept").write_bytes(PDF + bytes(2 * parts.HEAD))
    found = collected(tmp_path, [rule(max_size=5)], Section("file", None, "", content=tmp_path / "kept"))
    (part,) = found.parts
    assert (part.size, part.type) == (len(PDF) + 2 * parts.HEAD, "application/pdf")
    assert part.sha256 == hashlib.sha256(PDF + bytes(2 * parts.HEAD)).hexdigest()
    assert (found.problem.code, found.whole) == (Code.PART_TOO_LARGE, True)


def test_of_what_is_too_large_one_byte_more_is_kept(tmp_path):
    found = collected(tmp_path, [rule(max_size=1)], Section("file", None, "", content=[b"x", b"y", b"z"]))
    assert ([part.size for part in found.parts], found.whole) == ([2], False)


@pytest.mark.parametrize(
    ("given", "content", "said", "faults"),
    [
        ({"types": ("application/pdf",)}, [PDF], "application/pdf", []),
        ({"types": ("application/x-pdf",)}, [PDF], "application/pdf", []),
        ({"types": ("application/pdf", "image/png")}, [TIFF], "image/tiff", [Code.PART_TYPE]),
        ({"types": ("application/pdf",)}, [b"x"], "", [Code.PART_TYPE]),
        ({}, [], "application/pdf", [Code.PART_EMPTY]),
        ({"types": ("application/pdf",)}, [], "", [Code.PART_EMPTY]),
        ({"types": ("application/pdf",)}, [], "image/png", [Code.PART_TYPE]),
        ({}, [bytes(parts.HEAD) + PDF], "application/pdf", [Code.PART_CONTENT]),
        ({"max_size": parts.HEAD}, [b"x" * parts.HEAD, b"x"], "text/plain", [Code.PART_TOO_LARGE]),
        ({"sniff": False}, [], "application/pdf", []),
        ({}, [TIFF], "application/pdf", [Code.PART_CONTENT]),
        ({"sniff": False}, [TIFF], "application/pdf", []),
        ({"max_size": 3}, [b"12", b"34"], "text/plain", [Code.PART_TOO_LARGE]),
        ({"max_size": 4}, [b"12", b"34"], "text/plain", []),
        ({"max_size": 3, "types": ("image/png",)}, [b"1234"], "text/plain", [Code.PART_TYPE, Code.PART_TOO_LARGE]),
        ({"many": False}, [PDF], "application/pdf", []),
    ],
)
def test_a_part_must_be_as_its_rule_says(tmp_path, given, content, said, faults):
    found = collected(tmp_path, [rule(**given)], Section("file", None, said, content=content))
    assert [each.rule for each in (found.problem.violations if found.problem else ())] == faults
    assert found.whole is (Code.PART_TOO_LARGE not in faults)


def test_what_is_said_of_parts_is_in_words_and_calls_them_by_configured_names(tmp_path):
    rules = [
        rule("file", types=("image/tiff", "image/png"), many=False, required=True),
        rule("page_*", max_size=1),
        rule("metadata", Role.METADATA, required=True),
    ]
    sections = [
        Section("file", None, "text/plain", content=[b"x"]),
        Section("file", None, "", content=[b"x"]),
        Section("page_1", None, "text/plain", content=[b"xy"]),
        Section("Ada", None, "text/plain", content=[b"x"]),
    ]
    found = collected(tmp_path, rules, *sections, unknown="refuse")
    assert [(each.where, each.rule, each.message) for each in found.problem.violations] == [
        ("file", "part-type", "The part's Content-Type must be image/tiff or image/png."),
        (
            "file",
            "part-type",
            (
                "The part's Content-Type must be image/tiff or image/png."
                " It says nothing, and neither the content nor the file name tells what the part is."
            ),
        ),
        ("part 3 (page_*)", "part-too-large", "The part is larger than 1 bytes."),
        ("part 4", "part-unknown", "This process has no part of this name."),
        ("file", "part-repeated", "The part may come once, and came 2 times."),
        ("metadata", "part-missing", "The metadata part is missing."),
    ]
    assert (found.problem.code, found.whole) == (Code.PART_TOO_LARGE, False)
    assert [part.size for part in found.parts] == [1, 1, 2, 1]


@pytest.mark.parametrize(
    ("unknown", "kept", "code"), [("ignore", [], None), ("keep", ["x"], None), ("refuse", ["x"], Code.PART_UNKNOWN)]
)
def test_parts_of_unknown_names_are_kept_ignored_or_refused(tmp_path, unknown, kept, code):
    sections = [Section(name, None, "", content=[b"x"]) for name in ("x", "file")]
    found = collected(tmp_path, [rule(role=Role.ATTACHMENT)], *sections, unknown=unknown)
    assert [part.name for part in found.parts] == ["file", *kept]
    assert (found.problem and found.problem.code) == code
    assert all(part.role is Role.ATTACHMENT for part in found.parts)


@pytest.mark.parametrize(
    ("name", "many", "count", "refused"),
    [("x", False, 32, False), ("x", False, 33, True), ("file", False, 33, True), ("file", True, 40, False)],
)
def test_of_what_is_not_expected_so_much_is_kept(tmp_path, name, many, count, refused):
    sections = [Section(name, None, "", content=[b"x"]) for _ in range(count)]
    if not refused:
        assert len(collected(tmp_path, [rule(many=many)], *sections).parts) == count
    else:
        with pytest.raises(Problem) as caught:
            collected(tmp_path, [rule(many=many)], *sections)
        assert caught.value.code is Code.TOO_MANY_PARTS


def test_parts_are_in_the_order_of_their_rules_and_then_of_the_numbers_in_their_names(tmp_path):
    sections = [Section(name, None, "", content=[b"x"]) for name in ("page_10", "page_2", "file", "page_1")]
    found = collected(tmp_path, [rule("file"), rule("page_*")], *sections)
    assert [part.name for part in found.parts] == ["file", "page_1", "page_2", "page_10"]


def test_a_rule_of_the_very_name_wins_over_a_pattern_before_it():
    rules = [rule("*"), rule("file")]
    assert [parts.match(rules, name)[0] for name in ("file", "other")] == [1, 0]


@pytest.mark.parametrize("grave", range(len(parts.GRAVITY)))
def test_the_gravest_fault_gives_its_code(grave):
    violations = [parts.Violation("x", code, "m") for code in reversed(parts.GRAVITY[grave:])]
    assert parts._problem(violations).code is parts.GRAVITY[grave]


def test_metadata_is_held_and_documents_are_not(tmp_path):
    found = collected(
        tmp_path,
        [rule("m", Role.METADATA), rule("d")],
        Section("d", None, "", content=[b"x"]),
        Section("m", None, "", content=[b"{", b"}"]),
    )
    assert [(part.name, part.held) for part in found.parts] == [("m", b"{}"), ("d", None)]
