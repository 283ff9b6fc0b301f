"""Which fields a template reads, and which of them it can do without."""

from concurrent.futures import ThreadPoolExecutor

import pytest


def reads(mapped, template: str) -> list[tuple[str, int, int, bool]]:
    return [(read.name, read.line, read.column, read.guarded) for read in mapped.compile(template, "text").reads]


def test_reads_have_their_places(mapped):
    mapped.write("part.j2", "\n{{ fields['d'] }}")
    template = "{{ fields.a }}\n{% include 'part.j2' %}{% macro m() %}{{ fields.c }}{% endmacro %}{{ m() }}"
    found = [(read.file[-6:], read.name, read.line, read.column) for read in mapped.compile(template, "text").reads]
    assert found == [("art.j2", "d", 2, 4), ("ext.j2", "a", 1, 4), ("ext.j2", "c", 2, 42)]


@pytest.mark.parametrize(
    "template",
    [
        "{{ fields.a | default('') }}",
        "{{ fields.a | d('') | upper }}",
        "{% if fields.a is defined %}{{ fields.a }}{% endif %}",
        "{% if 'a' in fields %}{{ fields.a }}{% endif %}",
        "{% if 'a' not in fields %}x{% else %}{{ fields.a }}{% endif %}",
        "{% if fields.a is undefined %}x{% else %}{{ fields.a }}{% endif %}",
        "{% if fields.a is undefined %}x{% elif fields.a %}{{ fields.a }}{% endif %}",
        "{% if not fields.a is defined %}x{% else %}{{ fields.a }}{% endif %}",
        "{% if fields.a is defined and fields.a == 1 %}{{ fields.a }}{% endif %}",
        "{% if fields.a is undefined or fields.a == 1 %}x{% else %}{{ fields.a }}{% endif %}",
        "{% if fields.a | default('') %}{{ fields.a }}{% endif %}",
        "{% if fields.a | default('') | trim %}{{ fields.a }}{% endif %}",
        "{% if fields.a | default('') | trim != '' %}{{ fields.a }}{% endif %}",
        "{% if fields.a | default([]) | length > 0 %}{{ fields.a }}{% endif %}",
        "{{ fields.a if fields.a is defined else '' }}",
        "{% set x = fields.a if 'a' in fields %}",
        "{% for x in [1] if fields.a is defined %}{{ fields.a }}{% endfor %}",
    ],
)
def test_a_guarded_read_is_known_as_such(mapped, template):
    found = reads(mapped, template)
    assert found or "'a' in" in template
    assert all(guarded for *_, guarded in found)


@pytest.mark.parametrize(
    "template",
    [
        "{{ fields.a }}",
        "{% if fields.a %}{% endif %}",
        "{% if fields.a is defined %}x{% else %}{{ fields.a }}{% endif %}",
        "{% if fields.b is defined %}{{ fields.a }}{% endif %}",
        "{% if fields.a is defined or fields.b %}{{ fields.a }}{% endif %}",
        "{% if fields.a is defined %}x{% endif %}{{ fields.a }}",
        "{{ 'x' | default(fields.a) }}",
        "{% if fields.a | default('x') %}{{ fields.a }}{% endif %}",
        "{% if fields.a | default('') != 'x' %}{{ fields.a }}{% endif %}",
        "{% for x in fields.a %}{% endfor %}",
    ],
)
def test_an_unguarded_read_is_known_as_such(mapped, template):
    assert ("a", False) in {(name, guarded) for name, _, _, guarded in reads(mapped, template)}


def test_sixteen_threads_share_a_template(mapped):
    template = mapped.compile(
        "{% macro m(x) %}{{ x }};{% endmacro %}{% set ns = namespace(n=0) %}"
        "{% for c in fields.codes %}{% set ns.n = ns.n + 1 %}{{ m(c) }}{% endfor %}{{ ns.n }}",
        "text",
    )
    codes = [[f"{number}-{each}" for each in range(50)] for number in range(16)]
    names = [mapped.names({"codes": each}) for each in codes]

    def rendered(number: int) -> set[str]:
        return {template.render(names[number]) for _ in range(20)}

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(rendered, range(16)))
    assert found == [{"".join(f"{code};" for code in each) + "50"} for each in codes]
