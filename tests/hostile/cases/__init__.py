"""The table of hostile and broken input: what goes in, what is answered, what is kept.

`tests/hostile/test_table.py` sends each row to a running service; docs/hardening.md shows them.
"""

from . import again, documents, dotnet, json, multipart, names, requests, senders, templates, xml
from .building import Case

TABLE: dict[str, list[Case]] = {
    "Request line, URL and headers": requests.lines(),
    "Tokens": requests.tokens(),
    "Refused before the body is read": requests.early(),
    "Where the body ends": multipart.framing(),
    "The boundary": multipart.boundaries(),
    "The head of a part": multipart.heads(),
    "The parts": multipart.parts(),
    "Names of files": names.files(),
    "Names of sections and fields": names.sections(),
    "What .NET sends": dotnet.cases(),
    "What other clients send": senders.cases(),
    "Documents": documents.documents(),
    "JSON that cannot be read": json.malformed(),
    "JSON that is not what it should be": json.invalid(),
    "JSON with a byte order mark": json.marked(),
    "Values": json.values(),
    "XML": xml.cases(),
    "Again, and kept": again.cases(),
    "Templates that would never end": templates.cases(),
}
