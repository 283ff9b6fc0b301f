"""Images become PDF without the loss of a pixel."""

import pypdfium2
import pytest
from PIL import Image, ImageChops

from receiver import documents
from receiver.store.stage import Stage
from tests.support.drawing import damaged, drawn, pdf_of, png_of, reason


@pytest.fixture
def staged(tmp_path):
    with Stage(tmp_path / "stage").open() as staged:
        yield staged


def pixels(path) -> list[Image.Image]:
    """Return the images that stand in a PDF, one for each page, as another reader sees them."""
    with pypdfium2.PdfDocument(path) as pdf:
        pages = [list(page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])) for page in pdf]
        return [image.get_bitmap(render=False).to_pil() for (image,) in pages]


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox() is None


@pytest.mark.parametrize(
    ("mode", "suffix", "options"),
    [
        ("1", ".tif", {"compression": "group4"}),
        ("1", ".tif", {"compression": "group3"}),
        ("1", ".tif", {"compression": "raw"}),
        ("L", ".tif", {"compression": "tiff_lzw"}),
        ("RGB", ".tif", {"compression": "tiff_lzw"}),
        ("P", ".tif", {"compression": "packbits"}),
        ("1", ".png", {}),
        ("L", ".png", {}),
        ("RGB", ".png", {}),
        ("P", ".png", {}),
    ],
)
def test_an_image_becomes_a_pdf_in_which_no_pixel_changed(part, staged, mode, suffix, options):
    pages = [drawn(mode, seed) for seed in range(3)] if suffix == ".tif" else [drawn(mode)]
    image = part(pages, suffix, **options)
    pdf = documents.as_pdf(image, staged)
    shown = pixels(pdf.path)
    assert len(shown) == len(pages)
    assert all(map(same, shown, pages))
    assert documents.pages(pdf) == len(pages)


def test_a_jpeg_goes_into_the_pdf_byte_for_byte(part, staged):
    image = part([drawn("RGB")], ".jpg")
    assert image.path.read_bytes() in documents.as_pdf(image, staged).path.read_bytes()


def test_a_fax_goes_into_the_pdf_in_its_own_coding(part, staged):
    image = part([drawn("1", size=(1728, 1000))], compression="group4", dpi=(204, 196))
    pdf = documents.as_pdf(image, staged)
    assert pdf.size < image.size + 2000
    with pypdfium2.PdfDocument(pdf.path) as found:
        width, height = found[0].get_size()
    assert (round(width), round(height)) == (round(1728 / 204 * 72), round(1000 / 196 * 72))


def test_the_part_is_that_of_the_pdf_and_the_same_image_makes_the_same_one(part, staged):
    image = part([drawn("1")], compression="group4")
    first, second = documents.as_pdf(image, staged), documents.as_pdf(image, staged)
    assert (first.name, first.type, first.suffix, first.filename) == ("file", documents.PDF, ".pdf", "document.tif")
    assert first.size == first.path.stat().st_size
    assert first.sha256 == second.sha256 != image.sha256
    assert first.path != second.path


def test_a_pdf_stays_as_it_is(part, staged):
    pdf = part(pdf_of(drawn("L")), ".pdf")
    assert documents.as_pdf(pdf, staged) is pdf


def test_a_broken_image_is_not_converted(part, staged):
    broken = part(damaged(png_of(drawn("L")), 5000), ".png")
    assert reason(documents.as_pdf, broken, staged) == "The document cannot be converted to PDF: it is broken."
    table = part(b"a,b\n", ".csv")
    assert reason(documents.as_pdf, table, staged) == "What comes as text/csv cannot be converted to PDF."


def test_without_img2pdf_nothing_can_be_converted(monkeypatch):
    assert documents.can_convert()
    monkeypatch.setattr(documents, "find_spec", lambda _name: None)
    assert not documents.can_convert()
