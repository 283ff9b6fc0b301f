"""Whether an image goes into a PDF as it is, and what is decoded first; in this process."""

import io
import warnings

import pikepdf
import pytest
from PIL import Image

from receiver.documents import images, jpegs
from receiver.documents.helpers import UnreadableError
from tests.support.drawing import drawn

SIGNATURE = b"\xff\xd8"


def written(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x112] = orientation
    return exif


@pytest.fixture
def file(tmp_path):
    def make(content: bytes):
        path = tmp_path / "image"
        path.write_bytes(content)
        return path

    return make


# what a JPEG says of itself -----------------------------------------------------------------------------------------


def frame(marker: int = 0xC0, bits: int = 8, before: bytes = b"") -> bytes:
    header = bytes([0xFF, marker, 0, 17, bits, 0, 80, 0, 120, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1])
    return SIGNATURE + before + header + bytes(20)


@pytest.mark.parametrize(
    "before",
    [b"", b"\xff\xe0\x00\x04ab", b"\xff\xff\xff", b"\xff\x01", b"\xff\xd0\xff\xd8", b"\xff\xc4\x00\x03\xc0",
     b"\xff\xfe\x00\x06\xff\xc0ab" + b"\xff\xc8\x00\x02\xff\xcc\x00\x02"],
)  # fmt: skip
def test_the_frame_is_found_behind_whatever_stands_before_it(before):
    assert jpegs._frame(frame(before=before)) == jpegs.Frame(0xC0, 8, (120, 80), 3, (2, 2))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG", "it is no JPEG file"),
        (b"", "it is no JPEG file"),
        (SIGNATURE, "it is damaged"),
        (frame(before=b"ab"), "it is damaged"),
        (frame(before=b"\xff\xe0\x10\x00"), "it is damaged"),
        (frame()[:22], "it is damaged"),
    ],
)
def test_a_jpeg_without_a_frame_is_damaged(content, reason):
    with pytest.raises(UnreadableError) as caught:
        jpegs._frame(content)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("marker", "known"), [(0xC0, True), (0xC1, True), (0xC2, True), (0xC9, False), (0xCA, False)])
def test_pdf_knows_what_is_coded_by_huffman(marker, known):
    assert jpegs.is_huffman(frame(marker)) is known


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (frame(bits=12) + jpegs.END, "it is a JPEG of 12 bits, which cannot be read: send a baseline JPEG of 8 bits"),
        (frame(0xC3) + jpegs.END, "it is a JPEG without loss, or of several frames, which cannot be read"),
        (frame(0xC5) + jpegs.END, "it is a JPEG without loss, or of several frames, which cannot be read"),
        (frame(), "it is cut off"),
        (frame() + jpegs.END, "it is damaged"),
    ],
)
def test_a_jpeg_that_few_can_read_says_why(content, reason):
    with pytest.raises(UnreadableError) as caught:
        jpegs.require_sound(content)
    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 2}], ids=str)
def test_a_sound_jpeg_is_taken(mode, options):
    jpegs.require_sound(written(drawn(mode, size=(64, 48)), "JPEG", **options))


# what goes into a PDF as it is --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (written(drawn("RGB", size=(9, 7)), "JPEG"), True),
        *((written(drawn("RGB", size=(9, 7)), "JPEG", exif=turned(n)), n in (1, 3, 6, 8)) for n in range(1, 9)),
        (written(drawn("L", size=(9, 7)), "PNG"), True),
        (written(drawn("RGBA", size=(9, 7)), "PNG"), True),
        (written(drawn("I;16", size=(9, 7)), "PNG"), True),
    ],
)
def test_an_image_that_pdf_knows_is_taken_as_it_is(file, content, kept):
    kind = "image/jpeg" if content.startswith(SIGNATURE) else "image/png"
    assert (images._single_page(file(content), kind) == content) is kept


def test_an_image_that_is_decoded_keeps_resolution_and_profile(file):
    content = written(drawn("RGB", size=(9, 7)), "JPEG", exif=turned(5), dpi=(200, 100), icc_profile=b"profile")
    with Image.open(io.BytesIO(images._single_page(file(content), "image/jpeg"))) as found:
        assert (found.format, found.size, found.info["icc_profile"]) == ("PNG", (7, 9), b"profile")
        assert sorted(map(round, found.info["dpi"])) == [100, 200]


# pages --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_an_image_is_one_page(file, form):
    path, kind = file(written(drawn("L", size=(9, 7)), form)), f"image/{form.lower()}"
    assert images.pages(path, kind) == 1
    assert images.page_pdf(path, kind, 1) == images.pdf(path, kind)
    with pytest.raises(UnreadableError, match="it has no such page"):
        images.page_pdf(path, kind, 2)


def test_a_tiff_has_its_pages(file):
    sheets = [drawn("1", seed, (32, 16 * seed)) for seed in (1, 2, 3)]
    path = file(written(sheets[0], "TIFF", save_all=True, append_images=sheets[1:], compression="group4"))
    assert images.pages(path, "image/tiff") == 3
    with pikepdf.open(io.BytesIO(images.pdf(path, "image/tiff"))) as pdf:
        assert len(pdf.pages) == 3
        assert "receiver" in str(pdf.docinfo["/Producer"])
        assert "/CreationDate" not in pdf.docinfo
    with pikepdf.open(io.BytesIO(images.page_pdf(path, "image/tiff", 2))) as pdf:
        (page,) = pdf.pages
        assert page.mediabox[3] / page.mediabox[2] == 1  # the second one is 32 pixels high
    with pytest.raises(UnreadableError, match="it has no such page"):
        images.page_pdf(path, "image/tiff", 4)


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"no image", "image/png", "it is no PNG file"),
        (written(drawn("L", size=(9, 7)), "JPEG"), "image/png", "it is no PNG file"),
        (written(drawn("L", size=(9, 7)), "PNG"), "image/jpeg", "it is no JPEG file"),
    ],
)
def test_an_image_of_another_kind_is_refused(file, content, kind, reason):
    with pytest.raises(UnreadableError) as caught:
        images.pages(file(content), kind)
    assert caught.value.reason == reason


@pytest.mark.parametrize("most", [31, 63])  # twice as many is an error to Pillow, more than that a warning
def test_an_image_beyond_all_sense_is_refused(file, monkeypatch, most):
    path = file(written(drawn("L", size=(8, 8)), "PNG"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with pytest.raises(UnreadableError, match="a page has more than 400,000,000 pixels"):
            images.pages(path, "image/png")
