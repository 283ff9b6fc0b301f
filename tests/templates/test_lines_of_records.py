"""A line of a record is traced back to the line of the template that wrote it."""

import pytest

CODES = ["A1", "B2"]
HL7 = """{# a comment #}
{% set code = "x" %}
MSH|^~\\&|A

  PID|1||{{ fields.mrn }}
{% for code in fields.codes %}
DG1|{{ loop.index }}||{{ code }}
{% endfor %}
{% include "note.j2" %}
ZZZ|{{ fields.mrn }}
"""


def test_lines_of_loops_and_included_files_and_blank_ones_that_are_left_out(mapped):
    mapped.write("note.j2", "\nNTE|1||{{ fields.mrn }}\nNTE|2\n")
    lines = mapped.lines(HL7, "hl7", mrn="007", codes=CODES)
    assert [(place.file.rpartition("/")[2], place.line) for place in lines] == [
        ("record.hl7.j2", 3),
        ("record.hl7.j2", 5),
        ("record.hl7.j2", 7),
        ("record.hl7.j2", 7),
        ("note.j2", 2),
        ("note.j2", 3),
        ("record.hl7.j2", 10),
    ]


@pytest.mark.parametrize(
    ("template", "lines"),
    [
        ("a\nb\n", [1, 2, 2]),
        ("\n\na{{ fields.mrn }}\n", [3, 3, 3, 3]),
        ("{% if fields.mrn %}\n{{ fields.mrn }}\n{% endif %}\nc", [2, 4]),
        ("{% macro two() %}x\n  y{% endmacro %}a\n{{ two() }}\nb", [2, 3, 3, 4]),
        ("{% set code = 'x' %}{{ code }}", [1]),
    ],
)
def test_each_line_has_the_place_where_it_begins(mapped, template, lines):
    assert [place.line for place in mapped.lines(template, "text", mrn="007")] == lines


def test_a_record_of_nothing_has_no_lines(mapped):
    assert mapped.lines("", "text", mrn="007") == []
