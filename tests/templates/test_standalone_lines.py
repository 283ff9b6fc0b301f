"""Lines with nothing but tags leave nothing behind; every place is still told exactly."""

import pytest


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("a\n{% if 1 %}\nb\n{% endif %}\nc\n", "a\nb\nc\n"),
        ("a\n  {% if 1 %}  \n  b\n  {% endif %}\t\nc", "a\n  b\nc"),
        ("{# one #}\n{# two\n lines #}\na", "a"),
        ("a {# one\n two #}\nb", "a \nb"),
        ("a{% if 1 %}b{% endif %}\nc", "ab\nc"),
        ("{% if 1 %}a{% endif %}\nb", "a\nb"),
        ("{% set x = 1 %}{{ x }}\nb", "1\nb"),
        ("{% set x = 1 %} {% set y = 2 %}\n{{ x }}{{ y }}\n", "12\n"),
        ("a\n{%- if 1 %}\nb\n{%- endif %}\nc", "a\nb\nc"),
        ("a\n{% raw %}\n{% if %}\n{% endraw %}\nb", "a\n\n{% if %}\n\nb"),
        ("{% for x in [1, 2] %}\n{{ x }}\n{% endfor %}", "1\n2\n"),
        ("\n\n{% if 1 %}\n\n{% endif %}\n\n", "\n\n\n\n"),
        ("{% set x %}a{% endset %}\n{{ x }}", "a"),
        ("{% macro m(a) %}{{ a }} b{% endmacro %}\n{{ m(1) }}", "1 b"),
        ("{% macro m(a) %}\n{% if a %}x{% endif %}\ny\n{% endmacro %}\n{{ m(1) }}z", "x\ny\nz"),
        ("", ""),
        ("{% if 1 %}{% endif %}", ""),
    ],
)
def test_a_line_of_tags_alone_leaves_nothing(mapped, template, expected):
    assert mapped.render(template) == expected


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_places_are_told_in_every_kind_of_line_ends(mapped, newline):
    template = newline.join(
        ["{# x #}", "{%- set a = 1 -%}", "", "  {% if a %}", "é{{ a }} {{ nothing }}", "{% endif %}"]
    )
    assert mapped.faults(template) == ["5:13 unknown-name"]


def test_places_in_included_files_name_that_file(mapped):
    mapped.write("part.j2", "\n\n  {{ fields.nothing }}")
    assert mapped.violation("a\n{% include 'part.j2' %}").where == "mappings/referrals/part.j2:3"
    mapped.write("part.j2", "\n\n  {{ nothing }}")
    (fault,) = mapped.fault_list("a\n{% include 'part.j2' %}")
    assert (fault.file, fault.line, fault.column) == ("mappings/referrals/part.j2", 3, 6)
