"""What a record's encoding, or XML, cannot express is told with the field that it came from, never with its value."""

import pytest

KINDS = {
    "text": "first\n{}",
    "csv": 'first\n"{}"',
    "json": "[\n{}]",
    "xml": "<a>\n{}</a>",
    "hl7": "MSH|^~\\&|A|B\nPID|1|{}",
}
WAYS = {
    "printed": "{{ fields.patient_name }}",
    "filtered": "{{ fields.patient_name | upper }}",
    "raw": "{{ fields.patient_name | raw }}",
    "joined": "{{ fields.codes | join(' ') }}",
    "put together": "{{ 'Dr. ' ~ fields.patient_name }}",
    "set": "{% set name = fields.patient_name %}{{ name }}",
    "set as a block": "{% set name %}{{ fields.patient_name }}{% endset %}{{ name }}",
    "in a loop": "{% for code in fields.codes %}{{ code }}{% endfor %}",
    "in a namespace": "{% set all = namespace() %}{% set all.name = fields.patient_name %}{{ all.name }}",
    "by a macro": "{% macro print(name) %}{{ name }}{% endmacro %}{{ print(fields.patient_name) }}",
    "by a macro in an expression": "{% macro of(name) %}{{ name }}{% endmacro %}{{ 'Dr. ' ~ of(fields.patient_name) }}",
    "by a condition": "{{ fields.patient_name if fields.urgent else '' }}",
    "by its item": "{{ fields['patient_name'] }}",
    "with all of them": "{% for name, value in fields | items %}{{ value }}{% endfor %}",
}
LETTER = "Łukasz \U0001f600"


def inside(kind: str, way: str) -> str:
    head = way[: way.rindex("{{")] if "macro" in way else ""
    return head + KINDS[kind].format(way[len(head) :])


def blamed(way: str, text: str) -> tuple[str, dict[str, object]]:
    """Return the field that a way prints, and the fields, of which that one has the text."""
    return (
        ("fields.codes", {"codes": ["I10", text]})
        if "codes" in way
        else ("fields.patient_name", {"patient_name": text})
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "json"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_value_that_the_encoding_cannot_express_is_told_by_its_field(mapped, kind, way):
    field, fields = blamed(way, LETTER)
    violation = mapped.violation(inside(kind, way), kind, "iso-8859-1", **fields)
    assert violation.rule == "encoding"
    assert violation.message == f"{field} has a character that cannot be expressed in iso-8859-1."


@pytest.mark.parametrize("way", [way for way in WAYS.values() if "raw" not in way], ids=[w for w in WAYS if w != "raw"])
@pytest.mark.parametrize("character", ["\x01", "\ufffe", "\ud800"], ids=ascii)
def test_a_value_that_xml_forbids_is_told_by_its_field(mapped, way, character):
    field, fields = blamed(way, f"A{character}B")
    violation = mapped.violation(inside("xml", way), "xml", **fields)
    assert violation.rule == "character"
    assert violation.message == f"{field} contains a character that XML cannot express."


def test_where_several_could_be_meant_each_is_told(mapped):
    loop = "{% for name, value in fields | items %}{{ value }}{% endfor %}"
    violation = mapped.violation(loop, "text", "ascii", patient_name="\xe9", mrn="\xe8", metadata={"other": "\xe9"})
    assert violation.message.startswith("fields.patient_name, fields.mrn has a character")


def test_a_field_that_was_read_is_blamed_though_another_has_the_same_fault(mapped):
    violation = mapped.violation("{{ fields.mrn }}", "text", "ascii", patient_name="\xe9", mrn="\xe8")
    assert violation.message.startswith("fields.mrn has a character")


def test_where_what_was_read_is_not_to_blame_no_other_field_is(mapped):
    printed = "{{ fields.mrn | replace('a', '\xe9') }}"  # the character is the template's own
    violation = mapped.violation(printed, "text", "ascii", patient_name="\xe9", mrn="a")
    assert violation.message.startswith("fields.mrn has a character")
    violation = mapped.violation("{{ '\xe9' }}", "text", "ascii", patient_name="\xe9")
    assert violation.message.startswith("Has a character")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig", "windows-1252", "cp037", "ascii"])
def test_what_the_encoding_can_express_is_printed(mapped, encoding):
    text = "Łukasz \U0001f600" if encoding.startswith("utf") else "Ann" if encoding == "ascii" else "Zoë"
    template = mapped.compile("{{ fields.patient_name }} {{ fields.patient_name | raw }}", "text", encoding)
    assert template.render(mapped.names({"patient_name": text})) == f"{text} {text}"


def test_half_a_character_is_told_by_its_field_even_where_it_is_printed_raw(mapped):
    violation = mapped.violation("{{ fields.patient_name | raw }}", "text", patient_name="A\ud800")
    assert violation.message == "fields.patient_name has a character that cannot be expressed in utf-8."


@pytest.mark.parametrize(
    "text", ["a\nb → c\n", "{% set x %}\n→{% endset %}{{ x }}", "a\n{% if fields.urgent %}→{% endif %}"]
)
def test_literal_text_that_the_encoding_cannot_express_is_a_fault(mapped, text):
    (fault,) = mapped.fault_list(text, "text", "windows-1252")
    assert (fault.line, fault.code) == (2, "encoding-misfit")
    assert fault.message == '"→" (U+2192) cannot be expressed in windows-1252'
    assert fault.column == text.split("\n")[1].index("→") + 1
    assert mapped.fault_list(text, "text", "utf-8") == ()
