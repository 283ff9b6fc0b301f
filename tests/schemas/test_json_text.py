"""JSON is read strictly: what two readers could read differently is refused, with its place and without values."""

import copy
import json
import math
import pickle
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.schemas import encodings, json_text
from receiver.schemas.encodings import MalformedError
from receiver.schemas.json_text import Written, exact, loads

DIGITS = json_text.MAX_DIGITS


def fault(content: bytes) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        loads(content)
    return caught.value


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"", (1, 1), "empty"),
        (b" \r\n\t", (1, 1), "empty"),
        (b"\xff", (1, 1), "UTF-8"),
        (b'\n\n{"a": "\xc3"}', (3, 8), "UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', (1, 8), "UTF-8"),
        ("{}".encode("utf-16-le"), (1, 1), "UTF-16"),
        ("{}".encode("utf-16-be"), (1, 1), "UTF-16"),
        ("{}".encode("utf-32-le"), (1, 1), "UTF-32"),
        (b'{"a": 1, "a": 2}', (1, 10), "a name comes twice"),
        (b'{"\\u0061": 1,\n "a": 2}', (2, 2), "a name comes twice"),
        (b'[{"a": 1, "b": {"a": 1, "a": 3}}]', (1, 25), "a name comes twice"),
        (b"[1, NaN]", (1, 5), "NaN"),
        (b"[Infinity]", (1, 2), "NaN and Infinity"),
        (b"[-Infinity]", (1, 2), "NaN and Infinity"),
        (b"[NaNs]", (1, 2), "NaN and Infinity"),
        (b"[1e400]", (1, 2), "too large"),
        (b"[1e-1000]", (1, 2), "exponent has more than 3 digits"),
        (b"[1E+1000]", (1, 2), "exponent has more than 3 digits"),
        (b"[1 2, NaN]", (1, 4), "comma"),
        (b'["a", "a", NaN]', (1, 12), "NaN"),
        (b'{"a": {"a": NaN}}', (1, 13), "NaN"),
        (b'{"a": {}, "b": [1], "a": 2}', (1, 21), "a name comes twice"),
        (b"[" + b"9" * 300 + b", NaN]", (1, 304), "NaN"),
        (b"[0." + b"9" * 298 + b", NaN]", (1, 304), "NaN"),
        (b"[true, false, null, 0e999, NaN]", (1, 28), "NaN"),
        (b'{"a": [' * 32 + b"[0", (1, 227), "comma or the end"),
        (b'{"a": [' * 32 + b"[0]" + b"]}" * 32, (1, 225), "deeper than 64"),
        (b'[{"a": ' * 32 + b'{"a": 0}' + b"}]" * 32, (1, 225), "deeper than 64"),
        (b"[0, -1E+400]", (1, 5), "too large"),
        (b"[" + b"9" * 5000 + b"]", (1, 2), f"more than {DIGITS} digits"),
        (b"[0." + b"9" * 5000 + b"]", (1, 2), f"more than {DIGITS} digits"),
        (b'["\\ud800"]', (1, 2), "surrogate"),
        (b'["\\udc00\\ud800"]', (1, 2), "surrogate"),
        (b'{"\\uD83D": 1}', (1, 2), "surrogate"),
        (b"[" * 100_000, (1, 65), "deeper than 64"),
        (b'{"a":' * 100_000, (1, 321), "deeper than 64"),
        (b"[" * 65 + b"]" * 65, (1, 65), "deeper than 64"),
        (b"[" + b"0," * 65_000 + b"0]", (1, 120_001), "more than 60,000 values"),
        (b"[abc," + b"0," * 100 + b"0]", (1, 2), "a value is expected"),
        (b"[1ewxyz," + b"0," * 65_000 + b"0]", (1, 120_006), "more than 60,000 values"),
        (b"[abc," + b"0," * 65_000 + b"0]", (1, 120_003), "more than 60,000 values"),
        (b'["\\' + b"0," * 65_000 + b"0]", (1, 3), "escape"),
        (b'["' + b'\\"' * 30_000 + b"," * 30_000, (1, 2), "no end"),
        (b"{} x", (1, 4), "after the end"),
        (b"{}{}", (1, 3), "after the end"),
        (b'{"a": 1,}', (1, 9), "name in double quotes"),
        (b"{'a': 1}", (1, 2), "name in double quotes"),
        (b'{"a" 1}', (1, 6), "colon"),
        (b"[1 2]", (1, 4), "comma"),
        (b"[1,", (1, 4), "a value is expected"),
        (b'["abc', (1, 2), "no end"),
        (b'["a\x00"]', (1, 4), "control character"),
        (b'["a\n"]', (1, 4), "control character"),
        (b'["\\x"]', (1, 3), "escape"),
        (b'["\\u12"]', (1, 4), "escape"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_not_strict_json_is_refused_at_its_place(content: bytes, place: Any, words: str) -> None:
    found = fault(content)
    assert words in found.message
    assert (found.line, found.column) == place


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b' {"a": [1, 2.5, -0, 1e308, true, null]}\n', {"a": [1, 2.5, 0, 1e308, True, None]}),
        (b'["NaN, Infinity, 1e400"]', ["NaN, Infinity, 1e400"]),
        (b'["\\ud83d\\ude00", "\\\\ud800"]', ["😀", "\\ud800"]),
        (b'["' + b"9" * 5000 + b'"]', ["9" * 5000]),
        (b'"' + b"[" * 500 + b'"', "[" * 500),
        (b'["' + b"[" * 500 + b"," * 60_000 + b'"]', ["[" * 500 + "," * 60_000]),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b'{"a": {"a": {"a": 1}}}', {"a": {"a": {"a": 1}}}),
        (b"1e-999", 0.0),
    ],
)
def test_what_only_looks_dangerous_is_read(content: bytes, value: Any) -> None:
    assert loads(content) == value


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ('"a": [0, 0, 0, 0]', 14, "more than 3 values"),
        ("], 0, 0, 0", 8, "more than 3 values"),
        ('{"a": [0, 0], "a": 0, 0}', 15, "a name comes twice"),
        ("[[0], 0, 0, 0]", 11, "more than 3 values"),
        ("[0, 0, x, 0]", 9, "more than 3 values"),
        ('{"a,,,": "\\q"}', 11, "escape"),
    ],
)
def test_what_may_be_too_long_is_walked_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch, text: str, column: int, words: str
) -> None:
    monkeypatch.setattr(json_text, "MAX_VALUES", 3)
    found = fault(text.encode())
    assert words in found.message
    assert (found.line, found.column) == (1, column)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_a_text_without_anything_in_it_is_called_empty(text: str) -> None:
    with pytest.raises(MalformedError, match="it is empty"):
        json_text.parse(text)


def test_as_many_values_as_the_limit_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_VALUES", 3)
    assert loads(b'[1, 2, ",,,"]') == [1, 2, ",,,"]


@pytest.mark.parametrize(
    ("charset", "words"), [("latin-1", "its bytes are UTF-8"), ("nonsense", "is not an encoding that is known here")]
)
def test_what_a_charset_says_is_heeded(charset: str, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        loads('{"a": "é"}'.encode(), charset)


def test_what_begins_otherwise_is_not_taken_for_ascii() -> None:
    assert loads(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert loads('{"a": 1}'.encode("utf-16")) == {"a": 1}
    assert fault(b'PK\3\4{"a": 1}').message == "it is packed; send it as it is"


@pytest.mark.parametrize("text", ['["[", ' + "[" * 63 + "]" * 64, '[{"a": []}' + ', {"a": [1]}' * 99 + "]"])
def test_many_brackets_that_are_not_deep_are_not_walked(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(json_text, "_judge", lambda _text: pytest.fail("it was walked"))
    assert loads(text.encode()) == json.loads(text)


def test_what_cannot_be_deep_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_is_deep", lambda *_: pytest.fail("it was looked through"))
    text = "[" * 32 + '{"a":' * 31 + "{}" + "}" * 31 + "]" * 32
    assert loads(text.encode()) == json.loads(text)


def test_levels_are_looked_through_until_the_rest_cannot_be_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    class Nesting:
        def __contains__(self, kind: type) -> bool:
            looked.append(kind)
            return kind in (dict, list)

    monkeypatch.setattr(json_text, "_NESTING", Nesting())
    value = [{}, {}, {str(number): [] for number in range(62)}]
    assert loads(json.dumps(value).encode()) == value
    assert looked == [dict, dict, dict]


@pytest.mark.parametrize("beside", ["},{", "}, {", "}"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_what_is_deep_is_refused_whatever_else_is_in_it(beside: str, opening: str, closing: str) -> None:
    levels = 66 // (len(closing))
    text = f'[{{"a":1}},{{"b":"{beside * 99}"}},{opening * levels}1{closing * levels}]'
    assert "nested deeper than 64" in fault(text.encode()).message


def test_what_is_refused_without_a_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_judge", lambda _text: None)
    assert fault(b"[NaN]").message == "it is not JSON that can be read"


@pytest.mark.parametrize("number", [b"1.5", b"0.1", b"1e+16", b"-2.25"])
def test_a_number_as_python_writes_it_is_a_plain_float(number: bytes) -> None:
    assert type(loads(number)) is float


def test_a_number_as_it_was_written_stays_so_in_copies() -> None:
    value = loads(b'{"a": [1.10, -0]}')
    assert repr(copy.deepcopy(value)) == repr(pickle.loads(pickle.dumps(value))) == "{'a': [1.10, -0]}"


def test_a_name_that_comes_twice_may_be_data_and_is_not_told() -> None:
    assert "Invented" not in fault(b'{"Jane Invented": 1, "Jane Invented": 2}').message


def test_no_exception_that_holds_the_text_travels_with_the_fault() -> None:
    for content in (b'{"a": "SECRET"', b'["SECRET", NaN]', b'["SECRET\xff"]', b'{"a": "SECRET", "a": 1}'):
        found = fault(content)
        assert found.__context__ is None
        assert found.__cause__ is None
        assert "SECRET" not in repr(found)


def test_a_refusal_is_quick_whatever_comes() -> None:
    hostile = [
        b'{"a":1,' * 2 + b'"\\"' * 300_000,
        b'["' + b'\\"' * 400_000,
        b"[" + b'{"a":1,"a":1},' * 20_000,
        b"[" + b"[],[" * 200_000,
        b"[" + b"1" * 1_000_000 + b"]",
        b'{"a":1,"a":2,' + b"[" * 1_000_000,
    ]
    for content in hostile:
        start = time.process_time()
        fault(content)
        assert time.process_time() - start < 1


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_value_or_a_fault(content: bytes) -> None:
    place = (1, 1)
    try:
        loads(content)
    except MalformedError as found:
        place = (found.line, found.column)
    assert min(place) >= 1


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


_written = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(Written("1.10")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(_written)
def test_a_document_has_a_decimal_for_each_number_as_it_was_written_or_is_the_same(value: Any) -> None:
    def converted(each: Any) -> Any:
        if isinstance(each, dict):
            return {name: converted(inner) for name, inner in each.items()}
        if isinstance(each, list):
            return [converted(inner) for inner in each]
        return Decimal("1.10") if isinstance(each, Written) else each

    assert repr(exact(value)) == repr(converted(value))
    assert (exact(value) is value) == ("Decimal('1.10')" not in repr(converted(value)))


@given(_json, st.booleans())
def test_every_sound_value_comes_back(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        content = text.encode()
    except UnicodeEncodeError:  # hypothesis draws no surrogates, but dumps may be asked for anything
        return
    assert loads(content) == value


@given(_json, st.data())
@settings(max_examples=200)
def test_a_damaged_text_is_read_as_python_reads_it_where_it_says_one_thing_only(
    value: Any, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=False)
    place = data.draw(st.integers(0, len(text)))
    damaged = text[:place] + data.draw(st.sampled_from(['"', "{", "]", ",", "1", "\\", ""])) + text[place + 1 :]
    try:
        found = loads(damaged.encode())
    except MalformedError:
        found = MalformedError
    assert found == plainly(damaged)


def plainly(text: str) -> Any:
    """Return what Python reads; `MalformedError` where it reads nothing, or a key comes again or a number is none."""

    def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(members)) < len(members):
            raise ValueError
        return dict(members)

    def finite(written: str) -> float:
        if math.isinf(float(written)):
            raise ValueError
        return float(written)

    try:
        return json.loads(text, object_pairs_hook=once, parse_float=finite, parse_constant=finite)
    except ValueError:
        return MalformedError


def outcome(read: Any, content: bytes) -> Any:
    try:
        return repr(read(content))
    except MalformedError as error:
        return error.message, error.line, error.column


@given(
    st.sampled_from([b"{", b"[", b'{"', b'["', b"\xef\xbb\xbf[", b"[\x00", b"\xff\xfe[\x00"]),
    st.one_of(st.binary(max_size=20), st.text(max_size=20).map(lambda text: f'{text}"]'.encode(errors="replace"))),
)
def test_what_begins_in_ascii_is_decoded_as_all_else_is(beginning, rest):
    """There is a short way for it; it leads to the same value, or the same fault at the same place."""
    content = beginning + rest
    assert outcome(loads, content) == outcome(lambda each: json_text.parse(encodings.decoded(each, "")), content)
