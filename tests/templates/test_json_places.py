"""JSON: a value prints itself, and inside a string its content."""

import json

import pytest


def load(text: str):
    return json.loads(text, parse_constant=pytest.fail)


def test_a_value_prints_itself(mapped):
    template = (
        '{"n": {{ fields.mrn }}, "p": {{ fields.pages }}, "u": {{ fields.urgent }}, "m": {{ fields.middle_name }}}'
    )
    rendered = mapped.render(template, "json", mrn='O"Br\\ien\n')
    assert load(rendered) == {"n": 'O"Br\\ien\n', "p": 2, "u": True, "m": None}


def test_lists_and_objects_print_themselves(mapped):
    rendered = mapped.render(
        "[{{ fields.codes }}, {{ delivery }}, {{ metadata }}]", "json", metadata={"a": [1.5, None]}
    )
    assert load(rendered)[0] == ["R06.09", "I10"]
    assert load(rendered)[1]["received_at"] == "2026-11-23T14:11:21+00:00"
    assert load(rendered)[2] == {"a": [1.5, None]}


def test_a_document_prints_without_its_file(mapped):
    assert "file" not in load(mapped.render("{{ document }}", "json"))


def test_inside_a_string_the_content_is_printed(mapped):
    rendered = mapped.render(
        '{"a": "urn:{{ fields.mrn }}-{{ fields.pages }}{{ fields.middle_name }}"}', "json", mrn='"\\'
    )
    assert load(rendered) == {"a": 'urn:"\\-2'}


@pytest.mark.parametrize("template", ["{{ fields.mrn }}", '"{{ fields.mrn }}"', "{ {{ fields.mrn }}: 1 }"])
def test_half_a_character_is_refused_wherever_it_stands(mapped, template):
    assert "character" in mapped.violation(template, "json", mrn="a\ud800").message


def test_a_key_is_always_a_string(mapped):
    rendered = mapped.render('{ {{ fields.pages }}: 1, "{{ fields.mrn }}": 2}', "json", mrn='"')
    assert load(rendered) == {"2": 1, '"': 2}


def test_commas_in_loops_are_understood(mapped):
    template = "[{% for code in fields.codes %}{{ code }}{% if not loop.last %},{% endif %}{% endfor %}]"
    assert load(mapped.render(template, "json")) == ["R06.09", "I10"]
    template = "[0{% for code in fields.codes %},{{ code }}{% endfor %}]"
    assert load(mapped.render(template, "json")) == [0, "R06.09", "I10"]


def test_members_in_loops_and_conditions_are_understood(mapped):
    template = """{
      {% for code in fields.codes %}
      {% if not loop.first %},{% endif %} {{ code }}: {"rank": {{ loop.index }}}
      {% endfor %}
      {% if fields.urgent %}, "urgent": true{% endif %}
    }"""
    rendered = load(mapped.render(template, "json"))
    assert rendered == {"R06.09": {"rank": 1}, "I10": {"rank": 2}, "urgent": True}


def test_a_condition_within_a_value_keeps_each_branch_right(mapped):
    template = '{"a": {{ fields.mrn if fields.urgent else 0 }}, "b": {{ fields.mrn if not fields.urgent }}}'
    assert load(mapped.render(template, "json")) == {"a": "007", "b": None}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("nan")], {("a",): 1}, "\ud800", ["\ud800"]])
def test_what_json_cannot_express_is_refused(mapped, value):
    violation = mapped.violation('{"a": {{ fields.mrn }}}', "json", mrn=value)
    assert violation.message.startswith("fields.mrn ")


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ fields.mrn }}{{ fields.pages }}", "1:20 escape-place"),
        ('{"a" {{ fields.mrn }}}', "1:9 escape-place"),
        ('{"a": 1{{ fields.mrn }}}', "1:11 escape-place"),
        ('{"a": "\\{{ fields.mrn }}"}', "1:12 escape-place"),
        ('{"a": "\\u00{{ fields.mrn }}"}', "1:15 escape-place"),
        ('{"a": "x\ny"}', "1:9 escape-place"),
        ("[1}", "1:3 escape-place"),
        ("{a: 1}", "1:2 escape-place"),
        ("[1 2]", "1:4 escape-place"),
    ],
)
def test_a_value_where_json_allows_none_is_a_fault(mapped, template, fault):
    assert mapped.faults(template, "json") == [fault]


def test_branches_that_open_and_do_not_close_are_a_fault_at_their_line(mapped):
    template = '{"a":\n{% if fields.urgent %}"x{% else %}"y"{% endif %}}'
    assert mapped.faults(template, "json") == ["2:4 escape-branches"]
    assert mapped.faults("[{% for c in fields.codes %}[{% endfor %}]", "json") == ["1:5 escape-branches"]


def test_line_breaks_of_every_kind_survive(mapped):
    text = "\r\n\u2028\x00\x7f\x1f\U0001f600"
    assert load(mapped.render("{{ fields.mrn }}", "json", mrn=text)) == text
