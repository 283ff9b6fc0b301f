"""XML metadata."""

import os

from .building import FORMS, PROPERTY, PUBLISHED, QUARANTINE, VALUE, Case, delivery, file, section

FIELD = b'<field name="remark">' + VALUE.encode() + b"</field>"
NOBODY = (f"127.47.{os.getpid() >> 8 & 255}.{os.getpid() & 255}", 4711)  # a test listens: any connection is too many
LISTENER = "http://{}:{}/".format(*NOBODY).encode()


def document(inside: bytes = FIELD, before: bytes = b"", source_id: bytes = b"x", attributes: bytes = b"") -> bytes:
    """XML metadata."""
    return b"%b<document%b><sourceId>%b</sourceId>%b</document>" % (before, attributes, source_id, inside)


def of(content: bytes) -> bytes:
    """A delivery whose metadata is this."""
    return delivery(file(), section("metadata", content, "application/xml"), path=FORMS)


def cases() -> list[Case]:
    """XML metadata."""
    doctype = b"<!DOCTYPE document %b>"
    deep = 100_000
    laughs = b"".join(b'<!ENTITY l%d "%b">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    malformed = {
        "not XML": b"{}",
        "blanks": b" \n ",
        "cut off": document()[:-5],
        "two documents": document() * 2,
        "a DOCTYPE": document(before=doctype % b""),
        "a DOCTYPE with a system id": document(before=doctype % (b'SYSTEM "' + LISTENER + b'"')),
        "a DOCTYPE with a public id": document(before=doctype % (b'PUBLIC "x" "' + LISTENER + b'"')),
        "a DOCTYPE behind a comment": document(before=b"<!-- -->" + doctype % b""),
        "a DOCTYPE in UTF-16": document(before=doctype % b"").decode().encode("utf-16"),
        "a DOCTYPE in lower case": document(before=b"<!doctype document>"),
        "an entity": document(b"&e;", doctype % b'[<!ENTITY e "x">]'),
        "an entity from a file": document(b"&e;", doctype % b'[<!ENTITY e SYSTEM "file:///etc/passwd">]'),
        "an entity from the network": document(b"&e;", doctype % (b'[<!ENTITY e SYSTEM "%b">]' % LISTENER)),
        "a parameter entity": document(before=doctype % (b'[<!ENTITY %% e SYSTEM "%b"> %%e;]' % LISTENER)),
        "a billion laughs": document(b"&l9;", doctype % (b'[<!ENTITY l0 "ha">' + laughs + b"]")),
        "an attribute list": document(before=doctype % b'[<!ATTLIST document x CDATA "y">]'),
        "an entity nobody declared": document(b"&nbsp;"),
        "an unknown encoding": document(before=b'<?xml version="1.0" encoding="klingon"?>'),
        "UTF-16 declared, UTF-8 sent": document(before=b'<?xml version="1.0" encoding="UTF-16"?>'),
        "UTF-7 declared": document(before=b'<?xml version="1.0" encoding="UTF-7"?>'),
        "not UTF-8": document(b'<field name="remark">\xff</field>'),
        "a NUL": document(b"\0"),
        "a NUL as a reference": document(b'<field name="remark">&#0;</field>'),
        "a control character": document(b'<field name="remark">\x01</field>'),
        "a declaration that comes late": b" " + document(before=b'<?xml version="1.0"?>'),
        "100,000 elements": document(FIELD * deep),
        "100,000 levels": document(b"<a>" * deep + b"</a>" * deep),
        "100,000 levels that never close": b"<a>" * deep,
        "100,000 attributes": document(b"<field " + b" ".join(b'a%d="x"' % n for n in range(deep)) + b"/>"),
        "an attribute twice": document(b'<field name="a" name="b">x</field>'),
        "1,000 namespaces": document(attributes=b"".join(b' xmlns:n%d="u"' % n for n in range(1000))),
        "a prefix nobody declared": document(b"<x:field/>"),
    }
    invalid = {
        "another root": b"<%b/>" % PROPERTY.encode(),
        "a namespace": document(attributes=b' xmlns="urn:x"'),
        "a namespace in the middle": document(b'<f:field xmlns:f="urn:x" name="remark">x</f:field>'),
        "XInclude": document(
            b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
        ),
        "XInclude from the network": document(
            b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="%b"/>' % LISTENER
        ),
        "an unknown element": document(FIELD + b"<%b/>" % PROPERTY.encode()),
        "an unknown attribute": document(
            b'<field name="remark" %b="%b">x</field>' % (PROPERTY.encode(), VALUE.encode())
        ),
        "text between the elements": document(VALUE.encode() + FIELD),
        "no field": document(b""),
        "an empty sourceId": document(source_id=b""),
        "a field twice": document(FIELD * 2),
        "xsi:type of another": document(
            b'<field xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:int" name="remark">x</field>'
        ),
    }
    xsi = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    sound = {
        "xsi:schemaLocation to the network": document(
            source_id=b"x-loc", attributes=xsi + b'xsi:schemaLocation="urn:x %b"' % LISTENER
        ),
        "xsi:noNamespaceSchemaLocation": document(
            source_id=b"x-noloc", attributes=xsi + b'xsi:noNamespaceSchemaLocation="%b"' % LISTENER
        ),
        "a stylesheet instruction": document(before=b'<?xml-stylesheet href="%b"?>' % LISTENER, source_id=b"x-style"),
        "CDATA": document(b'<field name="remark"><![CDATA[<x>&amp;]]></field>', source_id=b"x-cdata"),
        "comments": document(b"<!-- a -->" + FIELD + b"<!-- b -->", source_id=b"x-comments"),
        "XML 1.1, read as 1.0": document(before=b'<?xml version="1.1"?>', source_id=b"x-1.1"),
        "a byte order mark": b"\xef\xbb\xbf" + document(source_id=b"x-bom"),
        "UTF-16 with its mark": document(before=b'<?xml version="1.0" encoding="UTF-16"?>', source_id=b"x-16")
        .decode()
        .encode("utf-16"),
        "Latin-1 declared and sent": document(
            b'<field name="remark">caf\xe9</field>', b'<?xml version="1.0" encoding="ISO-8859-1"?>', b"x-latin"
        ),
    }
    return [
        *(Case(f"XML: {what}", of(text), 422, "metadata-malformed", QUARANTINE) for what, text in malformed.items()),
        *(Case(f"XML: {what}", of(text), 422, "metadata-invalid", QUARANTINE) for what, text in invalid.items()),
        *(Case(f"XML: {what}", of(text), 200, "", PUBLISHED) for what, text in sound.items()),
    ]
