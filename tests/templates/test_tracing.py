"""What is rendered is noted, line by line and condition by condition, where somebody asks."""

import pytest

from receiver.core.problems import Problem
from receiver.templates import Templates, Trace

FILE = "mappings/referrals/record.text.j2"


@pytest.fixture
def traced(mapped):
    """Compile a template with a trace, render it once for each set of fields, and return the trace."""

    def render(text, *renderings):
        mapped.write("record.text.j2", text)
        trace = Trace()
        template = Templates(mapped.folder, mapped.site, trace).record("record.text.j2", "text")
        for fields in renderings:
            template.render(mapped.names(fields))
        return trace

    return render


def missed(trace, file=FILE):
    return [line for (found, line), rendered in sorted(trace.lines.items()) if found == file and not rendered]


def outcomes(trace):
    return {(place.line, place.column): seen for place, seen in trace.conditions.items()}


CHOICE = """first
{% if fields.mrn == "1" %}
one
{% elif fields.mrn == "2" %}
two
{{ fields.mrn }}
{% else %}
other
{% endif %}
last
"""


def test_nothing_is_rendered_before_it_is(traced):
    assert missed(traced(CHOICE)) == [1, 2, 3, 4, 5, 6, 8, 10]


def test_lines_of_ways_that_were_not_taken_are_missed(traced):
    assert missed(traced(CHOICE, {"mrn": "1"})) == [4, 5, 6, 8]
    assert missed(traced(CHOICE, {"mrn": "2"})) == [3, 8]
    assert missed(traced(CHOICE, {"mrn": "1"}, {"mrn": "2"}, {"mrn": "3"})) == []


def test_conditions_are_noted_with_each_way_they_turned_out(traced):
    assert outcomes(traced(CHOICE, {"mrn": "1"})) == {(2, 7): {True}, (4, 9): set()}
    assert outcomes(traced(CHOICE, {"mrn": "1"}, {"mrn": "3"})) == {(2, 7): {True, False}, (4, 9): {False}}


@pytest.mark.parametrize(
    "text",
    [
        '{{ "yes" if fields.urgent else "no" }}',
        '{% set told = "yes" if fields.urgent else "no" %}{{ told }}',
        '{{ ("yes" if fields.urgent else "no") | upper }}',
        '{{ "yes" if fields.urgent }}',
        "{% if fields.urgent %}{% endif %}",
    ],
)
def test_a_condition_within_a_line_is_one_as_well(traced, text):
    assert list(outcomes(traced(text, {"urgent": True})).values()) == [{True}]
    assert list(outcomes(traced(text, {"urgent": True}, {"urgent": False})).values()) == [{True, False}]


def test_a_loop_without_a_turn_misses_its_body(traced):
    text = "{% for code in fields.codes %}\n{{ code }}\n{% else %}\nnone\n{% endfor %}\n"
    assert missed(traced(text, {"codes": []})) == [2]
    assert missed(traced(text, {"codes": ["I10"]})) == [4]


def test_included_files_and_macros_are_noted_where_they_stand(mapped, traced):
    mapped.write("parts.j2", "{% macro used(x) %}\n{{ x }}\n{% endmacro %}\n{% macro idle() %}\nidle\n{% endmacro %}\n")
    mapped.write("inner.j2", "{% if fields.urgent %}\nurgent\n{% endif %}\ninner\n")
    text = '{% from "parts.j2" import used %}\n{{ used("a") }}\n{% include "inner.j2" %}\n'
    trace = traced(text, {"urgent": False})
    assert missed(trace) == []
    assert missed(trace, "mappings/referrals/parts.j2") == [5]
    assert missed(trace, "mappings/referrals/inner.j2") == [2]


def test_what_stands_before_an_error_was_rendered(traced, mapped):
    mapped.write("record.text.j2", "one\n{% if fields.absent %}\ntwo\n{% endif %}\n")
    trace = Trace()
    template = Templates(mapped.folder, mapped.site, trace).record("record.text.j2", "text")
    with pytest.raises(Problem) as caught:
        template.render(mapped.names())
    assert [(found.where, found.rule) for found in caught.value.violations] == [(f"{FILE}:2", "undefined")]
    assert missed(trace) == [3]


@pytest.mark.parametrize(
    "text", [CHOICE, '{{ "yes" if fields.urgent else fields.mrn }}', "{% set a = fields.mrn if 1 %}{{ a }}"]
)
def test_a_traced_template_renders_the_same_and_complains_the_same(mapped, text):
    for fields in ({"mrn": "1"}, {"mrn": "2"}, {"mrn": None}, {"urgent": False}):
        mapped.write("record.text.j2", text)
        plain, traced = (
            Templates(mapped.folder, mapped.site, trace).record("record.text.j2", "text") for trace in (None, Trace())
        )
        assert plain.render(mapped.names(fields)) == traced.render(mapped.names(fields))
        assert plain.reads == traced.reads


def test_a_trace_can_begin_anew(traced):
    trace = traced(CHOICE, {"mrn": "1"})
    trace.forget()
    assert missed(trace) == [1, 2, 3, 4, 5, 6, 8, 10]
    assert set().union(*trace.conditions.values()) == set()
