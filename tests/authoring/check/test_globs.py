"""Whether a name can match two globs."""

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.authoring.check.parts import is_glob, overlap


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


@st.composite
def globs_of(draw, name):
    """Make a glob that matches a name: for each letter itself, a set, or any letters."""
    pieces = [draw(st.sampled_from([letter, "?", "*", f"[{letter}x]", "[!x]", f"*{letter}"])) for letter in name]
    return "".join(pieces) + draw(st.sampled_from(["", "*"]))


@given(st.text("abc", max_size=6).flatmap(lambda name: st.tuples(st.just(name), globs_of(name), globs_of(name))))
def test_a_name_that_both_match_is_an_overlap(named):
    name, one, other = named
    assert fnmatchcase(name, one)
    assert fnmatchcase(name, other)
    assert overlap(one, other)


@given(st.text("ab*?", max_size=4), st.text("ab*?", max_size=4))
def test_two_globs_overlap_where_a_short_name_says_so(one, other):
    names = ("".join(letters) for size in range(9) for letters in product("ab", repeat=size))
    both = any(fnmatchcase(name, one) and fnmatchcase(name, other) for name in names)
    assert overlap(one, other) is both
