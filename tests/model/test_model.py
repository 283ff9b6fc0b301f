"""The model of a publication holds, notices what it should, and speaks of the code's own steps."""

import ast
import re
from pathlib import Path

import pytest

from tests.model.__main__ import MODEL, WEAKENED, judge, missing
from tests.support.required import require

ROOT = Path(__file__).parents[2]


def test_no_accepted_delivery_is_lost_or_published_twice():
    require(missing())
    found = judge("HOSTS=2", "LOSSES=1")
    assert (found.errors, found.whole) == (0, True)
    assert found.states > 100_000


@pytest.mark.parametrize("weakened", WEAKENED)
def test_what_the_protocol_rests_on_is_missed(weakened):
    require(missing())
    assert judge("HOSTS=2", "LOSSES=1", weakened).errors


def test_its_steps_are_functions_of_the_store():
    text = MODEL.read_text()
    steps = {*re.findall(r"^(?:inline|proctype) (\w+)", text, re.MULTILINE)} - {"host", "importer", "outcome"}
    trees = [ast.parse(path.read_text()) for path in (ROOT / "receiver" / "store").rglob("*.py")]
    known = {node.name.lstrip("_") for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert steps - known == {"give_up"}  # one turn of give_up_silent
