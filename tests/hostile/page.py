"""Writes the tables of docs/http.md and docs/hardening.md, and docs/openapi.json. `make docs` runs it."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from receiver.core.problems import Code
from receiver.delivery.render import PASSING
from receiver.web import openapi
from receiver.web.replies import STATUSES
from tests.clients.senders import SENDERS

from .cases import TABLE
from .cases.building import NOTHING, QUARANTINE, Case
from .cases.configuration import DANGERS

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "docs" / "http.md", ROOT / "docs" / "hardening.md"]
OPENAPI = ROOT / "docs" / "openapi.json"
GUARD = re.compile(r"(<!-- (\w+): written by `make docs` -->\n).*?(<!-- end -->)", re.DOTALL)
LIMIT = re.compile(r"^[A-Z][A-Z_]* = ([0-9_.* ]+?)  # (.*?)(?:: (.*))?$", re.MULTILINE)

UNSEEN = "# what no sender sees"  # a line of receiver.core.limits

# module → what its limits bound
LIMITS = {
    "receiver.core.limits": "Requests",
    "receiver.metadata.fields": "Fields",
    "receiver.metadata.tables": "Tables",
    "receiver.site.config.build": "Metadata",
    "receiver.schemas.json_text": "JSON metadata",
    "receiver.schemas.xml_text": "XML metadata",
}
BOUNDS = {
    "receiver.core.limits": "Work",
    "receiver.formats.budget": "Rendering",
    "receiver.formats.path": "Paths of files",
    "receiver.formats.xml.check": "XML records",
    "receiver.documents": "Documents: pages",
    "receiver.documents.sheets": "Documents: images",
    "receiver.documents.texts": "Documents: text",
    "receiver.documents.__main__": "Documents: memory",
    "receiver.schemas.xsd_files": "XSD files",
}

NOT_KEPT = PASSING | {
    Code.MALFORMED_REQUEST,
    Code.EXPECTATION_FAILED,
    Code.URL_TOO_LONG,
    Code.NOT_MULTIPART,
    Code.TOKEN_REFUSED,
    Code.NO_SUCH_PROCESS,
    Code.PART_TOO_LARGE,
    Code.INTERNAL_ERROR,
}

ADVICE = {
    Code.MALFORMED_REQUEST: "Repair the client; `detail` names the rule.",
    Code.EXPECTATION_FAILED: "Send no `Expect` but `100-continue`.",
    Code.URL_TOO_LONG: "Use the delivery URL as it is.",
    Code.NOT_MULTIPART: "Send `multipart/form-data`, not compressed.",
    Code.MALFORMED_BODY: "Repair the client; `detail` names the rule.",
    Code.TRUNCATED_BODY: "Send the delivery again. If it happens again, look at proxies between the two.",
    Code.AMBIGUOUS_REQUEST: "Say everything once.",
    Code.HEADERS_TOO_LARGE: "Shorten names, or send fewer headers.",
    Code.BODY_TOO_LARGE: "Split the delivery, or raise `RECEIVER_MAX_BODY`.",
    Code.TOO_SLOW: "Send again. A reverse proxy that buffers helps senders on slow lines.",
    Code.TOKEN_REFUSED: "Send one `Authorization: Bearer …` with a token of the process.",
    Code.NO_SUCH_PROCESS: "Compare the URL with the names of the folders in `mappings/`.",
    Code.TOO_MANY_PARTS: "Configure the platform to send the parts that the process knows.",
    Code.PART_MISSING: "Add the part on the platform, or say `required = false`.",
    Code.PART_UNKNOWN: 'Add the part to `[parts]`, or say `unknown_parts = "ignore"`.',
    Code.PART_REPEATED: "Send it once, or say `many = true`.",
    Code.PART_TYPE: "Send one of the `types` of the part, or add this one.",
    Code.PART_CONTENT: "Look at the file: it is not what its type says. `sniff = false` takes it all the same.",
    Code.PART_EMPTY: "Look at the scan: nothing came of it. `sniff = false` takes it all the same.",
    Code.PART_TOO_LARGE: "Send less, or raise `max_size` of the part.",
    Code.METADATA_MALFORMED: "The platform must write well-formed JSON or XML; `violations` tell line and column.",
    Code.METADATA_INVALID: "Compare with the schema that `[metadata]` names; `violations` tell place and rule.",
    Code.FIELDS_INVALID: "Send the fields as `violations` say; `schema` tells the rule, or the template's line.",
    Code.CONFIDENCE_LOW: "Validate the document on the platform and send it again.",
    Code.RULE_BROKEN: "Repair what the rule asks for, and send it again; `detail` tells each rule by name and message.",
    Code.SOURCE_ID_CONFLICT: 'The first delivery stays. Use a new sourceId, or `same_source_id = "publish"`.',
    Code.MALWARE_FOUND: "It is kept for a person to look at; `violations` name the part and what was found.",
    Code.DOCUMENT_BROKEN: "Look at the file: it cannot be read or converted.",
    Code.TEMPLATE_FAILED: "Repair the template; `violations` tell its line. Then `receiver replay`.",
    Code.NO_RECORD: "Add a record for such deliveries, or say `without_records`. Then `receiver replay`.",
    Code.RECORD_INVALID: "Repair the template or the schema of the record. Then `receiver replay`.",
    Code.NAME_TAKEN: "Put `{{ delivery.id }}` into the path. Then `receiver replay`.",
    Code.INTERNAL_ERROR: "Tell whoever maintains this service; the log has the place.",
    Code.BUSY: "Send again later; nothing is lost.",
    Code.SHUTTING_DOWN: "Send again later.",
    Code.STORAGE_FAILED: "Send again later; the operator looks at the disk and the ledger.",
    Code.DISK_FULL: "Send again later; the operator makes room.",
    Code.SCANNER_AWAY: "Send again later; the operator looks at clamd.",
}


def written(page: str) -> str:
    """Return the page with its tables up to date."""
    return GUARD.sub(lambda found: "\n".join([found[1], *TABLES[found[2]](), "", found[3]]), page)


def problems() -> Iterator[str]:
    """Yield the table of codes, in the order of their statuses."""
    yield from _row("code", "status", "meaning", "kept", "what to do")
    yield from _row(*["---"] * 5)
    for code, (status, title) in sorted(STATUSES.items(), key=lambda item: item[1][0]):
        yield from _row(f"`{code}`", str(status), title, NOTHING if code in NOT_KEPT else QUARANTINE, ADVICE[code])


def limits() -> Iterator[str]:
    """Yield the table of the limits that a sender can meet, out of the lines that set them."""
    yield from _limits({title: _source(name).partition(UNSEEN)[0] for name, title in LIMITS.items()})


def bounds() -> Iterator[str]:
    """Yield the table of all other limits."""
    yield from _limits({title: _source(name).rpartition(UNSEEN)[2] for name, title in BOUNDS.items()})


def _limits(sources: dict[str, str]) -> Iterator[str]:
    yield from _row("limit", "of", "because")
    yield from _row(*["---"] * 3)
    for title, source in sources.items():
        yield from _row(f"**{title}**", "", "")
        for number, what, reason in LIMIT.findall(source):
            yield from _row(f"{eval(number):,}", what, reason)


def _source(module: str) -> str:
    return Path(str(find_spec(module).origin)).read_text()


def hostile() -> Iterator[str]:
    """Yield one table for each group of cases."""
    for group, cases in TABLE.items():
        yield from [f"#### {group}", ""]
        yield from _row("input", "answer", "code", "kept")
        yield from _row(*["---"] * 4)
        for case in cases:
            yield from _row(_plain(case.input), _statuses(case), f"`{case.code}`" if case.code else "", case.kept)
        yield ""


def clients() -> Iterator[str]:
    """Yield the table of clients."""
    yield from _row("client", "sends", "the document is called")
    yield from _row(*["---"] * 3)
    for sender in SENDERS:
        yield from _row(sender.client, _plain(sender.way), f"`{sender.filename}`" if sender.filename else "")


def dangers() -> Iterator[str]:
    """Yield the table of dangerous schemas and templates."""
    yield from _row("what is written", "found by `receiver check` as")
    yield from _row(*["---"] * 2)
    for danger in DANGERS:
        yield from _row(_plain(danger.input), f"[`{danger.code}`](checks.md#{danger.code})")


def _row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(cells)} |"


def _statuses(case: Case) -> str:
    return ", then ".join(str(status) for status in (case.status, *case.answers))


def _plain(text: str) -> str:
    """Return words as Markdown shows them, but for what stands between backticks."""
    escaped = {"*": "\\*", "<": "&lt;", "_": "\\_"}
    words = [
        piece if place % 2 else "".join(escaped.get(letter, letter) for letter in piece)
        for place, piece in enumerate(text.split("`"))
    ]
    return "`".join(words).replace("|", "&#124;")


TABLES = {
    "problems": problems,
    "clients": clients,
    "limits": limits,
    "bounds": bounds,
    "dangers": dangers,
    "hostile": hostile,
}

if __name__ == "__main__":
    for path in PAGES:
        path.write_text(written(path.read_text()))
    OPENAPI.write_text(openapi.text())
