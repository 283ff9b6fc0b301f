"""What is shown in a message is on one line and bounded; a file is called by its path in the site."""

from decimal import Decimal

import pytest

from receiver.schemas import words


@pytest.mark.parametrize(
    ("write", "given", "shown"),
    [
        (words.name, ["x" * 64], f'"{"x" * 64}"'),
        (words.name, ["x" * 65], f'"{"x" * 64}…"'),
        (words.name, ["a\nb"], '"a\\u000ab"'),
        (words.rule, ["x" * 200], "x" * 200),
        (words.rule, ["x" * 201], "x" * 200 + "…"),
        (words.rule, ["a\nb\u200bc"], "a b c"),
        (words.rule, ["abcd", 3], "abc…"),
        (words.value, [{"é": None}], '{"é": null}'),
        (words.value, [Decimal("1.5")], '"1.5"'),
        (words.listed, ["abc"], "a, b, c"),
        (words.listed, ["abc", " or "], "a or b or c"),
        (words.listed, [["x"] * 20], ", ".join(["x"] * 20)),
        (words.listed, [["x"] * 22], ", ".join(["x"] * 20) + ", … (2 more)"),
    ],
)
def test_what_is_shown_is_on_one_line_and_bounded(write, given, shown):
    assert write(*given) == shown


def test_a_file_is_called_by_its_path_in_the_site_also_behind_a_link(tmp_path):
    site, link = tmp_path / "site", tmp_path / "link"
    site.mkdir()
    link.symlink_to(site)
    assert words.file(site / "schemas/a.json", site) == "schemas/a.json"
    assert words.file(link / "schemas/a.json", link) == "schemas/a.json"
    assert words.file(site / "schemas/a.json", link) == "schemas/a.json"


def test_a_file_elsewhere_is_called_by_its_whole_path(tmp_path):
    assert words.file(tmp_path / "a.json", tmp_path / "site") == (tmp_path / "a.json").as_posix()
