"""CSV: a value is a whole cell, or stands inside quotes."""

import csv
import io

import pytest

from receiver.templates.templates import Dialect


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


@pytest.mark.parametrize("value", ["a,b", 'a"b', "a\nb", "a\r\nb", " a", "a ", '"', ",", '",\n"', "plain", ""])
def test_a_cell_reads_back_as_it_was(mapped, value):
    assert rows(mapped.render("x,{{ fields.mrn }},y\n", "csv", mrn=value)) == [["x", value, "y"]]
    assert rows(mapped.render('x,"{{ fields.mrn }} mg",y\n', "csv", mrn=value)) == [["x", value + " mg", "y"]]


@pytest.mark.parametrize(
    "value", ["=cmd|'/c calc'!A0", "+1+1", "-1-1", "@SUM(A1)", "\t=1", "\r=1", "\n1", " =1", "＝1", "+１２"]
)
def test_a_formula_gets_a_quote_in_front(mapped, value):
    assert rows(mapped.render("{{ fields.mrn }},x", "csv", mrn=value))[0][0] == "'" + value
    assert rows(mapped.render('"{{ fields.mrn }}",x', "csv", mrn=value))[0][0] == "'" + value


@pytest.mark.parametrize("value", ["-12.5", "+4", "-1", "12", "1=1", "a+b"])
def test_plain_numbers_and_inner_signs_do_not(mapped, value):
    assert mapped.render("{{ fields.mrn }}", "csv", mrn=value) == value


def test_numbers_nulls_and_booleans_are_plain(mapped):
    assert mapped.render("{{ -5 }},{{ fields.middle_name }},{{ fields.urgent }}", "csv") == "-5,,true"


def test_the_guard_stays_up_while_the_cell_may_still_be_empty(mapped):
    template = '"{{ fields.middle_name }}{{ fields.mrn }}"'
    assert rows(mapped.render(template, "csv", mrn="=1")) == [["'=1"]]
    assert rows(mapped.render('"x{{ fields.mrn }}"', "csv", mrn="=1")) == [["x=1"]]


def test_the_author_may_take_the_guard_away(mapped):
    assert mapped.render('{{ fields.mrn | unguarded }},"{{ fields.mrn | unguarded }}"', "csv", mrn="=1") == '=1,"=1"'
    assert mapped.render("{{ fields.mrn | raw }}", "csv", mrn='=1,"') == '=1,"'


def test_rows_end_with_crlf_and_empty_lines_go(mapped):
    template = 'a,b\n\n{% for code in fields.codes %}\n"{{ code }}",1\n{% endfor %}\n'
    assert mapped.render(template, "csv", codes=["x\n\ny", "z"]) == 'a,b\r\n"x\n\ny",1\r\n"z",1\r\n'


@pytest.mark.parametrize(("name", "delimiter"), [(";", ";"), ("|", "|"), ("tab", "\t"), (",", ",")])
def test_a_comment_names_another_delimiter(mapped, name, delimiter):
    template = f"{{# delimiter: {name} #}}\na{delimiter}{{{{ fields.mrn }}}}\n"
    rendered = mapped.render(template, "csv", mrn=f"x{delimiter}y,z")
    assert rows(rendered, delimiter) == [["a", f"x{delimiter}y,z"]]


def test_an_unknown_delimiter_is_a_fault(mapped):
    assert mapped.faults("a\n{# delimiter: * #}", "csv") == ["2:15 bad-argument"]


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("x{{ fields.mrn }},", "1:5 escape-place"),
        ("{{ fields.mrn }} mg,", "1:17 escape-place"),
        ("{{ fields.mrn }}{{ fields.pages }},", "1:20 escape-place"),
        ("x, {{ fields.mrn }}", "1:7 escape-place"),
        ('"a"{{ fields.mrn }}', "1:7 escape-place"),
        ('a"b,', "1:2 escape-place"),
        ('"a"b,', "1:4 escape-place"),
    ],
)
def test_text_beside_a_value_outside_of_quotes_is_a_fault(mapped, template, fault):
    assert mapped.faults(template, "csv") == [fault]


def test_branches_must_agree_about_quotes(mapped):
    assert mapped.faults('{% if fields.urgent %}"{% endif %}a', "csv") == ["1:4 escape-branches"]
    assert mapped.render("{% if fields.urgent %}{{ fields.mrn }}{% else %}none{% endif %},b", "csv") == "007,b"


def test_control_characters_are_refused(mapped):
    assert "fields.mrn contains a control character" in mapped.violation("{{ fields.mrn }}", "csv", mrn="a\0").message


@pytest.mark.parametrize("value", [" a", "a ", "\ta", "\u3000a"])
def test_blanks_at_the_ends_of_a_cell_are_kept_by_quotes(mapped, value):
    assert mapped.render("{{ fields.mrn | unguarded }}", "csv", mrn=value) == f'"{value}"'


def test_a_loop_that_fills_one_cell_twice_is_a_fault(mapped):
    assert mapped.faults("{% for code in fields.codes %}{{ code }}{% endfor %}", "csv") == ["1:34 escape-place"]
    assert mapped.render('"{% for code in fields.codes %}{{ code }};{% endfor %}"', "csv") == '"R06.09;I10;"'


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_process_toml_names_another_delimiter(mapped, delimiter):
    template = f"a{delimiter}{{{{ fields.mrn }}}}\n"
    rendered = mapped.render(template, "csv", dialect=Dialect(delimiter=delimiter), mrn=f'x{delimiter}y,"z"')
    assert rows(rendered, delimiter) == [["a", f'x{delimiter}y,"z"']]


def test_process_toml_wins_over_a_comment(mapped):
    template = "{# delimiter: | #}\na;{{ fields.mrn }}\n"
    assert mapped.render(template, "csv", dialect=Dialect(delimiter=";"), mrn="x;y") == 'a;"x;y"\r\n'


@pytest.mark.parametrize(("value", "cell"), [("007", '"007"'), ('a"b', '"a""b"'), ("", '""'), ("=1", '"\'=1"')])
def test_every_value_can_be_quoted(mapped, value, cell):
    assert mapped.render("{{ fields.mrn }},x\n", "csv", dialect=Dialect(quote="always"), mrn=value) == f"{cell},x\r\n"
