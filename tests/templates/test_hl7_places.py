"""HL7: every value is a leaf, escaped by the delimiters that MSH declares."""

import pytest

HEAD = "MSH|^~\\&|A\n"


def test_delimiters_in_a_value_are_escaped_the_escape_character_first(mapped):
    rendered = mapped.render("PID|1||{{ fields.mrn }}^^^CLINIC", "hl7", mrn="a|b^c~d\\e&f")
    assert rendered == "PID|1||a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f^^^CLINIC\r"


def test_the_delimiters_are_those_that_msh_declares(mapped):
    rendered = mapped.render("MSH#*+!%#A\nPID#{{ fields.mrn }}", "hl7", mrn="#*+!%|^~\\&")
    assert rendered == "MSH#*+!%#A\rPID#!F!!S!!R!!E!!T!|^~\\&\r"


def test_the_truncation_character_of_later_versions_is_escaped_too(mapped):
    assert mapped.render("MSH|^~\\&#|A\nPID|{{ fields.mrn }}", "hl7", mrn="a#b").endswith("PID|a\\P\\b\r")


def test_segments_end_with_cr_and_empty_lines_go(mapped):
    template = "MSH|^~\\&|A\r\n\r\n  PID|1\n{% if fields.urgent %}\n  PV1|1\n{% endif %}\n\n"
    assert mapped.render(template, "hl7") == "MSH|^~\\&|A\rPID|1\rPV1|1\r"


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029", "\t"])
def test_a_line_break_or_tab_in_a_plain_field_becomes_one_blank(mapped, line_break):
    assert mapped.render("PID|{{ fields.mrn }}", "hl7", mrn=f"a{line_break}b") == "PID|a b\r"


@pytest.mark.parametrize("start", ["OBX|1|TX|1||", "OBX|1|FT|1||", "NTE|1||", "CON|1||||"])
def test_a_line_break_in_formatted_text_is_kept_as_an_escape_sequence(mapped, start):
    assert mapped.render(start + "{{ fields.mrn }}", "hl7", mrn="a\r\nb\\") == start + "a\\.br\\b\\E\\\r"


@pytest.mark.parametrize("kind", ["ST", "NM", "CE", "", "{{ fields.kind }}", "T{{ fields.kind }}"])
def test_an_observation_of_another_type_has_no_lines(mapped, kind):
    rendered = mapped.render(f"OBX|1|{kind}|1||{{{{ fields.mrn }}}}|{{{{ fields.mrn }}}}", "hl7", mrn="a\nb", kind="X")
    assert rendered.endswith("||a b|a b\r")


def test_types_that_differ_by_branch_are_not_taken_for_text(mapped):
    template = "OBX|1|{% if fields.urgent %}TX{% else %}ST{% endif %}|1||{{ fields.mrn }}\nOBX|2|FT|1||{{ fields.mrn }}"
    assert mapped.render(template, "hl7", mrn="a\nb") == "OBX|1|TX|1||a b\rOBX|2|FT|1||a\\.br\\b\r"


def test_the_author_may_say_that_a_field_is_formatted_text(mapped):
    assert mapped.render("ZNT|{{ fields.mrn | hl7_text }}", "hl7", mrn="a\nb") == "ZNT|a\\.br\\b\r"


@pytest.mark.parametrize("character", ["\0", "\x1c", "\x1b", "\x7f", "\x80", "\ud800"])
def test_other_control_characters_are_refused_with_the_fields_name(mapped, character):
    violation = mapped.violation("PID|1\nPV1|{{ fields.mrn }}", "hl7", mrn=f"secret{character}")
    assert violation.where == "fields/mrn"
    assert violation.schema == "mappings/referrals/record.hl7.j2:2"
    assert violation.message.startswith("fields.mrn contains ")
    assert "secret" not in violation.message


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ fields.mrn }}|1", "1:4 escape-place"),
        ("PI{{ fields.mrn }}|1", "1:6 escape-place"),
        ("MSH{{ fields.mrn }}^~\\&|", "1:7 escape-place"),
        ("MSH|^~{{ fields.mrn }}&|", "1:10 escape-place"),
        ("MSH|^~\\|A", "1:8 escape-place"),
        ("MSH|^^\\&|A", "1:9 escape-place"),
        ("MSH|^~\\a|A", "1:9 escape-place"),
        ("PID|1\nPIDX|1", "2:4 escape-place"),
        ("PID|1\n<p>|1", "2:1 escape-place"),
    ],
)
def test_values_and_text_that_cannot_be_a_segment_are_faults(mapped, template, fault):
    assert mapped.faults(template, "hl7") == [fault]


def test_every_faulty_line_is_told_once(mapped):
    template = "{{ fields.mrn }}|{{ fields.mrn }}\nPI|1\nPID|{{ fields.mrn }}\n<a>\nPIDX\nEVN{{ fields.mrn }}"
    found = mapped.faults(template, "hl7")
    assert found == ["1:4 escape-place", "2:3 escape-place", "4:1 escape-place", "5:4 escape-place", "6:7 escape-place"]


def test_a_segment_must_begin_on_its_own_line_on_every_way(mapped):
    template = "{% if fields.urgent %}NTE|1{% endif %}PV1|1"
    assert mapped.faults(template, "hl7") == ["1:39 escape-place"]
    assert mapped.render("{% if fields.urgent %}NTE|1{% endif %}\nPV1|1", "hl7") == "NTE|1\rPV1|1\r"


def test_branches_that_differ_in_the_number_of_fields_still_escape(mapped):
    template = "NTE|{% if fields.urgent %}1|{% endif %}{{ fields.mrn }}|"
    assert mapped.render(template, "hl7", mrn="a|b\nc") == "NTE|1|a\\F\\b c|\r"


def test_repetitions_are_written_as_a_loop(mapped):
    template = "PID|{% for code in fields.codes %}{{ code }}{% if not loop.last %}~{% endif %}{% endfor %}|x"
    assert mapped.render(template, "hl7", codes=["a~", "b"]) == "PID|a\\R\\~b|x\r"


def test_null_is_empty_and_a_list_is_refused(mapped):
    assert (
        mapped.render("PID|{{ fields.middle_name }}|{{ fields.pages }}|{{ fields.urgent }}", "hl7") == "PID||2|true\r"
    )
    assert "fields.codes is a list" in mapped.violation("PID|{{ fields.codes }}", "hl7").message


def test_a_value_cannot_stand_where_a_segment_may_have_ended(mapped):
    assert mapped.faults("{% if fields.urgent %}NTE|1|{% endif %}{{ fields.mrn }}", "hl7") == ["1:43 escape-place"]


def test_a_loop_over_fields_escapes_for_all_of_its_turns(mapped):
    template = "NTE|1{% for code in fields.codes %}|{{ code }}{% endfor %}"
    assert mapped.render(template, "hl7", codes=["a", "b\nc", "d\ne"]) == "NTE|1|a|b c|d e\r"


@pytest.mark.parametrize(
    ("printed", "fault"),
    [
        ("{{ fields.mrn ~ '^' ~ fields.pages }}", "1:21 escape-separator"),
        ("{{ fields.codes | join('~') }}", "1:28 escape-separator"),
        ("{{ fields.codes | join('~') if fields.urgent else '' }}", "1:28 escape-separator"),
    ],
)
def test_a_delimiter_that_a_value_is_put_together_with_is_a_fault(mapped, printed, fault):
    assert mapped.faults("PID|" + printed, "hl7") == [fault]


def test_delimiters_in_words_or_in_raw_values_are_meant(mapped):
    assert mapped.render("PID|{{ fields.mrn ~ ' & ' ~ fields.pages }}", "hl7") == "PID|007 \\T\\ 2\r"
    assert mapped.render("PID|{{ fields.codes | join('~') | raw }}", "hl7") == "PID|R06.09~I10\r"
