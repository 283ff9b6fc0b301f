"""Spans of time, patterns, exact numbers and letters: what reality asked other tools for, and the edges of each."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.problems import Problem
from receiver.formats.errors import RefusedError
from receiver.templates.filters import letters, patterns
from receiver.templates.filters.objection import NONE
from receiver.templates.filters.spans import age, check_age, check_plus, days_between, plus
from tests.support.mapped import DELIVERY

DAYS = st.dates(date(1900, 1, 1), date(2300, 12, 31))


@pytest.mark.parametrize(
    ("day", "span", "moved"),
    [
        ("2026-01-31", "1mo", "2026-02-28"),  # dateutil/dateutil 285: what a month after the 31st is
        ("2024-01-31", "1mo", "2024-02-29"),
        ("2024-03-31", "-1mo", "2024-02-29"),
        ("2024-02-29", "-1y", "2023-02-28"),
        ("2024-02-29", "4y", "2028-02-29"),
        ("2026-12-31", "2mo", "2027-02-28"),
        ("2026-11", "3mo", "2027-02"),
        ("2026", "+5y", "2031"),
        ("2026-02-27", "2 d", "2026-03-01"),
        ("2026-11-29T23:30:00+01:00", "45min", "2026-11-30T00:15:00+01:00"),
        ("2026-03-28T12:00", "24h", "2026-03-29T12:00"),
        (datetime(2026, 11, 29, 12, 0, 0, 5, tzinfo=UTC), "1d", "2026-11-30T12:00:00+00:00"),
    ],
)
def test_a_day_is_moved(day, span, moved):
    assert plus(day, span) == moved


@pytest.mark.parametrize("span", ["30", "30 days", "3m", "1.5d", "d", "", "1y2mo", "٣d", "9999999d"])
def test_what_is_no_span_is_found_before_any_delivery(mapped, span):
    (fault,) = mapped.fault_list('{{ fields.dob | plus("' + span + '") }}')
    assert fault.code == "bad-argument"


@pytest.mark.parametrize("span", ["9999y", "-999999mo", "999999d", "-3000y"])
def test_a_day_is_not_moved_out_of_the_calendar(span):
    with pytest.raises(RefusedError):
        plus("9000-01-01" if "-" not in span else "2000-01-01", span)


@pytest.mark.parametrize(
    ("day", "span", "reason"),
    [
        ("2026-11-29", "1 month", "is moved by what is no span: a span is written "),
        ("2026", "1mo", "does not tell the month"),
        ("2026-11", "1d", "does not tell the day"),
        ("2026-11", "1w", "does not tell the day"),
        ("2026-11-29", "1h", "does not tell the hour"),
        ("2026-11-29T10", "15min", "does not tell the minute"),
        ("9999-12-31", "1d", "is moved out of the calendar"),
        ("9999-12", "1mo", "is moved out of the calendar"),
        ("today", "1d", "is not an ISO-8601 time"),
    ],
)
def test_what_is_not_known_of_a_day_is_not_moved(day, span, reason):
    with pytest.raises(RefusedError, match=reason):
        plus(day, span)


def test_a_span_may_have_blanks_around_it():
    assert plus("2026-12-05", " 2w ") == "2026-12-19"
    assert check_plus({"span": " 2w "}) == check_plus({"span": 2}) == check_plus({}) == NONE


def test_an_age_is_in_years_or_months():
    with pytest.raises(RefusedError, match="years or months"):
        age("2000-01-01", "2026-01-01", "days")
    assert check_age({}) == check_age({"unit": "months"}) == check_age({"unit": 7}) == NONE
    assert check_age({"unit": "days"}).hint == 'write age("years") or age("months")'


def test_a_day_that_is_not_told_is_in_no_span():
    with pytest.raises(RefusedError, match="does not tell the day"):
        days_between("2026-11", "2026-11-29")
    with pytest.raises(RefusedError, match="is after the day of which"):
        age("2026-11-30", "2026-11-29")


@given(DAYS, st.integers(-5000, 5000))
def test_a_day_that_is_moved_is_so_many_days_away(day, count):
    assert days_between(day.isoformat(), plus(day.isoformat(), f"{count}d")) == count


@given(DAYS, st.integers(0, 1200))
def test_a_month_later_is_in_that_month(day, months):
    moved = date.fromisoformat(plus(day, f"{months}mo"))
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("born", "at", "years", "months"),
    [
        ("2000-02-29", "2026-02-28", 25, 311),
        ("2000-02-29", "2026-03-01", 26, 312),
        ("1964-02-20", "2026-02-20", 62, 744),
        ("2026-11-29", "2026-11-29", 0, 0),
        ("2026-10-31", "2026-11-30", 0, 0),
    ],
)
def test_an_age_is_counted_in_whole_years_and_months(born, at, years, months):
    assert (age(born, at), age(born, at, "months")) == (years, months)


@pytest.mark.parametrize(("born", "at"), [("2026-11-30", "2026-11-29"), ("1964", "2026-11-29"), ("1/2/1964", "2026")])
def test_an_age_that_cannot_be_told_is_refused(born, at):
    with pytest.raises(RefusedError):
        age(born, at)


def test_a_bad_day_is_the_senders_fault_also_beside_the_delivery_s_own_time(mapped):
    template = mapped.compile("{{ fields.dob | age(delivery.received_at) }}", "text")
    with pytest.raises(Problem) as caught:
        template.render(mapped.names({"dob": "unknown"}))
    assert (caught.value.code, caught.value.violations[0].where) == ("fields-invalid", "fields/dob")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Łukasz", "Lukasz"),
        ("Nguyễn Thị Minh Khai", "Nguyen Thi Minh Khai"),
        ("Straße", "Strasse"),
        ("Øystein Þór Æsir", "Oystein Thor Aesir"),
        ("Rene\u0301e", "Renee"),  # an accent of its own, as macOS writes file names
        ("D’Angelo Hawaiʻi", "D'Angelo Hawai'i"),
        ("ﬁne Ｓｍｉｔｈ №5 1º", "fine Smith No5 1o"),
        ("Şahin İpek ışık", "Sahin Ipek isik"),
        ("m²\u00a0½", "m2 1/2"),
        ("plain", "plain"),
    ],
)
def test_latin_letters_are_written_in_ascii(written, plain):
    assert letters.ascii(written) == plain


@pytest.mark.parametrize("written", ["王", "Дмитрий", "Ελένη", "محمد", "김민준", "さくら", "\ue000", "Ann 王"])
def test_letters_of_other_scripts_are_refused(written):
    with pytest.raises(RefusedError) as caught:
        letters.ascii(written)
    assert written not in caught.value.reason
    assert caught.value.offends(written)
    assert not caught.value.offends("Zoë µ")


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Z", "M"])))
def test_what_is_written_in_ascii_is_ascii(text):
    try:
        assert letters.ascii(text).isascii()
    except RefusedError:
        return


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?=a)b", f'"(?=a)b" is no regular expression: invalid perl operator: {patterns.LIKE_SCHEMAS}'),
        ("(", f'"(" is no regular expression: missing ): {patterns.LIKE_SCHEMAS}'),
        ("\\b7", "the pattern holds a control character: a backslash is written twice here: \\\\b, \\\\d"),
        ("(a)\\1", "the pattern holds a control character: a backslash is written twice here: \\\\b, \\\\d"),
        ("(a)(b)", "the pattern has 2 groups: one is extracted; write (?:…) for the others"),
    ],
)
def test_a_pattern_that_is_none_is_found_before_any_delivery(mapped, pattern, message):
    (fault,) = mapped.fault_list("{{ fields.mrn | extract('" + pattern + "') }}")
    assert (fault.code, f"{fault.message}: {fault.hint}") == ("bad-argument", message)


@pytest.mark.parametrize(
    "written",
    [
        "fields.mrn | matches(fields.x)",
        "fields.mrn is matches('(')",
        "fields.mrn | matches",
        "fields.codes | select('matches', '(') | list",
        "fields.codes | map('extract', pattern='(a)(b)') | list",
        "fields.codes | map('plus', '3m') | list",
    ],
)
def test_a_pattern_is_proven_wherever_it_stands(mapped, written):
    assert [fault.code for fault in mapped.fault_list("{{ " + written + " }}")] == ["bad-argument"]


def test_what_is_wrong_with_a_pattern_is_told_once(capfd):
    assert patterns.check({"pattern": "(a:"}).message == '"(a:" is no regular expression: missing )'
    assert capfd.readouterr().err == ""  # where the library would repeat it


def test_no_text_takes_a_pattern_long():
    assert patterns.matches("a" * 900_000 + "b", "^(a+)+$") is False  # would take Python's engine for ever


def test_half_a_character_is_the_senders_fault(mapped):
    assert mapped.violation("{{ fields.mrn | matches('a') }}", mrn="\ud800").rule == "character"


def test_a_group_that_took_no_part_is_nothing():
    assert patterns.extract("ab", "a(x)?", default="none") == "none"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("fields.a + fields.b == 0.3", True),  # numbers of JSON, which are floats in most programs
        ("[fields.a, fields.b] | sum == 0.3", True),
        ("1.1 * 3 == 3.3 and 0.3 - 0.1 == 0.2", True),
        ("(fields.a | decimal) + fields.b == 0.3", True),
        ("fields.rows | sum_of == fields.total | decimal", True),
        ("fields.a == 0.1", True),
        ("(fields.a | decimal) <= 0.1", True),
        ("(fields.a | decimal) - fields.b == -0.1", True),
        ("(fields.a | decimal) * 3 == 0.3", True),
        ("(fields.big | decimal) + 1 > fields.big | decimal", True),
        ("1 - 1 == 0 and 7 / 2 == 3.5", True),
    ],
)
def test_decimals_are_exact(mapped, condition, holds):
    given = {"a": 0.1, "b": 0.2, "rows": ["0.10", 0.2, 1], "total": "1.30", "big": "9" * 40 + ".01"}
    assert mapped.holds(condition, **given) is holds


def test_a_number_that_grows_without_end_stops_the_rendering(mapped):
    squared = "{% set n = fields.n | decimal %}" + "{% set n = n * n %}" * 5 + "{{ n }}"
    assert mapped.violation(squared, n="9" * 30).rule == "limit"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{"amount": "1"}, {}], "has no amount in row 2"),
        ([{"amount": "1"}, {"amount": "secret"}], "cannot be added up: row 2 is not a number written as 1,234.50"),
        ([{"amount": None}], "cannot be added up: row 1 is not a number written as 1,234.50"),
    ],
)
def test_a_row_that_cannot_be_added_up_is_named_by_its_number(mapped, rows, reason):
    violation = mapped.violation('{{ fields.rows | sum_of("amount") }}', rows=rows)
    assert violation.message == f"fields.rows {reason}."


def test_no_rows_are_nothing(mapped):
    assert mapped.render("{{ fields.rows | sum_of('amount') }}", rows=[]) == "0"
    assert mapped.names()["delivery"]["received_at"] == DELIVERY.received_at
    assert Decimal(mapped.render("{{ fields.rows | sum_of }}", rows=["1,000.5"])) == Decimal("1000.5")


@pytest.mark.parametrize(
    ("arguments", "becomes"),
    [
        ('"sex", ignore_case=true', "Female"),
        ('"sex", ignore_case=true, default="?"', "Female"),
        ('"sex", default="?"', "?"),
    ],
)
def test_a_key_is_looked_up_without_case_if_the_template_says_so(mapped, arguments, becomes):
    mapped.write("tables/sex.csv", "code,word\nF,Female\nM,Male\n")
    assert mapped.render("{{ fields.gender | lookup(" + arguments + ") }}", gender="f") == becomes


def test_two_keys_that_would_become_one_are_found_before_any_delivery(mapped):
    mapped.write("tables/units.csv", "code,word\nmg,milligram\nMg,megagram\n")
    assert mapped.fault_list('{{ fields.unit | lookup("units") }}') == ()
    (fault,) = mapped.fault_list('{{ fields.unit | lookup("units", ignore_case=true) }}')
    assert (fault.code, fault.message) == ("bad-argument", '"mg" and "Mg" of the table would be one key')


@pytest.mark.parametrize("argument", ["ignorecase=true", 'ignore_case="yes"', '"word", "code", "", true'])
def test_an_argument_of_a_look_up_that_there_is_not_is_found(mapped, argument):
    mapped.write("tables/sex.csv", "code,word\nF,Female\n")
    assert "bad-argument" in {
        fault.code for fault in mapped.fault_list('{{ fields.g | lookup("sex", ' + argument + ") }}")
    }
