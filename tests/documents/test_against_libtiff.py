"""What is shown, against libtiff's own tools: 300 images, each written by them, turned and damaged here."""

import random
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from drawing import drawn
from PIL import Image, ImageChops

from receiver import documents
from receiver.problems import Problem
from receiver.store.stage import Stage

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("tiff2rgba", "tiffcp", "tiffset"))), reason="libtiff-tools is not installed"
)

SIZE = 97, 61  # no multiple of eight: the last byte of a row is not full
PLACES = {  # of each orientation, where the pixel at (x, y) of the page lies in the file (TIFF 6.0, Orientation)
    1: lambda x, y, w, h: (x, y),
    2: lambda x, y, w, h: (w - 1 - x, y),
    3: lambda x, y, w, h: (w - 1 - x, h - 1 - y),
    4: lambda x, y, w, h: (x, h - 1 - y),
    5: lambda x, y, w, h: (y, x),
    6: lambda x, y, w, h: (y, h - 1 - x),
    7: lambda x, y, w, h: (w - 1 - y, h - 1 - x),
    8: lambda x, y, w, h: (w - 1 - y, x),
}
CODINGS = {  # what `tiffcp` is told
    "1": [
        *["-c g3", "-c g3:2d", "-c g3:fill", "-c g3 -f lsb2msb"],
        *["-c g4 -r 1000", "-c g4 -r 16", "-c g4 -f lsb2msb -r 1000", "-c g4 -t -w 32 -l 32"],
        *["-c g4 -B", "-c g4 -8", "-c g4 -8 -B", "-c lzw", "-c zip", "-c packbits", "-c none"],
    ],
    "L": ["-c none", "-c lzw:2", "-c zip:2", "-c jpeg -r 64", "-c none -t -w 32 -l 32"],
    "RGB": [
        *["-c none", "-c lzw", "-c zip:2", "-c zip -B", "-c jpeg:r -r 64", "-c jpeg -r 64"],
        *["-c lzw -p separate", "-c none -p separate"],
    ],
    "P": ["-c none", "-c packbits"],
    "I;16": ["-c none", "-c lzw:2 -B"],
}


def tool(*arguments) -> bytes:
    return subprocess.run(list(map(str, arguments)), check=True, capture_output=True, timeout=60).stderr


def written(folder: Path, page: Image.Image, coding: str, orientation: int) -> Path:
    """Write a page as a TIFF so coded, and say that it is turned."""
    page.save(folder / "plain.tif")
    tool("tiffcp", *coding.split(), folder / "plain.tif", folder / "document.tif")
    tool("tiffset", "-s", "274", orientation, folder / "document.tif")
    return folder / "document.tif"


def by_tiff2rgba(path: Path) -> tuple[Image.Image, bytes]:
    """Return the page as it lies in the file, whatever its orientation, and what the tool complains of."""
    upright, raster = path.with_name("upright.tif"), path.with_name("raster.tif")
    shutil.copy(path, upright)
    tool("tiffset", "-s", "274", "1", upright)
    complaints = tool("tiff2rgba", "-c", "none", upright, raster)
    tool("tiffcp", "-f", "msb2lsb", raster, path.with_name("readable.tif"))  # Pillow wants it so
    with Image.open(path.with_name("readable.tif")) as image:
        return image.convert("RGB"), complaints


def upright(stored: Image.Image, orientation: int) -> Image.Image:
    size = stored.size if orientation < 5 else stored.size[::-1]
    pixels = [stored.getpixel(PLACES[orientation](x, y, *stored.size)) for y in range(size[1]) for x in range(size[0])]
    page = Image.new("RGB", size)
    page.putdata(pixels)
    return page


def rendered(path: Path, dpi: int = 200) -> list[Image.Image]:
    """Return what a PDF shows, each page at its own resolution."""
    with pypdfium2.PdfDocument(path) as pdf:
        return [page.render(scale=dpi / 72, may_draw_forms=False).to_pil().convert("RGB") for page in pdf]


def difference(one: Image.Image, other: Image.Image):
    return one.size != other.size or ImageChops.difference(one, other).getbbox()


CASES = [(mode, coding, turn) for mode, codings in CODINGS.items() for coding in codings for turn in PLACES]


@pytest.mark.parametrize(("mode", "coding", "orientation"), CASES)
def test_a_page_is_shown_as_libtiff_shows_it(part, tmp_path, mode, coding, orientation):
    page = drawn("L" if mode == "I;16" else mode, orientation, SIZE)
    if mode == "I;16":
        page = Image.frombytes("I;16", SIZE, random.Random(orientation).randbytes(2 * SIZE[0] * SIZE[1]))
    file = written(tmp_path, page, coding, orientation)
    tool("tiffset", "-s", "282", "200", file)
    tool("tiffset", "-s", "283", "200", file)
    with Stage(tmp_path / "stage").open() as staged:
        (shown,) = rendered(documents.as_pdf(part(file.read_bytes()), staged).path)
    stored, complaints = by_tiff2rgba(file)
    assert not complaints
    assert not difference(shown, upright(stored, orientation))


DAMAGED = ["-c g3", "-c g3:2d", "-c g4 -r 1000", "-c g4 -r 16", "-c lzw", "-c zip", "-c packbits", "-c none"]
CHECKED_HERE = ("-c g4", "-c zip")  # what ends where it should not, and checksums: libtiff does not look


@pytest.mark.parametrize("coding", DAMAGED)
def test_what_is_taken_in_spite_of_damage_is_shown_as_libtiff_shows_it(part, tmp_path, coding):
    taken = 0
    for seed in range(20):
        noise = random.Random(seed)
        content = bytearray(written(tmp_path, drawn("1", seed, SIZE), coding, 1).read_bytes())
        with Image.open(tmp_path / "document.tif") as image:
            begin, size = image.tag_v2[273][0], sum(image.tag_v2[279])
        for _ in range(noise.choice((0, 1, 40))):
            content[begin + noise.randrange(size)] = noise.randrange(256)
        (tmp_path / "document.tif").write_bytes(content)
        with Stage(tmp_path / "stage").open() as staged:
            try:
                document = documents.as_pdf(part(bytes(content)), staged)
            except Problem:
                shown = None
            else:
                (shown,) = rendered(document.path, 96)
        try:
            stored, complaints = by_tiff2rgba(tmp_path / "document.tif")
        except subprocess.CalledProcessError:
            stored, complaints = None, b"it gives up"
        if shown is None:
            assert complaints or coding.startswith(CHECKED_HERE)
        else:
            assert not complaints
            assert not difference(shown, stored)
            taken += 1
    assert taken >= 3  # those without any damage
