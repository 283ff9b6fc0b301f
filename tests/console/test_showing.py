"""What the pages show of a delivery: fields and cells with what is asked of them, documents and records."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace as Given

import pytest

from receiver import documents
from receiver.core.delivery import Cell, Reading, Role
from receiver.core.problems import Code, Problem, Violation
from receiver.web.console import showing
from receiver.web.console.showing import Shown, Table

FIELDS = Given(properties=("mrn", "dob", "name"))


def process(minimum=0.8, fields_schema=None, peek=None, has_places=False, **fields):
    confidence = Given(minimum=minimum, fields=fields)
    metadata = Given(fields_schema=fields_schema, peek=peek, has_places=has_places)
    return Given(name="referrals", config=Given(confidence=confidence), metadata=metadata)


def reading(fields=None, confidence=None, tables=None, cells=()):
    return Reading("S1", fields or {}, confidence or {}, None, tables or {}, cells)


def outcome(*violations: Violation, **more):
    problem = Problem(Code.FIELDS_INVALID, "They do not fit.", violations) if violations else None
    return Given(problem=problem, rendered=None, **more)


def part(role=Role.DOCUMENT, type_="application/pdf", **more):
    return Given(role=role, type=type_, **more)


def fields_of(asked, found, read, corrections=None):
    return {each.name: each for each in showing._fields(asked, found, read, corrections or {})}


@pytest.mark.parametrize(
    ("confidence", "minimum", "corrected", "low"),
    [
        (0.8, 0.8, False, False),
        (0.79, 0.8, False, True),
        (0.79, 0.8, True, False),
        (None, 0.8, False, True),
        (None, 0, False, False),
        (0.0, 0, False, False),
        (0.79, 0.5, False, False),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_field_is_doubted_below_its_minimum_until_somebody_has_corrected_it(confidence, minimum, corrected, low, own):
    asked = process(0.99, mrn=minimum) if own else process(minimum)
    read = reading({"mrn": "1"}, {"mrn": confidence} if confidence is not None else {})
    corrections = {"mrn": "2"} if corrected else {}
    (field,) = showing._fields(asked, outcome(), read, corrections)
    value = "2" if corrected else "1"
    assert field == Shown("mrn", value, confidence, minimum, low, (), single=True, corrected=corrected)


def test_a_cell_is_doubted_as_a_field_is():
    cells = [("sku", 0.8), ("qty", 0.79), ("lot", None)]
    read = reading(
        tables={"items": [{"sku": "A1", "qty": 2, "lot": "L", "note": "x"}]},
        cells=tuple(Cell(("tables", "items", 0, name), name, f"items.{name}", sure) for name, sure in cells),
    )
    place = "/tables/items/0/"
    broken = outcome(Violation("tables/items/0/sku", "pattern", "must fit"), Violation("tables", "more", "too many"))
    asked = process(0.8, **{"items.lot": 0.3})
    (table,) = showing._tables(asked, broken, read, {f"{place}qty": "3"})
    assert table.rows == (
        (
            Shown(f"{place}sku", "A1", 0.8, 0.8, False, ("must fit",), single=True, corrected=False),
            Shown(f"{place}qty", "3", 0.79, 0.8, False, (), single=True, corrected=True),
            Shown(f"{place}lot", "L", None, 0.3, True, (), single=True, corrected=False),
            Shown(f"{place}note", "x", None, 0, False, (), single=True, corrected=False),
        ),
    )
    (table,) = showing._tables(asked, outcome(), read, {})
    assert [cell.low for cell in table.rows[0]] == [False, True, True, False]


def test_what_has_several_values_is_shown_and_not_corrected():
    several = {"a": ["1", "2"], "b": {"c": 1}}
    shown = fields_of(process(), outcome(), reading(several))
    assert [(shown[name].value, shown[name].single) for name in "ab"] == [("1\n2", False), ("c: 1", False)]
    (table,) = showing._tables(process(), outcome(), reading(tables={"t": [several]}), {})
    assert [(cell.value, cell.single) for cell in table.rows[0]] == [("1\n2", False), ("c: 1", False)]


def test_a_field_that_did_not_come_is_asked_for_with_what_is_said_of_it():
    said = outcome(
        Violation("fields", "required", 'the field "mrn" is missing'),
        Violation("fields", "other", 'something else of "mrn"'),
        Violation("", "required", 'the document has no "mrn"'),
        Violation("tables/mrn", "more", "there are more rows"),
        Violation("/fields/dob", "type", "must be a day"),
        Violation("fields/dob/0", "length", "must be short"),
        Violation("fields/name", "pattern", "must be a name"),
    )
    asked = process(fields_schema=FIELDS)
    shown = fields_of(asked, said, reading({"name": "Ada"}), {"/tables/items/0/sku": "A", "ward": "3"})
    assert list(shown) == ["name", "ward", "mrn", "dob"]
    assert shown["mrn"] == Shown("mrn", "", None, 0, False, ('the field "mrn" is missing',), True, False)
    assert shown["dob"] == Shown("dob", "", None, 0, False, ("must be a day", "must be short"), True, False)
    assert shown["name"].broken == ("must be a name",)
    assert (shown["ward"].value, shown["ward"].corrected) == ("3", True)


def test_without_anything_that_can_be_read_what_a_person_said_is_shown():
    assert list(fields_of(process(), outcome(), None, {"mrn": "1"})) == ["mrn"]
    assert list(showing._tables(process(), outcome(), None, {})) == []


def test_a_table_within_rows_is_shown_below_and_each_place_is_exact(monkeypatch):
    monkeypatch.setattr(showing, "ROWS", 2)
    rows = [
        {"a": 1, "parts/lots": [{"x~y": 5}], "empty": []},
        {"b": 2, "parts/lots": []},
        {"c": 3, "parts/lots": [{"x~y": 7}]},
    ]
    found = list(showing._tables(process(), outcome(), reading(tables={"items": rows}), {}))
    places = [[[cell and cell.name for cell in row] for row in table.rows] for table in found]
    assert [(table.name, table.columns, table.more) for table in found] == [
        ("items", ("a", "b", "c"), 1),
        ("items, row 1: empty", (), 0),
        ("items, row 1: parts/lots", ("x~y",), 0),
        ("items, row 2: parts/lots", (), 0),
    ]
    assert places[0] == [["/tables/items/0/a", None, None], [None, "/tables/items/1/b", None]]
    assert places[2] == [["/tables/items/0/parts~1lots/0/x~0y"]]


def test_tables_within_a_row_are_shown_by_name():
    inner = [f"lots{number}" for number in (3, 1, 5, 2, 6, 4)]
    rows = [{name: [{"x": 1}] for name in inner}]
    found = list(showing._tables(process(), outcome(), reading(tables={"items": rows}), {}))
    assert [table.name.rpartition(" ")[2] for table in found[1:]] == sorted(inner)


def test_every_field_and_cell_is_found_by_its_name():
    field, cell = (Shown(name, "", None, 0, False, (), True, False) for name in ("mrn", "/tables/items/0/sku"))
    table = Table("items", ("sku", "qty"), ((cell, None),), 0)
    assert showing.Preview((field,), (), (), None, (table,), {}, False).every == [field, cell]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mrn", ["00071234", "1"]),
        ("ward", ["3"]),
        ("nothing", []),
        ("none", []),
        ("said", ["B"]),
        ("/tables/items/0/sku", ["A1"]),
        ("/tables/items/0/a~1b", ["C"]),
        ("/tables/items/1/sku", []),
        ("/tables/items/x/sku", []),
        ("/tables/items/0/sku/more/0", []),
    ],
)
def test_values_are_what_came_and_what_a_person_said(monkeypatch, name, found):
    read = reading(
        {"mrn": [" 00071234 ", None, "1"], "ward": 3, "none": None},
        tables={"items": [{"sku": "A1", "a/b": "C"}]},
    )
    monkeypatch.setattr(showing, "_peek", lambda *_: read)
    assert showing.values(None, Given(corrections={"said": " B "}), name) == found
    monkeypatch.setattr(showing, "_peek", lambda *_: None)
    assert showing.values(None, Given(corrections={name: "D"}), name) == ["D"]


def test_what_cannot_be_read_has_no_values():
    def refuse(*_):
        raise Problem(Code.METADATA_MALFORMED, "It is none.")

    metadata = part(Role.METADATA, read=lambda: b"{}", charset="utf-8")
    asked = []
    looked = process(peek=lambda *given: asked.append(given) or "read")
    assert showing._peek(looked, Given(parts=[metadata])) == "read"
    assert asked == [(b"{}", "utf-8")]
    assert showing._peek(looked, Given(parts=[])) is None
    assert showing._peek(process(peek=refuse), Given(parts=[metadata])) is None


def test_documents_that_can_be_shown_are_counted_from_the_first(monkeypatch):
    parts = [
        part(Role.METADATA),
        part(),
        part(type_="application/dicom"),
        part(type_="image/tiff"),
        part(Role.ATTACHMENT),
    ]
    kept = Given(parts=parts)
    assert showing.documents_of(kept) == [parts[1], parts[3]]
    monkeypatch.setattr(showing.replay, "find", lambda *_: (None, kept))
    assert showing.document(None, None, 1) == (kept, parts[3])
    with pytest.raises(IndexError):
        showing.document(None, None, 2)


def test_pages_that_cannot_be_counted_are_none(monkeypatch):
    def pages(counted, _process):
        if counted == "broken":
            raise Problem(Code.DOCUMENT_BROKEN, "It is none.")
        return 3

    monkeypatch.setattr(documents, "pages", pages)
    assert [showing.page_count(each, "referrals") for each in ("whole", "broken")] == [3, 0]


@pytest.mark.parametrize(
    ("has_places", "texts", "placed"),
    [(True, [], True), (False, [], False), (False, [False, True], True), (False, [False, False], False)],
)
@pytest.mark.parametrize("said", [None, {}, {"mrn": "2"}])
def test_a_preview_is_of_the_corrections_that_are_tried(monkeypatch, has_places, texts, placed, said):
    kept = Given(parts=[part(label="fax", size=7, text=text) for text in texts], corrections={"mrn": "1"})
    asked, judged = process(has_places=has_places), []

    def judge(*_, **how):
        judged.append(how)
        return outcome(reading=reading({"mrn": "0"}), batches=())

    monkeypatch.setattr(showing.replay, "find", lambda *_: (asked, kept))
    monkeypatch.setattr(showing.rehearsal, "judge", judge)
    monkeypatch.setattr(documents, "has_text", lambda counted: counted.text)
    monkeypatch.setattr(documents, "pages", lambda *_: 2)
    found = showing.preview(None, None, said)
    tried = {"mrn": "1"} if said is None else said
    assert judged == [{"accept_confidence": True, "corrections": tried}]
    assert (found.corrections, found.placed) == (tried, placed)
    assert found.documents == tuple(showing.Document("fax", 7, 2) for _ in texts)
    assert [each.value for each in found.fields] == [tried.get("mrn", "0")]


def test_a_preview_of_what_is_refused_shows_what_can_be_read(monkeypatch):
    asked, kept = process(), Given(parts=[], corrections={})
    monkeypatch.setattr(showing.replay, "find", lambda *_: (asked, kept))
    monkeypatch.setattr(showing.rehearsal, "judge", lambda *_, **__: outcome(reading=None))
    monkeypatch.setattr(showing, "_peek", lambda *_: reading({"mrn": "0"}))
    assert [each.value for each in showing.preview(None, None).fields] == ["0"]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (999_499, "999 kB"),
        (1_000_000, "1.0 MB"),
        (12_340_000, "12.3 MB"),
    ],
)
def test_a_size_is_written_for_people(count, shown):
    assert showing.size(count) == shown


def test_the_last_bar_is_of_this_hour():
    now = datetime(2026, 3, 1, 12, 40, 30, 500, tzinfo=UTC)
    came, asked = {"2026-02-28T13": 1, "2026-03-01T12": 7}, []
    bars = showing.bars(Given(hours=lambda since: asked.append(since) or {"a": came}), ["a", "b"], now)
    assert asked == [datetime(2026, 2, 28, 13, tzinfo=UTC)]
    assert (len(bars["a"]), bars["a"][0], bars["a"][-1], sum(bars["b"])) == (24, 1, 7, 0)


def test_a_moment_is_written_in_utc():
    at = datetime(2026, 3, 1, 12, 0, 5, 999, timezone(timedelta(hours=2)))
    assert showing.moment(at) == "2026-03-01T10:00:05+00:00"
    assert showing.moment(None) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("a", "a"),
        (0, "0"),
        (["a", None, 1], "a\n\n1"),
        ({"a": 1, "b": [2, 3]}, "a: 1\nb: 2\n3"),
    ],
)
def test_a_value_is_shown_as_text(value, text):
    assert showing._text(value) == text


@pytest.mark.parametrize(("roles", "found"), [("", None), ("d", None), ("dm", 1), ("md", 0), ("mdm", None)])
def test_metadata_is_what_came_once(roles, found):
    parts = [Given(role=Role.METADATA if each == "m" else Role.DOCUMENT) for each in roles]
    assert showing.metadata_of(Given(parts=parts)) is (None if found is None else parts[found])


def test_a_long_record_is_cut_and_its_line_ends_are_plain(monkeypatch):
    monkeypatch.setattr(showing, "LONGEST", 5)
    records = [
        Given(path="a", content=b"1\r\n2\r3"),
        Given(path="b", content=b"123456"),
        Given(path="c", content=b"\xff"),
    ]
    found = list(showing.records(Given(rendered=Given(records=records[:2]), batches=records[2:])))
    assert found == [("a", "1\n2\n3"), ("b", "12345…"), ("c", "\ufffd")]
    assert list(showing.records(Given(rendered=None, batches=()))) == []
