"""What a value must look like, by the `format` that the schema names, and what to say of one that does not."""

from typing import NamedTuple


class Form(NamedTuple):
    """The code of a fault, what follows the value in its message, and what to do."""

    code: str
    message: str
    hint: str


FILE_NAME = Form(
    "bad-path", "is not the path of a file", "write it relative, with forward slashes, on one line and without .."
)

FORMS = {
    "size": Form("bad-size", "is not a size", 'write "200 MB", "512 kB", "2 GB" or a number of bytes, above 0'),
    "span": Form("bad-duration", "is not a span of time", 'write "12h", "30d", "6w" or "7y"'),
    "confidence": Form("wrong-value", "is not from 0 to 1", "0.80 means 80 percent"),
    "host": Form("bad-host", "is not a host name", 'write it without https://, port or path: "fax.example.org"'),
    "part-name": Form("bad-name", "cannot be the name of a part", "1 to 200 characters, none of them a control"),
    "field-name": Form("bad-name", "cannot be the name of a field", "no field comes under such a name"),
    "word": Form("wrong-value", "is not a single word", "a name is looked at word by word; list each by itself"),
    "media-type": Form("bad-type", "is not a media type", 'lower case and without parameters: "image/tiff"'),
    "token": Form(
        "token-plain",
        'is neither "env:NAME" nor "sha256:" and 64 hexadecimal digits',
        "a token itself never stands in this file: name the environment variable that holds it, or write the"
        " SHA-256 that printf %s TOKEN | sha256sum prints",
    ),
    "webhook": Form(
        "bad-url",
        "is not the URL of a webhook",
        'write "https://chat.example.org/hooks/fax", or "env:NAME" for one that the environment holds',
    ),
    "directory": Form(
        "bad-path",
        "is not the name of a folder",
        'a name such as "referrals" or an absolute path with forward slashes; no .., ~, $, : or {{ }}',
    ),
    "group": Form("bad-name", "cannot be the name of a group", 'write it as `getent group` does: "importers"'),
    "file-name": FILE_NAME,
    "metadata-schema": Form(
        "schema-misfit", "is no schema for metadata", "name a .json (for JSON) or .xsd (for XML) file in schemas/"
    ),
    "fields-schema": Form(
        "schema-misfit", "is no schema for fields", "name a .json file in schemas/, also where the metadata is XML"
    ),
    "record-schema": Form(
        "schema-misfit", "is no schema for a record", 'name a .json or .xsd file in schemas/, or write "hl7" or "fhir"'
    ),
}

SECRET = frozenset({"token", "webhook"})  # the forms whose values are never shown
