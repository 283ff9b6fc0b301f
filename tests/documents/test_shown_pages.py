"""Pages that people are shown: one at a time, in their true shape, also small."""

import io

import pytest
from PIL import Image, ImageChops

from receiver import documents
from receiver.core.problems import Problem
from tests.support.drawing import drawn
from tests.support.text_pdfs import form_pdf


def image(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(("dpi", "height"), [((204, 98), 1145), ((204, 196), 2290), ((204, 391), 4570)])
def test_a_fax_of_any_resolution_is_shown_in_its_true_shape(part, dpi, height):
    page = Image.new("1", (1728, height), 1)  # A4 by fax: standard, fine and superfine (ITU-T T.4)
    shown = image(documents.page(part([page], compression="group4", dpi=dpi), 1))
    assert shown.height / shown.width == pytest.approx(11.68 / 8.47, rel=0.01)


def test_each_page_of_a_tiff_is_shown_by_its_number(part):
    pages = [Image.new("1", (100 + 50 * number, 100), 1) for number in range(3)]
    document = part(pages, compression="group4", dpi=(100, 100))
    shapes = [
        round(image(documents.page(document, number)).width / image(documents.page(document, number)).height, 1)
        for number in (1, 2, 3)
    ]
    assert shapes == [1.0, 1.5, 2.0]
    for number in (0, 4):
        with pytest.raises(Problem):
            documents.page(document, number)


def test_an_image_has_one_page(part):
    assert image(documents.page(part([drawn("RGB")], ".png"), 1)).format == "PNG"
    with pytest.raises(Problem):
        documents.page(part([drawn("RGB")], ".png"), 2)


def test_a_thumbnail_is_small(part):
    document = part([Image.new("1", (1728, 2290), 1)], compression="group4", dpi=(204, 196))
    assert image(documents.page(document, 1, small=True)).height == pytest.approx(160, abs=1)


@pytest.mark.parametrize("more", [{}, {"appearance": False}, {"kind": "FreeText"}])
def test_what_is_filled_into_a_form_is_shown(part, more):  # pypdfium2 #311, pdfplumber #1367
    empty, full = (image(documents.page(part(form_pdf("MRN", value, **more), ".pdf"), 1)) for value in ("", "142637A"))
    assert ImageChops.difference(empty, full).getbbox()[0] > full.width / 4  # right of the label
