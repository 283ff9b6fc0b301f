"""What HL7 and fixed columns make of values that mean something there."""

import pytest

NULL = '""'


@pytest.mark.parametrize(
    "place", ["PID|1||{}", "PID|1||a^{}", "PID|1||a^b&{}", "PID|1||a~{}", "OBX|1|TX|1||{}", "NTE|1||{}|"]
)
@pytest.mark.parametrize("value", ['""', '"', ' "" ', '" "', '""""', '\n""'])
def test_a_value_never_becomes_the_null_of_hl7(mapped, place, value):
    """HL7 v2 §2.5.3; OCR of ditto marks: the one below is as the one above."""
    violation = mapped.violation(place.format("{{ fields.mrn }}"), "hl7", mrn=value)
    assert violation.message.startswith("fields.mrn is nothing but quotation marks")


def test_nor_does_one_that_is_put_together(mapped):
    assert mapped.violation("PID|{{ fields.mrn ~ fields.mrn }}", "hl7", mrn='"').rule == "hl7_null"
    assert mapped.violation("PID|{{ [fields.mrn, ''] | join }}", "hl7", mrn=NULL).rule == "hl7_null"
    assert mapped.violation("{% set a %}{{ fields.mrn }}{% endset %}PID|{{ a }}", "hl7", mrn=NULL).rule == "hl7_null"


@pytest.mark.parametrize("value", ['say "a"', '"a"', '""a', 'a""', '5" tube'])
def test_quotation_marks_in_a_value_stay(mapped, value):
    assert mapped.render("PID|{{ fields.mrn }}", "hl7", mrn=value) == f"PID|{value}\r"


def test_null_is_printed_where_the_author_says_so(mapped):
    assert mapped.render('PID|""|{{ fields.mrn }}', "hl7") == 'PID|""|007\r'
    template = "PID|{{ fields.mrn | hl7_null }}|{{ fields.middle_name | hl7_null }}^{{ fields.items | hl7_null }}"
    assert mapped.render(template, "hl7", mrn=" ", items=NULL) == 'PID|""|""^""\r'
    assert mapped.render(template, "hl7", mrn="a|b", items="x") == 'PID|a\\F\\b|""^x\r'
    assert mapped.render("PID|{{ fields.mrn | replace('\"', '') }}|", "hl7", mrn=NULL) == "PID||\r"
    assert mapped.faults("<a>{{ fields.mrn | hl7_null }}</a>", "xml") == ["1:20 escape-filter"]


COLUMNS = [  # value, arguments, right or None for refused, source
    ("-500", '10, "right", "0"', "-000000500", "coreutils #11664: zeros before the sign"),
    ("+5", '4, "right", "0"', "+005", "printf %+04d"),
    ("-1.50", '8, "right", "0"', "-0001.50", "printf %08.2f"),
    ("-.5", '5, "right", "0"', "-00.5", "a bare fraction"),
    ("-0", '4, "right", "0"', "-000", "minus zero"),
    ("-1,234.50", '12, "right", "0"', "-0001,234.50", "with separators"),
    ("500", '6, "right", "0"', "000500", "the plain case"),
    ("500-", '6, "right", "0"', "00500-", "SAP: the sign behind"),
    ("", '4, "right", "0"', "0000", "nothing"),
    ("-500", '8, "right"', "    -500", "blanks stand before the sign"),
    ("-500", '8, "right", "*"', "****-500", "and so does what is no digit"),
    ("-500", "8", "-500    ", "left"),
    ("-500", '4, "right", "0"', "-500", "no room to fill"),
    ("-500", '3, "right", "0"', None, "too long"),
    ("(500)", '10, "right", "0"', None, "accounts: 00000(500) is no number"),
    ("−500", '10, "right", "0"', None, "U+2212, as word processors write it"),
    ("-A5", '10, "right", "0"', None, "no number"),
    ("--5", '10, "right", "0"', None, "no number"),
    ("142637A", '10, "right", "0"', "000142637A", "an identifier"),
    ("é", '3, "right", "."', ".é", "two bytes"),
    ("ｅ", '4, "right", "."', ".ｅ", "a full-width letter: three bytes"),
    ("e\u0301", '4, "right", "."', ".e\u0301", "a letter and its accent: three bytes"),
]


@pytest.mark.parametrize(("value", "arguments", "right", "source"), COLUMNS)
def test_a_column_holds_the_value_that_came(mapped, value, arguments, right, source):
    template = "{{ fields.mrn | fixed(" + arguments + ") }}"
    if right is None:
        assert mapped.violation(template, mrn=value).rule == "fixed", source
    else:
        assert mapped.render(template, mrn=value) == right, source


@pytest.mark.parametrize(
    ("encoding", "arguments", "right"),
    [
        ("iso-8859-1", "4", "é   "),
        ("utf-8", "4", "é  "),
        ("utf-8", '4, encoding="iso-8859-1"', "é   "),
        ("iso-8859-1", '4, "left", " ", "utf-8"', "é  "),
        ("utf-8-sig", "4", "é  "),
        ("utf-16-le", "8", "é   "),
    ],
)
def test_a_column_is_counted_in_the_encoding_of_its_record(mapped, encoding, arguments, right):
    template = mapped.compile("{{ fields.mrn | fixed(" + arguments + ") }}", "text", encoding)
    assert template.render(mapped.names({"mrn": "é"})) == right


@pytest.mark.parametrize("arguments", ['10, "left", "0"', '10, fill="0"', '10, "center"', '10, "right", "00"'])
def test_columns_that_would_make_another_number_are_found_before_any_delivery(mapped, arguments):
    assert mapped.faults("{{ fields.mrn | fixed(" + arguments + ") }}") == ["1:17 bad-argument"]
