"""Sections matched to the parts that a process expects."""

import pytest

from receiver.core.delivery import Role, Section
from receiver.core.problems import Code
from receiver.delivery import parts
from receiver.site.config.model import PartConfig
from receiver.store.stage import Stage


def rule(name: str, role: Role = Role.DOCUMENT, **more) -> PartConfig:
    return PartConfig(name, role, **{"types": (), "max_size": None, "required": False, "many": True, **more})


@pytest.fixture
def collected(tmp_path):
    """Return a function that collects sections, given as (name, filename), by rules."""

    def collect(rules, *sections, unknown="keep", content=b"x"):
        incoming = [Section(name, filename, "", content=[content]) for name, filename in sections]
        with Stage(tmp_path / "stage").open() as staged:
            return parts.collect(rules, unknown, incoming, staged)

    return collect


def test_pages_come_in_the_order_of_their_numbers(collected):
    names = ["page_10", "page_9b", "page_2", "page_9", "page_01"]
    found = collected([rule("page_*")], *((name, None) for name in names))
    assert [part.name for part in found.parts] == ["page_01", "page_2", "page_9", "page_9b", "page_10"]
    assert found.problem is None


def test_what_has_no_number_comes_before_numbers(collected):
    found = collected([rule("*")], *((name, None) for name in ("a10", "2", "a", "10", "b", "a9", "0")))
    assert [part.name for part in found.parts] == ["a", "a9", "a10", "b", "0", "2", "10"]


def test_parts_come_in_the_order_of_their_rules(collected):
    found = collected([rule("b"), rule("a*")], ("a1", None), ("b", None), ("other", None))
    assert [part.name for part in found.parts] == ["b", "a1", "other"]


def test_an_exact_name_wins_over_a_glob_that_stands_first(collected):
    rules = [rule("*", Role.ATTACHMENT), rule("file", Role.DOCUMENT)]
    assert parts.match(rules, "file") == (1, rules[1])
    assert parts.match(rules, "File") == (0, rules[0])
    assert [part.role for part in collected(rules, ("file", None), ("cover", None)).parts] == [
        Role.ATTACHMENT,
        Role.DOCUMENT,
    ]


@pytest.mark.parametrize(
    ("filename", "suffix"),
    [
        ("a.XYZ", ".xyz"),
        ("a.b.c", ".c"),
        ("a.12345678", ".12345678"),
        ("a.123456789", ".bin"),
        ("a.tif Smith, John", ".bin"),
        ("a.tif\n", ".bin"),
        ("a.é", ".bin"),
        ("a", ".bin"),
        (None, ".bin"),
    ],
)
def test_a_suffix_of_the_sender_is_taken_only_where_it_is_short_and_plain(collected, filename, suffix):
    (part,) = collected([rule("*")], ("file", filename)).parts
    assert part.suffix == suffix


def test_a_part_may_be_as_large_as_its_rule_says_and_no_larger(collected):
    assert collected([rule("file", max_size=3)], ("file", None), content=b"123").problem is None
    found = collected([rule("file", max_size=3)], ("file", None), content=b"1234")
    assert [violation.rule for violation in found.problem.violations] == [Code.PART_TOO_LARGE]
    assert not found.whole
