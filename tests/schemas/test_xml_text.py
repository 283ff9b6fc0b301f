"""XML is read without its dangers: whatever it declares, nothing is resolved, nothing fetched, nothing unbounded."""

import gc
import socket
import time

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.schemas import xml_text
from receiver.schemas.encodings import MalformedError
from receiver.schemas.xml_text import places, utf8


def parse(content: bytes):
    """Read a document as metadata is read."""
    return xml_text.parse(utf8(content))


def fault(content: bytes) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        parse(content)
    return caught.value


BOMB = b"<!DOCTYPE a [<!ENTITY a0 'aaaa'>%s]><a>&a9;</a>" % b"".join(
    b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
)
WITH_DOCTYPE = [
    b"<!DOCTYPE a><a/>",
    b"<!DOCTYPE a []><a/>",
    b"<!DOCTYPE a [<!ELEMENT a ANY>]><a/>",
    b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
    b"<!DOCTYPE a [<!ENTITY x 'y'>]><a b='&x;'/>",
    b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
    b"<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/'> %x;]><a/>",
    b"<!DOCTYPE a PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'http://127.0.0.1:1/x.dtd'><a/>",
    b"<?xml version='1.0'?>\n<!-- x --><?p i?>\n<!DOCTYPE a SYSTEM 'x.dtd'><a/>",
    "<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a><a/>".encode("utf-16"),
    b"<?xml version='1.0' encoding='ISO-8859-1'?><!DOCTYPE a><a/>",
    BOMB,
]


@pytest.mark.parametrize("content", WITH_DOCTYPE, ids=lambda content: repr(content[:40]))
def test_a_doctype_is_refused_in_any_form(content: bytes) -> None:
    assert fault(content).message == "a DOCTYPE is not accepted"


def test_a_doctype_that_is_only_text_is_text() -> None:
    assert parse(b"<a><!-- <!DOCTYPE b> --><![CDATA[<!DOCTYPE a>]]></a>").root.text == "<!DOCTYPE a>"


def test_no_connection_is_made() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = b"http://127.0.0.1:%d/x" % server.getsockname()[1]
        fault(b"<!DOCTYPE a SYSTEM '%s'><a/>" % url)
        fault(b"<!DOCTYPE a [<!ENTITY x SYSTEM '%s'>]><a>&x;</a>" % url)
        parse(b"<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='%s'/></a>" % url)
        parse(
            b"<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:schemaLocation='%s %s'"
            b" i:noNamespaceSchemaLocation='%s'/>" % (url, url, url)
        )
        parse(b"<?xml-stylesheet href='%s'?><a/>" % url)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"", (1, 1), "empty"),
        (b" \n ", (1, 1), "empty"),
        (b"{}", (1, 1), "not well-formed"),
        (b"<a>", (1, 4), "no element found"),
        (b"<a>\n</b>", (2, 3), "mismatched tag"),
        (b"<a/>x", (1, 5), "junk after"),
        (b"<a/><b/>", (1, 5), "junk after"),
        (b"<a>&nbsp;</a>", (1, 4), "undefined entity"),
        (b"<a b='1' b='2'/>", (1, 10), "duplicate attribute"),
        (b"<p:a/>", (1, 1), "unbound prefix"),
        (b"<a>\x00</a>", (1, 4), "invalid token"),
        (b"<a>&#0;</a>", (1, 4), "invalid character"),
        (b"<a b='&#xD800;'/>", (1, 7), "invalid character"),
        (b"<a>\xed\xa0\x80</a>", (1, 4), "not encoded in UTF-8"),
        (b"<?xml version='1.0' encoding='UTF-8'?><a>\xe9</a>", (1, 42), "as its XML declaration says"),
        (
            b"<?xml version='1.0' encoding='UTF-16'?><a/>",
            (1, 1),
            "its XML declaration says UTF-16, and its bytes are not",
        ),
        (b"<?xml version='1.0' encoding='UTF-7'?>+ADw-a/+AD4-", (1, 1), "send UTF-8"),
        (b"<?xml version='1.0' encoding='nonsense'?><a/>", (1, 1), "send UTF-8"),
        (b"<a>" * 65 + b"</a>" * 65, (1, 193), "deeper than 64"),
        (b"<a>" * 100_000, (1, 193), "deeper than 64"),
        (b"<a>" + b"<b/>" * 100_000 + b"</a>", (1, 80_000), "more than 20,000"),
        (b"<a " + b" ".join(b'x%d="1"' % n for n in range(21_000)) + b"/>", (1, 1), "more than 20,000"),
        (b"<a " + b" ".join(b'xmlns:x%d="u"' % n for n in range(101)) + b"/>", (1, 1), "more than 100 namespaces"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_cannot_be_read_safely_is_refused(content: bytes, place: tuple[int, int], words: str) -> None:
    found = fault(content)
    assert words in found.message
    assert found.line == place[0]
    assert found.column == place[1] or "more than" in words


def test_namespaces_encodings_and_mixed_text_are_read() -> None:
    assert parse(b"<p:a xmlns:p='u' p:x='1'/>").root.tag == "{u}a"
    assert parse("<?xml version='1.0' encoding='UTF-16'?><a>é</a>".encode("utf-16")).root.text == "é"
    assert parse(b"<?xml version='1.0' encoding='windows-1252'?><a>\x80</a>").root.text == "€"
    assert parse("\ufeff<a>é</a>".encode()).root.text == "é"
    assert parse(b"<a>x<!--c-->y<?p i?>z<![CDATA[<]]>&amp;&#65;</a>").root.text == "xyz<&A"
    assert parse(b"<a>" * 64 + b"</a>" * 64).root.tag == "a"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<?xml version='1.0' encoding='latin-1'?><a>\xe9</a>", "<?xml version='1.0'                   ?><a>é</a>"),
        (
            b'<?xml version="1.0"\r\n encoding="latin-1" ?>\n<a>\xe9</a>',
            '<?xml version="1.0"\r\n                    ?>\n<a>é</a>',
        ),
        (
            b'<?xml version = "1.0" encoding = "utf-8" standalone="yes"?><a/>',
            '<?xml version = "1.0"                    standalone="yes"?><a/>',
        ),
        (b"<?xml version='1.0'?><a/>", "<?xml version='1.0'?><a/>"),
        ("<!-- <?xml version='1.0' encoding='ascii'?> --><a>é</a>".encode(),) * 2,
    ],
)
def test_each_character_stays_at_its_place(content: bytes, text: str | bytes) -> None:
    assert utf8(content) == (text if isinstance(text, bytes) else text.encode())


def test_what_is_our_own_is_in_the_encoding_that_it_declares() -> None:
    content = "<?xml version='1.0' encoding='latin-1'?><a>é</a>".encode()
    with pytest.raises(MalformedError, match="its bytes are UTF-8"):
        utf8(content)
    assert "Ã©".encode() in utf8(content, own=True)


def test_a_charset_goes_before_what_is_declared() -> None:
    assert "é".encode() in utf8("<?xml version='1.0' encoding='ascii'?><a>é</a>".encode(), "utf-8")


def test_a_declaration_is_looked_for_at_the_start_alone() -> None:
    declared = b"<?xml version='1.0'" + b" " * 1000 + b"encoding='latin-1'?><a>\xe9</a>"
    with pytest.raises(MalformedError, match="it is not encoded in UTF-8"):
        utf8(declared)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"\n <!DOCTYPE a><a/>", (2, 13)),  # where its name ends
        (b"<a>" + b"<b/>" * 9 + b"\n" + b"<a>" * 64, (2, 190)),
        (b"<a>\n" + b"<b c='1'/>" * 10_000, (2, 99_991)),
        (b"<a>" + b"\n<b xmlns='u'/>" * 101, (102, 1)),
        (b"<a>\n</a", (2, 1)),
    ],
)
def test_what_is_refused_is_told_where_it_begins(content: bytes, place: tuple[int, int]) -> None:
    found = fault(content)
    assert (found.line, found.column) == place


def test_a_limit_may_be_another() -> None:
    assert xml_text.parse(b"<a><b/></a>", 2).root.tag == "a"


def test_namespaces_are_kept_for_xmlschema() -> None:
    resource = parse(b"<a xmlns:p='v'><b/></a>").resource()
    assert (resource.get_nsmap(resource.root), resource.allow) == ({"p": "v"}, "none")
    plain = parse(b"<a><b/></a>")
    assert plain.resource().root is plain.root


@pytest.mark.parametrize(
    ("content", "max_nodes"),
    [
        (b"<a b='1'/>", 2),
        (b"<a " + b" ".join(b'xmlns:x%d="u"' % n for n in range(100)) + b"/>", 101),
        (b"<a>" * 64 + b"</a>" * 64, 128),
    ],
)
def test_what_cannot_be_refused_is_read_once(content: bytes, max_nodes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_text, "prove", None)
    assert xml_text.parse(content, max_nodes).root.tag == "a"


@pytest.mark.parametrize("codec", ["utf_16_le", "utf_16_be", "utf_16"])
def test_a_doctype_of_wide_characters_is_one(codec: str) -> None:
    with pytest.raises(MalformedError, match="a DOCTYPE is not accepted"):
        xml_text.parse("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>".encode(codec))


@pytest.mark.parametrize("content", [b"<a b='1'/>", b"<a><b/></a>"])
def test_a_node_too_many_is_refused_however_few_there_may_be(content: bytes) -> None:
    with pytest.raises(MalformedError, match="more than 1 elements and attributes"):
        xml_text.parse(content, 1)


def test_places_are_those_of_the_start_tags() -> None:
    content = "<?xml version='1.0'?>\n<a é='1'>\n  <!-- <x> --><b/><b\n c='d'>t</b></a>".encode()
    assert places(content) == [(2, 1), (3, 15), (3, 19)]
    assert [element.tag for element in parse(content).root.iter()] == ["a", "b", "b"]


def test_ever_new_names_do_not_fill_the_memory() -> None:
    def document(number: int) -> bytes:
        return b"<a>" + b"".join(b"<name-%d-%d-%s/>" % (number, n, b"x" * 100) for n in range(4000)) + b"</a>"

    for number in range(5):
        parse(document(number))
    before = psutil.Process().memory_info().rss
    for number in range(5, 60):
        parse(document(number))
    assert psutil.Process().memory_info().rss - before < 15_000_000  # the names alone are 25 MB


def test_what_was_read_is_freed_without_looking_for_garbage() -> None:
    content = b"<a>" + b"<b c='d'>e</b>" * 100 + b"</a>"
    parse(content), places(content), xml_text.prove(content)
    gc.collect()
    gc.disable()
    try:
        parse(content), places(content), xml_text.prove(content)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_refusal_is_quick_whatever_comes() -> None:
    for content in (b"<" * 1_000_000, b"<a b='" + b"x" * 1_000_000, b"<a>" + b"&#65;" * 200_000, b"<!--" * 250_000):
        start = time.process_time()
        fault(content)
        assert time.process_time() - start < 1


def test_the_fault_does_not_hold_the_text() -> None:
    for content in (b"<SECRET>", b"<a SECRET='SECRET' SECRET=''/>", b"<a>&SECRET;</a>", b"<a>SECRET</b>"):
        found = fault(content)
        assert "SECRET" not in repr(found)
        assert found.__context__ is None


_PIECES = st.sampled_from(
    [
        "<a>",
        "</a>",
        "<a b='c'/>",
        "<!DOCTYPE a>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "&lt;",
        "&x;",
        "<?xml version='1.0'?>",
        "x",
        "xmlns:p='u'",
        "<p:a ",
        "\ufeff",
        "\x00",
    ]
)


@given(st.binary(max_size=200) | st.lists(_PIECES, max_size=12).map(lambda pieces: "".join(pieces).encode()))
def test_any_bytes_are_a_document_or_a_fault(content: bytes) -> None:
    try:
        parse(content)
        place = places(utf8(content))[0]
    except MalformedError as found:
        place = (found.line, found.column)
    assert min(place) >= 1


_ELEMENTS = st.recursive(
    st.sampled_from(["<a/>", "<b c='d>'/>", "x", "&lt;", "<![CDATA[<a>]]>", "<!--<a>-->", "<?a <a>?>", "\n", "é"]),
    lambda inner: st.lists(inner, max_size=4).map(lambda pieces: f"<a\n>{''.join(pieces)}</a>"),
)


@given(_ELEMENTS)
def test_every_element_has_a_place_where_it_begins(text: str) -> None:
    lines = f"<r>{text}</r>".split("\n")
    elements = list(parse("\n".join(lines).encode()).root.iter())
    found = places("\n".join(lines).encode())
    assert len(found) == len(elements)
    begun = [lines[line - 1][column - 1 :] for line, column in found]
    assert all(at.startswith(f"<{element.tag}") for at, element in zip(begun, elements, strict=True))
