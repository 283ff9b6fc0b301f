"""Dates and times: what is written was read, in the zone that was meant."""

import datetime as clock
import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.problems import Problem
from receiver.formats.errors import RefusedError
from receiver.templates.filters import dates, times
from receiver.templates.filters.dates import date, fhir_time, hl7_ts

AMERICAN = "%m/%d/%Y %I:%M:%S %p"
SECONDS = timezone(-timedelta(hours=5, minutes=50, seconds=36))  # as New York's before 1883
WEST = timezone(-timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2018", "2018"),
        ("2018-10", "2018-10"),
        ("2018-10-07", "2018-10-07"),
        ("2018-10-07T10", "2018-10-07T10"),
        ("2018-10-07T10:45", "2018-10-07T10:45"),
        ("2018-10-07 10:45Z", "2018-10-07T10:45+00:00"),
        ("2018-10-07T10:45:21-0500", "2018-10-07T10:45:21-05:00"),
        ("2018-10-07T10:45:21,25+05:30", "2018-10-07T10:45:21.25+05:30"),
        ("2018-10-07T10:45:21.123456789Z", "2018-10-07T10:45:21.123456+00:00"),
        ("2018-10-07T10:45:21.000Z", "2018-10-07T10:45:21+00:00"),
    ],
)
def test_iso_keeps_its_precision(written, read):
    assert date(written, "iso") == read


@pytest.mark.parametrize(
    "written",
    [
        *("", "18", "2018-2-3", "2018-13", "2018-02-30", "201810", "2018-W40-7", "2018-10-07T", "2018-10-07T24:00"),
        *("2018-10-07T10:45:60", "2018-10-07T10:45 CST", "2018-10-07T10:45+25:00", "٢٠١٨", "0018-01-01", "x" * 1000),
    ],
)
def test_what_is_no_iso_time_is_refused(mapped, written):
    assert mapped.violation('{{ fields.mrn | date("iso") }}', mrn=written).rule == "date"


@pytest.mark.parametrize(
    ("value", "hl7", "fhir"),
    [
        ("2018", "2018", "2018"),
        ("2018-10", "201810", "2018-10"),
        ("2018-10-07", "20181007", "2018-10-07"),
        ("2018-10-07T10Z", "2018100710+0000", "2018-10-07T10:00:00+00:00"),
        ("2018-10-07T10:45-05:00", "201810071045-0500", "2018-10-07T10:45:00-05:00"),
        ("2018-10-07T10:45-03:30", "201810071045-0330", "2018-10-07T10:45:00-03:30"),
        ("2018-10-07T10:45:21.123456Z", "20181007104521.1234+0000", "2018-10-07T10:45:21.123456+00:00"),
        (datetime(2018, 10, 7, 10, 45, 21, 999, UTC), "20181007104521+0000", "2018-10-07T10:45:21+00:00"),
        (datetime(987, 10, 7, 10, 45, 21, tzinfo=WEST), "09871007104521-0530", "0987-10-07T10:45:21-05:30"),
        (datetime(2018, 10, 7, 10, 45, 21, 999, UTC).date(), "20181007", "2018-10-07"),
        (datetime(1880, 1, 2, 3, 4, 5, tzinfo=SECONDS), "18800102030405-0550", "1880-01-02T03:04:05-05:50"),
    ],
)
def test_targets_are_written_as_precisely_as_they_are_known(value, hl7, fhir):
    assert (hl7_ts(value), fhir_time(value)) == (hl7, fhir)


@pytest.mark.parametrize("time", ["2018-10-07T10:45", "2018-10-07T10"])
def test_fhir_is_not_given_a_time_without_a_zone(mapped, time):
    violation = mapped.violation("{{ fields.mrn | fhir_time }}", mrn=time)
    assert violation.message.startswith("fields.mrn is a time without a time zone, which FHIR needs")


@pytest.mark.parametrize("zone", ["Central Standard Time", "central standard time", "America/Chicago"])
@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("10/07/2018 10:45:21 AM", "2018-10-07T10:45:21-05:00"),  # summer time, whatever the zone's name says
        ("12/07/2018 10:45:21 PM", "2018-12-07T22:45:21-06:00"),
        ("12/07/2018 12:00:00 AM", "2018-12-07T00:00:00-06:00"),
        ("11/04/2018 01:30:00 AM", "2018-11-04T01:30:00-05:00"),  # comes twice: the first
    ],
)
def test_a_time_is_in_its_zone(local, zone, instant):
    assert date(local, AMERICAN, zone=zone) == instant


def test_an_hour_that_the_clocks_skipped_is_refused(mapped):
    expression = '{{ fields.mrn | date("%m/%d/%Y %H:%M", zone="Central Standard Time") }}'
    assert mapped.violation(expression, mrn="03/11/2018 02:30").message == (
        "fields.mrn is a time that was skipped when the clocks went forward."
    )


def test_a_time_that_tells_its_zone_keeps_it():
    assert date("2018-10-07T10:45Z", "iso", zone="America/Chicago") == "2018-10-07T10:45+00:00"
    assert date("10/07/2018 10:45 -0700", "%m/%d/%Y %H:%M %z", zone="UTC") == "2018-10-07T10:45-07:00"


def test_a_day_has_no_zone():
    formats = [AMERICAN, "%m/%d/%Y"]
    assert date("10/07/2018", formats, zone="America/Chicago", to="UTC") == "2018-10-07"
    assert date("10/07/2018 11:00:00 PM", formats, zone="America/Chicago", to="UTC") == "2018-10-08T04:00:00+00:00"


def test_a_time_without_a_zone_cannot_be_moved_to_another(mapped):
    violation = mapped.violation('{{ fields.mrn | date("iso", to="UTC") }}', mrn="2018-10-07T10:45")
    assert violation.message == "fields.mrn is a time without a time zone (say `zone=`)."


@pytest.mark.parametrize(
    "zone", ["Nowhere Standard Time", "CST6", "../UTC", "/etc/localtime", "America", "", " ", "\0"]
)
def test_a_zone_out_of_a_field_must_be_known(mapped, zone):
    template = mapped.compile('{{ "2018-10-07T10:45" | date("iso", zone=fields.mrn or "x") }}', "text")
    with pytest.raises(Problem) as caught:
        template.render(mapped.names({"mrn": zone}))
    assert "time zone that is not known by this name" in caught.value.violations[0].message


def test_every_windows_zone_leads_to_a_zone():
    assert len(dates.WINDOWS) > 130
    assert [name for name in dates.WINDOWS if dates.find_zone(name) is None] == []


@given(st.integers(86_400, 2_840_000_000), st.sampled_from(sorted(dates.WINDOWS)))  # until 2059
def test_a_local_time_comes_back_as_it_went(second, name):
    when = datetime.fromtimestamp(second, ZoneInfo(dates.find_zone(name).key)).replace(fold=0)
    local = when.strftime(AMERICAN)
    if when.utcoffset() % timedelta(minutes=1):
        return  # Liberia until 1972
    assert datetime.fromisoformat(date(local, AMERICAN, zone=name)).timestamp() == when.timestamp()
    assert date(local, AMERICAN, AMERICAN, zone=name, to=name) == local


@pytest.mark.parametrize(
    ("written", "year"),
    [("02/20/64", "1964"), ("11/23/26", "2026"), ("11/24/26", "1926"), ("01/01/00", "2000"), ("02/29/24", "2024")],
)
def test_a_year_of_two_digits_is_the_last_one_that_can_be(written, year):
    assert date(written, "%m/%d/%y", "%Y", latest="2026-11-23") == year
    assert date(written, "%m/%d/%y", "%Y", latest=datetime(2026, 11, 23, 14, tzinfo=UTC)) == year


def test_a_leap_day_in_a_century_without_one_is_refused(mapped):
    expression = '{{ fields.mrn | date("%m/%d/%y", latest="1999-01-01") }}'
    violation = mapped.violation(expression, mrn="02/29/00")
    assert violation.message == "fields.mrn is no day of the calendar, or no time of a day."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ('"%Q"', '"%Q" is not a date format: %Q is no code for a part of a date'),
        ('"MM/DD/YYYY"', '"MM/DD/YYYY" is not a date format: it has no code such as %Y'),
        ('"%m/%d/%Y %"', '"%m/%d/%Y %" is not a date format: % is no code for a part of a date'),
        ('"%x"', '"%x" is not a date format: %x is no code for a part of a date'),  # depends on the machine
        ('"%m/%Y", "%Y%m%d"', "the day is written, and never read"),
        ('"%H:%M", "%Y %H"', "the year is written, and never read"),
        ('["%Y", "%m"], "%Y%m%d"', "the day is written, and never read"),
        ('"iso", zone="Centrl Standard Time"', 'there is no time zone "Centrl Standard Time"'),
        ('"iso", to="America/Chicagoo"', 'there is no time zone "America/Chicagoo"'),
        ('"iso", format="%Y"', "`date`: got an unexpected keyword argument 'format'"),
        ("", "`date`: missing a required argument: 'read'"),
    ],
)
def test_wrong_arguments_are_found_before_any_delivery(mapped, arguments, message):
    (fault,) = mapped.fault_list("{{ fields.mrn | date(" + arguments + ") }}")
    assert fault.code == "bad-argument"
    assert fault.message.startswith(message)


def test_a_part_that_one_format_of_several_does_not_tell_is_refused_when_it_is_needed(mapped):
    expression = '{{ fields.mrn | date(["%m/%d/%Y", "%m/%Y"], "%Y%m%d") }}'
    assert mapped.render(expression, mrn="10/07/2018") == "20181007"
    assert mapped.violation(expression, mrn="10/2018").message == "fields.mrn does not tell the day."


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("YYYY-MM-DDTHH:mm:ss", "%Y-%m-%dT%H:%M:%S"),
        ("dd.MM.yy", "%d.%m.%y"),
        ("hh:mm tt", "%H:%M %p"),
        ("YYYY-QQ", ""),
        ("HH:ss", "%H:%S"),
        ("12-34", ""),
        ("T", "T"),
        ("", ""),
    ],
)
def test_a_format_of_another_program_is_written_by_codes_if_all_of_it_is_known(written, meant):
    assert times.in_codes(written) == meant


def test_a_day_that_is_none_of_a_text_needs_no_format():
    assert date(clock.date(2026, 1, 2), "%d.%m.%Y", "%Y") == "2026"
    assert date(20260102, "%Y%m%d") == "2026-01-02"


def test_a_day_has_no_zone_even_where_its_midnight_was_skipped():
    assert date("2018-11-04", "iso", zone="America/Sao_Paulo") == "2018-11-04"


def test_a_zone_may_have_blanks_around_it():
    assert date("2026-01-02T10", "iso", zone=" Europe/Berlin ", to="UTC ") == "2026-01-02T09+00:00"


def test_a_text_that_is_longer_than_any_date_is_none():
    assert date(f"2026{' ' * 94}11", "%Y %m") == "2026-11"
    with pytest.raises(RefusedError):
        date(f"2026{' ' * 95}11", "%Y %m")


@pytest.mark.parametrize(
    "earliest", [datetime(2026, 1, 2, 23, tzinfo=SECONDS), clock.date(2026, 1, 2), "2026-01-02T23:00"]
)
def test_the_earliest_day_is_a_day_or_a_time_of_it(earliest):
    assert date("2026-01-02", "iso", earliest=earliest) == "2026-01-02"
    with pytest.raises(RefusedError):
        date("2026-01-01", "iso", earliest=earliest)


def test_blanks_around_a_time_are_none_of_it():
    assert (hl7_ts(" 2026 "), fhir_time("\t2026-01")) == ("2026", "2026-01")


@pytest.mark.parametrize(
    ("refused", "offends"),
    [
        (lambda: hl7_ts("x"), {"x": True, "2026-13": True, " 2026 ": False, "2026": False}),
        (lambda: dates.in_zone(datetime(2026, 1, 2, tzinfo=UTC), "Nowhere"), {" Nowhere ": True, "UTC": False}),
    ],
)
def test_it_is_known_which_texts_are_refused(refused, offends):
    with pytest.raises(RefusedError) as caught:
        refused()
    assert {text: caught.value.offends(text) for text in offends} == offends


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("est", "ambiguous (America/New_York is one of its meanings)"),
        ("Nowhere", "not known by this name"),
    ],
)
def test_a_zone_is_ambiguous_or_not_known(zone, reason):
    with pytest.raises(RefusedError, match=re.escape(f"is a time zone that is {reason}: write")):
        dates.in_zone(datetime(2026, 1, 2, tzinfo=UTC), zone)


def test_an_abbreviation_is_no_zone_on_a_disk_that_ignores_case_either(monkeypatch):
    monkeypatch.setattr(dates, "ZoneInfo", str)
    assert dates.find_zone.__wrapped__("est") is None


ANY = 'write its IANA or Windows name, such as "America/Chicago" or "Central Standard Time"'


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("cst", 'it is ambiguous: write "America/Chicago", or the zone that you mean by its IANA or Windows name'),
        ("America/Chicagoo", 'did you mean "America/Chicago"?'),
        ("Centrl Standard Time", ANY),  # three zones are near, which show another time
        ("Jamaca", ANY),  # abbreviations have no name that is only near
        ("America/Chicago!", ANY),
        ("ES T", ANY),
        ("Atlantis/Atlantis", ANY),
    ],
)
def test_a_hint_shows_no_zone_of_another_time(zone, hint):
    assert dates.zone_hint(zone) == hint


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"read": "MM/DD/YYYY"}, 'did you mean "%m/%d/%Y"?'),
        ({"read": "x"}, dates.CODES),
        ({"read": "iso", "write": "DD.MM."}, 'did you mean "%d.%m."?'),
        ({"read": "iso", "to": "pst"}, dates.zone_hint("pst")),
        ({"read": "%Y", "write": "%m"}, "leave it out of the second format, which writes, or read it by the first one"),
        *(
            (right, "")
            for right in (
                {},
                {"read": "iso", "zone": "", "to": ""},
                {"read": "", "write": ""},
                {"read": "iso", "zone": 7},
                {"read": "%Y", "write": ""},
                {"read": ["%Y", 7, None], "write": "%m"},
                {"read": ["%Y", "iso"], "write": "%m"},
                {"read": "%Y", "write": "%Y %z", "zone": None},
                {"write": "%Y"},
            )
        ),
    ],
)
def test_what_is_wrong_with_a_format_is_told_with_what_to_write(arguments, hint):
    assert dates.check(arguments).hint == hint


@pytest.mark.parametrize(
    ("written", "read", "when", "known"),
    [
        ("2026", "%Y", "2026-01-01T00:00:00", "year"),
        ("Mon 2026", "%a %Y", "2026-01-01T00:00:00", "year"),
        ("2", "%m", "2000-02-01T00:00:00", "month"),
        ("29 Feb", "%d %b", "2000-02-29T00:00:00", "month day"),
        ("10", "%H", "2000-01-01T10:00:00", "hour"),
        ("PM", "%p", "2000-01-01T00:00:00", ""),
        ("10", "%I", "2000-01-01T00:00:00", ""),
        ("10:05", "%I:%M", "2000-01-01T00:05:00", "minute"),
        ("12 AM", "%I %p", "2000-01-01T00:00:00", "hour"),
        ("12 PM", "%H %p", "2000-01-01T12:00:00", "hour"),
        ("2026", "iso", "2026-01-01T00:00:00", "year"),
        ("2026-02", "iso", "2026-02-01T00:00:00", "year month"),
        ("2026-02-03T04", "iso", "2026-02-03T04:00:00", "year month day hour"),
        ("59.5", "%S.%f", "2000-01-01T00:00:59.500000", "second fraction"),
        ("59.1234567", "%S.%f", "2000-01-01T00:00:59.123456", "second fraction"),
        ("12345605", "%f%S", "2000-01-01T00:00:05.123456", "second fraction"),
        ("Friday 2", "%A %d", "2000-01-02T00:00:00", "day"),
        ("12003", "%d0%m", "2000-03-12T00:00:00", "month day"),
        ("12 033", "%d %m3", "2000-03-12T00:00:00", "month day"),
    ],
)
def test_what_is_not_known_of_a_time_is_the_first_that_it_can_be(written, read, when, known):
    moment = times.read(written, read)
    assert (moment.when.isoformat(), moment.known) == (when, {*known.split()})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1203", "%d0%m"),
        ("12 33", "%d %m3"),
        ("31", "3%d"),
        ("10x", "%d0x"),
        ("103x", "%d%mx"),
        ("19", "%d9"),
        ("12305", "%f%S"),
    ],
)
def test_a_number_that_touches_digits_has_all_its_own(written, read):
    assert times.read(written, read) is None


@pytest.mark.parametrize(("written", "read"), [("26", "%y"), ("01/26", "%m/%y")])
def test_a_year_of_two_digits_is_the_last_one_that_may_have_begun(written, read):
    assert date(written, read, "%Y", latest="2026-01-01") == "2026"
    assert date(written, read, "%Y", latest="2025-12-31") == "1926"


def test_a_time_of_a_delivery_is_known_to_the_second():
    moment = datetime(2026, 11, 29, 12, 0, 0, 500_000, tzinfo=UTC)
    assert (date(moment, ""), fhir_time(moment), hl7_ts(moment)) == (
        "2026-11-29T12:00:00+00:00",
        "2026-11-29T12:00:00+00:00",
        "20261129120000+0000",
    )
    with pytest.raises(RefusedError, match="does not tell the fraction"):
        date(moment, "", "%f")


def test_a_date_without_its_year_is_none():
    with pytest.raises(RefusedError, match="tells no year"):
        date("10:30", "%H:%M")


def test_a_year_keeps_its_noughts():
    assert date("0987-01-01T01:01:01.50", "iso", earliest="0001-01-01") == "0987-01-01T01:01:01.5"


def test_a_long_fraction_is_read_to_its_end():
    assert hl7_ts(f"2026-01-02T03:04:05.{'1' * 200}Z") == "20260102030405.1111+0000"
    with pytest.raises(RefusedError):
        hl7_ts(f"2026-01-02T03:04:05.{'1' * 200}x")


@pytest.mark.parametrize(
    ("written", "read", "needed"),
    [
        ("%a %Y", "year", "year month day"),
        ("%A", "", "year month day"),
        ("%I:%M", "minute", "hour minute"),
        ("%p", "", "hour"),
        ("%I %p", "hour", "hour"),
        ("%H %p", "hour", "hour"),
        ("%j%%%z%f", "month day zone fraction", "month day zone fraction"),
        ("%Q %", "", ""),
    ],
)
def test_a_format_reads_less_than_it_needs_to_write(written, read, needed):
    assert times.codes_known.__wrapped__(written, reading=True) == {*read.split()}
    assert times.codes_known.__wrapped__(written) == {*needed.split()}


@pytest.mark.parametrize(
    ("value", "iso", "hl7"),
    [
        ("1964", "1964", "1964"),
        ("1964-02", "1964-02", "196402"),
        (clock.date(1964, 2, 20), "1964-02-20", "19640220"),
        ("1964-02-20T07", "1964-02-20T07", "1964022007"),
        ("1964-02-20T07Z", "1964-02-20T07+00:00", "1964022007+0000"),
        ("1964-02-20T07:05", "1964-02-20T07:05", "196402200705"),
        ("1964-02-20T07:05:09", "1964-02-20T07:05:09", "19640220070509"),
        (datetime(1964, 2, 20, 7, 5, 9, tzinfo=UTC), "1964-02-20T07:05:09+00:00", "19640220070509+0000"),
        ("1964-02-20T07:05:09.1203400-05:30", "1964-02-20T07:05:09.12034-05:30", "19640220070509.1203-0530"),
        ("1964-02-20T07:05:09.000", "1964-02-20T07:05:09", "19640220070509"),
        (datetime(1880, 2, 20, tzinfo=SECONDS), "1880-02-20T00:00:00-05:50", "18800220000000-0550"),
    ],
)
def test_a_time_is_written_as_precisely_as_it_is_known(value, iso, hl7):
    assert date(value, "iso") == iso
    assert hl7_ts(value) == hl7


def test_an_offset_without_an_hour_is_not_written():
    assert date("1964-02-20 +0100", "%Y-%m-%d %z") == "1964-02-20"


def test_of_a_time_of_python_all_is_known_to_the_second():
    seconds = {"year", "month", "day", "hour", "minute", "second"}
    assert times.of(datetime(2026, 1, 2, tzinfo=UTC)).known == {*seconds, "zone"}
    assert times.of(datetime(2026, 1, 2)).known == seconds  # noqa: DTZ001 (it has none)
    assert times.of(clock.date(2026, 1, 2)).known == {"year", "month", "day"}
