"""A single page is turned upright and written so that img2pdf takes it over, with each pixel where it was."""

import io
import struct

import pytest
from PIL import Image

from receiver.documents import sheets
from receiver.documents.sheets import around, saved, turned

UPRIGHT = Image.frombytes("L", (2, 3), bytes(range(6)))
LYING = {  # as the file has it, by orientation (TIFF 6.0, Orientation)
    1: ((2, 3), [0, 1, 2, 3, 4, 5]),
    2: ((2, 3), [1, 0, 3, 2, 5, 4]),
    3: ((2, 3), [5, 4, 3, 2, 1, 0]),
    4: ((2, 3), [4, 5, 2, 3, 0, 1]),
    5: ((3, 2), [0, 2, 4, 1, 3, 5]),
    6: ((3, 2), [1, 3, 5, 0, 2, 4]),
    7: ((3, 2), [5, 3, 1, 4, 2, 0]),
    8: ((3, 2), [4, 2, 0, 5, 3, 1]),
}


def read(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("orientation", LYING)
def test_a_page_is_turned_upright(orientation):
    size, pixels = LYING[orientation]
    found = turned(Image.frombytes("L", size, bytes(pixels)), orientation)
    assert (found.size, found.tobytes()) == (UPRIGHT.size, UPRIGHT.tobytes())


@pytest.mark.parametrize("orientation", [0, 9])
def test_an_orientation_that_is_none_turns_nothing(orientation):
    assert turned(UPRIGHT, orientation) is UPRIGHT


@pytest.mark.parametrize(
    ("mode", "form", "compression"), [("1", "TIFF", "group4"), ("CMYK", "TIFF", "raw"), ("L", "PNG", None)]
)
def test_a_page_is_saved_as_img2pdf_takes_it_over(mode, form, compression):
    image = UPRIGHT.convert("RGB").convert(mode)
    found = read(saved(image, (200, 100)))
    assert (found.format, found.info.get("compression"), found.mode) == (form, compression, mode)
    assert found.tobytes() == image.tobytes()
    assert tuple(map(round, found.info["dpi"])) == (200, 100)


def test_a_fax_is_one_strip():
    found = read(saved(Image.new("1", (1728, 2290)), (204, 196)))
    assert len(found.tag_v2[273]) == 1


@pytest.mark.parametrize("mode", ["CMYK", "RGB"])
def test_a_color_profile_goes_with_the_page(mode):
    assert read(saved(Image.new(mode, (2, 2)), (96, 96), b"profile")).info["icc_profile"] == b"profile"


def test_what_can_be_seen_through_is_white():
    image = Image.new("RGBA", (3, 1))
    image.putdata([(255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 0, 51)])
    found = read(saved(image, (96, 96)))
    assert found.mode == "RGB"
    assert [found.getpixel((x, 0)) for x in range(3)] == [(255, 0, 0), (255, 255, 255), (204, 204, 204)]


def test_a_strip_stands_in_a_tiff_as_it_came():
    image = Image.new("1", (16, 2))
    image.putdata([255 * (place % 3 == 0) for place in range(32)])
    strip = image.tobytes()
    fields = {256: 16, 257: 2, 258: 1, 259: 1, 262: 1, 277: 1, 278: 2}
    content = around(strip, fields, (204, 98), (2, 1))
    found = read(content)
    assert (found.size, found.tobytes()) == (image.size, strip)
    assert tuple(map(round, found.info["dpi"])) == (204, 98)
    assert content.endswith(struct.pack("<4I", 204, 1, 98, 1) + strip)
    assert found.tag_v2[530] == (2, 1)
    assert found.tag_v2[296] == 2
    assert found.tag_v2.next == 0


def test_the_limits_are_beyond_what_is_faxed():
    assert sheets.MAX_PAGES == 10_000
    assert sheets.MAX_PIXELS > 13_244 * 18_724  # A0 at 400 dpi
