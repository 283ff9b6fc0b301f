"""Whether a name can match two globs."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.checking.globs import is_glob, overlap


@pytest.mark.parametrize(
    ("one", "other"),
    [("page_*", "*_2"), ("*", "*"), ("a*c", "ab*"), ("page_?", "page_[0-9]"), ("[a-c]x", "[!a]x"), ("**", "a")],
)
def test_these_overlap(one, other):
    assert overlap(one, other)
    assert overlap(other, one)


@pytest.mark.parametrize(("one", "other"), [("page_*", "cover_*"), ("a?", "a"), ("[ab]", "[!ab]"), ("a*b", "a*c")])
def test_these_do_not(one, other):
    assert not overlap(one, other)
    assert not overlap(other, one)


@pytest.mark.parametrize(
    ("name", "globs"), [("page_*", True), ("page_?", True), ("[ab]", True), ("[", False), ("x", False)]
)
def test_a_glob_is_known_by_its_signs(name, globs):
    assert is_glob(name) is globs


@given(st.text("ab*?", max_size=6), st.text("ab*?", max_size=6), st.text("abc", max_size=5))
def test_a_name_that_both_match_is_an_overlap(one, other, name):
    if fnmatchcase(name, one) and fnmatchcase(name, other):
        assert overlap(one, other)
