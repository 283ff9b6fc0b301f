"""What each format makes of a value and of a whole record, and what it refuses."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from receiver.formats import budget, path, values
from receiver.formats.csv import escape as csv
from receiver.formats.errors import ExceededError, MisplacedError, Missing, MissingNameError, RefusedError
from receiver.formats.escaping import OutputContext
from receiver.formats.hl7 import escape as hl7
from receiver.formats.json import escape as json
from receiver.formats.text import escape as text
from receiver.formats.xml import escape as xml

CELL = csv.escaper(csv.START, None)
UNGUARDED = csv.escaper(csv.START, "unguarded")
ALWAYS = csv.escaper(csv.start(";", "always"), None)
FIELD = hl7.State(segment="PID", field=3)
LEAF, NULL, LINES = (hl7.escaper(FIELD, mark) for mark in (None, "hl7_null", "hl7_text"))
REFUSED = None


@pytest.mark.parametrize(
    ("escape", "value", "printed"),
    [
        *((values.text, each, "") for each in (None, "")),
        (values.text, True, "true"),
        (values.text, False, "false"),
        (values.text, 1.50, "1.5"),
        (values.text, Decimal("1E+3"), "1000"),
        (values.text, float("inf"), REFUSED),
        (values.text, Decimal("NaN"), REFUSED),
        (values.text, date(2026, 1, 2), "2026-01-02"),
        (values.text, time(3, 4), "03:04:00"),
        (values.text, datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        *((values.text, each, REFUSED) for each in ([], {}, (), b"x")),
        (CELL, "ab1", "ab1"),
        (CELL, "a b", "a b"),
        (CELL, " a", '" a"'),
        (CELL, "a,b", '"a,b"'),
        (CELL, "a;b", "a;b"),
        (CELL, 'a"b', '"a""b"'),
        (CELL, "a\nb", '"a\nb"'),
        (CELL, "a\rb", '"a\rb"'),
        (CELL, "=a", "'=a"),
        (CELL, " =a", "' =a"),
        (CELL, "\t1", "'\t1"),
        (CELL, "-12.5", "-12.5"),
        (CELL, "+1", "+1"),
        (CELL, "-1.2.3", "'-1.2.3"),
        (CELL, "-", "'-"),
        (CELL, "-a", "'-a"),
        (CELL, "-1²", "'-1²"),
        (CELL, "@", "'@"),
        (CELL, "＝1", "'＝1"),
        (CELL, "a=1", "a=1"),
        (CELL, "", ""),
        (CELL, 5, "5"),
        (CELL, "a\x00", REFUSED),
        (CELL, "a\x7f", REFUSED),
        (CELL, "a\x9f", REFUSED),
        (CELL, "a\xa0", '"a\xa0"'),
        (CELL, "a\ud800", REFUSED),
        (CELL, "a\udfffb", REFUSED),
        (UNGUARDED, "=a", "=a"),
        (UNGUARDED, "=a,b", '"=a,b"'),
        (ALWAYS, "ab", '"ab"'),
        (ALWAYS, "", '""'),
        (ALWAYS, "=a", '"\'=a"'),
        (csv.quoted, '=a"', '=a""'),
        (csv.opened, '=a"', '\'=a""'),
        (LEAF, "a|b", "a\\F\\b"),
        (LEAF, 'say "x"', 'say "x"'),
        *((LEAF, each, REFUSED) for each in ('""', '"', ' " "', "a\x1c", "a\x1d", "a\x0b\x00", "a\ud800")),
        (LEAF, "", ""),
        (LEAF, " ", " "),
        (LEAF, 5, "5"),
        (LEAF, "a\r\nb\nc\rd\te\vf\fg\u2028h\u2029i\x85j", "a b c d e f g h i j"),
        (
            LINES,
            "a\r\nb\nc\rd\te\vf\fg\u2028h\u2029i\x85j",
            "\\.br\\".join("abc") + "\\.br\\d e\\.br\\f\\.br\\g\\.br\\h\\.br\\i\\.br\\j",
        ),
        *((NULL, each, '""') for each in (None, "", "  ", '""', '"')),
        (NULL, "a", "a"),
        (NULL, 0, "0"),
        (json.value, 'a"\\\n\u2028é', '"a\\"\\\\\\n\u2028é"'),
        (json.value, None, "null"),
        (json.value, True, "true"),
        (json.value, 5, "5"),
        (json.value, 1.0, "1.0"),
        (json.value, Decimal("1.50"), "1.50"),
        (json.value, date(2026, 1, 2), '"2026-01-02"'),
        (json.value, float("nan"), REFUSED),
        (json.value, "\ud800", REFUSED),
        (json.value, [1, "a", None, [], {}], '[1, "a", null, [], {}]'),
        (json.value, (1, {"a": 1, 2: [True]}), '[1, {"a": 1, "2": [true]}]'),
        (json.value, iter([1]), "[1]"),
        (json.value, {"a": "\ud800"}, REFUSED),
        (json.value, {(1, 2): 1}, REFUSED),
        (json.content, None, ""),
        (json.content, 'a"', 'a\\"'),
        (json.content, "\udc00", REFUSED),
        (json.key, 5, '"5"'),
        (text.escape, "a é", "a é"),
        (text.escape, 7, "7"),
        *((text.escape, f"a{each}b", REFUSED) for each in (*values.LINE_BREAKS, "\t", "\x00", "\x7f", "\ud800")),
        (text.escape, "a \u200b\ue000b", "a \u200b\ue000b"),
        (xml.content, "a&<>\"'", "a&amp;&lt;&gt;\"'"),
        (xml.content, "a\r\n\tb", "a&#13;\n\tb"),
        (xml.content, 7, "7"),
        (xml.attribute, "a\r\n\t\"'&", "a&#13;&#10;&#9;&quot;&#39;&amp;"),
        *((xml.content, f"a{each}b", REFUSED) for each in "\x00\x08\x0b\x0c\x0e\x1f\ufffe\uffff\ud800"),
        (xml.content, "\x7f\ufffd\xa0", "\x7f\ufffd\xa0"),
        (path.piece, 'a/b\\c:d*e?f"g<h>i|j', "a_b_c_d_e_f_g_h_i_j"),
        (path.piece, "a\u202eb\u3000c\x00d\n", "ab c_d_"),
        (path.piece, "e\u0301", "é"),
        (path.piece, " .a", " .a"),
        (path.piece, 7, "7"),
        (path.piece, "x" * 121, "x" * 120),
        (path.piece, "é" * 61, "é" * 60),
        (path.piece, "x" + "é" * 60, "x" + "é" * 59),
        (path.first, " . a.", "a."),
        (path.first, "", "_"),
        (path.first, "...", "_"),
        (path.finish, "a/b", "a/b"),
        (path.finish, "a. /.b", "a/b"),
        (path.finish, " a / b", "a/b"),
        (path.finish, ". a. / .. b . ", "a/b"),
        (path.finish, "e\u0301", "é"),
        *((path.finish, each, f"_{each}") for each in ("CON", "con.txt", "Lpt1", "COM³", "nul .x", "CONIN$")),
        *((path.finish, each, each) for each in ("CONX", "COM", "a.con", "LPT10")),
        *((path.finish, each, REFUSED) for each in ("", "a//b", "a/.", "a/ /b")),
        (path.finish, "x" * 250, "x" * 250),
        (path.finish, "x" * 251, REFUSED),
        (path.finish, "é" * 126, REFUSED),
        (path.finish, "/".join(["x" * 204] * 5), "/".join(["x" * 204] * 5)),
        (path.finish, "/".join(["x" * 204] * 4 + ["x" * 205]), REFUSED),
        (csv.finish, "a\nb\r\nc\rd", "a\r\nb\r\nc\r\nd"),
        (csv.finish, "\n\na\n\n\n\nb\n", "a\r\nb\r\n"),
        (csv.finish, 'a,"\n\nx\r"\n\n"y""\n"\n', 'a,"\n\nx\r"\r\n"y""\n"\r\n'),
        (hl7.finish, "MSH|\n\n  PID|1 \r\n\tPV1|\r", "MSH|\rPID|1 \rPV1|\r"),
        (hl7.finish, "PID|1  \n\n \t\r\n PV1", "PID|1  \rPV1\r"),
        *((hl7.finish, each, "") for each in ("", "\n", " \t", "\r\n \n\t")),
    ],
)
def test_a_value_is_printed_or_refused(escape, value, printed):
    budget.start()
    if printed is REFUSED:
        with pytest.raises(RefusedError):
            escape(value)
    else:
        assert escape(value) == printed


@pytest.mark.parametrize(
    ("segment", "formatted"),
    [
        ("NTE", {3}),
        ("EQP", {5}),
        ("PES", {7, 8}),
        ("PSH", {9, 12}),
        ("CON", {5, 6, 7, 8, 9}),
        ("PEO", {13, 14, 15, 16}),
        ("PID", set()),
    ],
)
def test_hl7_has_line_breaks_in_fields_of_formatted_text(segment, formatted):
    lines = {n for n in range(1, 20) if ".br" in hl7.escaper(hl7.State(segment=segment, field=n), None)("a\nb")}
    assert lines == formatted


@pytest.mark.parametrize("levels", [65, 66])
def test_json_prints_lists_as_deep_as_metadata_may_be(levels):
    nested = []
    for _ in range(levels - 1):
        nested = [nested]
    if levels == 65:
        assert json.value(nested) == "[" * 65 + "]" * 65
    else:
        with pytest.raises(RefusedError, match="nested deeper than 64 levels"):
            json.value(nested)


@pytest.mark.parametrize(
    ("spend", "most"),
    [
        (lambda count: [budget.tick() for _ in range(count)], "MAX_STEPS"),
        (budget.spend, "MAX_TEXT"),
        (budget.items, "MAX_ITEMS"),
        (budget.width, "MAX_WIDTH"),
        (lambda count: budget.slow("x" * count), "MAX_SLOW_TEXT"),
    ],
)
def test_a_rendering_may_cost_its_limit_and_no_more(spend, most):
    budget.start()
    spend(getattr(budget, most))
    budget.start()
    with pytest.raises(ExceededError, match=r"more than [0-9,]{6,}"):
        spend(getattr(budget, most) + 1)


def test_what_is_put_together_is_counted():
    budget.start()
    assert budget.concat(["a", "bc"]) == "abc"
    assert budget.made("defg") == "defg"
    assert budget.slow("hi") == "hi"
    budget.spend(budget.MAX_TEXT - 9)
    with pytest.raises(ExceededError):
        budget.made("x")


@pytest.mark.parametrize("value", [5, 1.5, True, None, "text"])
def test_what_is_no_list_has_no_items(value):
    with pytest.raises(RefusedError):
        budget.each(value)


def test_a_record_in_another_encoding_takes_what_the_encoding_can_express():
    escape = values.expressible(text.escape, "latin-1")
    assert [escape("a"), escape("é")] == ["a", "é"]
    with pytest.raises(RefusedError, match="latin-1") as caught:
        escape("€")
    assert [caught.value.offends(each) for each in ("a", "é", "€")] == [False, False, True]
    with pytest.raises(MisplacedError) as misplaced:
        values.express("ab€", "latin-1")
    assert misplaced.value.offset == 2
    assert [values.universal(each) for each in ("utf-8", "UTF-16", "latin-1")] == [True, True, False]


@pytest.mark.parametrize(
    ("form", "text", "resumed"),
    [
        (hl7, "\nPID|", "in PID-1"),
        (csv, "\n1,", "at a cell's start"),
        (hl7, "PID|", None),
        (json, '\n"', None),
        (xml, "\n<a>", None),
    ],
)
def test_after_a_fault_reading_goes_on_at_the_next_line_where_that_is_sure(form, text, resumed):
    lost = OutputContext(form, form.START, lost=True)
    found = lost.advance(text)
    assert found.lost == (resumed is None)
    assert lost.after() is lost
    assert lost.merge(OutputContext(form, form.START)).lost
    assert OutputContext(form, form.START).merge(lost).lost
    assert resumed is None or form.describe(found.state) == resumed


def test_a_fault_after_a_fault_is_told_at_its_place():
    with pytest.raises(MisplacedError) as caught:
        OutputContext(hl7, hl7.START, lost=True).advance("xy\nP-D")
    assert caught.value.offset == 4


@pytest.mark.parametrize("place", ["opened", "quoted"])
def test_within_quotes_no_next_line_is_sure(place):
    assert csv.resume(csv.State(place)) is None


def test_an_error_for_a_missing_name_says_nothing_by_itself():
    assert str(MissingNameError(Missing(name="mrn"))) == ""


def test_an_error_says_why_and_no_more():
    errors = RefusedError("is late", "date"), ExceededError("too much"), MisplacedError("a quote", "write it twice", 3)
    assert [str(error) for error in errors] == ["is late", "too much", "a quote"]


def test_the_text_of_an_error_is_its_reason_alone():
    errors = [RefusedError("is no day", "date"), ExceededError("is too long"), MisplacedError("It is.", "Move it.", 3)]
    assert [str(each) for each in errors] == ["is no day", "is too long", "It is."]
    assert (errors[0].rule, errors[1].rule, errors[2].hint, errors[2].offset) == ("date", "limit", "Move it.", 3)


def test_a_name_that_is_missing_is_told_without_what_it_was_looked_for_in():
    with pytest.raises(MissingNameError) as caught:
        str(Missing(name="mrn", obj={"name": "Ada"}))
    assert (str(caught.value), caught.value.name, caught.value.owner) == ("", "mrn", {"name": "Ada"})
