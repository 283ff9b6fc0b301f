"""Names, numbers, telephones, lists and identifiers, by example and by property."""

import os
import uuid
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.formats import budget
from receiver.formats.errors import RefusedError
from receiver.templates.filters import kept, numbers, texts
from receiver.templates.filters.numbers import number, rounded
from receiver.templates.filters.objection import NONE
from receiver.templates.filters.person_words import DEGREES, PARTICLES, SUFFIXES, TITLES, Words
from receiver.templates.filters.persons import Customs, Name, check, person, reader
from receiver.templates.filters.texts import NAMESPACE, phone, split

quickly = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("John Smith", Name("Smith", "John")),
        ("Smith, John Q", Name("Smith", "John", "Q")),
        ("OSEI, AMA K MD", Name("OSEI", "AMA", "K", degree="MD")),
        ("Ama K. Osei, M.D., Ph.D.", Name("Osei", "Ama", "K.", degree="M.D. Ph.D.")),
        ("Dr. John Smith Jr.", Name("Smith", "John", suffix="Jr.", prefix="Dr.")),
        ("Smith, Jr., John", Name("Smith", "John", suffix="Jr.")),
        ("Smith III, Mr John Quincy Adams", Name("Smith", "John", "Quincy Adams", "III", "Mr")),
        ("  Ana \t de la  Cruz ", Name("de la Cruz", "Ana")),
        ("Ludwig van Beethoven", Name("van Beethoven", "Ludwig")),
        ("van Beethoven, Ludwig", Name("van Beethoven", "Ludwig")),
        ("O'Neil-Barré, Zoë", Name("O'Neil-Barré", "Zoë")),
        ("Ana Gómez Pérez", Name("Pérez", "Ana", "Gómez")),
        ("Smith", Name("Smith")),
        ("Smith, MD", Name("Smith", "MD")),
        ("Smith, John, Jane", Name("Smith", "John", "Jane")),
        ("Dr Smith", Name("Smith", prefix="Dr")),
        ("MD", Name("MD")),
        ("ANH DO", Name("DO", "ANH")),
        ("DO, ANH, DO", Name("DO", "ANH", degree="DO")),
        ("John Quincy Smith (Jack)", Name("Smith", "John", "Quincy (Jack)")),
        ("Ama Osei MD PhD", Name("Osei", "Ama", degree="MD PhD")),
        ("SMITH, MD FACS", Name("SMITH", degree="MD FACS")),
        ("Smith, MD, PhD", Name("Smith", degree="MD PhD")),
        ("NGUYEN, DO, MD", Name("NGUYEN", "DO", degree="MD")),
        ("Mr SMITH, MD", Name("SMITH", "MD", prefix="Mr")),
        ("Smith, John Dr", Name("Smith", "John", "Dr")),
        ("OSEI, AMA K. DO", Name("OSEI", "AMA", "K.", degree="DO")),
        ("SMITH JR, MD", Name("SMITH", "MD", suffix="JR")),
        ("Van der Berg", Name("Van der Berg")),
        ("Smith-Van Berg", Name("Smith-Van Berg")),
        ("Anna Smith- Jones", Name("Smith- Jones", "Anna")),
        ("Anna Smith -Jones", Name("Smith -Jones", "Anna")),
        ('"Jack"', Name('"Jack"')),
        ("(Jack),", Name("(Jack)")),
        ("XIONG,, MD", Name("XIONG", "MD")),
        ("XIONG, ,MD", Name("XIONG", "MD")),
        ("", Name()),
        (" , ", Name()),
        (None, Name()),
    ],
)
def test_a_name_is_taken_apart(written, name):
    assert Name(*(person(written, part) for part in Name._fields)) == name


def test_a_dot_ends_an_abbreviation_and_begins_none():
    assert [Words().is_suffix(word) for word in ("Jr", "Jr.", ".Jr")] == [True, True, False]
    assert [Words().is_title(word) for word in ("Dr", "Dr.", ".Dr")] == [True, True, False]


@pytest.mark.parametrize("written", ["Smith, John, Jane, Ann", "a,b,c,d"])
def test_a_name_of_four_is_refused(written):
    with pytest.raises(RefusedError):
        person(written, "family")


WORDS = st.sampled_from([*DEGREES, *SUFFIXES, *TITLES, *PARTICLES, "Anna", "Smith", "K.", "Jr.", "é", ","]) | st.text(
    "aB .,'-", min_size=1, max_size=4
)


@given(st.lists(WORDS, max_size=8).map(" ".join), st.sampled_from(["given", "family"]))
@quickly
def test_no_word_of_a_name_is_lost(written, order):
    try:
        parts = [person(written, part, order) for part in Name._fields]
    except RefusedError:
        return
    assert sorted(" ".join(parts).replace(",", " ").split()) == sorted(written.replace(",", " ").split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ('"familiy"', 'names have no part "familiy", only family, given, middle, suffix, prefix, degree'),
        ('"family", "last"', 'names have no order "last", only given, family, comma'),
    ],
)
def test_a_part_that_names_do_not_have_is_found_before_any_delivery(mapped, arguments, message):
    (fault,) = mapped.fault_list("{{ fields.mrn | person(" + arguments + ") }}")
    assert (fault.code, fault.message) == ("bad-argument", message)


def test_a_part_in_another_program_s_word_is_known():
    assert check({"part": "SURNAME"}).hint == 'did you mean "family"?'
    assert check({"part": "given", "order": "comma"}) == check({"part": None}) == NONE


@pytest.mark.parametrize("arguments", [("last",), ("family", "last"), ("last", "given"), ("", "")])
def test_a_part_or_an_order_out_of_a_field_must_be_known(arguments):
    with pytest.raises(RefusedError, match="a part or an order that names do not have"):
        person("Ann Example", *arguments)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0", "0"),
        ("007", "7"),
        ("1,234,567.890", "1234567.890"),
        ("1234567.89", "1234567.89"),
        ("-12.5", "-12.5"),
        ("−12.5", "-12.5"),
        ("+3", "3"),
        ("$1,234.50", "1234.50"),
        ("-$5.00", "-5.00"),
        ("USD 5.00", "5.00"),
        ("5.00 €", "5.00"),
        ("($5.00)", "-5.00"),
        ("-0.00", "0.00"),
        (12, "12"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
    ],
)
def test_a_number_is_read(mapped, written, read):
    assert mapped.render("{{ fields.mrn | number }}", mrn=written) == read
    assert mapped.render('{"n": {{ fields.mrn | number }}}', "json", mrn=written) == f'{{"n": {read}}}'


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            ".",
            "1.",
            ".5",
            "1,23",
            "1,2345",
            "12,34,567",
            "1.2.3",
            "--1",
            "1-",
            "(1",
            "1)",
            "1e5",
            "0x1",
            "NaN",
            "∞",
        ),
        *("١٢", "1 234", "one", "$", "9" * 61, "5 apples"),
    ],
)
def test_what_is_no_number_is_refused(mapped, written):
    assert mapped.violation("{{ fields.mrn | number }}", mrn=written).message == (
        "fields.mrn is not a number written as 1,234.50."
    )


@given(st.decimals(-(10**15), 10**15, places=2))
@quickly
def test_an_amount_comes_back_as_it_went(amount):
    assert number(f"{amount:,}") == number(f"${amount}", 2) == amount
    assert number(f"{amount:,}".translate({ord(","): ".", ord("."): ","}), point=",", group=".") == amount


@given(st.decimals(-(10**9), 10**9, places=6), st.integers(0, 6))
@quickly
def test_rounding_is_never_further_off_than_half_a_unit(value, precision):
    result = rounded(value, precision)
    assert abs(result - value) <= Decimal(5).scaleb(-precision - 1)
    assert -result.as_tuple().exponent <= max(precision, 0)


def test_a_half_is_rounded_away_from_zero():
    assert [rounded(value) for value in (0.5, 1.5, 2.5, -2.5)] == [1, 2, 3, -3]
    assert [rounded(1250, -2), rounded(1.005, 2), rounded(1e308, 30)] == [1300, 1.01, 1e308]
    assert [rounded(2.4, 0, "ceil"), rounded(2.6, 0, "floor")] == [3, 2]


@pytest.mark.parametrize(
    "written", ["5550134217", "555-013-4217", "(555) 013-4217", "+1 (555) 013.4217", "1-555-013-4217"]
)
def test_a_telephone_number_is_written_in_one_shape(written):
    assert phone(written, "(999)999-9999") == "(555)013-4217"


@pytest.mark.parametrize("extension", ["x12", " ext. 12", "ext12", " Extension 12", " #12"])
def test_an_extension_is_never_lost_in_silence(extension):
    assert phone(f"555-013-4217{extension}", extension="X") == "555-013-4217X12"
    with pytest.raises(RefusedError):
        phone(f"555-013-4217{extension}")


@pytest.mark.parametrize(
    "written", ["555-013-421", "2-555-013-4217", "555-013-4217 / 555-013-4218", "call 5550134217", "x12"]
)
def test_what_is_no_telephone_number_is_refused(written):
    with pytest.raises(RefusedError):
        phone(written)


def test_a_missing_telephone_number_stays_empty():
    assert [phone(""), phone("  "), phone(None)] == ["", "", ""]


@given(st.lists(st.text("ab -"), max_size=8), st.sampled_from([",", ";", ",;", "|"]))
@quickly
def test_a_split_text_has_the_pieces_it_was_joined_of(pieces, separators):
    budget.start()  # as a template does: without it the time of an earlier one would be counted on
    assert split(separators[-1].join(pieces), separators) == [piece.strip() for piece in pieces if piece.strip()]


def test_a_split_text_is_cut_at_plain_characters(mapped):
    assert mapped.render(r"{{ 'a]b\\c^d' | split(']\\^') | join(' ') }}") == "a b c d"


def test_an_empty_list_has_no_first_item(mapped):
    expected = "fields.codes is an empty list (say what stands for it: `first(default=…)`)."
    assert mapped.violation("{{ fields.codes | first }}", codes=[]).message == expected
    assert mapped.violation("{{ fields.codes | last }}", codes=[]).message == expected
    assert mapped.render("{{ fields.codes | last(default=none) }}", codes=[]) == ""
    assert mapped.violation("{{ fields.nothing | first }}").rule == "undefined"


def test_identifiers_are_those_of_the_standard(mapped):
    expected = uuid.uuid5(NAMESPACE, '["AAAABBBBCCCCDDDDEEEE", "patient"]')
    assert mapped.render('{{ delivery.id | uuid("patient") }}') == str(expected)
    assert expected.version == 5


def test_identifiers_of_different_things_differ(mapped):
    pairs = [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc"), ('a"', "b"), ("a", '"b')]
    made = {mapped.render("{{ fields.mrn | uuid(fields.items) }}", mrn=value, items=name) for value, name in pairs}
    assert len(made) == len(pairs)


@pytest.mark.parametrize("limit", ["'8 B'", "8"])
def test_a_document_beyond_the_limit_is_not_embedded(mapped, limit):
    violation = mapped.violation("{{ document | base64(" + limit + ") }}")
    assert violation.message == "document has more than 8 B, too many to embed; point to its path."
    assert violation.rule == "limit"


@pytest.mark.parametrize("limit", ['"much"', '"33 MB"', "[]"])
def test_a_limit_that_is_none_is_found_before_any_delivery(mapped, limit):
    assert mapped.faults("{{ document | base64(" + limit + ") }}") == ["1:15 bad-argument"]


def test_point_and_group_differ(mapped):
    assert mapped.faults('{{ fields.mrn | number(point=",") }}') == ["1:17 bad-argument"]
    assert mapped.faults('{{ fields.mrn | phone("XXX") }}') == ["1:17 bad-argument"]


@pytest.mark.parametrize(
    ("arguments", "is_wrong"),
    [
        ({}, False),
        ({"point": ",", "group": "."}, False),
        ({"group": ""}, False),
        ({"point": 5}, False),
        ({"group": 5}, False),
        ({"group": None, "decimals": "2"}, False),
        ({"decimals": 0}, False),
        ({"decimals": 30}, False),
        ({"point": ","}, True),
        ({"point": ""}, True),
        ({"point": ".."}, True),
        ({"group": ",,"}, True),
        ({"decimals": -1}, True),
        ({"decimals": 31}, True),
    ],
)
def test_what_is_wrong_with_a_number_s_arguments_is_told(arguments, is_wrong):
    assert bool(numbers.check(arguments)) is is_wrong
    assert isinstance(numbers.check(arguments), tuple)


def test_it_is_known_which_texts_are_no_numbers():
    with pytest.raises(RefusedError) as caught:
        number("one")
    assert [caught.value.offends(text) for text in ("one", " 1 ", "1,23")] == [True, False, True]


def test_what_a_filter_makes_of_a_text_is_counted(monkeypatch):
    monkeypatch.setattr(budget, "MAX_TEXT", 6)
    budget.start()
    assert kept.FILTERS["upper"]("abc") == "ABC"
    with pytest.raises(RefusedError, match="more than 6 characters"):
        budget.made("d")


def test_what_is_no_whole_number_is_what_stands_for_it():
    assert [kept.whole(value, 7) for value in (float("inf"), None, "x", [], "1.5")] == [7] * 5


@pytest.mark.parametrize(
    ("check", "arguments", "is_wrong"),
    [
        (texts.check_phone, {}, False),
        (texts.check_phone, {"shape": 9}, False),
        (texts.check_phone, {"shape": "9"}, False),
        (texts.check_phone, {"shape": "XXX"}, True),
        (texts.check_fixed, {}, False),
        (texts.check_fixed, {"align": 5, "fill": 5}, False),
        (texts.check_fixed, {"align": "right", "fill": "0"}, False),
        (texts.check_fixed, {"fill": None}, False),
        (texts.check_fixed, {"align": "centre"}, True),
        (texts.check_fixed, {"fill": ""}, True),
        (texts.check_fixed, {"fill": "ab"}, True),
        (texts.check_fixed, {"fill": "0"}, True),
        (texts.check_base64, {}, False),
        (texts.check_base64, {"limit": budget.MAX_DOCUMENT}, False),
        (texts.check_base64, {"limit": "32 MB"}, False),
        (texts.check_base64, {"limit": budget.MAX_DOCUMENT + 1}, True),
        (texts.check_base64, {"limit": "much"}, True),
        (texts.check_base64, {"limit": None}, True),
        (texts.check_base64, {"limit": 1.5}, True),
    ],
)
def test_what_is_wrong_with_a_text_filter_s_arguments_is_told(check, arguments, is_wrong):
    assert bool(check(arguments)) is is_wrong
    assert isinstance(check(arguments), tuple)


def test_a_number_has_an_extension_only_where_there_is_one():
    assert phone("555-013-4217", extension=" x") == "555-013-4217"
    assert phone("555-013-4217 x1", extension=" x") == "555-013-4217 x1"


def test_a_sign_is_that_of_a_number_as_a_whole():
    with pytest.raises(RefusedError, match="begins with a sign"):
        texts.fixed("-5 mg", 8, "right", "0")


def test_the_pieces_of_a_text_are_counted(monkeypatch):
    monkeypatch.setattr(budget, "MAX_ITEMS", 2)
    budget.start()
    assert split("a,b") == ["a", "b"]
    with pytest.raises(RefusedError, match="more than 2 items"):
        split("a,b,c")


@pytest.mark.parametrize(
    ("customs", "written", "family", "given"),
    [
        (Customs(family_names=2), "Ada Garcia", "Garcia", "Ada"),  # a given name there always is
        (Customs(order="family", family_names=2), "Garcia Ada", "Garcia", "Ada"),
        (Customs(order="family", family_names=2), "Garcia Lopez Ada", "Garcia Lopez", "Ada"),
        (Customs(order="given"), "Jan der", "der", "Jan"),  # whoever says the order has no doubt
        (Customs(order="given"), "John B", "B", "John"),
        (Customs(order="family"), "Van", "Van", ""),
        (Customs(order="family"), "Van der Ada", "Van der Ada", ""),
        (Customs(), "y Silva", "Silva", "y"),  # a given name is joined to nothing
    ],
)
def test_a_name_is_read_as_the_customs_of_its_process_say(customs, written, family, given):
    read = reader(customs)
    assert (read(written, "family"), read(written, "given")) == (family, given)
