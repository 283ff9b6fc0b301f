"""Whatever a template does ends within its time and size, and is told at its line."""

import time
import tracemalloc

import pytest

from receiver.core.problems import Problem
from receiver.formats import budget

GROWING = [  # a first value, and what it becomes a thousand times
    ("3", "ns.x * ns.x"),
    ("'a'", "ns.x ~ ns.x"),
    ("'a'", "ns.x + ns.x"),
    ("[1]", "ns.x + ns.x"),
    ("'a'", "[ns.x, ns.x] | join"),
    ("'a'", "ns.x | replace('a', 'aaaaaaaa')"),
    ("'a'", "ns.x.replace('a', 'aaaaaaaa')"),
    ("'a'", "'%s%s' | format(ns.x, ns.x)"),
    ("'a'", "'%s%s' % (ns.x, ns.x)"),
]

LOOP = "{% set ns = namespace(x=FIRST) %}{% for i in range(1000) %}{% set ns.x = NEXT %}{% endfor %}"
BLOCK = LOOP.replace("FIRST", "'a'").replace(
    "{% set ns.x = NEXT %}", "{% set x %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = x %}"
)

MANY = "{% set many = 10**9 %}"  # no constant: what is set may be set again

BOMBS = [
    *(LOOP.replace("FIRST", first).replace("NEXT", following) for first, following in GROWING),
    BLOCK,
    MANY + "{{ 'a' * many }}",
    MANY + "{{ many * 'a' }}",
    MANY + "{{ [0] * many }}",
    MANY + "{{ 10 ** (many * 10) }}",
    MANY + "{{ (10**300) * (many ** 30) }}",
    MANY + "{{ range(many) | list }}",
    "{% for i in range(10**5) %}{% for j in range(10**5) %}{% endfor %}{% endfor %}",
    "{% for i in range(10**5) %}{% for j in range(10**5) %}x{% endfor %}{% endfor %}",
    "{% for i in range(10**5) %}{{ 'a' * 10**5 }}{% endfor %}",
    "{% macro m(x) %}{% for i in range(10**5) %}{{ x }}{% endfor %}{% endmacro %}{{ m('a' * 10**6) }}",
    "{{ 'a' | center(10**9) }}",
    "{{ 'a'.center(10**9) }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ '%999999999d' | format(1) }}",
    MANY + "{{ '%999999999d' % many }}",
    MANY + "{{ '%.999999999f' % many }}",
    "{{ [1] | batch(10**9, 0) | list }}",
    "{{ [1] | slice(10**9) | list }}",
    "{{ ('a ' * 10**5) | wordwrap(1, wrapstring='b' * 10**5) }}",
    "{{ 'a' | fixed(10**9) }}",
    "{{ range(10**5) | select('in', range(10**5) | list) | list }}",
    "{{ range(10**5) | map('center', 10**4) | list }}",
]


@pytest.mark.parametrize("template", BOMBS)
def test_a_bomb_is_cut_off_in_time_and_told_at_its_line(mapped, template, monkeypatch):
    monkeypatch.setattr(budget, "MAX_SECONDS", 0.5)
    compiled = time.process_time()
    mapped.compile("a\n" + template, "text")
    assert time.process_time() - compiled < 1
    started = time.process_time()
    tracemalloc.start()
    violation = mapped.violation("a\n" + template)
    assert tracemalloc.get_traced_memory()[1] < 300_000_000  # bytes: three times the text that may be put together
    tracemalloc.stop()
    assert time.process_time() - started < 2  # four times the bound: the machine may be busy
    assert violation.where.endswith(":2")
    assert violation.rule == "limit"


def test_time_in_which_a_rendering_waits_does_not_count(monkeypatch):
    budget.start()
    for waited in (1, 60):  # seconds, for a helper that counts pages, or a busy machine
        monkeypatch.setattr(budget, "monotonic", lambda waited=waited: time.monotonic() + waited * budget.MAX_SECONDS)
        budget.tick()


CONSTANTS = [
    "'a' * 10**9",
    "10**9 * 'a'",
    "[0] * 10**9",
    "10 ** (10**10)",
    "(10**300) * (10**300)",
    "range(10**9)",
    "'%999999999d' % 1",
    "'%.999999999f' % (1,)",
]
PLACES = [
    "{{ HERE }}",
    "{% if fields.none_has_it is defined %}{{ HERE }}{% endif %}",
    "{% for x in [] %}{{ x if HERE else 1 }}{% endfor %}",
    "{% set x = HERE %}",
    "{% macro m() %}{{ HERE }}{% endmacro %}{{ m() }}",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("constant", CONSTANTS)
def test_a_constant_that_runs_away_is_a_fault_before_anything_is_rendered(mapped, constant, place):
    """Also where no sample reaches it, and once: what is made of it is not told too."""
    (fault,) = mapped.faults("a\n" + place.replace("HERE", f"({constant}) ~ 'b'"))
    assert fault.startswith("2:")
    assert fault.endswith(" template-without-end")


@pytest.mark.parametrize("sound", ["'a' * 1000", "range(1000)", "'%05d' % 7", "1 + 'a'", "1 % 0", "range(fields.x)"])
def test_other_constants_are_left_to_the_rendering(mapped, sound):
    mapped.compile("{% if false %}{{ " + sound + " }}{% endif %}", "text")


REFUSED = [
    ("{{ '%*d' | format(999999999, 1) }}", "argument"),
    ("{{ range(10**5) | batch(1) | sum(start=[]) }}", "sum"),
    ("{{ 1 | round(10**9, 'ceil') }}", "round"),
]


@pytest.mark.parametrize(("template", "rule"), REFUSED)
def test_what_could_only_be_a_bomb_is_refused(mapped, template, rule):
    assert mapped.violation(template).rule == rule


def test_a_template_that_is_nested_too_deeply_is_a_fault(mapped):
    assert mapped.faults("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}") == ["1:1 template-syntax"]
    loops = "{% for x in [1] %}" * 30 + "{% endfor %}" * 30
    assert mapped.faults(loops) == ["1:1 template-syntax"]


def test_nested_loops_in_json_are_settled_in_time(mapped):
    loop = "[{% for x in [1] %}"
    end = "{% if not loop.last %},{% endif %}{% endfor %}]"
    started = time.process_time()
    mapped.compile(loop * 6 + "{{ x }}" + end * 6, "json")
    assert time.process_time() - started < 2


def test_a_file_that_is_too_large_is_a_fault(mapped):
    assert mapped.faults("x" * 1_000_001) == ["1:1 template-too-large"]


def test_the_largest_document_is_embedded_and_a_larger_one_is_refused(mapped):
    names = mapped.names()
    template = mapped.compile("OBX|{{ document | base64 }}", "hl7")
    with names["document"].part.path.open("wb") as file:
        file.truncate(32_000_000)
    assert len(template.render(names)) > 42_666_000
    with names["document"].part.path.open("wb") as file:
        file.truncate(32_000_001)
    with pytest.raises(Problem) as caught:
        template.render(names)
    assert caught.value.violations[0].rule == "limit"
    assert "document has more than 32 MB" in caught.value.violations[0].message


def test_each_rendering_has_its_own_budget(mapped):
    template = mapped.compile("{{ ('a' * 40000000) | length }}", "text")
    assert [template.render(mapped.names()) for _ in range(3)] == ["40000000"] * 3
