"""Pages are counted, images become PDF without loss, and whatever is broken is a problem with a name."""

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from drawing import drawn
from PIL import Image, ImageChops

from receiver import documents
from receiver.documents.helper import Helper, Unreadable
from receiver.problems import Code, Problem
from receiver.store.stage import Stage


@pytest.fixture
def staged(tmp_path):
    with Stage(tmp_path / "stage").open() as staged:
        yield staged


def reason(function, *arguments) -> str:
    with pytest.raises(Problem) as caught:
        function(*arguments)
    problem = caught.value
    (violation,) = problem.violations
    assert (problem.code, violation.where, violation.rule) == (Code.DOCUMENT_BROKEN, "file", "document")
    assert problem.__cause__ is None
    return violation.message


def pdf_of(*pages: Image.Image) -> bytes:
    buffer = BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:])
    return buffer.getvalue()


@pytest.mark.parametrize("compression", ["group4", "group3", "tiff_lzw", "raw", "packbits"])
def test_the_pages_of_a_fax_are_counted(part, compression):
    fax = part([drawn("1", seed) for seed in range(7)], compression=compression)
    assert documents.pages(fax) == 7


def test_the_pages_of_a_pdf_are_counted(part):
    assert documents.pages(part(pdf_of(drawn("L"), drawn("L"), drawn("L")), ".pdf")) == 3


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_an_image_is_one_page(part, suffix):
    assert documents.pages(part([drawn("RGB")], suffix)) == 1


def locked() -> bytes:
    buffer = BytesIO()
    with pikepdf.open(BytesIO(pdf_of(drawn("L")))) as pdf:
        pdf.save(buffer, encryption=pikepdf.Encryption(owner="owner", user="user"))
    return buffer.getvalue()


def tiff_of(*pages: Image.Image) -> bytes:
    buffer = BytesIO()
    pages[0].save(buffer, "TIFF", compression="group4", save_all=True, append_images=pages[1:])
    return buffer.getvalue()


def png_of(page: Image.Image) -> bytes:
    buffer = BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def damaged(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def endless() -> bytes:
    """Return a TIFF whose only page says that it is followed by itself."""
    content = bytearray(tiff_of(drawn("1")))
    (directory,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, directory)
    struct.pack_into("<I", content, directory + 2 + 12 * count, directory)
    return bytes(content)


def many_pages(count: int) -> bytes:
    """Return a TIFF of so many pages of one pixel, which share it."""
    entries = [(256, 1), (257, 1), (258, 1), (259, 1), (262, 0), (273, 8), (277, 1), (278, 1), (279, 1)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, v) for tag, v in entries)
    size = len(directory) + 4
    pages = [directory + struct.pack("<I", 16 + size * (page + 1)) for page in range(count - 1)]
    return b"II*\0" + struct.pack("<I", 16) + bytes(8) + b"".join(pages) + directory + bytes(4)


@pytest.mark.parametrize(
    ("content", "suffix", "message"),
    [
        (b"", ".tif", "it is no TIFF file"),
        (b"", ".pdf", "it is no PDF"),
        (b"no image at all", ".png", "it is no PNG file"),
        (png_of(drawn("L")), ".tif", "it is no TIFF file"),
        (tiff_of(drawn("1")), ".pdf", "it is no PDF"),
        (tiff_of(drawn("1"))[:-2000], ".tif", "it is no TIFF file"),
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
    assert reason(documents.pages, part(content)) == "The document cannot be read: it is cut off."


def test_a_tiff_that_runs_in_a_circle_comes_to_an_end(part):
    assert documents.pages(part(endless())) == 1


def test_a_page_beyond_all_sense_is_a_problem(part):
    content = many_pages(1)
    for tag in (256, 257):
        entry = content.index(struct.pack("<HHII", tag, 4, 1, 1))
        content = content[: entry + 8] + struct.pack("<I", 60_000) + content[entry + 12 :]
    message = "The document cannot be read: a page has more than 400,000,000 pixels."
    assert reason(documents.pages, part(content)) == message


def test_pages_of_another_kind_cannot_be_counted(part):
    assert reason(documents.pages, part(b"a,b\n", ".csv")) == "Pages of text/csv cannot be counted."


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


@pytest.fixture
def helper():
    helper = Helper()
    yield helper
    helper.stop()


def question(part, task="pages"):
    return {"task": task, "path": str(part.path), "type": part.type}


def test_a_document_that_kills_its_reader_does_no_harm_to_the_next(helper, part):
    fax = part([drawn("1"), drawn("1")])
    assert helper.ask(question(fax), 20) == {"pages": 2}
    os.kill(helper._process.pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (helper._process.pid, signal.SIGKILL)).start()
    with pytest.raises(Unreadable, match="whoever reads it gives up"):
        helper.ask(question(fax), 20)
    assert helper.ask(question(fax), 20) == {"pages": 2}


def test_a_reader_that_died_while_idle_is_replaced(helper, part):
    fax = part([drawn("1")])
    assert helper.ask(question(fax), 20) == {"pages": 1}
    helper._process.kill()
    helper._process.wait()
    assert helper.ask(question(fax), 20) == {"pages": 1}


def test_a_document_that_takes_too_long_is_given_up(helper, part):
    fax = part([drawn("1")])
    helper.ask(question(fax), 20)
    process = helper._process
    os.kill(process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(Unreadable, match="it takes too long"):
        helper.ask(question(fax), 0.2)
    assert time.monotonic() - begun < 5
    assert process.returncode == -signal.SIGKILL
    assert helper.ask(question(fax), 20) == {"pages": 1}


def test_the_reader_has_no_more_memory_than_it_is_allowed(helper, part):
    helper.ask(question(part([drawn("1")])), 20)
    limits = Path(f"/proc/{helper._process.pid}/limits").read_text()
    assert "Max address space         2000000000           2000000000" in limits
    assert "Max core file size        0                    0" in limits


def test_a_failing_disk_of_ours_leaves_no_half_answer_for_the_next(helper, part):
    image = part([drawn("RGB", size=(1500, 1500))], compression="raw")

    def refuse(_chunk):
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        helper.ask(question(image, "pdf"), 60, refuse)
    assert helper.ask(question(image), 20) == {"pages": 1}


def test_threads_take_turns(helper, part):
    faxes = [part([drawn("1")] * 2)] * 8
    counted = []
    threads = [
        threading.Thread(target=lambda fax: counted.append(helper.ask(question(fax), 30)), args=[f]) for f in faxes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [{"pages": 2}] * 8


def test_the_reader_ends_with_its_owner():
    code = (
        "from receiver.documents.helper import Helper; import os, sys\n"
        "helper = Helper(); helper._start(); print(helper._process.pid, flush=True); os._exit(0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    deadline = time.monotonic() + 10
    while alive(int(ended.stdout)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_without_img2pdf_nothing_can_be_converted(monkeypatch):
    assert documents.can_convert()
    monkeypatch.setattr(documents, "find_spec", lambda _name: None)
    assert not documents.can_convert()
