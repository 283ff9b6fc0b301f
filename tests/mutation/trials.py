"""Tries changes in a copy of the project: the tests that reach the line run, until one fails."""

import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .areas import AREAS, ROOT, Area
from .changes import Change

LEARNING = 1200  # seconds that all tests may take while it is learnt what they reach
PATIENCE = 20  # seconds that a trial may take beyond three times what its tests took: a change can make a loop endless
QUICKEST = 30  # tests tried first: most changes need no more, and the files of all others are not imported
KILLED, SURVIVED, ENDLESS = "killed", "survived", "timed out"
VERDICTS = {  # by pytest's exit code
    **dict.fromkeys((1, 2, 3, 4), KILLED),  # tests failed, a module, plugin or conftest.py could not be imported
    **dict.fromkeys((0, 5), SURVIVED),  # they passed, or none of the chosen exists any more
    -1: ENDLESS,
}
# What pytest warns of is that hypothesis, which has a plugin, is imported already.
QUIET = "ignore::pytest.PytestAssertRewriteWarning"
OPTIONS = ["-q", "-p", "no:cacheprovider", "-p", "tests.mutation.plugin", "-W", QUIET]


@dataclass(frozen=True)
class Learnt:
    """What the tests reach where nothing is changed."""

    lines: dict[str, dict[str, list[str]]]  # by module and number of the line
    seconds: dict[str, float]  # by test
    failed: list[str]
    modules: list[str]  # that they import, but for those of the service and the tests

    def reaching(self, change: Change, area: Area) -> list[list[str]]:
        """Return the area's tests that run a changed line, quick ones first; of few, those that run its module as well.

        These are for what is remembered: of a cached function or an import only the first test runs the lines. For a
        line that none runs, a default in a class, all others follow: what they make of the class runs no line of it.
        """
        lines = self.lines.get(str(change.module), {})
        of_line = set(lines.get(str(change.line), ()))
        of_module = {test for tests in lines.values() for test in tests}
        mine = {test for test in self.seconds if test.startswith(tuple(f"tests/{each}" for each in area.tests))}
        if not area.processes and not of_module & mine:
            of_module = mine  # what none of these reaches would be for the tests of other processes
        sound = mine - {*self.failed}
        nearest, others = (self._quick_first(each & sound) for each in (of_line, of_module - of_line))
        all_else = [] if of_line else self._quick_first(sound - of_module)
        rest = nearest[QUICKEST:] or others
        return [tests for tests in (nearest[:QUICKEST], rest, all_else) if tests]

    def _quick_first(self, tests: Iterable[str]) -> list[str]:
        return sorted(tests, key=lambda test: (self.seconds[test], test))


class Copy:
    """A copy of the project, as it is in the work tree, in which one line at a time is wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PYTHONPATH": str(folder)}
        for name in _files():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        (folder / ".venv").symlink_to(sys.prefix)
        # Two changes within a second leave a file's size and time as they were: contents tell whether it was compiled.
        by_content = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(folder / "receiver", quiet=2, invalidation_mode=by_content)

    def learn(self, areas: Iterable[Area]) -> Learnt:
        """Run the tests of the areas once."""
        told = self.folder / "learnt.json"
        files = sorted({f"tests/{each}" for area in areas for each in area.tests})
        environment = os.environ | self.environment | {"MUTATION_LEARN": str(told)}
        command = [sys.executable, "-m", "pytest", *OPTIONS, *files]
        subprocess.run(command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, timeout=LEARNING)
        return Learnt(**json.loads(told.read_text()))

    def warm(self, modules: Sequence[str]) -> None:
        """Start the process whose forks run the trials."""
        self._warm = subprocess.Popen(
            [sys.executable, "-m", "tests.mutation.warm"],
            cwd=self.folder,
            env=os.environ | self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._warm.stdin.write(json.dumps(modules) + "\n")

    def close(self) -> None:
        """End that process."""
        self._warm.communicate()

    def attempt(self, change: Change, learnt: Learnt) -> str:
        """Make a line wrong, run the tests until one notices, and put it right again."""
        module = self.folder / change.module
        source = module.read_bytes()
        module.write_bytes(change.applied(source))
        try:
            return self._verdict(change, learnt)
        finally:
            module.write_bytes(source)

    def _verdict(self, change: Change, learnt: Learnt) -> str:
        area = area_of(change)
        trials = (self._chosen(tests, learnt) for tests in learnt.reaching(change, area))
        found = next((each for each in trials if each != SURVIVED), SURVIVED)
        if found == SURVIVED and area.processes:
            found = self._try([f"tests/{each}" for each in area.processes], LEARNING)
        return found

    def _chosen(self, tests: list[str], learnt: Learnt) -> str:
        chosen = self.folder / "chosen.json"
        chosen.write_text(json.dumps(tests))
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        seconds = sum(learnt.seconds[test] for test in tests)
        return self._try(files, 3 * seconds + PATIENCE, {"MUTATION_CHOSEN": str(chosen)})

    def _try(self, files: Sequence[str], seconds: float, variables: dict[str, str] | None = None) -> str:
        trial = {"arguments": [*OPTIONS, "-x", *files], "environment": variables or {}, "seconds": seconds}
        self._warm.stdin.write(json.dumps(trial) + "\n")
        return VERDICTS[int(self._warm.stdout.readline())]


def area_of(change: Change) -> Area:
    """Return the area of a change."""
    return next(area for area in AREAS.values() if change.module in area.modules())


def _files() -> list[str]:
    """Return every file of the work tree that git knows or would take."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [name for name in found.split("\0") if name and (ROOT / name).is_file()]
