"""Dates as they come from the field: each row is an input, what is right for it, and who met it first."""

import os
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.formats import budget
from receiver.formats.errors import RefusedError
from receiver.templates.filters import dates
from receiver.templates.filters.dates import check, date, fhir_time, hl7_ts

REFUSED = None
WRITTEN = [  # input, format, ISO 8601 or REFUSED, source
    ("1964111", "%Y%m%d", REFUSED, "CPython #108619"),
    ("196411", "%Y%m%d", REFUSED, "CPython #108619"),
    ("1122018", "%m%d%Y", REFUSED, "lubridate #669"),
    ("11164", "%m%d%y", REFUSED, "lubridate #669"),
    ("20181007104", "%Y%m%d%H%M", REFUSED, "CPython #108619"),
    ("2018100710452", "%Y%m%d%H%M%S", REFUSED, "CPython #108619"),
    ("104", "%H%M", REFUSED, "CPython #108619"),
    ("19641", "%Y%j", REFUSED, "CPython #108619"),
    ("1964051", "%Y%j", "1964-02-20", "ISO 8601 ordinal dates"),
    ("19640220", "%Y%m%d", "1964-02-20", "HL7 v2"),
    ("20181007104521123", "%Y%m%d%H%M%S%f", "2018-10-07T10:45:21.123", "HL7 v2"),
    ("022064", "%m%d%y", "2064-02-20", "POSIX strptime: 00-68 is this century"),
    ("20Feb1964", "%d%b%Y", "1964-02-20", "SAS DATE9."),
    ("2FEB1964", "%d%b%Y", "1964-02-02", "SAS DATE9."),
    ("1.2.1964", "%d.%m.%Y", "1964-02-01", "German forms"),
    ("01.02.1964", "%d.%m.%Y", "1964-02-01", "German forms"),
    (" 2/20/1964 ", "%m/%d/%Y", "1964-02-20", "OCR of a column"),
    ("2/ 1/1964", "%m/%d/%Y", REFUSED, "OCR that lost a digit"),
    ("2 /20/1964", "%m/%d/%Y", REFUSED, "OCR that lost a digit"),
    ("2//1964", "%m/%d/%Y", REFUSED, "OCR that lost a digit"),
    ("002/20/1964", "%m/%d/%Y", REFUSED, "OCR that read one twice"),
    ("2/20/64", "%m/%d/%Y", REFUSED, "a year of two digits is not one of four"),
    ("2/20/1964", "%m/%d/%y", REFUSED, "a year of four digits is not one of two"),
    ("٠٢/٢٠/١٩٦٤", "%m/%d/%Y", REFUSED, "CPython #76236: digits of other scripts"),
    ("０２/２０/１９６４", "%m/%d/%Y", REFUSED, "full-width digits of a Japanese IME"),
    ("02/30/1964", "%m/%d/%Y", REFUSED, "Hyland's manual"),
    ("2018-366", "%Y-%j", REFUSED, "CPython #83537: would be the next year"),
    ("29/02/2023", "%d/%m/%Y", REFUSED, "no leap year"),
    ("10/7/2018 1:05:09\u202fPM", "%m/%d/%Y %I:%M:%S %p", "2018-10-07T13:05:09", "dotnet/runtime #95620: ICU 72"),
    ("10/7/2018 13:05 PM", "%m/%d/%Y %H:%M %p", "2018-10-07T13:05", "twice the same"),
    ("10/7/2018 03:45 PM", "%m/%d/%Y %H:%M %p", REFUSED, "CPython: %p has no effect with %H"),
    ("10/7/2018 13:05 PM", "%m/%d/%Y %I:%M %p", REFUSED, "no such hour"),
    ("10/7/2018 00:05 AM", "%m/%d/%Y %I:%M %p", REFUSED, "no such hour"),
    ("10/7/2018 12:05 AM", "%m/%d/%Y %I:%M %p", "2018-10-07T00:05", "midnight"),
    ("10/7/2018 10:45 -05", "%m/%d/%Y %H:%M %z", "2018-10-07T10:45-05:00", "PostgreSQL"),
    ("01/01/0001", "%m/%d/%Y", REFUSED, ".NET: default(DateTime)"),
    ("01/01/1753", "%m/%d/%Y", REFUSED, "SQL Server: the least datetime"),
    ("12/31/1849", "%m/%d/%Y", REFUSED, "nobody lives that long"),
    ("01/01/1850", "%m/%d/%Y", "1850-01-01", "the first one taken"),
]
ISO = [  # input, as it is written again, or REFUSED, source
    ("20181007T104521Z", "2018-10-07T10:45:21+00:00", "FHIR-Converter #481"),
    ("20181007T1045", "2018-10-07T10:45", "ISO 8601 §5.4.2"),
    ("20181007T10-05", "2018-10-07T10-05:00", "ISO 8601 §5.4.2"),
    ("20181007", "2018-10-07", "ISO 8601 §5.2.1"),
    ("201810", REFUSED, "ISO 8601 §5.2.1: could be a day of two digits' year"),
    ("20181007104521", REFUSED, "HL7 v2, not ISO 8601"),
    ("2018-10-07T104521", REFUSED, "ISO 8601 §5.4.2: not mixed"),
    ("20181007T10:45:21", REFUSED, "ISO 8601 §5.4.2: not mixed"),
    ("2018-10-07T10:45:21-05", "2018-10-07T10:45:21-05:00", "firely-net-sdk #474"),
    ("2018-10-07t10:45:21z", "2018-10-07T10:45:21+00:00", "RFC 3339 §5.6"),
    ("2018-10-07 10:45:21.1234567 -05:00", "2018-10-07T10:45:21.123456-05:00", "SQL Server datetimeoffset"),
    ("2018-10-07T10:45:21.1234567Z", "2018-10-07T10:45:21.123456+00:00", ".NET: the format O"),
    ("2018-10-07T10:45:21.123456789012Z", "2018-10-07T10:45:21.123456+00:00", "Go and Java: nanoseconds and finer"),
    ("2018-10-07T10:45:21,5Z", "2018-10-07T10:45:21.5+00:00", "ISO 8601 §4.2.2.4"),
    ("2018-10-07T10:45:21.Z", REFUSED, "no fraction"),
    ("2018-10-07T10:45.5", REFUSED, "not documented"),
    ("2018-10-07T24:00:00", REFUSED, "FHIR R4 dateTime: 24:00 is not used; which day it is of, readers differ"),
    ("2018-12-31T23:59:60Z", REFUSED, "a leap second: no clock here can tell it"),
    ("2018-10-07T10:45:21+14:00", "2018-10-07T10:45:21+14:00", "Kiritimati"),
    ("2018-10-07T10:45:21+15:00", REFUSED, "no clock shows it"),
    ("2018-10-07T10:45:21-05:75", REFUSED, "no such minute"),
    ("2018-10-07T10:45:21 CST", REFUSED, "an abbreviation"),
    ("2018-W40-7", REFUSED, "a week date"),
    ("2018-280", REFUSED, "an ordinal date"),
    ("+02018-10-07", REFUSED, "an expanded year"),
    ("--10-07", REFUSED, "FHIR v2 converters"),
    ("2018-02-29", REFUSED, "no leap year"),
    ("２０１８-10-07", REFUSED, "full-width digits"),
    ("0001-01-01T00:00:00", REFUSED, ".NET: default(DateTime)"),
    ("0001-01-01T00:00:00+00:00", REFUSED, ".NET: default(DateTimeOffset)"),
    ("1753-01-01T00:00:00", REFUSED, "SQL Server: SqlDateTime.MinValue"),
    ("1601-01-01T00:00:00Z", REFUSED, "Windows: FILETIME 0"),
    ("1900-01-01", "1900-01-01", "may be meant: `earliest` refuses it"),
]
ZONES = [  # name, the zone, source
    ("Central Daylight Time", "America/Chicago", ".NET: TimeZoneInfo.DaylightName"),
    ("W. Europe Daylight Time", "Europe/Berlin", ".NET: TimeZoneInfo.DaylightName"),
    ("Coordinated Universal Time", "Etc/UTC", ".NET: TimeZoneInfo.Utc.StandardName"),
    ("UTC", "Etc/UTC", "Windows"),
    ("CST6CDT", "CST6CDT", "IANA"),
]


def made(function, *arguments, **named):
    """Return what a filter makes, or REFUSED."""
    budget.start()
    try:
        return function(*arguments, **named)
    except RefusedError:
        return REFUSED


@pytest.mark.parametrize(("text", "written", "right", "source"), WRITTEN)
def test_a_date_is_what_its_format_says_or_none(text, written, right, source):
    assert made(date, text, written) == right, source


@pytest.mark.parametrize(("text", "right", "source"), ISO)
def test_iso_8601_is_read_as_it_is_documented(text, right, source):
    assert made(date, text, "iso") == right, source


@pytest.mark.parametrize("text", [text for text, right, _ in ISO if right is REFUSED])
@pytest.mark.parametrize("function", [hl7_ts, fhir_time])
def test_what_is_no_date_for_one_filter_is_none_for_the_others(text, function):
    assert made(function, text) is REFUSED


def test_an_empty_date_of_ones_own_is_named():
    assert made(date, "1900-01-01", "iso", earliest="1900-01-02") is REFUSED
    assert made(date, "1900-01-02", "iso", earliest="1900-01-02") == "1900-01-02"
    assert made(date, "1752-09-14", "iso", earliest="1000-01-01") == "1752-09-14"


@pytest.mark.parametrize(("name", "zone", "source"), ZONES)
def test_zones_have_the_names_that_windows_gives_them(name, zone, source):
    assert dates.find_zone(name).key == zone, source


@pytest.mark.parametrize("name", ["CST", "cst", "EST", "MST", "PDT", "AKDT", "ET", "IST", "BST", "UCTT", "CET2", "Z"])
def test_an_abbreviation_is_never_taken_for_a_zone_nor_for_another_abbreviation(name):
    assert dates.find_zone(name) is None
    assert "did you mean" not in check({"read": "iso", "zone": name})


def test_what_is_ambiguous_is_told_with_what_to_write():
    assert check({"read": "iso", "zone": "CST"}) == (
        'there is no time zone "CST"',
        'it is ambiguous: write "America/Chicago", or the zone that you mean by its IANA or Windows name',
    )


def test_a_half_of_the_day_alone_tells_no_hour():
    assert check({"read": "%m/%d/%Y %I:%M", "write": "%Y%m%d%H%M"}).message == "the hour is written, and never read"


@pytest.mark.parametrize("to", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns"])
def test_an_hour_alone_is_not_moved_by_half_an_hour(to):
    """Thirty minutes would be lost, or minutes told that nobody knows."""
    assert dates.date("2026-01-02T10:00Z", "iso", "%H:%M", to=to)
    with pytest.raises(RefusedError, match="without minutes"):
        dates.date("2026-01-02T10Z", "iso", to=to)
    assert dates.date("2026-01-02T10Z", "iso", to="Asia/Tokyo") == "2026-01-02T19+09:00"


# A reader of another kind, which walks over format and text at once, and knows nothing of regular expressions.
WIDTHS = {"Y": (4, 4), "y": (2, 2), "m": (1, 2), "d": (1, 2), "H": (1, 2), "I": (1, 2), "M": (1, 2), "S": (1, 2)}
CODES = sorted(WIDTHS)
LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def walked(text: str, written: str) -> dict[str, int] | None:
    """Return the number that stands for each code; None where the text is not written so."""
    numbers: dict[str, int] = {}
    pieces = re.split("(%.)", written)
    place = 0
    for index, piece in enumerate(pieces):
        if not piece.startswith("%"):
            if text[place : place + len(piece)] != piece:
                return None
            place += len(piece)
            continue
        least, most = WIDTHS[piece[1]]
        touches = (index > 1 and not pieces[index - 1]) or (not pieces[index + 1] and index + 2 < len(pieces))
        end = place
        while end < len(text) and end < place + most and text[end] in string.digits:
            end += 1
        if end - place < (most if touches else least):
            return None
        number = int(text[place:end])
        if numbers.setdefault(piece[1], number) != number:
            return None
        place = end
    return numbers if place == len(text) and exists(numbers) else None


def exists(numbers: dict[str, int]) -> bool:
    year = numbers.get("Y", 2000)
    if "y" in numbers:
        short = numbers["y"] + (1900 if numbers["y"] >= 69 else 2000)
        if "Y" in numbers and short != year:
            return False
        year = short
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    month = numbers.get("m", 1)
    if not (year >= 1850 and 1 <= month <= 12 and 1 <= numbers.get("I", 1) <= 12):
        return False
    days = LENGTHS[month] + (leap and month == 2)
    return 1 <= numbers.get("d", 1) <= days and all(
        numbers.get(code, 0) < limit for code, limit in (("H", 24), ("M", 60), ("S", 60))
    )


FORMATS = st.lists(
    st.tuples(st.sampled_from(CODES), st.sampled_from(["", "", "", "/", "-", ".", ":", "T"])), min_size=1, max_size=5
).map(lambda pairs: "".join(f"%{code}{mark}" for code, mark in pairs).rstrip("/-.:T"))
KNOWN = st.sampled_from(
    ["%Y%m%d", "%m%d%Y", "%m%d%y", "%Y%m%d%H%M%S", "%d.%m.%Y", "%m/%d/%Y %H:%M", "%H%M", "%Y-%m-%d"]
)


@st.composite
def texts(draw, written: str) -> str:
    """Return a text that is nearly, and often quite, written as the format says."""
    text = ""
    for piece in re.split("(%.)", written):
        if piece.startswith("%"):
            near = {"Y": st.integers(1840, 2030), "y": st.integers(0, 99), "m": st.integers(0, 13)}
            number = draw(near.get(piece[1], st.integers(0, 62)))
            text += str(number) if draw(st.integers(0, 3)) == 0 else f"{number:02}"
        else:
            text += piece
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(text)))
        text = (
            text[:at] + draw(st.sampled_from(["", "0", "1", "9", "/", "x", "٣"])) + text[at + draw(st.integers(0, 1)) :]
        )
    return text


@given(st.one_of(KNOWN, FORMATS).flatmap(lambda written: st.tuples(st.just(written), texts(written))))
@settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")) * 10, deadline=None)
def test_dates_are_read_as_a_plain_walk_over_the_text_reads_them(case):
    written, text = case
    told = walked(text, written)
    names = [code for code in CODES if f"%{code}" in written and (code != "I" or "%p" in written)]
    read = made(date, text, written, "".join(f"%{code} " for code in names) or "%%")
    if told is None:
        assert read is REFUSED
    else:
        assert read == ("".join(f"{told[code]:02} " for code in names) or "%")
