"""File names as clients write them; each with the report in which users of another tool met it, where there is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.problems import Code, Problem
from receiver.delivery import form
from receiver.delivery.filenames import disposition, filename


def read(rest: str) -> str | None:
    return filename(form.parse(f'form-data; name="file"; {rest}', "A part's", unquoted="filename"))


@pytest.mark.parametrize(
    ("rest", "name"),
    [
        ("", None),
        ('filename=""', ""),
        ('filename="fax.tif"', "fax.tif"),
        ("filename=my fax.tif", "my fax.tif"),
        ('filename="Überweisung.tif"', "Überweisung.tif"),
        # restsharp #1828, corefx #22806: .NET writes both
        ("filename=\"=?utf-8?B?w5xiZXJ3ZWlzdW5nLnRpZg==?=\"; filename*=utf-8''%C3%9Cberweisung.tif", "Überweisung.tif"),
        ('filename="=?utf-8?B?w5xiZXJ3ZWlzdW5nLnRpZg==?="', "Überweisung.tif"),
        ("filename==?UTF-8?b?w5wudGlm?=", "Ü.tif"),
        ('filename="=?iso-8859-1?Q?=DC_x.tif?="', "Ü x.tif"),
        ('filename="=?utf-8?B?w5xiZXI=?= =?utf-8?Q?weisung.tif?="', "Überweisung.tif"),
        ('filename="=?windows-1252?Q?=80.tif?="', "€.tif"),
        ('filename="=?windows-1252?q?=80_.tif?="', "€ .tif"),
        ('filename="=?klingon?B?w5wudGlm?="', "=?klingon?B?w5wudGlm?="),
        ('filename="=?utf-8?B?!?="', "=?utf-8?B?!?="),
        ('filename="=?utf-8?B?/w==?="', "=?utf-8?B?/w==?="),
        ('filename="=?utf-8?B?w5wudGlm?x"', "=?utf-8?B?w5wudGlm?x"),
        ('filename="=?utf-8?B?w5wudGlm?= x?utf-8?Q?a?="', "=?utf-8?B?w5wudGlm?= x?utf-8?Q?a?="),
        ('filename="=?utf-8?X?a?="', "=?utf-8?X?a?="),
        ('filename="=?utf-8??a?="', "=?utf-8??a?="),
        ('filename="=?a.tif"', "=?a.tif"),
        ('filename="a =?utf-8?B?w5wudGlm?="', "a =?utf-8?B?w5wudGlm?="),
        ("filename*=UTF-8''%e2%82%ac.tif", "€.tif"),
        ("filename*=utf-8'en'a.tif", "a.tif"),
        ("filename*=\"UTF-8''%C3%9C.tif\"", "Ü.tif"),
        ("filename*=iso-8859-1''%DC.tif", "Ü.tif"),
        ("filename*=UTF-8''%FF; filename=a.tif", "a.tif"),
        ("filename*=klingon''x; filename=a.tif", "a.tif"),
        ("filename*=klingon''x", None),
        ("filename*=a.tif; filename=b.tif", "b.tif"),
        ('filename*0="over"; filename*1="weisung"; filename*2=.tif', "overweisung.tif"),
        ("filename*1=b.tif; filename*0=a", "ab.tif"),
        ("filename*0*=utf-8''%C3; filename*1*=%9C; filename*2=%41.tif", "Ü%41.tif"),
        ("filename*0*=iso-8859-1'de'%DC; filename*1=.tif", "Ü.tif"),
        # browsers: a quote and line ends as HTML has them; older ones, the whole path
        ('filename="a%22b%0D%0Ac.tif"', 'a"b\r\nc.tif'),
        (r'filename="a\"b.tif"', 'a"b.tif'),
        (r'filename="C:\scans\fax.tif"', "fax.tif"),
        (r'filename="\\server\share\fax.tif"', "fax.tif"),
        (r'filename="scans\fax.tif"', r"scans\fax.tif"),
        ('filename="%0D%0A"', "\r\n"),
        # RFC 6266 §4.3 and RFC 8187 §3.2: the extended one wins, and its text may have an apostrophe
        ("filename=fax.tif; filename*=UTF-8''%e2%82%ac.tif", "€.tif"),
        ("filename*=UTF-8''it's.tif", "it's.tif"),
        # RFC 2183 §2: other parameters of a disposition
        ('filename=a.tif; creation-date="Wed, 12 Feb 1997 16:29:51 -0500"', "a.tif"),
    ],
)
def test_a_file_name_is_read(rest, name):
    assert read(rest) == name


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("filename=a; filename*0=b", Code.AMBIGUOUS_REQUEST),
        ("filename*=utf-8''a; filename*0=b", Code.AMBIGUOUS_REQUEST),
        ("filename*0=a; filename*0*=utf-8''b", Code.MALFORMED_BODY),
        ("filename*0=a; filename*2=b", Code.MALFORMED_BODY),
        ("filename*1=a", Code.MALFORMED_BODY),
        ("filename*00=a", Code.MALFORMED_BODY),
        ("filename*x=a", Code.MALFORMED_BODY),
        ("filename**=a", Code.MALFORMED_BODY),
        ("filename*=utf-8''a%00b", Code.MALFORMED_BODY),
        ('filename="=?utf-8?Q?a=07?="', Code.MALFORMED_BODY),
    ],
)
def test_a_file_name_that_is_told_in_two_ways_is_refused(rest, code):
    with pytest.raises(Problem) as caught:
        read(rest)
    assert caught.value.code is code


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30))
def test_what_we_write_ourselves_is_read_back(name):
    assert filename(form.parse(disposition("file", name), "A part's", unquoted="")) == name
