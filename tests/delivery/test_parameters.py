"""Parameters of headers: what RFC 9110 allows is read, and nothing that two readers may read differently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.problems import Code, Problem
from receiver.delivery import form

WHOSE = "A part's Content-Disposition"


def parse(header: str) -> dict[str, str]:
    return form.parse(header, WHOSE, unquoted="filename")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("form-data", {}),
        ("form-data;", {}),
        ("form-data; ; ;name=a;", {"name": "a"}),
        ("form-data;\tname=a\t;\tx=y", {"name": "a", "x": "y"}),
        ('form-data; NAME="a; name=b"', {"name": "a; name=b"}),
        (r'form-data; name="a\"b\\c\d"', {"name": r"a\"b\c\d".replace(r"\"", '"')}),
        ('form-data; name=""', {"name": ""}),
        ("form-data; name=!#$%&'*+-.^_`|~1", {"name": "!#$%&'*+-.^_`|~1"}),
        ("form-data; filename=my fax.tif ; name=a", {"filename": "my fax.tif", "name": "a"}),
        ("form-data; filename=a=b, c.tif", {"filename": "a=b, c.tif"}),
        ("form-data; filename=", {"filename": ""}),
    ],
)
def test_what_the_rfc_allows_is_read(header, found):
    assert parse(header) == found


@pytest.mark.parametrize(
    ("parameter", "code"),
    [
        ("name", Code.MALFORMED_BODY),
        ("name=", Code.MALFORMED_BODY),
        ("=a", Code.MALFORMED_BODY),
        ("name =a", Code.MALFORMED_BODY),
        ("name= a", Code.MALFORMED_BODY),
        ("name=a/b", Code.MALFORMED_BODY),
        ("name=a b", Code.MALFORMED_BODY),
        ("name=a\xa0", Code.MALFORMED_BODY),
        ("\xa0name=a", Code.MALFORMED_BODY),
        ("n\xe4me=a", Code.MALFORMED_BODY),
        ('name="a', Code.MALFORMED_BODY),
        (r'name="a\"', Code.MALFORMED_BODY),
        ('name="a"b', Code.AMBIGUOUS_REQUEST),
        ('name="a"\xa0', Code.AMBIGUOUS_REQUEST),
        ('name="a" x=b', Code.AMBIGUOUS_REQUEST),
        ('name="a", name="b"', Code.AMBIGUOUS_REQUEST),
        ("name=a, name=b", Code.AMBIGUOUS_REQUEST),
        ("name=a; Name=a", Code.AMBIGUOUS_REQUEST),
        ('filename=a"; name="b', Code.AMBIGUOUS_REQUEST),
        # each is judged by the first that cannot be read, whatever follows
        ('=b; name="a" x', Code.MALFORMED_BODY),
        ("name=a/b; x=c, d", Code.MALFORMED_BODY),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(parameter, code):
    with pytest.raises(Problem) as caught:
        parse(f"form-data; {parameter}")
    assert caught.value.code is code
    assert caught.value.detail.startswith(WHOSE)


def test_missing_quotes_are_named():
    with pytest.raises(Problem, match="quotes are missing"):
        form.parse("multipart/form-data; boundary=----=_Part_5_77", "The request's Content-Type", unquoted="")


TOKENS = st.text("!#$%&'*+-.^_`|~019azAZ", min_size=1, max_size=9)
VALUES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=20)


@given(st.dictionaries(TOKENS.map(str.lower), VALUES, max_size=5), st.sampled_from([";", "; ", ";\t", " ; ", ";;"]))
def test_whatever_is_quoted_is_read_back(found, between):
    quoted = ('{}="{}"'.format(name, value.replace("\\", r"\\").replace('"', r"\"")) for name, value in found.items())
    assert parse(between.join(["form-data", *quoted])) == found


@given(st.text(alphabet=';="\\, \tname*0\xa0', max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        found = parse(f"form-data{text}")
    except Problem:
        return
    assert all(form.TOKEN.fullmatch(name) for name in found)
