"""Fields as found become fields as templates know them."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.problems import Problem
from receiver.metadata import fields as fields_module
from receiver.metadata import json
from receiver.metadata.fields import Absent, Found, Gathered, Layout, Rules, below_minimum, gather
from tests.support.metadata_of import document, reader_of


def read(*fields: Any, **settings: Any) -> tuple[dict[str, Any], dict[str, float]]:
    reading = reader_of(**settings).read(document(*fields))
    return dict(reading.fields), dict(reading.confidence)


def refused(*fields: Any, **settings: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(Problem) as caught:
        reader_of(**settings).read(document(*fields))
    return [(each.where, each.rule, each.message) for each in caught.value.violations]


def test_values_pass_as_they_are() -> None:
    values = ["text", "", " x\n", 0, 1.5, True, ["a", 1], {"a": {"b": None}}]
    fields, confidence = read(*[(f"f{n}", value) for n, value in enumerate(values)])
    assert list(fields.values()) == values
    assert confidence == {}


def test_a_repeated_field_is_a_list_also_when_it_comes_once() -> None:
    assert read(("code", "A"), repeated=("code",))[0] == {"code": ["A"]}
    assert read(("code", "A"), ("x", 1), ("code", "B"), repeated=("code",))[0] == {"code": ["A", "B"], "x": 1}
    assert read(("x", 1), repeated=("code",))[0] == {"x": 1}


def test_the_confidence_of_a_repeated_field_is_the_lowest() -> None:
    assert read(("code", "A", 0.7), ("code", "B"), ("code", "C", 0.9), repeated=("code",))[1] == {"code": 0.7}
    assert read(("code", "A", 0.9), ("code", "B"), ("code", "C", 0.7), repeated=("code",))[1] == {"code": 0.7}
    assert read(("code", "A"), ("code", "B", 0.7), repeated=("code",))[1] == {"code": 0.7}


def test_any_other_repeat_is_refused() -> None:
    assert refused(("mrn", 1), ("mrn", 2)) == [
        ("/fields/1", "repeated", "the field comes more than once"),
    ]


def test_an_alias_is_the_same_field() -> None:
    aliases = {"dob": "patient_dob"}
    assert read(("dob", 1, 0.5), aliases=aliases) == ({"patient_dob": 1}, {"patient_dob": 0.5})
    assert [rule for _, rule, _ in refused(("dob", 1), ("patient_dob", 2), aliases=aliases)] == ["repeated"]
    assert read(("dob", 1), ("patient_dob", 2), aliases=aliases, repeated=("patient_dob",))[0] == {
        "patient_dob": [1, 2]
    }


@pytest.mark.parametrize(
    ("given", "scale", "confidence"),
    [
        (1, 1, 1.0),
        (0, 1, 0.0),
        (0.8, 1, 0.8),
        ("0.8", 1, 0.8),
        (" 1 ", 1, 1.0),
        ("1e-1", 1, 0.1),
        (80, 100, 0.8),
        ("99.5", 100, 0.995),
        (3, 4, 0.75),
        (45.0, 100, 0.45),
        (100.0, 100, 1.0),
        (None, 1, None),
        ("", 1, None),
    ],
)
def test_confidence_is_a_number_or_its_text_on_the_platforms_scale(
    given: Any, scale: float, confidence: Any, any_json: Any
) -> None:
    _, found = read(("a", "x", given), folder=any_json, schema="any.json", scale=scale)
    assert found.get("a") == confidence


@pytest.mark.parametrize(
    "given", [-0.1, 1.1, "1.1", "nan", "inf", "0,8", "1_0", "80%", "٠.٨", True, [], {}, "x", 10**30]
)
def test_any_other_confidence_is_refused(given: Any, any_json: Any) -> None:
    ((where, rule, message),) = refused(("a", "x", given), folder=any_json, schema="any.json")
    assert (where, rule) == ("/fields/0", "confidence")
    assert "from 0 to 1" in message or "must be a number" in message


@pytest.mark.parametrize("name", [None, 1, "", "  ", "a\nb", "a\x00", "x" * 201, ["a"]])
def test_a_field_needs_a_name_of_plain_text(name: Any, any_json: Any) -> None:
    ((where, rule, _),) = refused((name, "x"), folder=any_json, schema="any.json")
    assert (where, rule) == ("/fields/0", "name")


def test_fields_below_their_minimum_are_told_by_name() -> None:
    confidence = {"mrn": 0.9, "dob": 0.8, "name": 0.79, "x/y": 0.1}
    violations = below_minimum(confidence, 0.8, {"mrn": 0.95, "name": 0.5})
    assert [(each.where, each.rule, each.message) for each in violations] == [
        ("fields/mrn", "confidence", "the confidence is below 0.95"),
        ("fields/x~1y", "confidence", "the confidence is below 0.8"),
    ]


def test_a_field_whose_name_nobody_knows_is_told_by_its_number() -> None:
    violations = below_minimum({"mrn": 0.9, "Ada Example": 0.1, "dob": 0.2}, 0.8, {}, known={"mrn", "dob"})
    assert [each.where for each in violations] == ["fields/(field 2)", "fields/dob"]


def test_a_field_without_confidence_has_none() -> None:
    fields, confidence = read(("mrn", "1"), ("dob", "2", 0.5))
    assert set(fields) == {"mrn", "dob"}
    assert [each.where for each in below_minimum(confidence, 0.8, {"mrn": 1.0})] == ["fields/dob"]


def test_a_field_has_its_place_where_it_comes_first_and_none_if_it_did_not_come() -> None:
    gathered = Gathered(lambda index: f"/fields/{index}", firsts={"mrn": 2})
    assert (gathered.place_of("mrn"), gathered.place_of("dob")) == ("/fields/2", None)


def test_nothing_that_was_measured_is_below_every_minimum_but_none() -> None:
    violations = below_minimum({"mrn": None, "dob": None}, 0.8, {"dob": 0})
    assert [(each.where, each.message) for each in violations] == [
        ("fields/mrn", "there is no confidence, and its minimum is 0.8")
    ]


PLAIN = Layout(*map(json.path, ("fields", "name", "value", "confidence")))


@pytest.mark.parametrize(("count", "wrong"), [(2, []), (3, [("/", "more")])])
def test_as_many_fields_are_read_as_the_limit(monkeypatch: pytest.MonkeyPatch, count: int, wrong: list[Any]) -> None:
    monkeypatch.setattr(fields_module, "MAX_FIELDS", 2)
    items = [{"name": name, "value": 1} for name in "abc"[:count]]
    gathered = gather(Found(items, str), PLAIN, Rules(frozenset(), {}, 1))
    assert gathered.fields == {"a": 1, "b": 1}
    assert [(each.where, each.rule) for each in gathered.violations] == wrong


def test_no_field_is_lost_if_a_path_finds_too_little() -> None:
    class Few:
        expression = "few"

        def find(self, item: Any) -> Any:
            return item

        def find_each(self, items: Sequence[Any]) -> list[Any]:
            return list(items[1:])

    with pytest.raises(ValueError, match="shorter"):
        list(Layout(PLAIN.each, PLAIN.name, PLAIN.value, Few()).read([{}, {}]))


@pytest.mark.parametrize(
    ("expression", "found"),
    [("length(a)", [2, Absent.MISSING]), ("a", ["xy", Absent.MISSING]), ("`null`", [None, None])],
)
def test_a_path_is_asked_for_all_fields_at_once(expression: str, found: list[Any]) -> None:
    assert json.path(expression).find_each([{"a": "xy"}, {}]) == found


def test_cells_are_none_where_null_stands_and_a_member_is_called_by_its_name_where_all_may_be_told() -> None:
    assert json.cells({"a": None}, json.path("a")) == []
    found = json.fields({"fields": {"mrn": 1}}, PLAIN)
    assert found is not None
    assert found.place(0) == "/fields/mrn"


_ITEMS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["a", "b", "old", "new", "code", "free", "", "a\n", "x" * 201, None, 1, ["a"]]),
            "value": st.sampled_from(["x", "", 0, None, [], {"a": 1}, False]),
            "confidence": st.sampled_from([0.5, 0.25, 1.0, 1, 0, "0.75", "", None, 1.5, -0.5, True, "x", []]),
        },
    )
    | st.sampled_from([None, "name", 1, [], ["name"]]),
    max_size=8,
)


@given(items=_ITEMS, held=st.booleans())
@settings(deadline=None)
def test_fields_are_what_each_of_them_says(items: list[Any], held: bool) -> None:
    """Whether the configuration holds their names or not: this reads them one at a time."""
    names = {"old": "new"} | ({"a": "a", "new": "new", "code": "code"} if held else {})
    gathered = gather(Found(items, str), PLAIN, Rules(frozenset({"code"}), names, 1))
    fields: dict[str, Any] = {}
    confidence: dict[str, float] = {}
    firsts: dict[str, int] = {}
    wrong: list[tuple[str, str]] = []
    for index, item in enumerate(items):
        member = item if isinstance(item, dict) else {}
        name, value, sure = member.get("name"), member.get("value"), member.get("confidence")
        if sound := name in ("a", "b", "old", "new", "code", "free"):
            name = names.get(str(name), name)
        else:
            wrong.append((str(index), "name"))
        if sure in ("", None):
            sure = None
        elif type(sure) in (bool, list) or sure in ("x", 1.5, -0.5):
            wrong.append((str(index), "confidence"))
            sure = None
        if not sound or value is None:
            continue
        if name in fields and name != "code":
            wrong.append((str(index), "repeated"))
            continue
        fields[name] = [*fields.get(name, []), value] if name == "code" else value
        firsts.setdefault(name, index)
        if sure is not None:
            confidence[name] = min(float(sure), confidence.get(name, 1.0))
    assert (gathered.fields, gathered.confidence, gathered.firsts) == (fields, confidence, firsts)
    assert [(each.where, each.rule) for each in gathered.violations] == wrong


@given(
    items=st.lists(
        st.recursive(
            st.sampled_from([None, "a", 1, ["a"]]),
            lambda inner: st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            max_leaves=4,
        ),
        max_size=4,
    ),
    expression=st.sampled_from(["a", "a.b", "a.b.a", "length(a)", "`null`", "a[0]", "a || b"]),
)
def test_a_path_finds_in_many_items_what_it_finds_in_each(items: list[Any], expression: str) -> None:
    path = json.path(expression)
    assert path.find_each(items) == [path.find(item) for item in items]
