"""Whatever values a process.toml holds, it is either refused with faults or becomes a configuration."""

import re
from datetime import UTC, date, datetime, time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as some

from receiver.core.positions import toml_positions
from receiver.site.config import rules, shape
from receiver.site.config.build import build
from receiver.site.config.model import ProcessConfig
from receiver.site.config.schema import schema
from receiver.site.config.source import Source

SCALARS = (
    some.text(max_size=8)
    | some.integers()
    | some.floats()
    | some.booleans()
    | some.sampled_from([date(2024, 1, 1), time(), datetime(2024, 1, 1, tzinfo=UTC)])
)
ANYTHING = some.recursive(
    SCALARS, lambda below: some.lists(below, max_size=3) | some.dictionaries(some.text(max_size=4), below, max_size=3)
)
NAMES = some.sampled_from(["file", "page_*", "metadata", "dob", "", "0", "007", "+1", "a/b", "~1"])


def nearly(node):
    """Return values that satisfy a part of the schema, or come close."""
    return some.one_of(close(node), close(node), close(node), ANYTHING)


def close(node):
    if "enum" in node:
        return some.sampled_from(node["enum"])
    if "properties" in node:
        values = {key: nearly(below) for key, below in node["properties"].items()}
        needed = {key: values.pop(key) for key in node.get("required", ())}
        return some.fixed_dictionaries(needed, optional=values)
    if isinstance(node.get("additionalProperties"), dict):
        return some.dictionaries(NAMES, nearly(node["additionalProperties"]), max_size=3)
    if "items" in node:
        return some.lists(nearly(node["items"]), max_size=3)
    if "pattern" in node:
        return some.from_regex(re.compile(node["pattern"]), fullmatch=True) | some.just("a.json")
    kinds = {"boolean": some.booleans(), "number": some.floats(0, 2), "string": some.just("utf-8")}
    return (kinds | {"integer": some.integers(-1, 3)})[node["type"]]


@settings(max_examples=300)
@given(close(schema()))
def test_every_value_is_refused_or_understood(data):
    source = Source("mappings/any/process.toml", data, toml_positions(b""))
    found = list(shape.faults(source))
    faults = [fault for _, fault in found] + list(rules.faults(source, {path for path, _ in found}))
    assert all("\n" not in str(fault) and fault.message for fault in faults)
    if not faults:
        assert isinstance(build(Path("mappings/any"), source), ProcessConfig)
