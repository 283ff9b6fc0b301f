"""The runner of `make mutants`: what it changes, and which changes it chooses."""

from pathlib import Path

import pytest

from .areas import AREAS, ROOT
from .changes import changes
from .sample import sample

MODULE = Path("module.py")
TYPES = "if TYPE_CHECKING:\n    import a"


def found(tmp_path, text):
    (tmp_path / MODULE).write_text(text)
    return {change.applied(text.encode()).decode() for change in changes(tmp_path, MODULE)}


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("a < 3", {"a <= 3", "a < 4"}),
        ("a not in b", {"a in b"}),
        ("(a) == (b)", {"(a) != (b)"}),
        ("a and b", {"((a) or (b))", "((b))", "((a))"}),
        ("not a", {"(a)"}),
        ("a[1:]", {"a[:]", "a[2:]"}),
        ("a[-1]", {"a[0]", "a[(1)]", "a[-2]"}),
        ("x = any(a)", {"x = all(a)"}),
        ("x = p.fullmatch(a)", {"x = p.match(a)"}),
        ("x = f(a, b=c)", {"x = f(a)"}),
        ("x = f(b=c, d=e)", {"x = f(d=e)", "x = f(b=c)"}),
        ("os.fsync(a)", {"pass"}),
        ("raise a", {"pass"}),
        ("a.b = c", {"pass"}),
        ("x = a if b else c", {"x = (a)", "x = (c)"}),
        ("x = [a for a in b if c]", {"x = [a for a in b if True]"}),
        ("with a: b", {'with __import__("contextlib").nullcontext(): b'}),
        ('f("é" + a.strip())', {'f("é" - a.strip())', 'f("é" + a)', "pass"}),
    ],
)
def test_a_line_is_made_wrong_in_each_way(tmp_path, line, changed):
    assert found(tmp_path, line) == changed


def test_an_exception_is_swallowed_or_not_met(tmp_path):
    text = "try: a\nexcept (B, C): raise"
    assert {each.partition("\n")[2] for each in found(tmp_path, text)} == {
        "except (B, C): pass",
        "except (C,): raise",
        "except (B,): raise",
    }


@pytest.mark.parametrize("text", ["MOST = 3", "a: list[0 == 1]", "@f(a=1)\ndef g(): ...", '"""Doc."""', TYPES])
def test_settings_annotations_and_words_stay(tmp_path, text):
    assert not found(tmp_path, text)


def test_a_sample_is_the_same_again_takes_from_every_module_and_goes_with_the_seed(tmp_path):
    (tmp_path / "a.py").write_text("\n".join(f"a{number} < b" for number in range(50)))
    (tmp_path / "b.py").write_text("x and y")
    every = [*changes(tmp_path, Path("a.py")), *changes(tmp_path, Path("b.py"))]
    assert sample(every, 4, seed=1) == sample(every[::-1], 4, seed=1) != sample(every, 4, seed=2)
    assert {change.module.name for change in sample(every, 4, seed=1)} == {"a.py", "b.py"}


@pytest.mark.parametrize("area", AREAS.values(), ids=AREAS)
def test_every_area_has_modules_and_tests(area):
    assert area.modules()
    assert all((ROOT / "tests" / each).exists() for each in (*area.tests, *area.processes))
    assert len(
        {*area.modules()}.difference(*(other.modules() for other in AREAS.values() if other is not area))
    ) == len(area.modules())
