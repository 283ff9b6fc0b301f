"""Sizes and spans of time as people write them, and JSON as machines do."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from receiver.core import units


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("512 MB", 512_000_000),
        ("1 kB", 1000),
        ("1KB", 1000),
        ("1.5 GB", 1_500_000_000),
        ("0.1 TB", 100_000_000_000),
        ("2gb", 2_000_000_000),
        ("1048576", 1_048_576),
        ("12 B", 12),
        (" 1 MB\n", 1_000_000),
        ("0", 0),
    ],
)
def test_a_size_is_read_in_bytes(text, count):
    assert units.size(text) == count


@pytest.mark.parametrize("text", ["", "MB", "-1", "1.5", "1 MiB", "1,5 MB", "1e6", "1 M", "٣ MB", "1 MB 2", "9" * 16])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="not a size"):
        units.size(text)


@given(some.integers(min_value=0, max_value=10**15 - 1))
def test_a_written_size_reads_back_as_the_same(count):
    assert units.size(units.size_text(count)) == count


@pytest.mark.parametrize(("count", "text"), [(512_000_000, "512 MB"), (1000, "1 kB"), (1001, "1001 B"), (0, "0 B")])
def test_a_size_is_written_with_the_largest_unit_that_divides_it(count, text):
    assert units.size_text(count) == text


@pytest.mark.parametrize(("text", "days"), [("12h", 0.5), ("30d", 30), ("6 w", 42), ("1y", 366), ("48h", 2)])
def test_a_span_of_time_is_read(text, days):
    assert units.duration(text) == timedelta(days=days)


@pytest.mark.parametrize("text", ["", "d", "0d", "-1d", "1.5d", "30", "30 days", "1m", "100y", "1d 2h", "٣d"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ValueError, match="not a span"):
        units.duration(text)


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ensure_ascii": False},
        {"separators": (",", ":")},
        {"sort_keys": True},
    ],
)
@given(value=JSON)
def test_json_is_written_as_the_encoder_of_the_library_does(options, value):
    encoder = json.JSONEncoder(**options)
    assert units.json_writer(encoder)(value) == encoder.encode(value)


def test_the_writer_of_json_takes_what_its_encoder_takes():
    assert units.json_writer(json.JSONEncoder(default=str))([timedelta(0)]) == '["0:00:00"]'
    assert units.json_writer(json.JSONEncoder(skipkeys=True))({(): 1, "a": 2}) == '{"a": 2}'
    for options, value in [({}, [{1}]), ({}, {(): 1}), ({"allow_nan": False}, [float("nan")])]:
        with pytest.raises((TypeError, ValueError)):
            units.json_writer(json.JSONEncoder(**options))(value)
