"""XML: values stand in text and in quoted attributes."""

from xml.etree import ElementTree

import pytest


def test_text_and_attributes_read_back_as_they_were(mapped):
    value = "a<b>&\"'\t\r\n]]>é\U0001f600"
    template = """<r a="{{ fields.mrn }}" b='x{{ fields.mrn }}'>{{ fields.mrn }}<c/>{{ fields.mrn }}</r>"""
    root = ElementTree.fromstring(mapped.render(template, "xml", mrn=value))
    assert root.get("a") == value
    assert root.get("b") == "x" + value
    assert root.text == value
    assert root[0].tail == value


def test_literal_markup_is_passed_over(mapped):
    template = """<?xml version="1.0"?><!-- a > "b --><!DOCTYPE r><r a="1>2"><![CDATA[<x a=]]>{{ fields.mrn }}</r>"""
    assert "]]>&amp;</r>" in mapped.render(template, "xml", mrn="&")


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
@pytest.mark.parametrize("template", ["<a>\n{{ fields.mrn }}</a>", "<a\nb='{{ fields.mrn }}'/>"])
def test_what_xml_forbids_is_refused_with_the_fields_name(mapped, template, character):
    violation = mapped.violation(template, "xml", mrn=f"secret{character}")
    assert violation.where == "fields/mrn"
    assert violation.schema == "mappings/referrals/record.xml.j2:2"
    assert violation.message == "fields.mrn contains a character that XML cannot express."


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ("<{{ fields.mrn }}/>", "in a tag's name"),
        ("<a {{ fields.mrn }}/>", "in a tag"),
        ("<a b={{ fields.mrn }}/>", "as an attribute without quotes"),
        ("<a></{{ fields.mrn }}>", "in an end tag"),
        ("<a><!-- {{ fields.mrn }} --></a>", "inside a comment"),
        ("<a><![CDATA[{{ fields.mrn }}]]></a>", "inside a CDATA section"),
        ("<?a {{ fields.mrn }}?>", "inside a processing instruction"),
        ("<!DOCTYPE {{ fields.mrn }}>", "inside a declaration"),
    ],
)
def test_a_value_where_nothing_can_be_escaped_is_a_fault(mapped, template, place):
    (fault,) = mapped.fault_list(template, "xml")
    assert fault.code == "escape-place"
    assert fault.message.startswith(f"a value {place}")


def test_branches_may_differ_in_elements_and_attributes_but_not_in_quotes(mapped):
    template = '<a{% if fields.urgent %} b="{{ fields.mrn }}"{% endif %}>{% if fields.urgent %}<c/>{% endif %}</a>'
    assert mapped.render(template, "xml") == '<a b="007"><c/></a>'
    assert mapped.faults('<a b="{% if fields.urgent %}"{% endif %}/>', "xml") == ["1:10 escape-branches"]


def test_null_is_empty(mapped):
    assert mapped.render("<a>{{ fields.middle_name }}</a>", "xml") == "<a></a>"
