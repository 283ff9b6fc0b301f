"""What decides the outcome of a delivery, by tables: kept or turned away, which version, which names clash."""

from datetime import UTC, datetime
from types import SimpleNamespace as Given

import pytest

from receiver.core.delivery import Cell, Previous, Reading, Record, Role
from receiver.core.problems import PASSING, Code, Problem, Violation
from receiver.delivery import each as each_of
from receiver.delivery.each import render_each, together
from receiver.delivery.receive import _source_id, low_confidence, next_version, previous, read
from receiver.delivery.render import _folded, _peeked, _refuse_clashes, _same_record, _written, holds
from receiver.delivery.rules import judge
from receiver.templates.source import Place
from tests.store.test_small_parts import ENTRY

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def process(below="hold", without_records="hold", on_invalid="hold", same="version", minimum=0.8, unknown="accept"):
    delivery = Given(without_records=without_records, on_invalid=on_invalid, same_source_id=same)
    confidence = Given(below=below, minimum=minimum, fields={"mrn": 0.95}, unknown=unknown)
    config = Given(confidence=confidence, delivery=delivery)
    return Given(config=config, metadata=Given(known=frozenset({"dob"})))


@pytest.mark.parametrize(
    "code", sorted(set(Code) - PASSING - {Code.CONFIDENCE_LOW, Code.NO_RECORD, Code.MALWARE_FOUND})
)
def test_what_is_invalid_is_kept_where_the_process_says_so(code):
    assert holds(process(on_invalid="hold"), Problem(code, "")) is (code is not Code.SOURCE_ID_CONFLICT)
    assert holds(process(on_invalid="refuse"), Problem(code, "")) is False


@pytest.mark.parametrize(
    ("given", "code", "kept"),
    [
        ({"below": "hold", "on_invalid": "refuse"}, Code.CONFIDENCE_LOW, True),
        ({"below": "refuse", "on_invalid": "hold"}, Code.CONFIDENCE_LOW, False),
        ({"without_records": "hold", "on_invalid": "refuse"}, Code.NO_RECORD, True),
        ({"without_records": "refuse", "on_invalid": "hold"}, Code.NO_RECORD, False),
        ({"on_invalid": "refuse"}, Code.MALWARE_FOUND, True),
    ],
)
def test_low_confidence_no_record_and_malware_have_rules_of_their_own(given, code, kept):
    assert holds(process(**given), Problem(code, "")) is kept


@pytest.mark.parametrize("held", [True, False])
def test_a_problem_that_says_itself_whether_it_is_kept_is_believed(held):
    given = process(on_invalid="refuse" if held else "hold")
    assert holds(given, Problem(Code.RULE_BROKEN, "", held=held)) is held


READING = Reading("42", {"mrn": 1, "dob": 2, "Ada": 3}, {"mrn": 0.94, "dob": 0.8}, None)
CELLS = (Cell(("tables", "items", 0, "sku"), "sku", "items.sku", 0.5),)
CELLS += (Cell(("tables", "items", 0, "n"), "n", "items.n", None),)


@pytest.mark.parametrize(
    ("given", "reading", "low"),
    [
        ({}, READING, ["fields/mrn"]),
        ({"below": "refuse"}, READING, ["fields/mrn"]),
        ({"below": "publish"}, READING, None),
        ({"unknown": "low"}, READING, ["fields/mrn", "fields/(field 3)"]),
        ({"minimum": 0.81}, READING, ["fields/mrn", "fields/dob"]),
        ({}, READING._replace(confidence={"mrn": 0.95}), None),
        ({}, READING._replace(confidence={}, cells=CELLS), ["tables/items/0/sku"]),
        ({"minimum": 0.5}, READING._replace(confidence={}, cells=CELLS), None),
        (
            {"minimum": 0.5, "unknown": "low"},
            READING._replace(fields={}, confidence={}, cells=CELLS),
            ["tables/items/0/n"],
        ),
    ],
)
def test_a_confidence_is_low_below_its_minimum(given, reading, low):
    found = low_confidence(process(**given), reading)
    assert (found and [each.where for each in found.violations]) == low
    assert found is None or found.code is Code.CONFIDENCE_LOW


def test_a_version_follows_the_one_that_was_accepted_before():
    before = Previous(ENTRY.id, 3, ENTRY.received_at)
    assert next_version(process(), ENTRY) == (4, before)
    assert next_version(process(same="refuse"), None) == (1, None)
    assert next_version(process(same="refuse"), ENTRY._replace(version=None)) == (1, None)
    assert (previous(None), previous(ENTRY)) == (None, before)
    with pytest.raises(Problem) as caught:
        next_version(process(same="refuse"), ENTRY)
    assert caught.value.code is Code.SOURCE_ID_CONFLICT


@pytest.mark.parametrize(
    ("documents", "records", "marker", "clash"),
    [
        (["a.pdf"], ["a.hl7", "a.json"], "a.done", ""),
        (["a.pdf"], [], None, ""),
        ([], [], None, ""),
        (["a"], ["A"], None, "Two files of this delivery would get the same name."),
        (["e\u0301"], ["é"], None, "Two files of this delivery would get the same name."),
        (["a"], ["b"], "b", "Two files of this delivery would get the same name."),
        (["a"], ["a/b"], None, "Two files of this delivery would get the same name."),
        (["x/a"], ["x/b"], "x/c", ""),
        (["x/a"], ["X"], None, "Two files of this delivery would get the same name."),
        (
            [],
            ["a", "b", "c", "B", "a"],
            None,
            "Of the records of this delivery, number 2 and number 4 would get the same name.",
        ),
    ],
)
def test_files_of_one_name_are_refused(documents, records, marker, clash):
    if not clash:
        _refuse_clashes(map(_folded, documents), records, marker)
        assert _same_record(records) == ""
        return
    with pytest.raises(Problem) as caught:
        _refuse_clashes(map(_folded, documents), records, marker)
    assert (caught.value.code, [each.message for each in caught.value.violations]) == (Code.NAME_TAKEN, [clash])


@pytest.mark.parametrize(
    ("where", "written"),
    [
        ("line 1, PID-3", "a.j2:10"),
        ("line 2", "b.j2:7"),
        ("line 3, x", "a.j2:12"),
        ("line 99", "a.j2:12"),
        ("message", "a.j2:10"),
        ("in line 2", "a.j2:10"),
    ],
)
def test_a_fault_of_a_record_is_told_with_the_line_of_its_template(where, written):
    lines = [Place("a.j2", 10, 1), Place("b.j2", 7, 1), Place("a.j2", 12, 1)]
    assert _written(lines, where) == written


# records of each item -------------------------------------------------------------------------------------------


def items(*values):
    return Given(of=lambda _values: list(values), table="items")


def test_each_record_knows_its_place_in_the_loop():
    seen = []
    render_each(
        items("a", "b", "c"), {"x": 1}, lambda names: seen.append((names["item"], names["x"], names["loop"])) or []
    )
    assert [(item, x) for item, x, _ in seen] == [("a", 1), ("b", 1), ("c", 1)]
    assert [loop for *_, loop in seen] == [
        {"index": 1, "index0": 0, "revindex": 3, "first": True, "last": False, "length": 3},
        {"index": 2, "index0": 1, "revindex": 2, "first": False, "last": False, "length": 3},
        {"index": 3, "index0": 2, "revindex": 1, "first": False, "last": True, "length": 3},
    ]


@pytest.mark.parametrize(("failing", "told"), [(1, 1), (9, 9), (10, 10), (12, 10)])
def test_of_records_that_fail_the_first_ten_are_told_with_their_items(failing, told):
    def render(names):
        if names["item"] < failing:
            raise Problem(
                Code.FIELDS_INVALID,
                "wrong",
                [Violation(f"tables/items/{names['item']}/sku", "r", "m"), Violation("x", "r", "m")],
            )
        return [Record("p", b"")]

    with pytest.raises(Problem) as caught:
        render_each(items(*range(20)), {}, render)
    assert [(each.where, each.message) for each in caught.value.violations] == [
        each for index in range(told) for each in ((f"tables/items/{index}/sku", "m"), ("x", f"m (item {index})"))
    ]


@pytest.mark.parametrize(("size", "fits"), [(50, True), (51, False)])
def test_records_of_all_items_have_a_size_together(monkeypatch, size, fits):
    monkeypatch.setattr(each_of, "MAX_RECORDS_SIZE", 100)
    made = lambda _names: [Record("p", b"x" * size)]  # noqa: E731
    if fits:
        assert len(render_each(items(1, 2), {}, made)) == 2
    else:
        with pytest.raises(Problem, match="More would be made"):
            render_each(items(1, 2), {}, made)


@pytest.mark.parametrize(("seconds", "fits"), [(1, True), (1.5, False)])
def test_records_of_all_items_have_a_time_together(monkeypatch, seconds, fits):
    clock = iter([0, seconds])
    monkeypatch.setattr(each_of, "MAX_RECORDS_SECONDS", 1)
    monkeypatch.setattr(each_of, "thread_time", lambda: next(clock))
    if fits:
        assert len(render_each(items(1), {}, lambda _names: [Record("p", b"")])) == 1
    else:
        with pytest.raises(Problem, match="More would be made"):
            render_each(items(1), {}, lambda _names: [Record("p", b"")])


@pytest.mark.parametrize(("count", "fits"), [(3, True), (4, False)])
def test_there_are_so_many_records_of_items(monkeypatch, count, fits):
    monkeypatch.setattr(each_of, "MAX_RECORDS", 3)
    if fits:
        assert len(render_each(items(*range(count)), {}, lambda _names: [Record("p", b"")])) == 3
    else:
        with pytest.raises(Problem) as caught:
            render_each(items(*range(count)), {}, lambda _names: pytest.fail("rendered"))
        assert caught.value.code is Code.TEMPLATE_FAILED


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([Code.FIELDS_INVALID, Code.RECORD_INVALID], Code.RECORD_INVALID),
        ([Code.METADATA_INVALID, Code.FIELDS_INVALID], Code.METADATA_INVALID),
        ([Code.TEMPLATE_FAILED, Code.RECORD_INVALID], Code.TEMPLATE_FAILED),
    ],
)
def test_problems_of_several_records_are_one(codes, code):
    found = together(
        [Problem(each, f"about {number % 1}", [Violation(f"{number}", "", "")]) for number, each in enumerate(codes)]
    )
    assert (found.code, found.detail, [each.where for each in found.violations]) == (code, "about 0", ["0", "1"])
    assert together([found]) is found


# rules ----------------------------------------------------------------------------------------------------------


def rule(name, holds, otherwise="hold", reads=("mrn",), names=("fields",)):
    def judged(_names):
        if isinstance(holds, Problem):
            raise holds
        return holds

    must = Given(holds=judged, reads=[Given(name=each) for each in reads], names=set(names))
    return Hashed(
        name=name, config=Given(otherwise=otherwise, message=f"{name} must be"), must=must, place="process.toml:7"
    )


class Hashed(Given):
    __hash__ = object.__hash__


def broken(*rules, low=None, accept=False, below="hold"):
    given = Given(rules=rules, config=Given(confidence=Given(below=below)))
    try:
        judge(given, {}, low, accept=accept)
    except Problem as problem:
        return problem
    return None


LOW = Problem(Code.CONFIDENCE_LOW, "not sure", [Violation("fields/dob", "confidence", "low")])


def test_rules_that_hold_leave_the_low_confidence_to_be_told():
    assert broken(rule("a", holds=True)) is None
    assert broken() is None
    assert broken(rule("a", holds=True), low=LOW) is LOW


def test_every_broken_rule_is_told_with_what_it_reads():
    found = broken(
        rule("a", holds=False),
        rule("b", holds=True),
        rule("c", holds=False, reads=("mrn", "dob")),
        rule("d", holds=False, names=("fields", "delivery")),
        rule("e", holds=False, reads=()),
        rule("f", holds=False, reads=("dob", "dob")),
        low=LOW,
    )
    assert (found.code, found.detail) == (
        Code.RULE_BROKEN,
        "a: a must be c: c must be d: d must be e: e must be f: f must be not sure",
    )
    assert [(each.where, each.rule, each.message, each.schema) for each in found.violations[:-1]] == [
        ("fields/mrn", "a", "a must be", "process.toml:7"),
        ("rules", "c", "c must be", "process.toml:7"),
        ("rules", "d", "d must be", "process.toml:7"),
        ("rules", "e", "e must be", "process.toml:7"),
        ("fields/dob", "f", "f must be", "process.toml:7"),
    ]
    assert (found.violations[-1], found.rules) == (LOW.violations[0], ("a", "c", "d", "e", "f"))


@pytest.mark.parametrize(
    ("others", "low", "below", "held"),
    [
        ((), None, "hold", True),
        (("hold",), None, "hold", True),
        (("refuse",), None, "hold", False),
        ((), LOW, "hold", True),
        ((), LOW, "refuse", False),
    ],
)
def test_a_broken_rule_is_held_if_all_are(others, low, below, held):
    rules = [rule("a", holds=False), *(rule(each, holds=False, otherwise=each) for each in others)]
    assert broken(*rules, low=low, below=below).held is held


def test_who_has_looked_passes_over_rules_that_hold():
    assert broken(rule("a", holds=False), accept=True) is None
    assert broken(rule("a", holds=False, otherwise="refuse"), accept=True).rules == ("a",)


@pytest.mark.parametrize("code", Code)
def test_a_rule_that_cannot_be_judged_by_the_values_of_a_delivery_is_broken(code):
    failing = rule("a", holds=Problem(code, "", [Violation("process.toml:9", "", "is no number", None)]))
    if code in (Code.TEMPLATE_FAILED, Code.FIELDS_INVALID, Code.METADATA_INVALID):
        (violation,) = broken(failing).violations
        assert (violation.message, violation.schema) == ("a must be (is no number)", "process.toml:9")
    else:
        assert broken(failing).code is code


def test_a_rule_that_fails_is_told_with_the_first_reason_and_its_line():
    reasons = [Violation("fields/mrn", "", "first", "process.toml:9"), Violation("fields/dob", "", "second")]
    (violation,) = broken(rule("a", holds=Problem(Code.TEMPLATE_FAILED, "", reasons))).violations
    assert (violation.message, violation.schema) == ("a must be (first)", "process.toml:9")


# what is kept ---------------------------------------------------------------------------------------------------


def part_of(role, content=b"{}"):
    return Given(role=role, charset="latin-1", read=lambda: content)


def test_fields_of_what_is_kept_are_read_as_far_as_they_can_be():
    def peek(content, charset):
        if content == b"bad":
            raise Problem(Code.METADATA_MALFORMED, "")
        return Given(fields={"mrn": (content, charset)}, source_id="42")

    process = Given(metadata=Given(peek=peek, read=peek))
    metadata, document, bad = part_of(Role.METADATA), part_of(Role.DOCUMENT), part_of(Role.METADATA, b"bad")
    assert _peeked(process, [document, metadata]) == {"mrn": (b"{}", "latin-1")}
    assert [_peeked(process, each) for each in ([document], [metadata, metadata], [bad])] == [{}, {}, {}]
    found = [
        _source_id(process, Given(parts=each)) for each in ([document, metadata], [document], [metadata] * 2, [bad])
    ]
    assert found == ["42", "", "", ""]
    process.metadata.read = lambda *_: refuse("43")
    assert _source_id(process, Given(parts=[metadata])) == "43"


def refuse(source_id):
    raise Problem(Code.METADATA_INVALID, "", source_id=source_id)


def test_parts_that_are_refused_are_told_with_the_source_id():
    problem = Problem(Code.PART_TYPE, "")
    process = Given(metadata=Given(read=lambda *_: Given(source_id="42")))
    with pytest.raises(Problem) as caught:
        read(process, Given(parts=[part_of(Role.METADATA)], problem=problem))
    assert caught.value is problem
    assert problem.source_id == "42"
    found = []
    process = Given(metadata=Given(read=lambda *given: found.append(given) or "reading"))
    parts = [part_of(Role.DOCUMENT), part_of(Role.METADATA, b"m")]
    assert read(process, Given(parts=parts, problem=None), {"a": "b"}) == "reading"
    assert found == [(b"m", "latin-1", {"a": "b"})]
