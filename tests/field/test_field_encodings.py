"""The encodings in which metadata comes from the field: read as RFC 7303 has it, or refused, and never misread."""

from pathlib import Path

import pytest

from receiver.core.faults import ConfigurationError
from receiver.metadata import json, xml
from receiver.schemas.encodings import KNOWN, MalformedError
from receiver.schemas.folder import Schemas
from receiver.templates import library

NAME = "Núñez"
REFUSED = None


def document(declared: str, encoding: str, mark: bytes = b"") -> bytes:
    """Return a document that says one encoding, and is written in another."""
    said = f' encoding="{declared}"' if declared else ""
    return mark + f'<?xml version="1.0"{said}?>\n<a>{NAME}</a>'.encode(encoding)


UTF8, LE, BE = b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"
XML = [  # what comes, the charset of its part, whether it is taken, source
    (document("utf-8", "utf-8"), "", NAME, "the plain case"),
    (document("", "utf-8"), "", NAME, "XML 1.0 §4.3.3"),
    (document("iso-8859-1", "utf-8"), "utf-8", NAME, "RFC 7303 §8.2: a proxy that transcodes"),
    (document("iso-8859-1", "utf-8", UTF8), "", NAME, "RFC 7303 §3: the mark comes first"),
    (document("iso-8859-1", "utf-8", UTF8), "iso-8859-1", NAME, "RFC 7303 §3: the mark comes first"),
    (document("utf-16", "utf-8"), "utf-8", NAME, ".NET StringWriter, StringContent"),
    (document("utf-16", "utf-8", UTF8), "", NAME, ".NET StringWriter, StreamWriter"),
    (document("utf-16", "utf-8"), "", REFUSED, "XML 1.0 §4.3.3: neither mark nor charset resolves it"),
    (document("utf-8", "iso-8859-1"), "iso-8859-1", NAME, "RFC 7303 §8.3"),
    (document("utf-8", "iso-8859-1"), "", REFUSED, "an editor that saved in ANSI"),
    (document("iso-8859-1", "iso-8859-1"), "utf-8", REFUSED, "StringContent's default charset over a file's bytes"),
    (document("iso-8859-1", "utf-8"), "", REFUSED, "dotnet/runtime #1391: declared by habit, saved as UTF-8"),
    (document("utf-8", "utf-8"), "iso-8859-1", REFUSED, "a server's default charset"),
    (document("utf-16", "utf-16"), "", NAME, ".NET Encoding.Unicode with its mark"),
    (document("utf-16", "utf-16-be", BE), "", NAME, ".NET Encoding.BigEndianUnicode with its mark"),
    (document("", "utf-16"), "", NAME, "XML 1.0 §F: the mark tells it"),
    (document("utf-16", "utf-16-le"), "", NAME, "libxml2 xmlDetectCharEncoding: zeros tell the order"),
    (document("utf-16", "utf-16-be"), "", NAME, "libxml2 xmlDetectCharEncoding: zeros tell the order"),
    (document("utf-16", "utf-16-le"), "utf-16", NAME, "Encoding.Unicode.GetBytes writes no mark"),
    (document("utf-8", "utf-16-le"), "utf-16", NAME, "RFC 7303 §8.4"),
    (document("utf-8", "utf-16-le"), "", REFUSED, "Encoding.Unicode.GetBytes of a document that says UTF-8"),
    (document("", "utf-16-le"), "", REFUSED, "XML 1.0 §4.3.3: UTF-16 begins with a mark"),
    (document("utf-16", "utf-16-le"), "utf-16be", REFUSED, "the other order"),
    (document("utf-8", "utf-8"), "utf-16", REFUSED, "a charset that is not true"),
    (document("utf-32", "utf-32"), "", NAME, ".NET Encoding.UTF32"),
    (document("UTF8", "utf-8"), "", NAME, "libxml2, .NET: alias of UTF-8"),
    (document("utf8", "utf-8"), "", NAME, "libxml2, .NET: alias of UTF-8"),
    (document("utf_8", "utf-8"), "", NAME, "PHP scripts"),
    (document("windows-1252", "cp1252"), "", NAME, "Windows"),
    (document("Windows-1252", "cp1252"), "", NAME, "Windows"),
    (document("cp1252", "cp1252"), "", NAME, "Java"),
    (document("latin1", "iso-8859-1"), "", NAME, "MySQL's name"),
    (document("iso8859-1", "iso-8859-1"), "", NAME, "Solaris' name"),
    (document("ISO_8859-1", "iso-8859-1"), "", NAME, "IANA's first name of it"),
    (document("ISO-8859-15", "iso-8859-15"), "", NAME, "with the euro"),
    (document("unicode", "utf-16"), "", NAME, ".NET: Encoding.Unicode.BodyName of old"),
    (document("ucs-2", "utf-16"), "", NAME, ".NET, libxml2"),
    (document("ISO-10646-UCS-2", "utf-16"), "", NAME, "XML 1.0 §4.3.3"),
    (document("us-ascii", "utf-8"), "", REFUSED, "an ASCII that is none"),
    (document("ebcdic-whatever", "utf-8"), "", REFUSED, "unknown"),
    (document("utf-8-with-bom", "utf-8"), "", REFUSED, "unknown"),
    (document("utf-7", "utf-8"), "", REFUSED, "an attack of old"),
    (document("idna", "utf-8"), "", REFUSED, "a codec of Python that is no encoding"),
    (document("unicode_escape", "utf-8"), "", REFUSED, "a codec of Python that is no encoding"),
    (document("utf-8", "utf-8"), "nonsense", REFUSED, "unknown"),
]
TEXT = f'{{"a": "{NAME}"}}'
JSON = [
    (TEXT.encode(), "", NAME, "the plain case"),
    (UTF8 + TEXT.encode(), "", NAME, ".NET StreamWriter(Encoding.UTF8)"),
    (UTF8 + TEXT.encode(), "utf-8", NAME, ".NET StreamWriter(Encoding.UTF8)"),
    (TEXT.encode("utf-16"), "", NAME, "PowerShell's Out-File"),
    (BE + TEXT.encode("utf-16-be"), "", NAME, "a mark"),
    (TEXT.encode("utf-32"), "", NAME, "a mark"),
    (TEXT.encode("utf-16-le"), "", REFUSED, "RFC 8259 §8.1: nothing says so"),
    (TEXT.encode("utf-16-le"), "utf-16", NAME, "Encoding.Unicode.GetBytes with StringContent's charset"),
    (TEXT.encode("utf-16-le"), "utf-16le", NAME, "the same"),
    (TEXT.encode("iso-8859-1"), "iso-8859-1", NAME, "servlet containers: the default charset"),
    (TEXT.encode("cp1252"), "windows-1252", NAME, "VBScript"),
    (TEXT.encode("iso-8859-1"), "", REFUSED, "RFC 8259 §8.1"),
    (TEXT.encode("iso-8859-1"), "utf-8", REFUSED, "a charset that is not true"),
    (TEXT.encode(), "iso-8859-1", REFUSED, "psf/requests #1604: ISO-8859-1 by default, UTF-8 in truth"),
    (TEXT.encode(), "UTF8", NAME, "an alias"),
    (TEXT.encode(), "utf-16", REFUSED, "a charset that is not true"),
    (TEXT.encode(), "nonsense", REFUSED, "unknown"),
    (UTF8 * 2 + TEXT.encode(), "", REFUSED, "two marks: two programs that each wrote one"),
]


def read(form, content: bytes, charset: str) -> str | None:
    try:
        found = form.parse(content, charset)
    except MalformedError:
        return REFUSED
    return found["a"] if form is json else found.root.text


@pytest.mark.parametrize(("content", "charset", "right", "source"), XML)
def test_xml_is_read_in_its_encoding_or_refused(content, charset, right, source):
    assert read(xml, content, charset) == right, source


@pytest.mark.parametrize(("content", "charset", "right", "source"), JSON)
def test_json_is_read_in_its_encoding_or_refused(content, charset, right, source):
    assert read(json, content, charset) == right, source


@pytest.mark.parametrize(
    ("content", "charset", "words"),
    [
        (
            document("utf-16", "utf-8"),
            "",
            "its XML declaration says UTF-16, and its bytes are not",
        ),
        (document("iso-8859-1", "utf-8"), "", "its XML declaration says ISO-8859-1, and its bytes are UTF-8"),
        (document("utf-8", "utf-16-le"), "", "its XML declaration says UTF-8, and its bytes look like UTF-16"),
        (document("x-thing", "utf-8"), "", "its XML declaration is not an encoding that is known here; send UTF-8"),
        (document("utf-8", "utf-8"), "x-thing", "the charset of its part is not an encoding that is known here"),
        (document("utf-8", "cp1252"), "utf-8", "it is not encoded in UTF-8, as the charset of its part says"),
    ],
)
def test_a_refusal_says_who_contradicts_whom(content, charset, words):
    with pytest.raises(MalformedError) as caught:
        xml.parse(content, charset)
    assert words in caught.value.message


def test_a_fault_is_told_at_its_place_in_any_encoding():
    content = '<?xml version="1.0" encoding="latin1"?>\n<a>é</b>'.encode("latin1")
    with pytest.raises(MalformedError) as caught:
        xml.parse(content)
    assert (caught.value.line, caught.value.column) == (2, 7)


def test_every_name_that_is_known_leads_to_an_encoding_of_text():
    assert len(KNOWN) > 200
    for codec in set(KNOWN.values()):
        assert isinstance("a".encode(codec), bytes)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_schema_may_be_saved_by_any_editor(tmp_path: Path, encoding):
    schema = '{"properties": {\n "a": {"type": "text"}}}'
    (tmp_path / "one.schema.json").write_bytes(schema.replace("text", "string").replace("\n", "\r\n").encode(encoding))
    assert Schemas(tmp_path, tmp_path).json("one.schema.json").violations({"a": 1})[0].where == "/a"
    (tmp_path / "one.xsd").write_bytes(
        '<?xml version="1.0"?>\r\n<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        '<xs:element name="a" type="xs:int"/></xs:schema>'.encode(encoding)
    )
    compiled = Schemas(tmp_path, tmp_path).xml("one.xsd")
    assert compiled.violations(xml.judged(xml.parse(b"<a>1</a>"))) == ()
    assert compiled.violations(xml.judged(xml.parse(b"<a>x</a>"))) != ()


@pytest.mark.parametrize(
    ("encoding", "separator", "fault"),
    [
        ("utf-8", ",", ""),
        ("utf-8-sig", ",", ""),
        ("cp1252", ",", '3:1: bad-table a character that is not UTF-8 (save it as UTF-8; in Excel choose "CSV UTF-8"'),
        ("utf-16", ",", "1:1: bad-table a character that is not UTF-8"),
        (
            "utf-8-sig",
            ";",
            "1:1: bad-table it needs a header with two or more different columns (columns are parted by",
        ),
    ],
)
def test_a_table_as_excel_saves_it_is_read_or_told_how_to_save(tmp_path, encoding, separator, fault):
    table = tmp_path / "kinds.csv"
    table.write_bytes(f"form{separator}word\r\nA{separator}a\r\nÜ{separator}é\r\n".encode(encoding))
    if not fault:
        assert library.read_table(table, "kinds.csv").row("Ü", "form") == ("Ü", "é")
        return
    with pytest.raises(ConfigurationError) as caught:
        library.read_table(table, "kinds.csv")
    assert str(caught.value).startswith(f"kinds.csv:{fault}")


@pytest.mark.parametrize(("declared", "encoding"), [("UTF8", "utf-8"), ("utf-16", "utf-8-sig"), ("unicode", "utf-16")])
def test_a_schema_that_libraries_cannot_read_is_told_how_to_save(tmp_path, declared, encoding):
    body = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"/><!-- é --></xs:schema>'
    (tmp_path / "one.xsd").write_bytes(f'<?xml version="1.0" encoding="{declared}"?>{body}'.encode(encoding))
    with pytest.raises(ConfigurationError, match="save it as UTF-8, and declare that"):
        Schemas(tmp_path, tmp_path).xml("one.xsd")
