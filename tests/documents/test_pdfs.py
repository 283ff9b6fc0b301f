"""PDF pages are counted as they are there, whatever the file says, and as Poppler counts those that are sound."""

import random
import re
import shutil
import subprocess
from io import BytesIO

import pikepdf
import pytest
from PIL import Image

from receiver import documents
from receiver.documents import pdfs
from receiver.documents.helpers import UnreadableError
from tests.support.drawing import drawn, locked, pdf_of, reason

DAMAGED = "The document cannot be read: it is damaged: not all of its pages can be shown."


def blank(pages: int, **options) -> bytes:
    buffer = BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page(page_size=(100, 100))
        pdf.save(buffer, **options)
    return buffer.getvalue()


def by_pdfinfo(content: bytes) -> int:
    told = subprocess.run(["pdfinfo", "-"], input=content, capture_output=True, check=True, timeout=60).stdout
    return int(re.search(rb"Pages:\s+(\d+)", told)[1])


@pytest.mark.parametrize("count", [0, 1, 2, 4, 7, 300, 100_000, -1])
def test_the_pages_are_those_that_are_there(part, count):
    # pdf.js #14303, pypdf #2020: a /Count that is none
    content = blank(3).replace(b"/Count 3", b"/Count %d" % count)
    assert documents.pages(part(content, ".pdf")) == 3


def test_one_page_is_one_page(part):
    assert documents.pages(part(blank(1).replace(b"/Count 1", b"/Count 7"), ".pdf")) == 1


def test_a_page_that_damage_took_away_is_missed(part):
    content = blank(3)
    third = content.index(b"/Type /Page", content.rindex(b" 0 obj\n<<", 0, content.rindex(b"/Type /Page")))
    page = content.rindex(b" 0 obj", 0, third)
    broken = content[: page + 1] + b"1 obj" + content[page + 6 :]
    assert reason(documents.pages, part(broken, ".pdf")) == DAMAGED


@pytest.mark.skipif(not shutil.which("pdfinfo"), reason="poppler-utils is not installed")
@pytest.mark.parametrize("seed", range(12))
def test_sound_pages_are_counted_as_poppler_counts_them(part, seed):
    number = random.Random(seed).randint(1, 400)
    mode = list(pikepdf.ObjectStreamMode.__members__.values())[seed % 3]
    content = blank(number, object_stream_mode=mode, linearize=seed % 2 == 0)
    assert documents.pages(part(content, ".pdf")) == by_pdfinfo(content) == number


@pytest.mark.skipif(not shutil.which("pdfinfo"), reason="poppler-utils is not installed")
def test_what_follows_the_end_changes_no_count(part):
    content = pdf_of(drawn("L"), drawn("1")) + bytes(3000)
    assert documents.pages(part(content, ".pdf")) == by_pdfinfo(content) == 2


# in this process ----------------------------------------------------------------------------------------------------


def sized(*sizes: tuple[float, float]) -> bytes:
    buffer = BytesIO()
    with pikepdf.new() as pdf:
        for size in sizes:
            pdf.add_blank_page(page_size=size)
        pdf.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("page", "small", "size"),
    [
        ((612, 792), False, (1700, 2200)),  # as wide as may be
        ((200, 2400), False, (200, 2400)),  # as high as may be
        ((100, 50), False, (400, 200)),  # four times as large, and no larger
        ((612, 1600), True, (62, 160)),
        ((8000, 100), True, (1700, 22)),
    ],
)
def test_a_page_is_drawn_as_large_as_it_may_be(page, small, size):
    with Image.open(BytesIO(pdfs.drawn(sized(page), 1, small=small))) as found:
        assert found.format == "PNG"
        assert found.size == pytest.approx(size, abs=1)


def test_each_page_is_drawn_by_its_number():
    content = sized((100, 100), (100, 200))
    assert Image.open(BytesIO(pdfs.drawn(content, 2))).size == (400, 800)
    for number in (0, 3):
        with pytest.raises(UnreadableError, match="it has no such page"):
            pdfs.drawn(content, number)


@pytest.mark.parametrize("read", [pdfs.opened, lambda content: pdfs.drawn(content, 1)])
def test_what_is_no_pdf_is_not_drawn(read):
    with pytest.raises(UnreadableError, match="it is damaged"):
        read(b"no PDF")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(locked(), "it is locked with a password"), (b"no PDF", "it is no PDF"), (sized(), "it is no PDF")],
)
def test_a_pdf_without_pages_to_show_says_why(tmp_path, content, reason):
    path = tmp_path / "document.pdf"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=reason):
        pdfs.pages(path)
