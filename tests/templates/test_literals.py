"""Literal text that cannot stand where it stands: told before any delivery, at its column and with what to write."""

import pytest

from receiver.core.faults import ConfigurationError
from receiver.templates import Templates

QUOTES = 'put the whole cell in quotes: "{{ … }} text"'
MACRO = "print a macro by itself, {{ name(…) }}, for text with structure in it"


@pytest.mark.parametrize(
    ("kind", "template", "column", "message", "hint"),
    [
        ("xml", "<a b=c/>", 6, "an attribute without quotes", 'write name="…"'),
        ("json", "{: 1}", 2, '":" where a key is expected', "a key stands in"),
        ("json", '{"a": :1}', 7, '":" where a value is expected', "a value is"),
        ("json", '{"a" 1}', 6, '"1" where ":" is expected', 'write ":"'),
        ("json", "{1: 2}", 2, '"1" where a key is expected', "a key stands in"),
        ("json", '["a" "b"]', 6, "a double quote where an element has ended", 'write ","'),
        ("json", "]", 1, '"]" closes nothing', "remove it"),
        ("json", "[1}", 3, '"}" closes nothing', "remove it"),
        ("json", '["a\nb"]', 4, "a line break inside a quoted string", "write \\n"),
        ("csv", '"a"b,', 4, "text right after the closing quote", QUOTES),
        ("csv", 'a"b,', 2, "a quote beside other text of its cell", ""),
        ("csv", '{{ fields.mrn }}"', 17, "a quote beside the value of its cell", QUOTES),
        ("csv", "{% set x %}a\nb{% endset %}{{ x }}", 13, "a line break in a text that is escaped later", MACRO),
        ("csv", '{% set x %}a"b{% endset %}{{ x }}', 13, '""" in a text that is escaped later', MACRO),
        ("xml", "{% set x %}a<b{% endset %}<a>{{ x }}</a>", 13, '"<" in a text that is escaped later', MACRO),
    ],
)
def test_text_that_cannot_stand_there_is_a_fault(mapped, kind, template, column, message, hint):
    (fault,) = mapped.fault_list(template, kind)
    assert (fault.line, fault.column, fault.hint[: len(hint)]) == (1, column, hint)
    assert fault.message.startswith(message)


@pytest.mark.parametrize("template", ["<a b='1' c=\"2\"/>", "<a b = '1'/>", "<a b='\"' c=\"'>\"/>", "<a b='1'c='2'/>"])
def test_attributes_may_be_quoted_either_way(mapped, template):
    assert mapped.render(template + "{{ fields.mrn }}", "xml") == template + "007"


@pytest.mark.parametrize(
    ("pattern", "column", "message"),
    [
        ("/abs", 20, "a path begins with a name, not with /"),
        ("a:b", 21, "':' cannot stand in a file's name"),
        ("a\\b", 21, "'\\\\' cannot stand in a file's name"),
        ("../x", 20, "a name cannot begin with a dot or a blank"),
        ("a/.b", 22, "a name cannot begin with a dot or a blank"),
        ("a/ b", 22, "a name cannot begin with a dot or a blank"),
        ("{{ fields.mrn }}/.x", 37, "a name cannot begin with a dot or a blank"),
    ],
)
def test_a_path_is_wrong_at_its_column(mapped, pattern, column, message):
    with pytest.raises(ConfigurationError) as caught:
        Templates(mapped.folder, mapped.site).path(pattern, "process.toml", 12, 20)
    assert [(fault.column, fault.message) for fault in caught.value.faults] == [(column, message)]
