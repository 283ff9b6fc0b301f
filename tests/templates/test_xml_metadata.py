"""XML metadata in templates: elements by name, attributes by @name, text where it is printed."""

from xml.etree import ElementTree

import pytest

from receiver.core.problems import Problem
from receiver.metadata.xml_names import Names

METADATA = '<d id="7"><patient><name>A&amp;B</name></patient><code>x</code><code>y</code><items>i</items><p>2</p></d>'


def rendered(mapped, template: str, kind: str = "text") -> str:
    metadata = Names((ElementTree.fromstring(METADATA),))
    return mapped.compile(template, kind).render(mapped.names(metadata=metadata))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ metadata.patient.name }}", "A&B"),
        ("{{ metadata['@id'] }}", "7"),
        ("{{ metadata.code[1] }}", "y"),
        ("{% for code in metadata.code %}{{ code }};{% endfor %}", "x;y;"),
        ("{{ metadata.code | join('+') }}", "x+y"),
        ("{{ metadata.items }}", "i"),
        ("{{ metadata.patient.name | lower ~ 1 }}", "a&b1"),
        ("{{ metadata.p | int + 1 }}{{ metadata.p | float }}", "32.0"),
        ("{{ metadata.nothing is defined }}{{ metadata.code is defined }}", "falsetrue"),
        ("{{ metadata.nothing | default('-') }}", "-"),
        ("{{ metadata.patient.name == 'A&B' }}", "true"),
    ],
)
def test_elements_are_reached_by_name(mapped, template, text):
    assert rendered(mapped, template) == text


def test_elements_are_escaped_for_their_place(mapped):
    assert rendered(mapped, "<a>{{ metadata.patient.name }}</a>", "xml") == "<a>A&amp;B</a>"
    assert rendered(mapped, "PID|{{ metadata.patient.name }}", "hl7") == "PID|A\\T\\B\r"
    assert rendered(mapped, "[{{ metadata.patient.name }},{{ [metadata.code[0]] }}]", "json") == '["A&B",["x"]]'


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ metadata.code }}", "metadata.code is several elements: say which one, [0], or go through them in a loop."),
        (
            "{{ metadata.code.x }}",
            "metadata.code.x is several elements: say which one, [0], or go through them in a loop.",
        ),
        ("{{ metadata.patient.nmae }}", 'metadata.patient.nmae is not there: nothing is called "nmae"; '),
        ("{{ metadata._elements }}", "metadata._elements is not there"),
        ("{{ metadata.__class__ }}", "metadata.__class__ is not there"),
        ("{{ metadata['_elements'] }}", "metadata._elements is not there"),
    ],
)
def test_what_cannot_be_read_is_told_without_a_value(mapped, template, message):
    with pytest.raises(Problem) as caught:
        rendered(mapped, template)
    assert caught.value.violations[0].message.startswith(message)
    assert "A&B" not in str(caught.value.violations)
