"""The paths of keys: judged as the library judges them, and without its expressions where they are ASCII."""

import re
from functools import cache

import pytest
from elementpath.regex import translate_pattern
from hypothesis import given, settings
from hypothesis import strategies as st
from xmlschema.validators.identities import XsdFieldSelector, XsdSelector

from receiver.schemas import xsd_library

PIECES = st.sampled_from((". / // @ | * : child:: attribute:: a b-1 é 名 1 [ " + "\n").split(" "))


@cache  # all of Unicode's letters take 0.1 s
def compiled(expression):
    """Return the expression that the library itself judges by."""
    return re.compile(translate_pattern(expression, back_references=False, lazy_quantifiers=False, anchors=False))


@pytest.mark.parametrize("selector", [XsdSelector, XsdFieldSelector])
@settings(deadline=None)  # compiling the expression with all letters takes 0.2 s
@given(path=st.lists(PIECES, max_size=8).map("".join))
def test_a_path_is_taken_exactly_where_the_library_takes_it(selector, path):
    judged = xsd_library.KeyPaths(selector._REGEXP).match(path)
    assert bool(judged) == bool(compiled(selector._REGEXP).match(path))


@pytest.mark.parametrize("selector", [XsdSelector, XsdFieldSelector])
def test_the_library_uses_it_once_an_xsd_is_compiled(selector):
    xsd_library.adapt()
    assert isinstance(selector.pattern, xsd_library.KeyPaths)
    assert selector.pattern.match(".//field")
    assert not selector.pattern.match("field[1]")
