"""The JSON Schema of process.toml: complete, and of one mind with the code that reads the same text."""

import json
import tomllib
from datetime import timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as some

from receiver.core import units
from receiver.site.config import schema
from receiver.site.config.wording import FORMS

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "mappings").glob("*/process.toml"))


def nodes(node, path=()):
    """Yield every schema inside a schema with its path of keys."""
    yield path, node
    for key, below in node.get("properties", {}).items():
        yield from nodes(below, (*path, key))
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if isinstance(node.get(keyword), dict):
            yield from nodes(node[keyword], (*path, keyword))


KEYS = {path: node for path, node in nodes(schema.schema()) if path and path[-1] not in ("items", "propertyNames")}
JUDGED = {path: node for path, node in nodes(schema.schema()) if "pattern" in node}
SIZE = KEYS["parts", "additionalProperties", "max_size"]
SPAN = KEYS["retention", "originals"]


def holds(node, value):
    return jsonschema_rs.is_valid(node, value, draft=jsonschema_rs.Draft202012)


def test_it_is_a_sound_schema():
    jsonschema_rs.meta.validate(schema.schema())


def test_the_text_that_ships_is_printed_as_it_is():
    assert json.loads(schema.text()) == schema.schema()


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_every_key_says_what_it_means(path):
    chosen_by_the_owner = path[-1] == "additionalProperties" and "properties" not in KEYS[path]
    assert chosen_by_the_owner or len(KEYS[path]["description"].split()) > 3


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_every_optional_key_tells_its_default(path):
    above, key = path[:-1], path[-1]
    owner = dict(nodes(schema.schema()))[above]
    if key == "additionalProperties" or "properties" in KEYS[path] or key in owner.get("required", ()):
        return
    told = "default" in KEYS[path] or "Default:" in KEYS[path]["description"]
    assert told or path in {("auth", "tokens"), ("route", "host"), ("fields", "schema"), ("parts",)}


def test_every_default_and_example_satisfies_its_own_schema():
    for path, node in nodes(schema.schema()):
        for value in [*node.get("examples", []), *([node["default"]] if "default" in node else [])]:
            if path != ("parts",):
                assert holds(node, value), path


def test_no_section_takes_keys_it_does_not_know():
    for path, node in nodes(schema.schema()):
        if node.get("type") == "object":
            assert "additionalProperties" in node, path


@pytest.mark.parametrize("path", JUDGED, ids=".".join)
def test_every_pattern_has_its_words(path):
    assert JUDGED[path]["format"] in FORMS


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_the_shipped_processes_satisfy_it(file):
    assert holds(schema.schema(), tomllib.loads(file.read_text()))


@given(some.from_regex(SIZE["pattern"], fullmatch=True).filter(lambda text: not text.endswith("\n")))
def test_every_size_that_the_schema_accepts_is_read(text):
    assert units.size(text) >= 1


@given(some.from_regex(units.SIZE, fullmatch=True))
def test_every_size_above_zero_that_is_read_is_accepted_by_the_schema(text):
    assert holds(SIZE, text) or units.size(text) == 0


@given(some.from_regex(units.DURATION, fullmatch=True))
def test_every_span_that_is_read_is_accepted_by_the_schema(text):
    assert holds(SPAN, text)
    assert units.duration(text) > timedelta()


@given(some.from_regex(SPAN["pattern"], fullmatch=True).filter(lambda text: not text.endswith("\n")))
def test_every_span_that_the_schema_accepts_is_read(text):
    assert timedelta() < units.duration(text) < timedelta(days=100_000)


@pytest.mark.parametrize("name", ["a.hl7.j2", "sub/a.j2", "{{ delivery.id }}/{{ delivery.version }}.hl7", "a..b", ".a"])
def test_paths_inside_are_accepted(name):
    assert holds(KEYS["records", "items", "path"], name)


@pytest.mark.parametrize("name", ["/a", "..", "../a", "a/..", "a/../b", "a/", "a\nb", " ", ""])
def test_paths_that_lead_out_or_nowhere_are_refused(name):
    assert not holds(KEYS["records", "items", "path"], name)


@pytest.mark.parametrize("name", ["referrals", "a/b", "/srv/import", "a b", "a/", "..a"])
def test_folders_may_lie_anywhere_but_above(name):
    assert holds(KEYS["output", "directory"], name)


@pytest.mark.parametrize("name", [".", "..", "../a", "a/..", "/", "~/a", "{{ delivery.id }}", "", "a/."])
def test_folders_are_told_plainly(name):
    assert not holds(KEYS["output", "directory"], name)
