"""Places in configuration files: the right line and column, whatever the notation."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.positions import (
    Positions,
    json_positions,
    pointed_names,
    pointed_path,
    pointer_to,
    toml_positions,
)

TOML = b"""\
title = "Zo\xc3\xab" # a comment
auth.tokens = ["env:A", "env:B"]
\xe2\x82\xac = 1

[parts."page_*"]   # several
many = true
"odd \\u0041" = 'x'

[fields]
aliases = { dob = "patient_dob", "a.b".c = [ { d = 1 }, 2 ] }

[[records]]
template = "one"
[records.more]
x = 1
[[records]]
template = "two"
[[records.inner]]
y = 1
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("title",), (1, 9), (1, 1)),
        (("auth", "tokens"), (2, 15), (2, 6)),
        (("auth", "tokens", 1), (2, 25), (2, 25)),
        (("parts", "page_*"), (5, 8), (5, 8)),
        (("parts", "page_*", "many"), (6, 8), (6, 1)),
        (("parts", "page_*", "odd A"), (7, 16), (7, 1)),
        (("fields", "aliases", "dob"), (10, 19), (10, 13)),
        (("fields", "aliases", "a.b", "c", 0, "d"), (10, 52), (10, 48)),
        (("records", 0), (12, 3), (12, 3)),
        (("records", 0, "template"), (13, 12), (13, 1)),
        (("records", 0, "more", "x"), (15, 5), (15, 1)),
        (("records", 1, "template"), (17, 12), (17, 1)),
        (("records", 1, "inner", 0, "y"), (19, 5), (19, 1)),
    ],
)
def test_every_notation_of_toml_has_its_place(path: Any, value: Any, key: Any) -> None:
    positions = toml_positions(TOML)
    assert positions.of(path) == value
    assert positions.of(path, key=True) == key


def test_a_path_that_does_not_exist_has_the_place_of_what_is_nearest_above_it() -> None:
    positions = toml_positions(TOML)
    assert positions.of(("records", 1, "path")) == (16, 3)
    assert positions.of(("parts", "page_*", "many", "deeper", 3)) == (6, 8)
    assert positions.of(("nothing", "here")) == (1, 1)
    assert positions.of(()) == (1, 1)


def test_columns_count_characters_and_not_bytes() -> None:
    source = '{"é": "ü", "n": 1}'.encode()
    assert json_positions(source).of(("n",)) == (1, 17)
    assert toml_positions('a = { "é" = "ü", n = 1 }'.encode()).of(("a", "n")) == (1, 22)


def test_keys_and_values_of_json_have_their_places() -> None:
    source = b'{\n  "a": [1, {"b\\u00e9": 2}],\n  "c~/": null\n}\n'
    positions = json_positions(source)
    assert positions.of(("a",)) == (2, 8)
    assert positions.of(("a",), key=True) == (2, 3)
    assert positions.of(("a", 0)) == (2, 9)
    assert positions.of(("a", 1, "bé")) == (2, 24)
    assert positions.of(("c~/",), key=True) == (3, 3)


def test_a_broken_file_still_tells_what_it_can() -> None:
    assert toml_positions(b"a = 1\nb = \nc = 3\n").of(("a",)) == (1, 5)
    assert json_positions(b'{"a": 1, "b": ').of(("a",)) == (1, 1)
    assert toml_positions(b"a = 1\n[]\nb = 2\n").of(("a",)) == (1, 5)


def test_a_comment_is_no_key() -> None:
    assert toml_positions(b"a = 1\n# b\n").of(("# b",)) == (1, 1)


def test_a_key_that_cannot_be_read_is_known_as_it_is_written() -> None:
    assert json_positions(b'{"a\\q": 1}').of(('"a\\q"',)) == (1, 9)


def test_a_byte_that_is_no_character_counts_as_one() -> None:
    assert json_positions(b'{"\xff": [1]}').of(("\ufffd", 0)) == (1, 8)


def test_deep_nesting_is_no_trouble() -> None:
    json_positions(b"[" * 3000 + b"]" * 3000).of((0, 0, 0))


@given(st.binary(max_size=200))
def test_any_bytes_have_positions(source: bytes) -> None:
    for read in (json_positions, toml_positions):
        line, column = read(source).of(("a", 0))
        assert line >= 1
        assert column >= 1


_names = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_values = st.recursive(
    st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=10,
)


@given(_values, st.booleans(), st.sampled_from([None, 2]))
def test_the_text_at_a_place_is_the_value(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    positions = json_positions(text.encode())
    for path, leaf in _leaves(value):
        assert json.JSONDecoder().raw_decode(_from(text, positions, path))[0] == leaf


@given(_values)
def test_the_text_at_a_place_of_toml_is_the_value(value: Any) -> None:
    text = f"key = {_toml(value)}\n"
    positions = toml_positions(text.encode())
    assert tomllib.loads(text) == {"key": value}
    for path, leaf in _leaves(value):
        assert _from(text, positions, ("key", *path)).startswith(_toml(leaf))


def _from(text: str, positions: Positions, path: Any) -> str:
    line, column = positions.of(path)
    return "\n".join([text.split("\n")[line - 1][column - 1 :], *text.split("\n")[line:]])


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if path:
        yield path, value
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        yield from _leaves(member, (*path, step))


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        plain = (char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in value)
        return f'"{"".join(plain)}"'
    return str(value)


@given(st.lists(st.text()))
def test_a_pointer_names_what_it_was_made_of(names):
    assert pointed_names(pointer_to(names)) == names


@pytest.mark.parametrize(
    ("pointer", "path"),
    [
        ("", ()),
        ("/a~1b/1", ("a/b", 1)),
        ("/m~0n", ("m~n",)),
        ("/~01", ("~1",)),
        ("/5", ("5",)),
        ("/a~1b/7", ("a/b",)),  # as far as it is there
        ("/a~1b/-1", ("a/b",)),  # RFC 6901 §4: an index has digits only
    ],
)
def test_a_pointer_leads_along_keys_and_indexes(pointer, path):
    assert pointed_path(pointer, {"a/b": [1, 2], "m~n": 3, "~1": 4, "5": 6}) == path
