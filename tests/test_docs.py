"""The docs are whole: whatever has a name for its users is told in them."""

import re
from pathlib import Path

import pytest

from receiver import cli
from receiver.core.problems import Code
from receiver.core.settings import describe
from receiver.core.work import Step
from receiver.operations import meters, metrics

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
OPERATIONS = (DOCS / "operations.md").read_text()
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


@pytest.mark.parametrize("variable", [setting.variable for setting in describe({})])
def test_every_setting_is_told(variable):
    assert f"| `{variable}` |" in OPERATIONS


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_is_told(verb):
    assert re.search(rf"^\| `receiver {verb}[ `]", OPERATIONS.rpartition("## Verbs")[2], re.MULTILINE)


@pytest.mark.parametrize("code", Code)
def test_every_code_of_a_problem_is_told(code):
    assert f"`{code}`" in (DOCS / "http.md").read_text()


def metric_names() -> set[str]:
    source = Path(meters.__file__).read_text() + Path(metrics.__file__).read_text()
    return set(re.findall(r'"(receiver_[a-z_]+)"', source))


def test_every_metric_is_told():
    assert len(metric_names()) >= 13
    for name in metric_names():
        assert re.search(rf"`{name}(_total)?`", OPERATIONS), name


@pytest.mark.parametrize("step", Step)
def test_every_step_is_told(step):
    assert f"`{step}`" in OPERATIONS


def anchors(page: Path) -> set[str]:
    """Return the headings of a page as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"], ids=lambda path: path.name)
def test_links_lead_to_something(path):
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", path.read_text()):
        if "://" not in target:
            page = path.parent / target if target else path
            assert page.exists(), target
            assert not anchor or anchor in anchors(page), f"{target}#{anchor}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_in_a_page_is_a_verb(path):
    for verb in re.findall(r"^ {4}receiver ([a-z]+)", path.read_text(), re.MULTILINE):
        assert verb in cli.VERBS, verb
