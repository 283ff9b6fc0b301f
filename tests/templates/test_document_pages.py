"""`document.pages`: counted when a template asks, once, and a problem of the part where it cannot be."""

import pytest

from receiver import documents
from receiver.core.problems import Code, Problem, Violation


@pytest.fixture
def counted(monkeypatch):
    """Count without looking, and note what was asked for."""
    asked = []
    monkeypatch.setattr(documents, "pages", lambda part, _process: asked.append(part.name) or 3)
    return asked


def test_pages_are_counted_only_where_a_template_asks(mapped, counted):
    mapped.render("{{ document.size }} {{ document.name }}")
    assert counted == []


def test_pages_are_counted_once(mapped, counted):
    text = "{{ document.pages }} {{ document['pages'] + 1 }} {{ documents | map(attribute='pages') | sum }}"
    assert mapped.render(text) == "3 4 3"
    assert counted == ["file0"]


def test_nothing_else_is_there(mapped, counted):
    assert mapped.render("{{ document.pagse is defined }}") == "false"
    assert mapped.violation("{{ document.pagse }}").rule == "undefined"


def test_a_broken_document_is_a_problem_of_its_part(mapped):
    template = mapped.compile("{{ document.pages }}", "text")
    with pytest.raises(Problem) as caught:
        template.render(mapped.names())  # the invented one has no page
    problem = caught.value
    assert problem.code is Code.DOCUMENT_BROKEN
    assert problem.violations == (Violation("part", "document", "The document cannot be read: it is no PDF."),)
    assert problem.__context__ is None
