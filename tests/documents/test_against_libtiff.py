"""What is shown, against libtiff's own tools: 416 pages that they wrote, turned and damaged here."""

import random
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageSequence

from receiver import documents
from receiver.core.problems import Problem
from receiver.store.stage import Stage
from tests.support.drawing import drawn

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("tiff2rgba", "tiffcp", "tiffset"))), reason="libtiff-tools is not installed"
)

DPI = 200
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


def written(folder: Path, pages: list[Image.Image], coding: str) -> Path:
    """Write pages as a TIFF so coded."""
    first, *others = pages
    first.save(folder / "plain.tif", save_all=True, append_images=others, dpi=(DPI, DPI))
    tool("tiffcp", *coding.split(), folder / "plain.tif", folder / "document.tif")
    return folder / "document.tif"


def by_tiff2rgba(path: Path) -> tuple[list[Image.Image], bytes]:
    """Return the pages as they lie in the file, and what the tool complains of."""
    raster, readable = path.with_name("raster.tif"), path.with_name("readable.tif")
    complaints = tool("tiff2rgba", "-c", "none", path, raster)
    tool("tiffcp", "-f", "msb2lsb", raster, readable)  # Pillow wants it so
    with Image.open(readable) as image:
        return [page.convert("RGB") for page in ImageSequence.Iterator(image)], complaints


def upright(stored: Image.Image, orientation: int) -> Image.Image:
    size = stored.size if orientation < 5 else stored.size[::-1]
    places = (PLACES[orientation](x, y, *stored.size) for y in range(size[1]) for x in range(size[0]))
    page = Image.new("RGB", size)
    page.putdata([stored.getpixel(place) for place in places])
    return page


def rendered(path: Path) -> list[Image.Image]:
    """Return what a PDF shows, each page at its own resolution."""
    with pypdfium2.PdfDocument(path) as pdf:
        return [page.render(scale=DPI / 72).to_pil().convert("RGB") for page in pdf]


def difference(one: Image.Image, other: Image.Image):
    return one.size != other.size or ImageChops.difference(one, other).getbbox()


@pytest.mark.parametrize(("mode", "coding"), [(mode, coding) for mode in CODINGS for coding in CODINGS[mode]])
def test_a_page_is_shown_as_libtiff_shows_it(part, tmp_path, mode, coding):
    pages = [drawn(mode, seed, SIZE) for seed in PLACES]
    file = written(tmp_path, pages, coding)
    stored, complaints = by_tiff2rgba(file)
    assert not complaints
    for page, orientation in enumerate(PLACES):
        tool("tiffset", "-d", page, "-s", "274", orientation, file)
    with Stage(tmp_path / "stage").open() as staged:
        shown = rendered(documents.as_pdf(part(file.read_bytes()), staged).path)
    assert not any(map(difference, shown, map(upright, stored, PLACES)))
    assert len(shown) == len(stored) == len(PLACES)


DAMAGED = ["-c g3", "-c g3:2d", "-c g4 -r 1000", "-c g4 -r 16", "-c lzw", "-c zip", "-c packbits", "-c none"]
CHECKED_HERE = ("-c g4", "-c zip")  # what ends where it should not, and checksums: libtiff does not look


@pytest.mark.parametrize("coding", DAMAGED)
def test_what_is_taken_in_spite_of_damage_is_shown_as_libtiff_shows_it(part, tmp_path, coding):
    taken = 0
    for seed in range(20):
        file = written(tmp_path, [drawn("1", seed, SIZE)], coding)
        damage(file, random.Random(seed))
        try:
            stored, complaints = by_tiff2rgba(file)
        except subprocess.CalledProcessError:
            stored, complaints = [], b"it gives up"
        with Stage(tmp_path / "stage").open() as staged:
            try:
                shown = rendered(documents.as_pdf(part(file.read_bytes()), staged).path)
            except Problem:
                assert complaints or coding.startswith(CHECKED_HERE)
            else:
                assert not complaints
                assert not any(map(difference, shown, stored))
                taken += 1
    assert taken >= 3  # those without any damage


def damage(file: Path, noise: random.Random) -> None:
    content = bytearray(file.read_bytes())
    with Image.open(file) as image:
        begin, size = image.tag_v2[273][0], sum(image.tag_v2[279])
    for _ in range(noise.choice((0, 1, 40))):
        content[begin + noise.randrange(size)] = noise.randrange(256)
    file.write_bytes(content)
