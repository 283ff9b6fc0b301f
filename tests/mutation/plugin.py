"""What pytest does for a trial: it learns which tests reach which lines, or runs the chosen ones in their order."""

import json
import os
import sys
from pathlib import Path

import coverage
import pytest
from hypothesis import Phase, settings

ROOT = Path(__file__).parents[2]
LEARN, CHOSEN = os.environ.get("MUTATION_LEARN"), os.environ.get("MUTATION_CHOSEN")

# The same examples each time, and none made smaller: that a test fails is enough.
settings.register_profile("mutation", phases=[Phase.explicit, Phase.generate], derandomize=True, database=None)
settings.load_profile("mutation")


class Learning:
    """Writes down which tests reach a line, how long each takes, and which fail as it is."""

    def __init__(self, told: Path) -> None:
        self.told, self.seconds, self.failed = told, dict[str, float](), set[str]()
        self.coverage = coverage.Coverage(data_file=None, include=[f"{ROOT}/receiver/*"], config_file=False)
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        self.coverage.switch_context(item.nodeid)
        result = yield
        self.coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        lines: dict[str, dict[int, list[str]]] = {}
        for file in data.measured_files():
            by_line = data.contexts_by_lineno(file).items()
            lines[str(Path(file).relative_to(ROOT))] = {line: sorted(set(tests) - {""}) for line, tests in by_line}
        modules = [name for name in sys.modules if name.partition(".")[0] not in ("receiver", "tests", "__main__")]
        learnt = {"lines": lines, "seconds": self.seconds, "failed": sorted(self.failed), "modules": modules}
        self.told.write_text(json.dumps(learnt))


class Chosen:
    """Leaves only the chosen tests, in the order in which they were chosen."""

    def __init__(self, names: list[str]) -> None:
        self.place = {name: place for place, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if item.nodeid in self.place), key=lambda i: self.place[i.nodeid])


def pytest_configure(config: pytest.Config) -> None:
    if LEARN:
        config.pluginmanager.register(LEARNING)
    if CHOSEN:
        config.pluginmanager.register(Chosen(json.loads(Path(CHOSEN).read_text())))


LEARNING = Learning(Path(LEARN)) if LEARN else None  # before the first module of the service is imported
