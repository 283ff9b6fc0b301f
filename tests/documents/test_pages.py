"""Pages are counted, and a document that is broken, or beyond all sense, is a problem with a name."""

import struct

import pytest

from receiver import documents
from tests.support.drawing import damaged, drawn, endless, locked, many_pages, pdf_of, png_of, reason, tiff_of

DAMAGED_DIRECTORY = "The document cannot be read: its directory is damaged, or it is cut off."


@pytest.mark.parametrize("compression", ["group4", "group3", "tiff_lzw", "raw", "packbits"])
def test_the_pages_of_a_fax_are_counted(part, compression):
    fax = part([drawn("1", seed) for seed in range(7)], compression=compression)
    assert documents.pages(fax) == 7


def test_the_pages_of_a_pdf_are_counted(part):
    assert documents.pages(part(pdf_of(drawn("L"), drawn("L"), drawn("L")), ".pdf")) == 3


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_an_image_is_one_page(part, suffix):
    assert documents.pages(part([drawn("RGB")], suffix)) == 1


@pytest.mark.parametrize(
    ("content", "suffix", "message"),
    [
        (b"", ".tif", "it is no TIFF file"),
        (b"", ".pdf", "it is no PDF"),
        (b"no image at all", ".png", "it is no PNG file"),
        (png_of(drawn("L")), ".tif", "it is no TIFF file"),
        (tiff_of(drawn("1")), ".pdf", "it is no PDF"),
        (tiff_of(drawn("1"))[:-2000], ".tif", "its directory is damaged, or it is cut off"),
        (png_of(drawn("L"))[:-1000], ".png", "it is broken"),
        (damaged(png_of(drawn("L")), 5000), ".png", "it is broken"),
        (pdf_of(drawn("L"))[:300], ".pdf", "it is no PDF"),
        (locked(), ".pdf", "it is locked with a password"),
        (many_pages(10_001), ".tif", "it has more than 10,000 pages"),
    ],
    ids=range(11),
)
def test_a_broken_document_is_a_problem(part, content, suffix, message):
    assert reason(documents.pages, part(content, suffix)) == f"The document cannot be read: {message}."


def test_a_tiff_that_is_cut_off_is_found_before_its_pixels_are_missed(part):
    content = many_pages(1)
    offset = content.index(struct.pack("<HHII", 279, 4, 1, 1)) + 8
    content = content[:offset] + struct.pack("<I", 1_000_000) + content[offset + 4 :]
    assert reason(documents.pages, part(content)) == DAMAGED_DIRECTORY


def test_a_tiff_that_runs_in_a_circle_comes_to_an_end(part):
    assert reason(documents.pages, part(endless())) == DAMAGED_DIRECTORY


def test_a_page_beyond_all_sense_is_a_problem(part):
    content = many_pages(1)
    for tag in (256, 257):
        entry = content.index(struct.pack("<HHII", tag, 4, 1, 1))
        content = content[: entry + 8] + struct.pack("<I", 60_000) + content[entry + 12 :]
    message = "The document cannot be read: a page has more than 400,000,000 pixels."
    assert reason(documents.pages, part(content)) == message


def test_pages_of_another_kind_cannot_be_counted(part):
    assert reason(documents.pages, part(b"a,b\n", ".csv")) == "Pages of text/csv cannot be counted."
