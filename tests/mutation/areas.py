"""What is made wrong, and which tests have to notice: the one table to change when modules move."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Area(NamedTuple):
    """A part of the service, with the tests that hold it."""

    sources: Sequence[str]  # modules and folders below receiver/
    tests: Sequence[str]  # below tests/: quick ones, that run in this process
    processes: Sequence[str] = ()  # tests of other processes, for what none of these has noticed

    def modules(self) -> list[Path]:
        """Return the files of the area, below the root of the project."""
        found = [ROOT / "receiver" / each for each in self.sources]
        every = [module for each in found for module in ([each] if each.is_file() else each.rglob("*.py"))]
        return sorted(module.relative_to(ROOT) for module in every)


AREAS = {
    "store": Area(
        ("store",),
        ("store", *(f"operations/test_{name}.py" for name in ("retention", "audit_verbs", "readiness", "restoring"))),
        tuple(f"store/test_{name}.py" for name in ("races", "interlock", "presence", "crashes")),
    ),
    "delivery": Area(
        ("delivery", "core/delivery.py"),
        (
            "delivery",
            "core/test_delivery.py",
            "site/test_in_force.py",
            "operations/test_replaying.py",
            "operations/test_readiness.py",
            "field",
        ),
        ("service/test_delivery.py", "service/test_repeats.py"),
    ),
    "metadata": Area(
        ("metadata", "core/positions.py"),
        ("metadata", "core/test_positions.py", "templates/test_xml_metadata.py", "field"),
    ),
    "formats": Area(("formats",), ("templates", "formats", "field", "authoring/draft", "authoring/cases")),
    "filters": Area(("templates/filters",), ("templates", "field")),
    "schemas": Area(
        ("schemas",),
        ("schemas", "formats", "field", "authoring/check/test_corpus.py", "authoring/check/test_messages.py"),
    ),
    "web": Area(
        ("web",),
        (
            "web",
            *(
                f"console/test_{name}.py"
                for name in (
                    "console",
                    "bulk",
                    "station",
                    "attacks",
                    "small_parts",
                    "showing",
                    "drafts",
                    "listing",
                    "workbench",
                    "images",
                    "places",
                    "two_people",
                    "real_pass",
                )
            ),
        ),
        tuple(f"hostile/test_{name}.py" for name in ("openapi", "refused_early", "table")),
    ),
}
