"""Documents as they come from the field, each made of a few lines: what is right for it, and who met it first."""

import random
import struct
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops

from receiver import documents
from receiver.core.delivery import Part, Role
from receiver.core.problems import Problem
from receiver.store.stage import Stage

SIZE = WIDTH, HEIGHT = 64, 48
PIXELS = WIDTH * HEIGHT
NOISE = random.Random(1).randbytes(8 * PIXELS)
SHORT, LONG, RATIONAL = 3, 4, 5

GROUP4_PAGE = Image.frombytes("1", SIZE, NOISE[: PIXELS // 8])
VERSION = {False: [42], True: [43, 8, 0]}
DAMAGED = "its directory is damaged, or it is cut off."
UNREAD = "and cannot be read: send it with Group 4, LZW or Deflate."
NO_KIND = "its pixels are of a kind that cannot be shown: send it in gray or RGB, of 8 bits a sample."


def group4(page: Image.Image = GROUP4_PAGE) -> bytes:
    """Return a page in Group 4, black being 1."""
    buffer = BytesIO()
    page.save(buffer, "TIFF", compression="group4", tiffinfo={278: page.height, 262: 0})
    with Image.open(buffer) as image:
        (begin,), (size,) = image.tag_v2[273], image.tag_v2[279]
    return buffer.getvalue()[begin : begin + size]


def tiff(*pages: tuple[dict, bytes], order: str = "<", big: bool = False) -> bytes:
    """Return a TIFF of pages, each with its fields (tag: type, values) and the data of its one strip."""
    word, count, room = ("Q", "Q", 8) if big else ("I", "H", 4)
    content = (b"II" if order == "<" else b"MM") + struct.pack(order + "HHH" if big else order + "H", *VERSION[big])
    link = len(content)  # where the place of the next directory is written
    content += bytes(room)
    for fields, strip in pages:
        places = {273: (LONG, len(content)), 279: (LONG, len(strip))}
        content += strip + bytes(len(strip) % 2)
        begin = len(content)
        directory, values = struct.pack(order + count, len(places | fields)), b""
        behind = begin + len(directory) + (12 + 2 * (room - 4)) * len(places | fields) + room
        for tag, (kind, *numbers) in sorted((places | fields).items()):
            value = struct.pack(f"{order}{len(numbers)}{'H' if kind == SHORT else 'I'}", *numbers)
            if len(value) > room:
                value, values = struct.pack(order + word, behind + len(values)), values + value
            length = len(numbers) // 2 if kind == RATIONAL else len(numbers)
            directory += struct.pack(order + "HH" + word, tag, kind, length) + value.ljust(room, b"\0")
        content = content[:link] + struct.pack(order + word, begin) + content[link + room :]
        link = begin + len(directory)
        content += directory + bytes(room) + values
    return content


def page(bits: int, samples: int, photometric: int | None, compression: int = 1, **fields) -> dict:
    meaning = {} if photometric is None else {262: (SHORT, photometric)}
    others = {int(tag.removeprefix("tag")): value for tag, value in fields.items()}
    sizes = {256: (LONG, WIDTH), 257: (LONG, HEIGHT), 278: (LONG, HEIGHT)}
    kinds = {258: (SHORT, *[bits] * samples), 259: (SHORT, compression), 277: (SHORT, samples)}
    return sizes | kinds | meaning | others


def part(folder: Path, content: bytes, type_: str = "image/tiff") -> Part:
    path = folder / "document"
    path.write_bytes(content)
    return Part("file", "document", type_, Role.DOCUMENT, ".tif", len(content), "00" * 32, folder, path.name, "file")


def shown(folder: Path, content: bytes, type_: str = "image/tiff") -> list[Image.Image]:
    with Stage(folder / "stage").open() as staged:
        path = documents.as_pdf(part(folder, content, type_), staged).path
        with pypdfium2.PdfDocument(path) as pdf:
            return [page.render(scale=96 / 72).to_pil().convert("RGB") for page in pdf]


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and not ImageChops.difference(one, other.convert("RGB")).getbbox()


def gray(values: bytes) -> Image.Image:
    return Image.frombytes("L", SIZE, values)


TAKEN = [  # what, fields, data, what is shown, source
    ("gray of one value", page(8, 1, 1), b"\x5a" * PIXELS, gray(b"\x5a" * PIXELS), "the mark of rows not decoded"),
    ("16 bits, gray", page(16, 1, 1), NOISE[: 2 * PIXELS], None, "Pillow #1888"),
    ("16 bits, RGB", page(16, 3, 2), NOISE[: 6 * PIXELS], None, "Pillow #1888"),
    (
        "4 bits",
        page(4, 1, 1),
        NOISE[: PIXELS // 2],
        gray(bytes(17 * (b >> s & 15) for b in NOISE[: PIXELS // 2] for s in (4, 0))),
        "Pillow #932",
    ),
    (
        "2 bits",
        page(2, 1, 1),
        NOISE[: PIXELS // 4],
        gray(bytes(85 * (b >> s & 3) for b in NOISE[: PIXELS // 4] for s in (6, 4, 2, 0))),
        "Pillow #932",
    ),
    (
        "8 bits, 0 is white",
        page(8, 1, 0),
        NOISE[:PIXELS],
        gray(bytes(255 - b for b in NOISE[:PIXELS])),
        "TIFF 6.0, section 4",
    ),
    (
        "palette of 4 bits",
        page(4, 1, 3, tag320=(SHORT, *range(0, 48 * 257, 257))),
        NOISE[: PIXELS // 2],
        None,
        "TIFF 6.0, section 5",
    ),
    ("CIE L*a*b*", page(8, 3, 8), NOISE[: 3 * PIXELS], None, "TIFF 6.0, section 23"),
    (
        "a fourth sample without a meaning",
        page(8, 4, 2),
        NOISE[: 4 * PIXELS],
        Image.frombytes("RGB", SIZE, NOISE[: 4 * PIXELS], "raw", "RGBX"),
        "Pillow #393",
    ),
    (
        "alpha",
        page(8, 4, 2, tag338=(SHORT, 2)),
        bytes([9, 9, 9, 0]) * PIXELS,
        Image.new("RGB", SIZE, "white"),
        "TIFF 6.0, section 18",
    ),
    (
        "Group 4 without photometric interpretation",
        page(1, 1, None, 4),
        group4(),
        GROUP4_PAGE,
        "libtiff: a fax is black on white",
    ),
    (
        "Group 4, 0 is black",
        page(1, 1, 1, 4),
        group4(),
        ImageChops.invert(GROUP4_PAGE.convert("L")),
        "TIFF 6.0, section 4",
    ),
    (
        "Group 4, low bits first",
        page(1, 1, 0, 4, tag266=(SHORT, 2)),
        bytes(int(f"{b:08b}"[::-1], 2) for b in group4()),
        GROUP4_PAGE,
        "Pillow #279",
    ),
    ("Group 4 without its end", page(1, 1, 0, 4), group4()[:-3], GROUP4_PAGE, "libtiff: badly terminated strips"),
    ("Group 4 with zeros behind", page(1, 1, 0, 4), group4() + bytes(40), GROUP4_PAGE, "strips padded to a block"),
    ("Orientation 0", page(1, 1, 0, 4, tag274=(SHORT, 0)), group4(), GROUP4_PAGE, "OCRmyPDF #744"),
    ("a private field", page(1, 1, 0, 4, tag50001=(SHORT, 7)), group4(), GROUP4_PAGE, "TwelveMonkeys #535"),
    (
        "ThunderScan",
        page(4, 1, 1, 32809),
        bytes(0xC0 | b >> 4 for b in NOISE[:PIXELS]),
        gray(bytes(17 * (b >> 4) for b in NOISE[:PIXELS])),
        "libtiff",
    ),
    ("SGI LogLuv", page(16, 3, 32845, 34677), NOISE[: 3 * PIXELS], None, "libtiff"),
]


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True), (">", True)])  # Pillow #4513
@pytest.mark.parametrize(("what", "fields", "data", "right", "source"), TAKEN, ids=[row[0] for row in TAKEN])
def test_it_is_taken(tmp_path, what, fields, data, right, source, order, big):
    content = tiff((fields, data), order=order, big=big)
    assert documents.pages(part(tmp_path, content)) == 1
    (page,) = shown(tmp_path, content)
    assert right is None or same(page, right)


REFUSED = [  # what, fields, data, what is said, source
    ("StripByteCounts 0", page(1, 1, 0, 4, tag279=(LONG, 0)), group4(), DAMAGED, "TwelveMonkeys #449"),
    (
        "StripByteCounts beyond the end",
        page(1, 1, 0, 4, tag279=(LONG, 99_999)),
        group4(),
        "it is cut off.",
        "TwelveMonkeys #449",
    ),
    (
        "StripByteCounts too small",
        page(1, 1, 0, 4, tag279=(LONG, 99)),
        group4(),
        "a page is damaged.",
        "TwelveMonkeys #449",
    ),
    (
        "Group 4 that ends early",
        page(1, 1, 0, 4),
        group4(GROUP4_PAGE.crop((0, 0, WIDTH, 30))),
        "a page is damaged.",
        "OpenPDF #70",
    ),
    ("Group 4 that is Group 3", page(1, 1, 0, 3), group4(), "a page is damaged.", "TwelveMonkeys #579"),
    ("a field of pixels of a wrong type", page(8, 1, 1, tag262=(RATIONAL, 1, 1)), NOISE[:PIXELS], DAMAGED, "libtiff"),
    ("6 bits", page(6, 1, 1), NOISE[:PIXELS], NO_KIND, "libtiff"),
    ("floating point", page(32, 1, 1, tag339=(SHORT, 3)), NOISE[: 4 * PIXELS], NO_KIND, "TIFF 6.0, section 19"),
    ("JBIG", page(1, 1, 0, 34661), NOISE, f"its compression is JBIG, {UNREAD}", "libtiff"),
    (
        "no such compression",
        page(1, 1, 0, 65000),
        NOISE,
        f"its compression is of a kind that is not known, {UNREAD}",
        "libtiff",
    ),
]


@pytest.mark.parametrize(("what", "fields", "data", "right", "source"), REFUSED, ids=[row[0] for row in REFUSED])
def test_it_is_refused(tmp_path, what, fields, data, right, source):
    with pytest.raises(Problem) as caught:
        shown(tmp_path, tiff((fields, data)))
    (violation,) = caught.value.violations
    assert violation.message == f"The document cannot be converted to PDF: {right}"


@pytest.mark.parametrize("bits", [8, 16])
def test_the_inks_of_a_print_stay_as_they_are(tmp_path, bits):
    inks = NOISE[: 4 * PIXELS]
    samples = inks if bits == 8 else bytes(byte for ink in inks for byte in (0, ink))  # the high one comes second
    with Stage(tmp_path / "stage").open() as staged:
        pdf = documents.as_pdf(part(tmp_path, tiff((page(bits, 4, 5), samples))), staged)
        with pikepdf.open(pdf.path) as found:
            ((_, image),) = found.pages[0].get_images().items()
            assert (image.ColorSpace, image.read_bytes()) == ("/DeviceCMYK", inks)


def test_a_large_page_with_nothing_on_it_is_small(tmp_path):
    side = 19_000
    bits = "1" * side + "000000000001" * 2  # each row is as the one above it, and white is above the first
    blank = int(bits.ljust(len(bits) + 7 & ~7, "0"), 2).to_bytes((len(bits) + 7) // 8)
    content = tiff((page(1, 1, 0, 4) | {256: (LONG, side), 257: (LONG, side), 278: (LONG, side)}, blank))
    assert documents.pages(part(tmp_path, content)) == 1
    with Stage(tmp_path / "stage").open() as staged:
        assert documents.as_pdf(part(tmp_path, content), staged).size < 5_000


FAX = page(1, 1, 0, 4)
COUNTED = [  # kinds of the directories (NewSubfileType), pages, source
    ([2, 2, 2], 3, "TIFF-F: pages of one document"),
    ([0, 1], 1, "IronSoftware.System.Drawing #98: a thumbnail behind its page"),
    ([1, 0], 1, "a thumbnail before its page"),
    ([2, 3, 2, 3], 2, "raw2ometiff #145: a smaller copy of each page"),
    ([0, 4], 1, "TIFF 6.0, NewSubfileType: a transparency mask"),
    ([1], 1, "nothing else is there to be shown"),
]


@pytest.mark.parametrize(("kinds", "right", "source"), COUNTED, ids=str)
def test_pages_are_counted_as_they_are_shown(tmp_path, kinds, right, source):
    content = tiff(*((FAX | {254: (LONG, kind)}, group4()) for kind in kinds))
    assert documents.pages(part(tmp_path, content)) == right == len(shown(tmp_path, content))


SHAPES = [  # across, down, unit; the shape of 64 by 48 pixels; source
    (204, 98, 2, 64 / 204 / (48 / 98), "Pillow #5581: a fax of standard resolution"),
    (204, 196, 2, 64 / 204 / (48 / 196), "a fax of fine resolution"),
    (8000, 3850, 3, 64 / 8000 / (48 / 3850), "T.4 in dots per centimeter, times 100"),
    (2, 1, 1, 64 / 2 / (48 / 1), "OpenImageIO #1909: a shape without a unit"),
    (0, 0, 2, 64 / 48, "a scanner that does not tell"),
]


@pytest.mark.parametrize(("across", "down", "unit", "right", "source"), SHAPES, ids=str)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_page_has_its_true_shape(tmp_path, across, down, unit, right, source, orientation):
    resolution = {282: (RATIONAL, across, 1), 283: (RATIONAL, down, 1), 296: (SHORT, unit), 274: (SHORT, orientation)}
    with Stage(tmp_path / "stage").open() as staged:
        pdf = documents.as_pdf(part(tmp_path, tiff((FAX | resolution, group4()))), staged)
        with pypdfium2.PdfDocument(pdf.path) as found:
            width, height = found[0].get_size()
    assert width / height == pytest.approx(right if orientation == 1 else 1 / right, rel=0.01)


def animated(**options) -> bytes:
    buffer = BytesIO()
    first, second = (gray(NOISE[n : n + PIXELS]).convert("RGBA") for n in (0, PIXELS))
    first.save(buffer, "PNG", save_all=True, append_images=[second, first], **options)
    return buffer.getvalue()


@pytest.mark.parametrize("options", [{}, {"default_image": True}], ids=str)  # pypng #112, OpenCV #27074
def test_an_animation_is_one_page(tmp_path, options):
    content = animated(**options)
    assert documents.pages(part(tmp_path, content, "image/png")) == 1
    (page,) = shown(tmp_path, content, "image/png")
    assert same(page, gray(NOISE[:PIXELS]))
