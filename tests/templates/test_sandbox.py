"""Templates reach the delivery's values and nothing behind them."""

import pytest

ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ fields.__class__ }}",
    "{{ fields.mrn.__class__.__mro__ }}",
    "{{ fields.mrn['__class__'] }}",
    "{{ range.__globals__ }}",
    "{{ delivery.received_at.__reduce__ }}",
    "{{ document.file }}",
    "{{ document['file'] }}",
    "{{ documents | map(attribute='file') | first }}",
    "{{ documents[0].file }}",
    "{{ loop }}",
    "{{ self }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum.__globals__ }}",
    "{{ joiner }}",
    "{{ namespace.__init__ }}",
    "{{ namespace().__class__ }}",
    "{{ namespace()._Namespace__attrs }}",
    "{{ dict.__base__ }}",
    "{% for x in fields.codes %}{{ loop._iterator }}{% endfor %}",
    "{% for x in fields.codes %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in fields.codes %}{{ loop._recurse }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{{ caller }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m() }}",
    "{{ '{0.__class__}'.format(fields) }}",
    "{{ '{0.__class__}'.format_map({'0': 1}) }}",
    "{{ ('{0.__class__}'.format)(fields) }}",
    "{{ '{0.__class__}' | attr('format') }}",
    "{{ ['{0.__class__}'] | map('format', fields) | first }}",
    "{{ ['format'] | map('attr', 'x') | list }}",
    "{{ 'x' | map(attribute='format') | list }}",
    "{{ ['x'] | map(attribute='__class__') | first }}",
    "{{ ['x'] | map(attribute='format.__self__') | first }}",
    "{{ [fields] | sort(attribute='__class__') }}",
    "{{ [fields] | groupby('__class__') | list }}",
    "{{ fields.codes.append('x') }}",
    "{{ fields.codes.clear() }}",
    "{{ fields.clear() }}",
    "{{ fields.update({'a': 1}) }}",
    "{{ fields.pop('mrn') }}",
    "{{ fields.mrn.encode() }}",
    "{{ fields.mrn.translate({}) }}",
    "{{ fields.mrn.maketrans('a', 'b') }}",
    "{{ delivery.received_at.strptime('1', '%Y') }}",
    "{{ delivery.received_at.now() }}",
    "{{ fields.mrn() }}",
    "{{ fields() }}",
    "{{ (fields.mrn.upper)() }}{{ fields.pages.bit_length() }}",
    "{{ 1.0.__class__ }}",
    "{{ (1).real }}",
    "{{ environment }}",
    "{{ context }}",
    "{{ resolve('x') }}",
    "{{ fields | pprint }}",
    "{{ fields | xmlattr }}",
    "{{ fields.mrn | safe }}",
    "{{ fields is callable }}",
    "{{ 'x' is filter }}",
    "{% import fields.mrn as x %}",
    "{% include ['a', 'b'] %}",
]


# What stops a way out: a fault before any delivery, or a rule that its rendering breaks.
SHUT = {f"unknown-{kind}" for kind in ("name", "method", "filter", "test", "template")} | {"undefined", "value"}


def stopped_by(mapped, template) -> set[str]:
    return {fault.code for fault in mapped.fault_list(template)} or {mapped.violation(template).rule}


@pytest.mark.parametrize("template", ESCAPES)
def test_every_known_way_out_is_shut(mapped, template):
    assert stopped_by(mapped, template) <= SHUT


def test_the_values_are_not_changed(mapped):
    names = mapped.names()
    template = mapped.compile("{% set codes = fields.codes + ['x'] %}{{ codes | join(' ') }}", "text")
    assert template.render(names) == "R06.09 I10 x"
    assert names["fields"]["codes"] == ["R06.09", "I10"]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("'~text'", "unknown-filter"),
        ("'raw'", "unknown-filter"),
        ("'safe'", "unknown-filter"),
        ("fields.mrn", "bad-argument"),
    ],
)
def test_filters_cannot_be_named_by_data_or_from_inside(mapped, name, fault):
    assert stopped_by(mapped, "{{ ['a'] | map(NAME) | first }}".replace("NAME", name)) == {fault}


def test_values_are_never_templates(mapped):
    assert mapped.render("{{ fields.mrn }}", mrn="{{ 7 * 7 }}{% x %}{# y #}") == "{{ 7 * 7 }}{% x %}{# y #}"


def test_methods_that_are_listed_work(mapped):
    template = "{{ fields.mrn.split('-')[0].upper().zfill(4) }} {{ '-'.join(fields.codes) }}"
    assert mapped.render(template, mrn="a-b") == "000A R06.09-I10"
    assert mapped.render("{{ fields.mrn.replace('a', 'b') }}", mrn="a-b") == "b-b"


@pytest.mark.parametrize(
    ("template", "hint"),
    [
        ("{{ fields.get('x') }}", "default"),
        ("{{ fields.items() }}", "fields | items"),
        ("{{ fields.mrn.uper() }}", '"upper"'),
        ("{{ fields.mrn | tojson }}", "by themselves"),
        ("{{ fields.mrn | e }}", "by themselves"),
        ("{{ fields.mrn | safe }}", "raw"),
        ("{{ fields.mrn | uper }}", '"upper"'),
        ("{{ fields.mrn is defnied }}", '"defined"'),
        ("{{ feilds.mrn }}", '"fields"'),
        ("{{ ['a'] | map('uper') }}", '"upper"'),
        ("{{ ['a'] | select('defind') }}", '"defined"'),
    ],
)
def test_what_is_not_there_is_a_fault_with_what_may_have_been_meant(mapped, template, hint):
    (fault,) = mapped.fault_list(template)
    assert hint in fault.hint
