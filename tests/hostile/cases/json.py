"""JSON metadata, and values in it."""

import json

from .building import FIELD, PROPERTY, PUBLISHED, QUARANTINE, VALUE, Case, delivery, file, json_part, metadata


def of(content: bytes) -> bytes:
    """A delivery whose metadata is this."""
    return delivery(file(), json_part(content))


def with_value(value: str, source_id: str = "j") -> bytes:
    """Metadata whose remark is this JSON text."""
    return b'{"sourceId": "%b", "fields": [{"name": "remark", "value": %b}]}' % (source_id.encode(), value.encode())


def malformed() -> list[Case]:
    """JSON that cannot be read."""
    sound = metadata("j").decode()
    deep = 100_000
    texts: dict[str, bytes] = {
        "not JSON": b"sourceId=1",
        "empty": b"",
        "blanks": b"  \r\n\t ",
        "cut off": sound[:-5].encode(),
        "more after the end": sound.encode() + b" {}",
        "a NUL after the end": sound.encode() + b"\0",
        "not UTF-8": sound.replace(VALUE, "caf\u00e9").encode("latin-1"),
        "an overlong UTF-8 sequence": with_value('"@"').replace(b"@", b"\xc0\xaf"),
        "UTF-16 without its mark": sound.encode("utf-16-le"),
        "a name twice": sound.replace("{", f'{{"{PROPERTY}": 1, "{PROPERTY}": 2, ', 1).encode(),
        "a name twice, once escaped": sound.replace("{", '{"sourc\\u0065Id": "other", ', 1).encode(),
        "NaN": with_value("NaN"),
        "Infinity": with_value("-Infinity"),
        "1e400": with_value("1e400"),
        "1e-1000": with_value("1e-1000"),
        "an integer of 5,000 digits": with_value("9" * 5_000),
        "a leading zero": with_value("01"),
        "a comment": with_value('"x" /* c */'),
        "a trailing comma": with_value('"x",'),
        "single quotes": with_value("'x'"),
        "half of a surrogate pair": with_value('"\\ud800"'),
        "the other half": with_value('"\\udc00x"'),
        "a bare control character": with_value('"a\x01b"'),
        "a bare line break": with_value('"a\nb"'),
        "100,000 levels of lists": with_value("[" * deep + "]" * deep),
        "100,000 levels of objects": with_value('{"a":' * deep + "1" + "}" * deep),
        "100,000 brackets that never close": b"[" * deep,
        "100,000 fields": json.dumps(
            {"sourceId": "j", "fields": [{"name": f"{FIELD}{number}", "value": VALUE} for number in range(100_000)]}
        ).encode(),
        "a million commas": with_value("[" + "," * 10**6 + "]"),
        "a list of a million numbers": with_value("[" + "1," * 10**6 + "1]"),
    }
    return [
        Case(f"JSON: {what}", of(text), 422, "part-empty" if not text else "metadata-malformed", QUARANTINE)
        for what, text in texts.items()
    ]


UNKNOWN_FIELD = f'{{"name": "{FIELD}", "value": "{VALUE}"}}'.encode()


def invalid() -> list[Case]:
    """JSON that is not what the schema says."""
    many = {f"{FIELD}_{number}": VALUE for number in range(4_000)}
    texts = {
        "null": (b"null", "metadata-invalid"),
        "a list": (b"[]", "metadata-invalid"),
        "a number": (b"1", "metadata-invalid"),
        "no sourceId": (b'{"fields": []}', "metadata-invalid"),
        "an empty sourceId": (metadata(""), "metadata-invalid"),
        "a sourceId of 10,000 characters": (metadata("x" * 10_000), "metadata-invalid"),
        "a sourceId with a line break": (metadata("a\nb"), "metadata-invalid"),
        "a sourceId that is an object": (b'{"sourceId": {}, "fields": []}', "metadata-invalid"),
        "an unknown property": (with_value(f'"x", "{PROPERTY}": 1'), "metadata-invalid"),
        "a confidence of 7": (with_value('"x", "confidence": 7'), "metadata-invalid"),
        "a field twice": (
            b'{"sourceId": "j", "fields": [{"name": "remark", "value": "x"}, {"name": "remark", "value": "y"}]}',
            "metadata-invalid",
        ),
        "a field without a name": (b'{"sourceId": "j", "fields": [{"value": "x"}]}', "metadata-invalid"),
        "4,000 unknown fields": (metadata("j", **many), "fields-invalid"),
        "6,000 fields": (metadata("j", **{f"{FIELD}{number}": 1 for number in range(6_000)}), "metadata-invalid"),
        "an unknown field": (metadata("j", **{FIELD: VALUE}), "fields-invalid"),
        "an unknown field twice": (
            b'{"sourceId": "j", "fields": [%b, %b]}' % (UNKNOWN_FIELD, UNKNOWN_FIELD),
            "metadata-invalid",
        ),
        "a value of the wrong type": (metadata("j", 7), "fields-invalid"),
        "a value that is too long": (metadata("j", VALUE * 500), "fields-invalid"),
        "a value against a pattern that would take for ever": (
            metadata("j", code="a" * 50_000 + VALUE),
            "fields-invalid",
        ),
    }
    return [Case(f"JSON: {what}", of(text), 422, code, QUARANTINE) for what, (text, code) in texts.items()]


VALUES = {
    "template syntax": "{{ 7*7 }}{% for x in y %}",
    "a spreadsheet formula": "=cmd|' /C calc'!A0",
    "another formula": "@SUM(1+1)*cmd|' /C calc'!A0",
    "HL7 delimiters": "|^~\\&",
    "an HL7 segment": "x\rPID|1||evil",
    "line breaks": "a\r\nb\nc\rd",
    "the end of a CDATA section": "]]>",
    "XML": "<x a='1'>&amp;<!-- -->",
    "quotes": '"\'\\"',
    "a script": "</script><script>alert(1)</script>",
    "a comma and a semicolon": "a,b;c\td",
    "SQL": "'; DROP TABLE deliveries; --",
    "a path": "../../../../etc/passwd",
    "right-to-left marks": "\u202eabc\u2066",
    "letters of many scripts": "\u0416\u4e2d\u05d0\u0e01\U0001f9ec",
    "line separators": "a\u2028b\u2029c",
    "blanks at the ends": "  a  ",
    "a CR alone": "a\rb",
    "a formula behind a tab": "\t=1+1",
    "an escape of HL7": "\\X0D\\PID|1",
}


def marked() -> list[Case]:
    """JSON with a byte order mark, as .NET and PowerShell write it."""
    texts = {
        "a byte order mark": metadata("j-bom").decode().encode("utf-8-sig"),
        "UTF-16 with its mark": metadata("j-16").decode().encode("utf-16"),
        "UTF-32 with its mark": metadata("j-32").decode().encode("utf-32"),
    }
    return [Case(f"JSON: {what}", of(text), 200, "", PUBLISHED) for what, text in texts.items()]


def values() -> list[Case]:
    """Values that mean something elsewhere."""
    return [
        *(
            Case(f"a value: {what}", of(metadata(f"v-{what}", value)), 200, "", PUBLISHED)
            for what, value in VALUES.items()
        ),
        Case("a value: an escaped NUL", of(metadata("v-nul", "a\0b")), 422, "fields-invalid", QUARANTINE),
        Case(
            "a value: escaped control characters",
            of(metadata("v-control", "a\x01\x1b[31mb\x7f")),
            422,
            "fields-invalid",
            QUARANTINE,
        ),
        Case(
            "a value: NEL, a line break of mainframes",
            of(metadata("v-nel", "a\x85b")),
            422,
            "fields-invalid",
            QUARANTINE,
        ),
        Case("a value: not a character", of(metadata("v-none", "\uffff")), 422, "fields-invalid", QUARANTINE),
    ]
