"""Differences are told in the terms of the format."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.formats.comparing import RecordStyle, differences
from receiver.formats.differences import aligned

HL7 = "MSH|^~\\&|A|B\rPID|1||123^^^CLINIC^MR~9||Smith^John\rDG1|1||I10\rDG1|2||R06\rDG1|3||E11\r"
JSON = {"id": 1, "patient": {"name": "Ada", "codes": ["I10", "R06", "E11"]}, "gone": None}
XML = '<n xmlns="urn:x"><p mrn="1"><name>Ada</name></p><d code="I10"/><d code="R06"/><d code="E11"/></n>'
UNSEEN = "the bytes differ, though not in what they say: line ends, spaces or the encoding"
CSV = "mrn,name\r\n1,Ada\r\n2,Bob\r\n3,Cyd\r\n"


def told(form, expected, got):
    return differences(RecordStyle(form), expected.encode(), got.encode())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Smith", "Smyth", 'PID-5.1: expected "Smith", got "Smyth"'),
        ("^MR", "^PI", 'PID-3[1].5: expected "MR", got "PI"'),
        ("~9", "~8", 'PID-3[2]: expected "9", got "8"'),
        ("R06", "R07", 'DG1[2]-3: expected "R06", got "R07"'),
        ("R06", "R06&x", 'DG1[2]-3.2: expected "", got "x"'),
        ("|A|", "|C|", 'MSH-3: expected "A", got "C"'),
        ("\\&|A", "\\&#|A", 'MSH-2: expected "^~\\&", got "^~\\&#"'),
        ("DG1|2||R06\r", "", 'DG1[2]: missing, expected "DG1|2||R06"'),
        ("DG1|2", "NTE|1||x\rDG1|2", 'NTE: not expected, got "NTE|1||x"'),
    ],
)
def test_hl7_by_segment_field_repetition_component_and_subcomponent(old, new, line):
    assert line in told("hl7", HL7, HL7.replace(old, new))


def test_one_more_segment_makes_no_other_differ():
    assert told("hl7", HL7, HL7.replace("DG1|2||R06\r", "")) == ['DG1[2]: missing, expected "DG1|2||R06"']


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"id": 2}, "/id: expected 1, got 2"),
        ({"id": "1"}, '/id: expected 1, got "1"'),
        ({"id": True}, "/id: expected 1, got true"),
        ({"patient": {"name": "Eva", "codes": ["I10", "R06", "E11"]}}, '/patient/name: expected "Ada", got "Eva"'),
        ({"patient": {"name": "Ada", "codes": ["I10", "E11"]}}, '/patient/codes/1: missing, expected "R06"'),
        ({"patient": {"name": "Ada", "codes": []}}, '/patient/codes/0: missing, expected "I10"'),
        ({"new/one": 5}, "/new~1one: not expected, got 5"),
    ],
)
def test_json_by_path(change, line):
    assert line in told("json", json.dumps(JSON), json.dumps(JSON | change))


def test_a_missing_json_member_is_told():
    assert told("json", json.dumps(JSON), json.dumps({k: v for k, v in JSON.items() if k != "gone"})) == [
        "/gone: missing, expected null"
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (">Ada<", ">Eva<", '/n/p/name: expected "Ada", got "Eva"'),
        ('mrn="1"', 'mrn="2"', '/n/p/@mrn: expected "1", got "2"'),
        ('mrn="1"', "", '/n/p/@mrn: missing, expected "1"'),
        ('<d code="R06"/>', "", '/n/d[2]: missing, expected "<d code="R06">"'),
        ('"R06"', '"R07"', '/n/d[2]/@code: expected "R06", got "R07"'),
        ("<name>Ada</name>", "<name>Ada</name><x/>", '/n/p/x: not expected, got "<x>"'),
        ("</p>", "</p>loose", '/n/p (after it): expected "", got "loose"'),
    ],
)
def test_xml_by_path(old, new, line):
    assert told("xml", XML, XML.replace(old, new)) == [line]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("2,Bob", "2,Bert", ['row 3, name: expected "Bob", got "Bert"']),
        ("2,Bob\r\n", "", ['row 3: missing, expected "2, Bob"']),
        ("2,Bob", "2,Bob\r\n9,Zoe", ['row 4: not expected, got "9, Zoe"']),
        (
            "mrn,name",
            "mrn,full",
            ['row 1: missing, expected the column "name"', 'row 1: not expected, got the column "full"'],
        ),
    ],
)
def test_csv_by_row_and_column(old, new, lines):
    assert told("csv", CSV, CSV.replace(old, new)) == lines


def test_csv_columns_in_another_order_are_told_once():
    assert told("csv", "a;b\r\n1;2\r\n", "b;a\r\n2;1\r\n") == ["row 1: expected a, b, got b, a"]


def test_a_table_without_a_header_is_told_by_columns():
    assert told("csv", "1,Ada\r\n", "1,Eva\r\n") == ['row 1, column 2: expected "Ada", got "Eva"']


def test_other_text_by_lines():
    assert told("text", "a\nb\nc\n", "a\nB\nc\n") == ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]


@pytest.mark.parametrize("form", ["hl7", "json", "xml", "csv"])
def test_what_is_not_of_its_format_is_told_by_lines(form):
    assert told(form, '"no\nformat', '"no\nform')[-1] == "+form"


def test_a_long_value_is_shown_where_it_parts():
    (line,) = told("hl7", "MSH|^~\\&|" + "A" * 5000 + "BC", "MSH|^~\\&|" + "A" * 5000 + "BD")
    assert line == f'MSH-3: expected "…{"A" * 19}BC", got "…{"A" * 19}BD"'


def test_records_that_differ_everywhere_do_not_fill_the_screen():
    assert len(told("json", json.dumps(list(range(500))), json.dumps(list(range(500, 1000))))) == 51


@pytest.mark.parametrize("form", ["hl7", "json", "xml", "csv", "text"])
def test_other_line_ends_are_a_difference_too(form):
    assert told(form, "x\r\n", "x\n") == [UNSEEN]


RECORDS = st.sampled_from([HL7, json.dumps(JSON), XML, CSV, ""])


@given(st.sampled_from(["hl7", "json", "xml", "csv", "text"]), RECORDS | st.text(), RECORDS | st.text())
def test_different_bytes_always_have_a_difference_and_equal_ones_none(form, one, other):
    one, other = one.encode("utf-8", "replace"), other.encode("utf-8", "replace")
    assert bool(differences(RecordStyle(form), one, other)) == (one != other)
    assert differences(RecordStyle(form), one, one) == []


@pytest.mark.parametrize(
    ("form", "expected", "got", "lines"),
    [
        ("hl7", "MSH|^~\\&", "MSH|^~\\", ["@@ -1 +1 @@", "-MSH|^~\\&", "+MSH|^~\\"]),  # no header
        ("hl7", "FHS|^~\\&|A^B", "FHS|^~\\&|A^C", ['FHS-3.2: expected "B", got "C"']),
        ("hl7", "BHS|^~\\&", "BHS#^~\\&", ['BHS-1: expected "|", got "#"']),
        ("hl7", "MSH|^~\\&|x&y&z", "MSH|^~\\&|x&q&z", ['MSH-3.2: expected "y", got "q"']),
        ("hl7", "MSH|^~\\&\r\r\nPV1|1\n", "MSH|^~\\&\rPV1|2", ['PV1-1: expected "1", got "2"']),
        ("hl7", "MSH|^~\\&\rPV1|1|a^b", "MSH|^~\\&\rPV1|1|a^c", ['PV1-2.2: expected "b", got "c"']),
        ("hl7", "MSH|^~\\&\rNTE|1\rNTE|2", "MSH|^~\\&\rNTE|1\rNTE|3", ['NTE[2]-1: expected "2", got "3"']),
        ("hl7", "MSH|^~\\&\rPV1|1", "MSH|^~\\&\rPV1|1|2", ['PV1-2: expected "", got "2"']),
        ("hl7", "MSH|^~\\&\rPV1|1|2", "MSH|^~\\&\rPV1|1", ['PV1-2: expected "2", got ""']),
        ("hl7", "MSH|^~\\&\rPV1|a", "MSH|^~\\&\rPV1|a~b", ['PV1-1[2]: expected "", got "b"']),
        ("hl7", "MSH|^~\\&\rPV1|a", "MSH|^~\\&\rPV1|a^b", ['PV1-1.2: expected "", got "b"']),
        (
            "hl7",
            "MSH|^~\\&|a~b^c&d",
            "MSH|$!\\%|a!b$c%e",
            ['MSH-2: expected "^~\\&", got "$!\\%"', 'MSH-3[2].2.2: expected "d", got "e"'],
        ),
        ("json", '{"a": {"b": 1}}', '{"b": 1}', ['/a: missing, expected {"b": 1}', "/b: not expected, got 1"]),
        ("json", '{"a": [1]}', '{"a": {}}', ["/a: expected [1], got {}"]),
        ("json", '{"a": {}}', '{"a": []}', ["/a: expected {}, got []"]),
        ("json", '{"a": "x"}', '{"a": 5}', ['/a: expected "x", got 5']),
        ("json", '["x", {"é": 1}, 3]', '["x", 3]', ['/1: missing, expected {"é": 1}']),
        ("json", '[1, {"k": 1}]', '[{"k": 2}]', ["/0: missing, expected 1", "/1/k: expected 1, got 2"]),
        ("json", "[1, 9]", '[1, "s", 9]', ['/1: not expected, got "s"']),
        ("json", '[{"b": 1, "a": 2}, 1]', '[{"a": 2, "b": 1}, 2]', ["/1: expected 1, got 2"]),
        ("json", '[{"a": 9}, {"b": 1, "a": 2}]', '[{"a": 2, "b": 1}]', ['/0: missing, expected {"a": 9}']),
        ("json", '"1"', "1", ['/: expected "1", got 1']),
        ("json", '"é"', "1", ['/: expected "é", got 1']),
        ("json", "1", "2", ["/: expected 1, got 2"]),
        ("json", '"' + "x" * 70 + '"', "1", ['/: expected "' + "x" * 70 + '", got 1']),
        ("json", '"' + "x" * 71 + '"', "1", ['/: expected "' + "x" * 71 + "…, got 1"]),
        ("xml", "<a/>", "<b>x</b>", ['/: expected "<a>", got "<b>x"']),
        ("xml", "<a k='1'>x</a>", "<a k='2'> x </a>", ['/a/@k: expected "1", got "2"']),
        ("xml", "<a/>", "<a c='1'/>", ['/a/@c: not expected, got "1"']),
        ("xml", "<a c=''/>", "<a/>", ['/a/@c: missing, expected ""']),
        ("xml", "<a><b/><c/>x</a>", "<a><b/><c/>y</a>", ['/a/c (after it): expected "x", got "y"']),
        ("xml", "<a><b/><c/></a>", "<a><b/><c/><b/></a>", ['/a/b[2]: not expected, got "<b>"']),
        (
            "xml",
            '<a xmlns:p="urn:p"><p:b p:k="1"> t <i>u</i></p:b></a>',
            "<a/>",
            ['/a/b: missing, expected "<b k="1">t u"'],
        ),
        ("csv", "a,a\r\n1,2\r\n", "a,b\r\n1,2\r\n", ['row 1, column 2: expected "a", got "b"']),
        ("csv", "a,b\r\n1,1\r\n", "a,b\r\n1,2\r\n", ['row 2, b: expected "1", got "2"']),
        ("csv", "a,b\r\n1,2\r\n", "a,b\r\n1,1\r\n", ['row 2, b: expected "2", got "1"']),
        ("csv", "a,b\r\n1,2,3\r\n", "a,b\r\n1,9,3\r\n", ['row 2, b: expected "2", got "9"']),
        ("csv", "a\r1\r", "a\r2\r", ['row 2, a: expected "1", got "2"']),
        ("xml", "<a><b>1</b>\n<c/></a>", "<a><b>2</b><b>1</b><c/></a>", ['/a/b[1]: not expected, got "<b>2"']),
        ("csv", "\r\n", "a\r\n", ["@@ -1 +1 @@", "-", "+a"]),
        ("csv", "a,b\r\n1,2\r\n", "", ["@@ -1,2 +0,0 @@", "-a,b", "-1,2"]),
        ("csv", 'a,b\r\n"1,2\r\n', "a,b\r\n1,2\r\n", ["@@ -1,2 +1,2 @@", " a,b", '-"1,2', "+1,2"]),
        ("csv", "a,a\r\n1,2\r\n", "a,a\r\n1,3\r\n", ['row 2, column 2: expected "2", got "3"']),
        ("csv", "a,b\r\n1,2\r\n", "a,a\r\n1,2\r\n", ['row 1, column 2: expected "b", got "a"']),
        ("csv", "1,2\r\n", "1,2,3\r\n4\r\n", ['row 1, column 3: expected "", got "3"', 'row 2: not expected, got "4"']),
        ("csv", "a\r\n", "a\r\nb\r\n", ['row 2: not expected, got "b"']),
        ("csv", "a,a\r\n1,2\r\n3,4\r\n", "a,a\r\n1,2\r\n", ['row 3: missing, expected "3, 4"']),
        ("csv", "a|b\r\n;;;;|1\r\n2|3", "a|b\r\n;;;;|1\r\n2|4", ['row 3, b: expected "3", got "4"']),
        ("csv", "a|b|;\r\n1|2\r\n3|4;;;", "a|b|;\r\n1|2\r\n3|5;;;", ['row 3, b: expected "4;;;", got "5;;;"']),
        (
            "csv",
            "a,b\r\n1,2\r\n",
            "b,c\r\n2,3\r\n",
            ['row 1: missing, expected the column "a"', 'row 1: not expected, got the column "c"'],
        ),
        ("csv", "a,b,c\r\n1,2,3\r\n", "a,b\r\n1,2\r\n", ['row 1: missing, expected the column "c"']),
        (
            "csv",
            "a,b\r\n1,2\r\n3,4\r\n",
            "a,b\r\n3,4\r\n9,9\r\n",
            ['row 2: missing, expected "1, 2"', 'row 3: not expected, got "9, 9"'],
        ),
        ("text", "x" * 200, "y" * 201, ["@@ -1 +1 @@", "-" + "x" * 199 + "…", "+" + "y" * 199 + "…"]),
        ("text", "x" * 199, "", ["@@ -1 +0,0 @@", "-" + "x" * 199]),
        ("text", "a\nb\nc\nd\n", "a\nb\nc\ne\n", ["@@ -3,2 +3,2 @@", " c", "-d", "+e"]),
    ],
)
def test_each_way_to_differ_has_its_line(form, expected, got, lines):
    assert told(form, expected, got) == lines


def test_a_declared_delimiter_is_believed():
    style = RecordStyle("csv", delimiter="#")
    assert differences(style, b"a#b,c,d\r\n1#2\r\n", b"a#b,c,d\r\n1#3\r\n") == ['row 2, b,c,d: expected "2", got "3"']


def test_bytes_are_read_in_the_encoding_of_the_record():
    assert differences(RecordStyle("json", "latin-1"), b'"\xe9"', b'"e"') == ['/: expected "é", got "e"']


@pytest.mark.parametrize(("count", "shown"), [(50, 50), (51, 51)])
def test_fifty_lines_are_shown_and_one_that_there_are_more(count, shown):
    lines = told("json", json.dumps([1] * count), "[]")
    assert (len(lines), lines[-1] == "and more") == (shown, count > 50)
    other = told("text", "x\n" * (count - 1), "")  # the first line tells where they are
    assert (len(other), other[-1] == "and more") == (shown, count > 50)


@pytest.mark.parametrize(
    ("expected", "got", "line"),
    [
        ("a" * 72, "b" + "a" * 71, ("a" * 72, "b" + "a" * 71)),  # not long
        ("a" * 73, "b" + "a" * 72, ("a" * 72 + "…", "b" + "a" * 71 + "…")),  # at the start
        ("a" * 40 + "b" * 40, "a" * 40 + "c" * 40, ("…" + "a" * 20 + "b" * 40, "…" + "a" * 20 + "c" * 40)),
        ("a" * 80, "a" * 50, ("…" + "a" * 50, "…" + "a" * 20)),  # one ends where the other goes on
        ("a" * 71 + "b", "a" * 71, ("a" * 71 + "b", "a" * 71)),  # not long
        ("a\r\nb", "a\nb", ("a\\r\\nb", "a\\nb")),
    ],
)
def test_long_texts_are_cut_to_where_they_part(expected, got, line):
    assert told("json", json.dumps(expected), json.dumps(got)) == ['/: expected "{}", got "{}"'.format(*line)]


@pytest.mark.parametrize(
    ("expected", "got", "pairs"),
    [
        ("x0 a1 b1 c1", "x0 b2 c2 d2", [(0, 0), (1, None), (2, 1), (3, 2), (None, 3)]),
        ("x0 b1", "x0 a2 b2 c2", [(0, 0), (None, 1), (1, 2), (None, 3)]),
        ("x0 b1 a1", "x0 b2", [(0, 0), (1, 1), (2, None)]),
        ("x0 x1 y0", "x0 y0", [(0, 0), (1, None), (2, 1)]),
        ("a0", "b0", [(0, None), (None, 0)]),
        (
            " ".join(["z0", *(f"a{n}" for n in range(250))]),
            " ".join(f"a-{n}" for n in range(250)),
            [(0, None), *((n + 1, n) for n in range(250))],
        ),
    ],
)
def test_items_belong_together_if_they_are_equal_or_of_one_kind(expected, got, pairs):
    items = expected.split(), got.split()
    assert list(aligned(*items, str, lambda item: item[0])) == pairs
