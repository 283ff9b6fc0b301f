"""XML metadata in templates: children and attributes by name, nothing else within reach."""

from copy import copy

import pytest
from jinja2 import StrictUndefined, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

from receiver.metadata import xml

CONTENT = b"""<h:order xmlns:h="urn:h" h:id="7" kind="lab">
  <h:patient><h:name>Zo\xc3\xab <h:b>Lind</h:b></h:name></h:patient>
  <code>A</code><code level="2">B</code>
  <title>T</title><items>I</items><empty/>
</h:order>"""


def rendered(template: str) -> str:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    return environment.from_string(template).render(metadata=xml.as_names(xml.parse(CONTENT)))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ metadata.patient.name }}", "Zoë Lind"),
        ("{{ metadata['patient']['name'] }}", "Zoë Lind"),
        ("{{ metadata['@id'] }}{{ metadata['@kind'] }}", "7lab"),
        ("{% for each in metadata.code %}{{ each }}{% endfor %}", "AB"),
        ("{% for each in metadata.title %}{{ each }}{% endfor %}", "T"),
        ("{{ metadata.code[1] }}{{ metadata.code[1]['@level'] }}{{ metadata.code | length }}", "B22"),
        ("{{ metadata.title }}{{ metadata.items }}", "TI"),
        ("{{ metadata.title == 'T' }}{{ metadata.title != 'U' }}", "TrueTrue"),
        ("{{ metadata.title | lower }}", "t"),
        (
            "{{ metadata.nope is defined }}{{ metadata['@nope'] is defined }}{{ metadata.empty is defined }}",
            "FalseFalseTrue",
        ),
        ("[{{ metadata.empty }}]", "[]"),
        ("{{ metadata.patient.nope | default('-') }}", "-"),
    ],
)
def test_what_a_template_sees(template: str, text: str) -> None:
    assert rendered(template) == text


@pytest.mark.parametrize(
    "template",
    ["{{ metadata.nope }}", "{{ metadata['@nope'] }}", "{{ metadata.patient.name.nope }}", "{{ metadata.code[9] }}"],
)
def test_what_is_not_there_is_undefined(template: str) -> None:
    with pytest.raises(UndefinedError):
        rendered(template)


def test_one_of_several_must_be_chosen() -> None:
    for template in ("{{ metadata.code }}", "{{ metadata.code['@level'] }}", "{{ metadata.code.x }}"):
        with pytest.raises(ValueError, match="say which"):
            rendered(template)


@pytest.mark.parametrize("name", ["_elements", "_only", "__class__", "__init__", "__slots__"])
@pytest.mark.parametrize("template", ["{{ metadata.%s }}", "{{ metadata['%s'] }}", "{{ metadata | attr('%s') }}"])
def test_nothing_behind_it_is_within_reach(name: str, template: str) -> None:
    with pytest.raises((UndefinedError, SecurityError)):
        rendered(template % name)


def test_libraries_may_ask_it_what_it_is() -> None:
    several = xml.as_names(xml.parse(CONTENT)).code
    assert not hasattr(several, "__html__")
    assert [str(each) for each in copy(several)] == ["A", "B"]


def test_its_representation_tells_no_text() -> None:
    assert repr(xml.as_names(xml.parse(CONTENT)).patient) == "<1 elements>"


def test_a_name_with_an_underscore_in_front_is_never_an_attribute():
    names = xml.as_names(xml.parse(b"<a><_b>1</_b><c_>2</c_></a>"))
    assert not hasattr(names, "_b")
    assert str(names.c_) == "2"


def test_an_item_is_a_child_or_with_an_at_sign_an_attribute():
    names = xml.as_names(xml.parse(b"<a bc='1'><abc>2</abc><bc>3</bc></a>"))
    assert (names["@bc"], str(names["bc"]), str(names["abc"])) == ("1", "3", "2")
    with pytest.raises(KeyError):
        names["xbc"]
