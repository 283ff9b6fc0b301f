"""What values have in common."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.authoring.draft.kinds import kind
from receiver.authoring.draft.words import likeness, role


@pytest.mark.parametrize(
    ("values", "pattern", "date"),
    [
        (["2026-01-31", "1999-12-01"], True, "%Y-%m-%d"),
        (["01/31/2026"], True, "%m/%d/%Y"),
        (["31/01/2026", "01/02/2026"], True, "%d/%m/%Y"),
        (["31.01.2026"], True, "%d.%m.%Y"),
        (["02/30/2026"], False, None),
        (["12", "7"], "[0-9]+", None),
        (["1", "-1"], "-?[0-9]+", None),
        (["12.5", "-7"], r"-?[0-9]+(\.[0-9]+)?", None),
        (["AB-1234", "XY-0001"], r"[A-Z]{2}\-[0-9]{4}", None),
        (["AB-1234", "XY-001"], None, None),
        (["12"], None, None),
        (["red", "blue"], None, None),
        ([], None, None),
    ],
)
def test_dates_numbers_and_codes_are_known(values, pattern, date):
    found = kind("field", values)
    assert found.date == date
    assert (found.pattern is not None) if isinstance(pattern, bool) and pattern else found.pattern == (pattern or None)


def test_eight_digits_are_a_date_only_under_a_name_that_says_so():
    assert kind("birth_date", ["19610309"]).date == "%Y%m%d"
    assert kind("mrn", ["19610309"]).date is None


def test_a_date_that_can_be_read_in_two_ways_is_told():
    assert kind("seen", ["03/04/2026"]).other == "%d/%m/%Y"
    assert kind("seen", ["03/14/2026"]).other is None


SHAPES = [
    r"[AB]{2}-[0-9]{3}",
    r"[0-9]{2}\.[AB]",
    r"-?[0-9]{1,4}(\.[0-9]{1,2})?",
    r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])-0[1-9]",
]


@given(st.sampled_from(SHAPES).flatmap(lambda shape: st.lists(st.from_regex(shape, fullmatch=True), min_size=2)))
def test_a_pattern_matches_the_values_that_it_came_from(values):
    pattern = kind("field", [*values, " "]).pattern
    assert len({*values}) == 1 or pattern
    assert all(re.fullmatch(pattern or ".*", value) for value in values)


@given(st.lists(st.text("AB12-./ ", max_size=6), min_size=1, max_size=4))
def test_whatever_the_values_are_the_pattern_matches_each(values):
    pattern = kind("field", values).pattern or ".*"
    assert all(re.fullmatch(pattern, value) for value in values if value.strip())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mrn", "mrn"),
        ("PatientId", "mrn"),
        ("chart_number", "mrn"),
        ("patient_dob", "dob"),
        ("Birth Date", "dob"),
        ("patient_name", "name"),
        ("Last Name", "family"),
        ("first_name", "given"),
        ("insurance_name", ""),
        ("referring_provider", ""),
    ],
)
def test_what_a_field_is_to_a_patient_is_known_by_its_name(name, expected):
    assert role(name) == expected


def test_a_word_is_liker_the_earlier_it_is_known():
    assert likeness("sourceId", ("sourceid", "id")) > likeness("id", ("sourceid", "id")) > 0
    assert 0 < likeness("field_value", ("value",)) < likeness("value", ("value",))
    assert likeness("colour", ("value",)) == 0
