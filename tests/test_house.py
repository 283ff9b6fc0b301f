"""Keeps the house: imports go downward, one door to the disk, Flask only at the front."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "receiver").rglob("*.py"))

# The sixteen rooms, from the top floor down: a room may import from itself and from those below it.
ROOMS = (
    *("server", "app", "cli", "web", "operations", "authoring", "delivery", "site", "templates", "formats", "metadata"),
    *("documents", "schemas", "log", "store", "core"),
)
FLASK = {"web", "app", "server"}
GUNICORN = {"server"}
DISK = {"fsync", "fdatasync", "rename", "renames", "replace", "link", "hardlink_to", "renameat2", "sync_file_range"}


def room(module: Path) -> str:
    return module.relative_to(ROOT / "receiver").parts[0].removesuffix(".py")


def imports(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.fixture(scope="module")
def imported() -> dict[Path, set[str]]:
    """What each module imports."""
    return {module: imports(module) for module in MODULES if module.relative_to(ROOT) != Path("receiver/__init__.py")}


def test_imports_go_downward(imported):
    ours = [(module, name) for module, names in imported.items() for name in names if name.startswith("receiver.")]
    up = [(module, name) for module, name in ours if ROOMS.index(name.split(".")[1]) < ROOMS.index(room(module))]
    assert up == []


def test_the_rooms_are_those_of_the_plan():
    assert {room(module) for module in MODULES} - {"__init__"} == set(ROOMS)


def test_flask_and_gunicorn_are_seen_only_where_they_belong(imported):
    used = [(module, name.split(".")[0]) for module, names in imported.items() for name in names]
    assert [each for each in used if each[1] in {"flask", "werkzeug"} and room(each[0]) not in FLASK] == []
    assert [each for each in used if each[1] == "gunicorn" and room(each[0]) not in GUNICORN] == []


def disk_calls(module: Path) -> set[str]:
    calls = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in DISK:
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            text_like = node.attr == "replace" and owner not in {"os", "path", "source", "target"}
            if not text_like:
                calls.add(node.attr)
    return calls


def test_only_durable_moves_files_and_waits_for_the_disk():
    calling = [module for module in MODULES if disk_calls(module)]
    assert [module.name for module in calling] == ["durable.py"]


def test_the_entry_points_are_almost_empty():
    for name in ("wsgi.py", "gunicorn.conf.py"):
        assert len((ROOT / name).read_text().splitlines()) <= 5


def test_no_process_of_ours_takes_modules_from_the_current_folder():
    started = [module for module in MODULES if "sys.executable" in module.read_text()]
    assert started
    assert [module for module in started if 'sys.executable, "-m"' in module.read_text()] == []  # but "-P", "-m"


def keeps_state(statement: ast.stmt) -> bool:
    """Tell whether a statement of a module makes what may change later: a cache, an object, an empty container."""
    if isinstance(statement, ast.FunctionDef):
        return any("cache" in ast.unparse(decorator) for decorator in statement.decorator_list)
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return False
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    made = statement.value
    empty = ast.unparse(made) in ("{}", "[]", "set()")
    called = ast.unparse(made.func).rpartition(".")[2].lstrip("_") if isinstance(made, ast.Call) else ""
    named = isinstance(target, ast.Name) and target.id.lstrip("_")[:1].islower()
    return isinstance(target, ast.Attribute) or (named and (empty or called[:1].isupper() or called == "local"))


def test_state_of_modules_is_told_with_its_reason():
    told = (ROOT / "docs" / "architecture.md").read_text().partition("## Module-level state")[2].partition("\n## ")[0]
    keeping = {
        str(module.relative_to(ROOT / "receiver"))
        for module in MODULES
        if any(keeps_state(statement) for statement in ast.parse(module.read_text()).body)
    }
    assert keeping - set(re.findall(r"`([\w/]+\.py)`", told)) == set()


def test_make_names_tests_that_exist():
    commands = subprocess.run(
        ["make", "-n", "unit", "properties"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    named = re.findall(r"tests/\S+", commands.stdout)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_tests_import_their_helpers_from_the_package():
    tests = sorted((ROOT / "tests").rglob("*.py"))
    helpers = {helper.stem for helper in (ROOT / "tests" / "support").glob("*.py")}
    bare = [(test.name, name) for test in tests for name in imports(test) if name.split(".")[0] in helpers]
    assert bare == []  # from tests.support.running import Service
    assert [test.name for test in tests if f"sys{'.'}path" in test.read_text()] == []
