"""JPEG: what is damaged is refused, what is turned is shown upright, and what PDF does not know is decoded."""

import contextlib
import io
import random

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageOps

from receiver import documents
from receiver.documents import jpegs
from receiver.documents.helpers import UnreadableError
from receiver.store.stage import Stage
from tests.support.drawing import drawn, reason

COUNTED = "The document cannot be read: "


@pytest.fixture
def staged(tmp_path):
    with Stage(tmp_path / "stage").open() as staged:
        yield staged


def jpeg(mode: str = "RGB", size=(120, 80), **options) -> bytes:
    buffer = io.BytesIO()
    colors = [Image.effect_mandelbrot(size, (-3 + shift, -2.5, 2, 2.5), 100) for shift in range(3)]
    image = Image.merge("RGB", colors).convert(mode)
    image.save(buffer, "JPEG", dpi=(96, 96), **options)
    return buffer.getvalue()


def shown(path) -> Image.Image:
    with pypdfium2.PdfDocument(path) as pdf:
        (page,) = pdf
        return page.render(scale=96 / 72).to_pil().convert("RGB")


@pytest.mark.parametrize("orientation", range(9))  # 0: OCRmyPDF #744
@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 2}, {"progressive": True}], ids=str)
def test_a_photograph_is_shown_upright(part, staged, orientation, options):
    exif = Image.Exif()
    exif[0x112] = orientation
    content = jpeg(exif=exif, **options)
    with Image.open(io.BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    pdf = documents.as_pdf(part(content, ".jpg"), staged)
    assert ImageChops.difference(shown(pdf.path), upright).getbbox() is None
    assert (content in pdf.path.read_bytes()) == (orientation in (0, 1, 3, 6, 8))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}], ids=str)
def test_what_is_sound_is_taken(part, staged, mode, options):
    assert documents.pages(part(jpeg(mode, **options), ".jpg")) == 1
    documents.as_pdf(part(jpeg(mode, **options), ".jpg"), staged)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_heard_or_was_no_damage_to_the_decoder(part, staged, seed):
    content = bytearray(jpeg(quality=90))
    noise = random.Random(seed)
    scan = content.index(b"\xff\xda") + 20
    for _ in range(40):
        content[noise.randrange(scan, len(content) - 2)] = noise.randrange(256)
    assert reason(documents.as_pdf, part(bytes(content), ".jpg"), staged).endswith("PDF: it is damaged.")


@pytest.mark.parametrize("kept", [700, -2])
def test_a_cut_photograph_is_no_page(part, kept):
    assert reason(documents.pages, part(jpeg()[:kept], ".jpg")) == COUNTED + "it is cut off."


@pytest.mark.parametrize(
    ("offset", "value", "what"),
    [
        (4, 12, "it is a JPEG of 12 bits, which cannot be read: send a baseline JPEG of 8 bits."),
        (
            1,
            0xC3,
            "it is a JPEG without loss, or of several frames, which cannot be read: send a baseline JPEG of 8 bits.",
        ),
        (1, 0xC9, "it is damaged."),  # says arithmetic coding, and has none
    ],
)
def test_a_kind_that_few_can_read_is_told(part, offset, value, what):
    content = bytearray(jpeg())
    content[content.index(b"\xff\xc0") + offset] = value
    assert reason(documents.pages, part(bytes(content), ".jpg")) == COUNTED + what


@given(st.binary(max_size=200))
def test_whatever_comes_is_sound_or_damaged(rest):
    with contextlib.suppress(UnreadableError):
        jpegs.is_huffman(jpegs.BEGIN + rest)


def test_a_profile_behind_the_frame_does_no_harm(part, staged):  # Pillow #4613
    content = jpeg(icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile, frame = content.index(b"\xff\xe2"), content.index(b"\xff\xc0")
    size = 2 + int.from_bytes(content[profile + 2 : profile + 4])
    behind = frame + 2 + int.from_bytes(content[frame + 2 : frame + 4])
    moved = content[:profile] + content[profile + size : behind] + content[profile : profile + size] + content[behind:]
    assert documents.pages(documents.as_pdf(part(moved, ".jpg"), staged)) == 1


def test_of_several_pictures_the_first_is_shown(part, staged):
    buffer = io.BytesIO()
    drawn("RGB", 1).save(buffer, "MPO", save_all=True, append_images=[drawn("RGB", 2)])
    document = part(buffer.getvalue(), ".jpg")
    assert documents.pages(document) == documents.pages(documents.as_pdf(document, staged)) == 1
