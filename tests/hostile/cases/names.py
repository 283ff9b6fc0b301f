"""Names that a sender chose: of files, of sections, of fields."""

from .building import FIELD, PUBLISHED, QUARANTINE, TIFF, VALUE, Case, delivery, file, json_part, metadata, section

ESCAPED = "receiver-escaped"  # no file may ever have this in its name

# name in the filename parameter, as it stands between the quotes
FILE_NAMES = {
    "traversal": f"../../../../../../../tmp/{ESCAPED}.tif",
    "traversal with backslashes": f"..\\..\\..\\{ESCAPED}.tif",
    "traversal, percent-encoded": f"..%2f..%2f{ESCAPED}.tif",
    "an absolute path": f"/tmp/{ESCAPED}.tif",
    "a drive letter": f"C:\\{ESCAPED}.tif",
    "a share": f"\\\\server\\share\\{ESCAPED}.tif",
    "a device": "CON",
    "a device with a suffix": "nul.tif",
    "a device with a number": "COM1.tif",
    "a device with a raised number": "LPT\u00b9",
    "an alternate stream": f"{ESCAPED}.tif:stream",
    "dots at the end": f"{ESCAPED}.tif...",
    "a space at the end": f"{ESCAPED}.tif ",
    "one dot": ".",
    "two dots": "..",
    "nothing": "",
    "a leading dash": f"--{ESCAPED}",
    "shell syntax": f"$({ESCAPED});`x`|x&x",
    "template syntax": "{{ 7*7 }}{% raw %}",
    "10,000 characters": ESCAPED + "x" * 10_000,
    "composed letters": "\u00e9t\u00e9.tif",
    "decomposed letters": "e\u0301te\u0301.tif",
    "upper case": "ETE.TIF",
    "right-to-left marks": f"{ESCAPED}\u202efit.exe",
    "invisible letters": f"\u200b{ESCAPED}\ufeff.tif",
    "letters beyond the basic plane": "\U0001f9ec.tif",
    "an encoded line break": "a%0D%0Ab.tif",
    "an escaped quote": 'a\\"b.tif',
}


def collision(source_id: str, what: str) -> bytes:
    """A delivery of pages whose names a careless file system takes for one."""
    pages = [
        section(f"page_{name}" if what == "section" else f"page_{number}", TIFF, "image/tiff", name)
        for number, name in enumerate(("\u00e9", "e\u0301", "\u00c9"))
    ]
    return delivery(file(), *pages, json_part(metadata(source_id)))


def files() -> list[Case]:
    """Names of files."""
    named = [
        Case(
            f"a file name: {what}",
            delivery(file(TIFF, "image/tiff", name), json_part(metadata(f"n-{what}"))),
            200,
            "",
            PUBLISHED,
        )
        for what, name in FILE_NAMES.items()
    ]
    plain = b'Content-Disposition: form-data; name="file"; '
    typed = b"\r\nContent-Type: image/tiff\r\n\r\n" + TIFF

    def with_parameter(parameter: bytes, source_id: str) -> bytes:
        return delivery(plain + parameter + typed, json_part(metadata(source_id)))

    return [
        *named,
        Case(
            "filename* in UTF-8",
            with_parameter(b"filename*=UTF-8''..%2F" + ESCAPED.encode(), "n-star"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "filename* in an unknown character set",
            with_parameter(b"filename*=klingon''x", "n-klingon"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "filename and filename*",
            with_parameter(b"filename=\"a\"; filename*=UTF-8''b", "n-both"),
            200,
            "",
            PUBLISHED,
        ),
        Case("two filenames", with_parameter(b'filename="a"; filename="b"', "n-two"), 400, "ambiguous-request"),
        Case("a filename without quotes", with_parameter(b"filename=a.tif", "n-bare"), 200, "", PUBLISHED),
        Case("a filename whose quote does not end", with_parameter(b'filename="a.tif', "n"), 400, "malformed-body"),
        Case(
            "a filename without quotes, with blanks", with_parameter(b"filename=my fax.tif", "n-my"), 200, "", PUBLISHED
        ),
        Case(
            "a filename without quotes, with a quote inside",
            with_parameter(b'filename=my "fax".tif', "n"),
            400,
            "ambiguous-request",
        ),
        Case(
            "a filename as an encoded word, and filename*",
            with_parameter(b"filename=\"=?utf-8?B?w5wudGlm?=\"; filename*=utf-8''%C3%9C.tif", "n-word"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "filename* in ISO-8859-1",
            with_parameter(b"filename*=iso-8859-1''%DC.tif", "n-latin"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "a filename in pieces",
            with_parameter(b"filename*0*=utf-8''%C3; filename*1*=%9C; filename*2=.tif", "n-pieces"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "a filename in pieces, one missing",
            with_parameter(b"filename*0=a; filename*2=b", "n"),
            400,
            "malformed-body",
        ),
        Case(
            "a filename whole and in pieces",
            with_parameter(b"filename=a; filename*0=b", "n"),
            400,
            "ambiguous-request",
        ),
        Case("a file name with a NUL", with_parameter(b'filename="a\0b"', "n"), 400, "malformed-body"),
        Case("a file name with a control character", with_parameter(b'filename="a\x07b"', "n"), 400, "malformed-body"),
        Case("a file name that is not UTF-8", with_parameter(b'filename="\xe9"', "n"), 400, "malformed-body"),
        Case("no file name", with_parameter(b"x=y", "n-none"), 200, "", PUBLISHED),
        Case(
            "a file name of 20,000 characters",
            with_parameter(b'filename="%b"' % (b"x" * 20_000), "n"),
            431,
            "headers-too-large",
        ),
        Case(
            "three files whose names differ in case and in Unicode's normal form only",
            collision("n-same", "file"),
            200,
            "",
            PUBLISHED,
        ),
    ]


def sections() -> list[Case]:
    """Names of sections, and of fields."""
    sound = [file(), json_part(metadata("n-section"))]
    names = {
        "traversal": f"../../{ESCAPED}",
        "an absolute path": f"/tmp/{ESCAPED}",
        "a glob": "*",
        "in other case": "FILE",
        "template syntax": "{{ 7*7 }}",
        "right-to-left marks": "\u202eelif",
    }
    page = section("page_../../" + ESCAPED, TIFF, "image/tiff")
    matched = delivery(*sound, page)
    return [
        *(
            Case(
                f"a section's name: {what}",
                delivery(*sound, section(name, TIFF, "image/tiff")),
                422,
                "part-unknown",
                QUARANTINE,
            )
            for what, name in names.items()
        ),
        Case("a section's name that a glob matches: traversal", matched, 200, "", PUBLISHED),
        Case(
            "sections whose names differ in case and in Unicode's normal form only",
            collision("n-pages", "section"),
            200,
            "",
            PUBLISHED,
        ),
        Case(
            "a field's name: a path",
            delivery(file(), json_part(metadata("n-field", **{f"../{ESCAPED}{FIELD}": VALUE}))),
            422,
            "fields-invalid",
            QUARANTINE,
        ),
        Case(
            "a field's name: a method of Python",
            delivery(file(), json_part(metadata("n-python", __class__="x"))),
            422,
            "fields-invalid",
            QUARANTINE,
        ),
        Case("a sourceId: traversal", delivery(file(), json_part(metadata(f"../../../{ESCAPED}"))), 200, "", PUBLISHED),
    ]
