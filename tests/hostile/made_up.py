"""What hypothesis makes up: bodies, and metadata in JSON and XML, between sound and senseless."""

import json
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from .cases.building import BOUNDARY, TIFF, VALUE, body, file, metadata, section

# bodies

SOUND = body(file(TIFF[:40]), section("metadata", metadata("fuzz"), "application/json"))
PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b"--" + BOUNDARY.encode(),
        b"\r\n--" + BOUNDARY.encode() + b"\r\n",
        b"\r\n--" + BOUNDARY.encode() + b"--",
        b"--",
        b'Content-Disposition: form-data; name="file"',
        b'Content-Disposition: form-data; name="metadata"; filename="x"',
        b"Content-Type: application/json",
        b"Content-Length: 5",
        b": ",
        b'"',
        b";",
        b"\0",
        b"=",
    ]
)
NAMES = st.sampled_from(["file", "metadata", "page_1", "page_2", "note", ""]) | st.text(max_size=12)
TYPES = st.sampled_from(["image/tiff", "application/json", "application/pdf", "", "text/plain; charset=x"]) | st.text(
    max_size=12
)
SCRAPS = st.binary(max_size=60) | PIECES
MAGIC = st.sampled_from([b"", metadata("fuzz"), TIFF[:20], b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])


@st.composite
def damaged(draw) -> bytes:
    """A sound body in which some pieces are cut out, doubled, moved or replaced."""
    content = SOUND
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + draw(st.sampled_from([0, 1, 2, 8, 60, 300])))))
        piece = draw(st.one_of(st.just(b""), SCRAPS, st.just(content[start:end] * 2)))
        content = content[:start] + piece + content[end:]
    return content


@st.composite
def sections(draw) -> bytes:
    """One section with any head and any content."""
    lines = draw(st.lists(SCRAPS, max_size=2))
    if draw(st.booleans()):
        name, type_ = draw(NAMES), draw(TYPES)
        content = draw(MAGIC) + draw(SCRAPS)
        filename = draw(st.none() | st.text(max_size=20))
        return section(name, content, type_, filename, *lines)
    return b"\r\n".join([*lines, b"", draw(SCRAPS)])


BODIES = st.one_of(
    damaged(),
    st.lists(sections(), max_size=5).map(lambda every: body(*every)),
    st.lists(SCRAPS, max_size=12).map(b"".join),
)

# metadata

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from([VALUE, "", "|^~\\&", "{{ 7*7 }}", "=1+1", "]]>", "\x00", "\ud800", 10**400, 1e308])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["remark", "code"]) | st.text(max_size=10) | SCALARS, "value": SCALARS | JSON},
        optional={"confidence": SCALARS, "extra": JSON},
    ),
    max_size=5,
)
SOUND_FIELDS = st.text(min_size=1, max_size=60).map(lambda text: [{"name": "remark", "value": text, "confidence": 0.9}])
SOUND_DOCUMENTS = st.fixed_dictionaries({"sourceId": st.text(min_size=1, max_size=12), "fields": SOUND_FIELDS})
DOCUMENTS = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {"sourceId": st.just("fuzz") | SCALARS.filter(lambda value: value != VALUE), "fields": FIELDS | SOUND_FIELDS}
    ),
    SOUND_DOCUMENTS,
    SOUND_DOCUMENTS,
)


def written(document: object) -> bytes:
    return json.dumps(document).encode("utf-8", "surrogatepass")


@st.composite
def json_texts(draw) -> bytes:
    """JSON, and JSON with a scratch in it."""
    text = written(draw(DOCUMENTS))
    if draw(st.integers(0, 2)) == 0:
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.binary(max_size=4)) + text[place + draw(st.integers(0, 4)) :]
    return text


TAGS = st.sampled_from(["document", "sourceId", "field", "x", "x:y", "é"])
MARKUP = st.sampled_from(
    [b"&amp;", b"&x;", b"&#0;", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<!DOCTYPE document>", b"<?x?>", b"<", b"\xff"]
)


@st.composite
def xml_texts(draw) -> bytes:
    """XML of a few elements, with a scratch or two."""

    def element(depth: int) -> bytes:
        tag = draw(TAGS).encode()
        attributes = draw(st.sampled_from([b"", b' name="remark"', b' xmlns="urn:x"', b' xmlns:x="urn:x"', b" a=b"]))
        inside = b"".join(element(depth + 1) for _ in range(draw(st.integers(0, 2 if depth < 3 else 0))))
        text = draw(st.sampled_from([b"", VALUE.encode(), b"\xc3\xa9", b"  "]) | MARKUP)
        return b"<%b%b>%b%b</%b>" % (tag, attributes, text, inside, tag)

    sound = b'<document><sourceId>%b</sourceId><field name="remark">%b</field></document>'
    value = escape(draw(st.text(max_size=40))).encode("utf-8", "surrogatepass")
    content = draw(st.sampled_from([sound % (b"fuzz", value), element(0)]))
    place = draw(st.integers(0, len(content)))
    return content[:place] + draw(st.just(b"") | MARKUP | st.binary(max_size=3)) + content[place:]
