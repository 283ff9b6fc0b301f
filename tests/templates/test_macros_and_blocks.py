"""Macros, set blocks, includes, imports, `~` and `join`: whatever a value goes through, it is escaped exactly once."""

import json

import pytest

from receiver.formats import budget


def test_a_macro_is_escaped_for_each_place_that_it_is_printed_at(mapped):
    template = """{% macro twice(x) %}{{ x }}{% endmacro %}
{"a": {{ twice(fields.mrn) }}, "b": "{{ twice(fields.mrn) }}", {{ twice(fields.mrn) }}: 1}"""
    assert json.loads(mapped.render(template, "json", mrn='"1')) == {"a": '"1', "b": '"1', '"1': 1}


def test_a_macro_may_hold_structure_where_it_is_printed_by_itself(mapped):
    template = "{% macro name(l, f) %}{{ l }}^{{ f }}{% endmacro %}\nPID|{{ name(fields.mrn, 'b') }}|x"
    assert mapped.render(template, "hl7", mrn="a^") == "PID|a\\S\\^b|x\r"


def test_a_macro_moves_the_place_on(mapped):
    template = """{% macro member(k, v) %}{{ k }}: {{ v }}{% endmacro %}
{ {{ member('a', 1) }}, {{ member('b', fields.mrn) }} }"""
    assert json.loads(mapped.render(template, "json")) == {"a": 1, "b": "007"}


def test_a_variable_hides_the_macro_of_its_name(mapped):
    macros = "{% macro tax(rate) %}{{ rate }}%{% endmacro %}{% macro of(tax) %}({{ tax }}){% endmacro %}"
    loop = "{% for tax in [7, 19] %}{{ tax }} {% endfor %}"
    assert mapped.render(macros + loop + "{{ tax(1) }}{{ of(2) }}", "text") == "7 19 1%(2)"
    assert mapped.faults(macros + "{% for tax in [1] %}{{ tax(1) }}{% endfor %}", "text") == ["1:117 unknown-method"]


def test_a_macro_in_an_expression_is_a_plain_text_escaped_once(mapped):
    template = """{% macro full(x) %}{{ x }} & {{ fields.middle_name }}{{ x }}{% endmacro %}
<a>{{ full(fields.mrn) | upper }}</a>
<b>{{ full(fields.mrn) ~ "<" }}</b>
{% set kept = full(fields.mrn) %}
<c d="{{ kept }}"/>"""
    rendered = mapped.render("{% set x = 1 %}" + template.replace(" & ", " - "), "xml", mrn="a&")
    assert rendered == '<a>A&amp; - A&amp;</a>\n<b>a&amp; - a&amp;&lt;</b>\n<c d="a&amp; - a&amp;"/>'


def test_structure_in_a_text_that_is_escaped_later_is_a_fault(mapped):
    template = "{% macro name(l, f) %}{{ l }}^{{ f }}{% endmacro %}\nPID|{{ name('a', 'b') | upper }}"
    assert mapped.faults(template, "hl7") == ["1:30 escape-place"]
    assert mapped.faults("{% set x %}a^b{% endset %}\nPID|{{ x }}", "hl7") == ["1:13 escape-place"]
    assert mapped.faults('{% set x %}"{% endset %}{{ x }}', "json") == ["1:12 escape-place"]


@pytest.mark.parametrize(
    ("kind", "printed", "expected"),
    [("hl7", "PID|{{ x }}", "PID|a\\F\\ 1\r"), ("json", "{{ x }}", '"a| 1"'), ("csv", '"{{ x }}"', '"a| 1"')],
)
def test_a_set_block_is_escaped_once_where_it_is_printed(mapped, kind, printed, expected):
    template = "{% set x %}{{ fields.mrn }} 1{{ fields.middle_name }}{% endset %}\n" + printed
    assert mapped.render(template, kind, mrn="a|") == expected


def test_a_set_block_may_be_filtered(mapped):
    assert mapped.render("{% set x | upper %}{{ fields.mrn }}&{% endset %}{{ x }}", "json", mrn="a") == '"A&"'


def test_tilde_and_join_put_plain_values_together(mapped):
    template = (
        '{{ fields.mrn ~ "<" ~ fields.pages ~ fields.middle_name ~ fields.urgent }}|{{ [1, none, "&"] | join("<") }}'
    )
    assert mapped.render(template, "xml", mrn="&") == "&amp;&lt;2true|1&lt;&lt;&amp;"


def test_raw_opts_out_at_the_end_of_a_value_and_nowhere_else(mapped):
    assert mapped.render("PID|{{ fields.mrn | upper | raw }}", "hl7", mrn="a^b") == "PID|A^B\r"
    assert mapped.render("PID|{{ fields.mrn | raw if fields.urgent else '^' }}", "hl7", mrn="a^b") == "PID|a^b\r"
    assert mapped.faults("PID|{{ fields.mrn | raw | upper }}", "hl7") == ["1:21 escape-filter"]
    assert mapped.faults("PID|{{ (fields.mrn | raw) ~ 'x' }}", "hl7") == ["1:22 escape-filter"]
    assert mapped.faults("{% set x = fields.mrn | raw %}PID|1", "hl7") == ["1:25 escape-filter"]


def test_a_mark_of_another_format_is_a_fault(mapped):
    assert mapped.faults("<a>{{ fields.mrn | unguarded }}</a>", "xml") == ["1:20 escape-filter"]


def test_an_include_is_escaped_for_the_place_that_it_stands_at(mapped):
    mapped.write("value.j2", "{{ fields.mrn }}")
    rendered = mapped.render("""<a b="{% include "value.j2" %}">{% include "value.j2" %}</a>""", "xml", mrn="\"'<")
    assert rendered == '<a b="&quot;&#39;&lt;">"\'&lt;</a>'


def test_an_include_sees_loop_variables_and_keeps_its_own(mapped):
    mapped.write("line.j2", "{% set n = loop.index %}{{ code }}{{ n }};")
    assert mapped.render("{% for code in fields.codes %}{% include 'line.j2' %}{% endfor %}") == "R06.091;I102;"


def test_imported_macros_see_the_delivery(mapped):
    mapped.write("lib.j2", "{# macros #}\n{% macro id(x) %}{{ x }}-{{ delivery.version }}{% endmacro %}\n")
    template = "{% import 'lib.j2' as lib %}{% from 'lib.j2' import id as same %}{{ lib.id(1) }} {{ same(2) }}"
    assert mapped.render(template) == "1-1 2-1"


def test_macros_call_each_other_and_have_defaults(mapped):
    template = """{% macro inner(x, y="&") %}{{ x }}{{ y }}{% endmacro %}
{% macro outer(x) %}{{ inner(x) }}{{ inner(x, y=1) }}{% endmacro %}
<a>{{ outer(fields.mrn) }}</a>"""
    assert mapped.render(template, "xml") == "<a>007&amp;0071</a>"


def test_a_macro_does_not_see_its_callers_variables(mapped):
    template = "{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}"
    assert mapped.faults(template) == ["1:19 unknown-name"]


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "1:20 macro-recursion"),
        (
            "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
            "1:58 macro-recursion",
        ),
        ("{% include 'record.text.j2' %}", "1:4 include-cycle"),
        ("{% macro m() %}{% endmacro %}{{ m }}", "1:33 unknown-name"),
        ("{% macro m() %}{% endmacro %}{% set x = m %}", "1:41 unknown-name"),
        ("{% if 1 %}{% macro m() %}{% endmacro %}{% endif %}", "1:14 refused-tag"),
        ("{% block a %}{% endblock %}", "1:4 refused-tag"),
        ("{% extends 'a' %}", "1:4 refused-tag"),
        ("{% macro m() %}{% endmacro %}{% call m() %}{% endcall %}", "1:33 refused-tag"),
        ("{% filter upper %}{% endfilter %}", "1:4 refused-tag"),
        ("{% autoescape false %}{% endautoescape %}", "1:4 refused-tag"),
        ("{% for x in fields.codes recursive %}{% endfor %}", "1:4 refused-tag"),
        ("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "1:35 bad-argument"),
        ("{% macro m(abc) %}{% endmacro %}{{ m(abd=2) }}", "1:42 bad-argument"),
        ("{% import 'nothing.j2' as x %}", "1:4 unknown-template"),
        ("{% include '../process.toml' %}", "1:4 unknown-template"),
        ("{% include fields.mrn %}", "1:4 unknown-template"),
        ("{% set fields = 1 %}", "1:8 name-taken"),
        ("{% for _x in fields.codes %}{% endfor %}", "1:8 name-taken"),
    ],
)
def test_what_cannot_be_right_is_a_fault_at_its_place(mapped, template, fault):
    assert mapped.faults(template) == [fault]


def test_includes_that_double_themselves_are_cut_off(mapped):
    for number in range(30):
        mapped.write(f"{number}.j2", f"{{% include '{number + 1}.j2' %}}" * 2)
    mapped.write("30.j2", "x")
    assert any("include-cycle" in fault for fault in mapped.faults("{% include '0.j2' %}"))


def test_macros_that_double_themselves_are_compiled_once_and_cut_off_when_they_run(mapped, monkeypatch):
    monkeypatch.setattr(budget, "MAX_SECONDS", 0.3)
    macro = "{% macro mHERE() %}{{ mNEXT() }}{{ mNEXT() }}{% endmacro %}"
    macros = "".join(macro.replace("HERE", str(number)).replace("NEXT", str(number + 1)) for number in range(40))
    violation = mapped.violation(macros + "{% macro m40() %}x{% endmacro %}{{ m0() }}")
    assert violation.rule == "limit"


def test_files_outside_of_the_processs_folder_are_not_there(mapped):
    (mapped.folder.parent / "other.j2").write_text("x")
    assert mapped.faults("{% include '../other.j2' %}") == ["1:4 unknown-template"]
    (mapped.folder / "link.j2").symlink_to("../other.j2")
    assert mapped.faults("{% include 'link.j2' %}") == ["1:4 unknown-template"]


def test_a_template_without_its_file_or_in_another_encoding_is_a_fault(mapped):
    (mapped.folder / "latin.j2").write_bytes(b"\xe9")
    assert mapped.faults("{% include 'latin.j2' %}") == ["1:1 template-unreadable"]


def test_loops_with_else_and_conditions(mapped):
    template = (
        "{% for x in [] %}{{ x }}{% else %}none{% endfor %}{% for x in fields.codes if x != 'I10' %}{{ x }}{% endfor %}"
    )
    assert mapped.render(template) == "noneR06.09"


def test_dates_are_iso(mapped):
    assert mapped.render("{{ delivery.received_at }}", "json") == '"2026-11-23T14:11:21+00:00"'
