"""What can go wrong with a delivery, in the domain's terms.

No HTTP numbers, and never a field's value.

Every `Code` is stable and documented in docs/http.md; `web/replies.py` alone knows which status answers it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The kinds of problem.

    The text is the `code` of an answer, a log line and the ledger.
    """

    # the request itself
    MALFORMED_REQUEST = "malformed-request"
    EXPECTATION_FAILED = "expectation-failed"
    URL_TOO_LONG = "url-too-long"
    NOT_MULTIPART = "not-multipart"
    MALFORMED_BODY = "malformed-body"
    TRUNCATED_BODY = "truncated-body"
    AMBIGUOUS_REQUEST = "ambiguous-request"
    HEADERS_TOO_LARGE = "headers-too-large"
    BODY_TOO_LARGE = "body-too-large"
    TOO_SLOW = "too-slow"
    TOKEN_REFUSED = "token-refused"  # noqa: S105 (a name of a problem)
    NO_SUCH_PROCESS = "no-such-process"
    # the parts
    TOO_MANY_PARTS = "too-many-parts"
    PART_MISSING = "part-missing"
    PART_UNKNOWN = "part-unknown"
    PART_REPEATED = "part-repeated"
    PART_TYPE = "part-type"
    PART_CONTENT = "part-content"
    PART_EMPTY = "part-empty"
    PART_TOO_LARGE = "part-too-large"
    # what they say
    METADATA_MALFORMED = "metadata-malformed"
    METADATA_INVALID = "metadata-invalid"
    FIELDS_INVALID = "fields-invalid"
    CONFIDENCE_LOW = "confidence-low"
    RULE_BROKEN = "rule-broken"
    SOURCE_ID_CONFLICT = "source-id-conflict"
    MALWARE_FOUND = "malware-found"
    # what becomes of it
    DOCUMENT_BROKEN = "document-broken"
    TEMPLATE_FAILED = "template-failed"
    RECORD_INVALID = "record-invalid"
    NO_RECORD = "no-record"
    NAME_TAKEN = "name-taken"
    # us, not the sender: the same delivery may be sent again later
    BUSY = "busy"
    SHUTTING_DOWN = "shutting-down"
    STORAGE_FAILED = "storage-failed"
    DISK_FULL = "disk-full"
    SCANNER_AWAY = "scanner-away"
    INTERNAL_ERROR = "internal-error"


# Problems that are not the delivery's own: nothing is kept, and the same delivery may come again.
PASSING = {
    Code.MALFORMED_BODY,
    Code.TRUNCATED_BODY,
    Code.AMBIGUOUS_REQUEST,
    Code.HEADERS_TOO_LARGE,
    Code.BODY_TOO_LARGE,
    Code.TOO_MANY_PARTS,
    Code.TOO_SLOW,
    Code.BUSY,
    Code.SHUTTING_DOWN,
    Code.STORAGE_FAILED,
    Code.DISK_FULL,
    Code.SCANNER_AWAY,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault: where it is, which rule it breaks and what to do.

    Never the value that broke it.
    """

    where: str  # a part's name, a JSON Pointer, an XPath, or "mdm_t02.hl7.j2:12"
    rule: str  # the schema's keyword, or the code of the rule
    message: str
    schema: str | None = None  # where the rule stands: "referrals.fields.schema.json#/properties/mrn/pattern"


class Problem(Exception):  # noqa: N818 (the field's word, RFC 9457)
    """A delivery that cannot be accepted as it is, with every fault that was found."""

    def __init__(
        self,
        code: Code,
        detail: str,
        violations: Iterable[Violation] = (),
        *,
        source_id: str = "",
        rules: tuple[str, ...] = (),
        held: bool | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.violations = tuple(violations)
        self.source_id = source_id  # where it could be read: a refused document is asked for by it
        self.rules = rules  # of process.toml that are broken, by their names
        self.held = held  # whether it is kept for a person, if that is not told by the code alone
        self.kept_as = ""  # the id under which the delivery lies in quarantine, where it does
