"""How platforms call what we look for: the words by which a name, a value, a confidence or an id is known."""

import re

NAMES = ("name", "fieldname", "key", "field", "label", "tag", "title", "code", "id", "type")
VALUES = (
    *("value", "text", "content", "data", "val", "normalizedvalue", "normalisedvalue", "normalized", "extractedvalue"),
    *("answer", "result", "string", "rawvalue", "raw"),
)
CONFIDENCES = ("confidence", "conf", "score", "probability", "certainty", "accuracy", "likelihood", "quality")
IDS = (
    *("sourceid", "documentid", "docid", "deliveryid", "transactionid", "messageid", "requestid", "externalid"),
    *("batchid", "referenceid", "reference", "uuid", "guid", "id", "ref", "number", "docnumber", "filename"),
)
LISTS = ("fields", "extraction", "extractions", "values", "attributes", "index", "indexes", "items", "results", "data")

EXACT = 100  # for a word that is one of them; less for each place further down the list
PARTLY = 40  # for one that ends with one of them: "patientName", "field_value"


def likeness(word: str, known: tuple[str, ...]) -> int:
    """Return how much a word is one of those known, from 0 to 100."""
    plain = re.sub(r"[^a-z0-9]", "", word.lower())
    if plain in known:
        return EXACT - known.index(plain)
    return max((PARTLY - place for place, each in enumerate(known) if plain.endswith(each)), default=0)


def role(name: str) -> str:
    """Return what a field is to a patient's record: mrn, name, family, given, dob, or ""."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((found for pattern, found in ROLES if re.search(pattern, plain)), "")


ROLES = (
    (r"mrn|medicalrecord|chart(no|nr|num)|patient(id|no|nr|num)|^pid$", "mrn"),
    (r"birth|dob$", "dob"),
    (r"(first|given)name$", "given"),
    (r"(last|family|sur)name$", "family"),
    (r"^(patient)?(full)?name$|^patient$", "name"),
)
