"""What each filter prints, at the limits of its arguments too, and in which words it refuses: filters.tsv, by line."""

from pathlib import Path

import pytest

from receiver.core.problems import Problem

TABLE = Path(__file__).with_name("filters.tsv").read_text(encoding="utf-8")
ROWS = [line.split("\t") for line in TABLE.splitlines()]


@pytest.mark.parametrize(("expression", "printed", "refused"), ROWS[1:])
def test_a_filter_prints_or_refuses(mapped, expression, printed, refused):
    if not refused:
        assert mapped.render("{{ " + expression + " }}") == printed
        return
    with pytest.raises(Problem) as caught:
        mapped.render("{{ " + expression + " }}")
    assert [each.message for each in caught.value.violations] == [refused]
