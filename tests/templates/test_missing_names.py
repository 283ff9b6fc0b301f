"""What is not there stops the rendering: the line, the field and what may have been meant; never a value."""

import pytest

from receiver.core.problems import Problem


def test_a_missing_field_names_the_field_the_line_and_a_near_one(mapped):
    violation = mapped.violation("a\n{{ fields.patient_nmae }}")
    assert violation.where == "mappings/referrals/record.text.j2:2"
    assert violation.rule == "undefined"
    assert violation.message == 'fields.patient_nmae is not there; did you mean "patient_name"?'


def test_a_missing_name_is_told_with_its_owner(mapped):
    violation = mapped.violation("{{ delivery.versoin }}")
    assert violation.message == 'delivery.versoin is not there; did you mean "version"?'


def test_only_what_is_read_of_the_delivery_is_named(mapped):
    violation = mapped.violation("{% set x = 1 %}{{ x ~ fields.mrn }}", mrn="a\n")
    assert violation.message.startswith("fields.mrn contains")


def test_a_missing_field_without_a_near_one_tells_what_to_write(mapped):
    assert "`is defined`" in mapped.violation("{{ fields.xyz }}").message


@pytest.mark.parametrize(
    "use",
    [
        "{{ NAME }}",
        "{{ NAME ~ 'x' }}",
        "{{ NAME | upper }}",
        "{{ [NAME] | join }}",
        "{% if NAME %}{% endif %}",
        "{% for x in NAME %}{% endfor %}",
        "{{ NAME == 1 }}",
        "{{ NAME + 1 }}",
        "{{ NAME.deeper }}",
        "{{ NAME.upper() }}",
        "{{ NAME | length }}",
        "{{ NAME | items | list }}",
        "{{ NAME | date('%Y', '%Y') }}",
        "{{ 'x' if NAME else 'y' }}",
        "{% set x = NAME | trim %}",
        "{{ NAME | raw }}",
    ],
)
@pytest.mark.parametrize("name", ["fields.nothing", 'fields["nothing"]', "delivery.nothing", "metadata.nothing"])
def test_nothing_may_be_done_with_what_is_missing(mapped, use, name):
    violation = mapped.violation(use.replace("NAME", name))
    assert violation.rule == "undefined"
    assert "nothing" in violation.message


@pytest.mark.parametrize(
    "use", ["{{ document.path }}", "{{ document }}", "{% for x in [1] %}{{ document.path }}{% endfor %}"]
)
def test_a_delivery_without_documents_has_no_document(mapped, use):
    names = mapped.names(documents=0)
    assert mapped.compile("{{ document is defined }}", "text").render(names) == "false"
    with pytest.raises(Problem) as caught:
        mapped.compile(use, "text").render(names)
    assert caught.value.violations[0].rule == "undefined"
    assert caught.value.violations[0].message.startswith("document")


@pytest.mark.parametrize("kind", ["hl7", "json", "xml", "csv", "text"])
def test_every_format_refuses_it(mapped, kind):
    before, after = {"hl7": ("PID|", ""), "xml": ("<a>", "</a>")}.get(kind, ("", ""))
    assert mapped.violation(before + "{{ fields.nothing }}" + after, kind).rule == "undefined"


def test_a_missing_value_in_a_list_that_json_prints_is_refused(mapped):
    assert mapped.violation("{{ [fields.nothing] }}", "json").rule == "undefined"


def test_is_defined_and_default_work(mapped):
    template = "{{ fields.x is defined }} {{ fields.x | default('-') }} {{ fields.mrn is defined }} {{ 'x' in fields }}"
    assert mapped.render(template) == "false - true false"


def test_an_if_without_else_is_empty(mapped):
    assert mapped.render("<{{ 'x' if not fields.urgent }}>") == "<>"
    assert mapped.render("{{ ('a' if not fields.urgent) ~ 'b' }}") == "b"


def test_a_name_that_the_data_chose_is_not_told(mapped):
    violation = mapped.violation("{{ fields[fields.mrn] }}", mrn="secret")
    assert violation.rule == "undefined"
    assert "secret" not in violation.message


def test_names_of_metadata_are_not_suggested(mapped):
    template = mapped.compile("{{ metadata.secrot }}", "text")
    with pytest.raises(Problem) as caught:
        template.render(mapped.names(metadata={"secret": 1}))
    assert "secret" not in str(caught.value.violations)


def test_a_field_is_named_through_loops_variables_and_macros(mapped):
    loop = "{% for code in fields.codes %}{{ code }}{% endfor %}"
    assert mapped.violation(loop, codes=["a", "b\n"]).message.startswith("fields.codes contains")
    variable = "{% set n = fields.mrn | trim %}{{ n }}"
    assert mapped.violation(variable, mrn="a\nb").message.startswith("fields.mrn contains")
    macro = "{% macro m(x) %}{{ x }}{% endmacro %}\n{{ m(fields.pages) }}{{ m(fields.mrn) }}"
    violation = mapped.violation(macro, mrn="a\nb")
    assert violation.message.startswith("fields.mrn contains")
    assert (violation.schema or "").endswith(":1")


def test_of_a_variable_that_is_set_twice_the_field_with_the_fault_is_told(mapped):
    template = "{% set n = fields.pages %}{% set n = fields.mrn %}{{ n }}"
    assert mapped.violation(template, mrn="a\nb").message.startswith("fields.mrn contains")


def test_a_variable_that_is_set_twice_stands_for_itself(mapped):
    template = '{% set n = fields.pages %}{% set n = fields.mrn %}{{ n | date("%Y") }}'
    assert mapped.violation(template, mrn="a").message.startswith("n is not a date")


def test_the_right_one_of_several_fields_in_a_line_is_named(mapped):
    template = "PID|{{ fields.pages }}|{{ fields.mrn }}|{{ fields.patient_name }}"
    assert mapped.violation(template, "hl7", mrn="\0").message.startswith("fields.mrn contains")


def test_a_text_is_not_taken_for_a_list(mapped):
    assert (
        "fields.mrn is a text, not a list" in mapped.violation("{% for c in fields.mrn %}{{ c }}{% endfor %}").message
    )


def test_fields_named_like_methods_are_fields(mapped):
    assert mapped.render("{{ fields.items }} {{ fields['items'] }}") == "seven seven"
    assert mapped.violation("{{ fields.keys }}").rule == "undefined"


@pytest.mark.parametrize(
    "template",
    [
        "{{ fields.mrn | int }}",
        "{{ fields.mrn + 1 }}",
        "{{ fields.mrn / 2 }}",
        "{{ fields.mrn | date('%Y', '%Y') }}",
        "{{ fields.mrn | lookup('sex') }}",
        "{{ fields.mrn | fixed(3) }}",
        "{{ fields.mrn | hl7_ts }}",
        "{{ fields.mrn | base64 }}",
        "{{ '%d' | format(fields.mrn) }}",
        "{{ fields.mrn.index('x') }}",
        "{{ [1, fields.mrn] | sum }}",
        "{{ [1, fields.mrn] | sort }}",
        "{{ fields.mrn | float }}",
        "{{ 'x' * fields.mrn }}",
        "{{ fields.mrn | round }}",
        "{{ fields.mrn | batch(2) }}",
        "{{ fields.codes[fields.mrn] }}",
        "{{ {}[fields.mrn] }}",
        "{{ dict(fields.mrn) }}",
        "{{ -fields.mrn }}",
        "{{ fields.mrn.split('') }}",
        "{{ fields.mrn | int(base=99) }}",
    ],
)
def test_no_error_tells_a_value(mapped, template):
    mapped.write("tables/sex.csv", "code,value\nF,female\n")
    violation = mapped.violation(template, mrn="SECRETVALUE")
    assert "SECRET" not in str(violation)
    assert (violation.schema or violation.where).endswith(":1")
