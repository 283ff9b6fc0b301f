"""Where a value stands in the text of a PDF: on which page, in which box, and which of several places counts."""

from textwrap import wrap

import pypdfium2
import pytest
from hypothesis import given
from hypothesis.strategies import text

from receiver import documents
from receiver.documents import texts
from tests.support.drawing import drawn, pdf_of, reason
from tests.support.text_pdfs import HEIGHT, WIDTH, form_pdf, text_pdf


@pytest.fixture
def found(part):
    def find(content, value, name="field"):
        return documents.find(part(content, ".pdf"), value, name)

    return find


LINE = (100, 600, "MRN: 142637A")  # the value begins some 34 points right of the line


def test_a_value_is_found_where_it_is_printed(found):
    region = found(text_pdf([(100, 700, "Nothing")], [LINE]), "142637A", "mrn")
    ((left, top, right, bottom),) = region.boxes
    assert region.page == 2
    assert 100 / WIDTH < left < 145 / WIDTH < right < 195 / WIDTH
    assert top < (HEIGHT - 600 - 4) / HEIGHT < bottom
    assert (top, bottom) == pytest.approx((1 - 610 / HEIGHT, 1 - 600 / HEIGHT), abs=0.01)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, [50, 100, 550, 750]])  # PyMuPDF #2710, #4394
def test_the_box_lies_on_the_page_as_it_is_shown(found, rotate, crop):
    region = found(text_pdf([LINE], rotate=rotate, crop=crop), "142637A")
    left, bottom, right, top = crop or [0, 0, WIDTH, HEIGHT]
    across, down = (150 - left) / (right - left), (top - 604) / (top - bottom)  # of a point within the value
    seen = {0: (across, down), 90: (1 - down, across), 180: (1 - across, 1 - down), 270: (down, 1 - across)}[rotate]
    ((least, highest, most, lowest),) = region.boxes
    assert least < seen[0] < most
    assert highest < seen[1] < lowest
    assert (most - least > lowest - highest) == (rotate % 180 == 0)


PRINTED = [
    ("Ada Example", "ADA EXAMPLE"),
    ("José Núñez", "Jose Nuñez"),
    ("Weiß", "WEISS"),
    ("Example, Ada", "Ada Example"),
    ("Ada B Example", "EXAMPLE, Ada B."),
    ("Example, Ada B", "Ada B. Example"),
    ("Ada B. O'Example-Sample", "O'Example-Sample, Ada B."),
    ("office@example.org", "office@example.org"),
    ("(555) 123-4567", "555.123.4567"),
    ("5551234567", "555 123 4567"),
    ("142637A", "142 637-A"),
    ("1250.5", "1,250.50"),
    ("1250", "1.250,00"),
    ("1250.00", "1250"),
    ("$1,250.00", "1250"),
    ("1.250,5", "1.250,5"),
    ("-12.50", "(12.50)"),
    ("12.50 €", "12,50"),
    ("2026-01-30", "01/30/2026"),
    ("2026-01-30", "30.1.2026"),
    ("2026-01-30T00:00:00Z", "01/30/2026"),
    ("2026-01-30 08:15:00.000+01:00", "Jan. 30, 2026"),
    ("20260130", "January 30, 2026"),
    ("01/30/2026", "30 Jan 2026"),
    ("01/30/2026", "1/30/26"),
    ("02/03/2026", "2/3/2026"),
    ("30.01.2026", "30. 1. 2026"),
]


@pytest.mark.parametrize(("value", "printed"), PRINTED)
def test_a_value_is_found_as_people_print_it(found, value, printed):
    assert found(text_pdf([(100, 600, f"It is {printed}.")]), value).page == 1


@given(text(max_size=60))
def test_what_is_printed_as_it_came_is_found(value):
    wanted = texts.pattern(value)
    assert wanted is None or wanted.search(texts.folded(f"It is {value} there."))


APART = [
    ("142637", "9142637"),
    ("142637", "1426370"),
    ("12.50", "1250"),
    ("$12.50", "1250"),
    ("$1,250.00", "125000"),
    ("1250", "12.50"),
    ("1250", "1250.75"),
    ("71", "7 1"),
    ("Ada", "Adam"),
    ("Ada Example", "Example Ada"),
    ("2026-02-03", "03/02/2026"),  # to an American that is the second of March
    ("---", "--- ---"),
    ("", "empty"),
]


@pytest.mark.parametrize(("value", "printed"), APART)
def test_what_only_looks_alike_is_not_taken_for_the_value(found, value, printed):
    assert found(text_pdf([(100, 600, f"It is {printed}.")]), value) is True


LIMITS = [
    ("12345", "12 345", True),  # five may be printed in groups
    ("1234", "12 34", False),
    ("A B C Example", "Example, A B C", True),  # four words may be a name
    ("A B C D Example", "Example, A B C D", False),
    ("Example 2, Ada", "Ada Example 2", True),
    ("Example, Ada, MD", "Ada Example MD", False),
    ("Ward 7", "7, Ward", False),
    ("2026-01-13", "13/01/2026", True),  # no month has this number
    ("2026-01-12", "12/01/2026", False),
    ("12/01/2026", "2026/12/01", True),
    ("13/01/2026", "13/1/26", True),
    ("2026-01-30", "January 30 2026", True),
    ("2026-01-30", "1/30/25", False),
    ("1250", "1250.000000", True),
    ("1250", "1250.0000000", False),
    ("1250.5", "1250.50000", True),
    ("1250.5", "1250.05", False),
    ("1234567", "1,234,567", True),
    ("1234567", "12,34,567", False),
    ("$1,250.00", "1250.00", True),
    ("a" * 200 + "bc", "a" * 200 + "xy", False),
    ("word " * 50 + "more", "word " * 50 + "x", True),  # what is behind two hundred letters is not asked for
    ("word " * 50, "word " * 49 + "x", False),
]


@pytest.mark.parametrize(("value", "printed", "is_found"), LIMITS)
def test_how_far_a_value_may_be_printed_otherwise(value, printed, is_found):
    assert bool(texts.pattern(value).search(texts.folded(f"It is {printed} there."))) is is_found


@pytest.mark.parametrize(
    ("letters", "text"), [("Ａｂ", "ab"), ("ß", "ss"), ("ﬁ", "fi"), ("É", "e"), ("İ", "i"), ("A", "a"), ("1", "1")]
)
def test_letters_are_folded(letters, text):
    assert texts.folded(letters) == text


@pytest.mark.parametrize(
    ("value", "is_found"), [("AB", False), ("王", False), ("A-", False), ("ABC", True), ("王明", True)]
)
def test_of_few_letters_a_place_beside_its_name_is_needed(tmp_path, value, is_found, monkeypatch):
    path = tmp_path / "form.pdf"
    path.write_bytes(text_pdf([LINE]))
    hits = [texts.Hit(1, 1, 0.5, 0.5, [(0, 0, 1, 1)])]
    monkeypatch.setattr(texts._Page, "hits", lambda *_: hits)
    found = texts.find(path, value, "sex")
    assert ("page" in found) is is_found


OF_READERS = [  # what readers of PDF did not find, or marked beside its place
    ("scientific", "a scientiﬁc one", "PyMuPDF #3660: a ligature"),
    ("captions", "image cap-\r\ntions are", "pdf.js #11752: a word over two lines"),
    ("optimized", "generate opti\x02mized code", "pdf.js #20689, as pdfium has such a hyphen"),
    ("Mustermann", "Herr Muster\xadmann", "SumatraPDF #1189: a soft hyphen"),
    ("SHA-1", "by SHA\u20101 only", "pdf.js #13492: another hyphen"),
]


@pytest.mark.parametrize(("value", "printed", "_source"), OF_READERS)
def test_what_readers_did_not_find_is_found(value, printed, _source):
    assert texts.pattern(value).search(texts.folded(printed))


def test_a_word_over_two_lines_is_marked_in_both(found):
    assert len(found(text_pdf([(300, 600, "Herr Muster-"), (100, 584, "mann kommt")]), "Mustermann").boxes) == 2


def test_words_that_no_space_parts_are_found():
    assert texts.pattern("王明").search(texts.folded("患者姓名王明先生"))
    assert texts.pattern("홍길동").search(texts.folded("환자 홍길동은"))
    assert not texts.pattern("Ada").search(texts.folded("王Adam"))


def test_of_several_places_the_one_beside_the_name_counts(found):
    cover = [(100, 700, "To Dr. Ada Example, with regards")]
    form = [(80, 650, "Physician"), (200, 650, "Ada Example"), (80, 600, "Patient name"), (200, 600, "Ada Example")]
    region = found(text_pdf(cover, form), "Ada Example", "patient_name")
    assert (region.page, region.places) == (2, 3)
    assert region.boxes[0][1] == pytest.approx(1 - 610 / HEIGHT, abs=0.01)


def test_a_name_above_its_value_is_beside_it(found):
    form = [(80, 650, "Admitted"), (300, 650, "Date of birth"), (80, 634, "02/20/1964"), (300, 634, "02/20/1964")]
    assert found(text_pdf(form), "1964-02-20", "patientDob").boxes[0][0] == pytest.approx(300 / WIDTH, abs=0.01)


@pytest.mark.parametrize("more", [{}, {"appearance": False}, {"kind": "FreeText"}])
def test_what_is_filled_into_a_form_or_typed_onto_it_is_found(found, more):
    region = found(form_pdf("MRN", "142637A", **more), "142637A", "mrn")
    assert region.boxes[0][:2] == pytest.approx((202 / WIDTH, 1 - 610 / HEIGHT), abs=0.01)


def test_what_is_hidden_in_a_form_is_not_found(found):
    assert found(form_pdf("MRN", "142637A", flags=2), "142637A", "mrn") is True


def test_bold_that_is_printed_twice_is_one_place(found):
    assert found(text_pdf([(100, 600, "142637A"), (100.4, 600, "142637A")]), "142637A").places == 1


def test_of_equal_places_the_first_counts(found):
    lines = [(100, 500, "142637A"), (100, 600, "142637A"), (300, 600, "142637A")]
    region = found(text_pdf(lines, lines), "142637A")
    assert (region.page, region.places) == (1, 6)
    assert region.boxes[0][:2] == pytest.approx((100 / WIDTH, 1 - 610 / HEIGHT), abs=0.01)


def test_a_value_that_is_a_letter_counts_only_beside_its_name(found):
    page = [(100, 700, "M"), (100, 600, "Sex: M")]
    assert found(text_pdf(page), "M", "patient_sex").boxes[0][1] == pytest.approx(1 - 610 / HEIGHT, abs=0.01)
    assert found(text_pdf(page), "M", "plan") is True


def test_a_value_over_two_lines_has_a_box_for_each(found):
    lines = [(100, 600, "Seen for pain of the"), (100, 584, "left knee since May"), (350, 600, "Other column")]
    region = found(text_pdf(lines[:2]), "pain of the left knee")
    assert len(region.boxes) == 2
    assert region.boxes[0][1] < region.boxes[1][1]


def test_columns_beside_each_other_are_told_apart(found):
    left = [(60, 700 - 20 * number, f"left {number}") for number in range(5)]
    right = [(340, 700 - 20 * number, f"right {number}") for number in range(5)]
    region = found(text_pdf([each for pair in zip(left, right, strict=True) for each in pair]), "right 3")
    assert region.boxes[0][0] == pytest.approx(340 / WIDTH, abs=0.01)


def test_a_scan_has_no_text_and_an_image_never(part, found):
    assert found(pdf_of(drawn("L")), "142637A") is False
    assert documents.find(part([drawn("L")], ".png"), "142637A", "mrn") is False


def test_a_value_that_is_not_there_is_not_found(found):
    assert found(text_pdf([LINE]), "998877") is True


def test_a_value_is_text_and_no_pattern(found):
    assert found(text_pdf([(100, 600, "It is a+b (c)?")]), ".*") is True
    assert found(text_pdf([(100, 600, "It is a+b (c)?")]), "a+b (c)?").page == 1


def test_a_long_value_is_found_by_its_beginning(found):
    words = " ".join(f"word{number}" for number in range(100))
    lines = [(20, 780 - 16 * number, line) for number, line in enumerate(wrap(words, 80))]
    assert found(text_pdf(lines), f"{words} and what the page does not say").page == 1


def test_a_page_that_is_damaged_hides_no_other(monkeypatch, tmp_path):
    path = tmp_path / "form.pdf"
    path.write_bytes(text_pdf([LINE], [LINE]))
    sound, failures = texts._Page, [pypdfium2.PdfiumError("damaged")]

    def page(opened):
        if failures:
            raise failures.pop()
        return sound(opened)

    monkeypatch.setattr(texts, "_Page", page)
    assert texts.find(path, "142637A", "mrn")["page"] == 2


def test_a_damaged_pdf_is_a_problem(part):
    said = reason(documents.find, part(b"%PDF-1.7 and no more", ".pdf"), "value", "name")
    assert said == "Its text cannot be read: it is damaged."


def test_looking_ends_in_time(monkeypatch, tmp_path):
    path = tmp_path / "long.pdf"
    path.write_bytes(text_pdf(*[[LINE]] * 3))
    monkeypatch.setattr(texts, "SECONDS", -1)
    assert texts.find(path, "142637A", "mrn")["places"] == 1
