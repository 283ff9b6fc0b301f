"""Readers of records that share nothing with the receiver: they stand for the systems that import them."""

import csv
import io
import json
from dataclasses import dataclass
from decimal import Decimal
from xml.etree import ElementTree

import hl7

CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
LF = "{http://laserfiche.com/namespaces/importengine}"
FORM = "{urn:example:intake-form:1}"


@dataclass(frozen=True)
class DipDocument:
    """One document of an OnBase tagged index file: its tags in their order, each with its value."""

    tags: tuple[tuple[str, str], ...]

    def value(self, tag: str) -> str:
        (found,) = self.values(tag)
        return found

    def values(self, tag: str) -> list[str]:
        return [value for name, value in self.tags if name == tag]

    def place(self, tag: str) -> int:
        return [name for name, _ in self.tags].index(tag)


def dip(content: bytes) -> list[DipDocument]:
    """Read a tagged index file: documents begin with BEGIN:, and every line is a tag with its colon, and its value."""
    lines = content.decode("windows-1252").split("\r\n")
    assert lines.pop() == ""
    assert lines[0] == "BEGIN:"
    documents: list[list[tuple[str, str]]] = []
    for line in lines:
        assert "\n" not in line
        if line == "BEGIN:":
            documents.append([])
            continue
        tag, colon, value = line.partition(": ")
        assert colon or line.endswith(":"), line
        documents[-1].append((tag.removesuffix(":"), value))
    return [DipDocument(tuple(tags)) for tags in documents]


def transaction(content: bytes) -> list[dict[str, object]]:
    """Read a FileNet transaction file: class_code:properties:external_index:file, the properties as CSV."""
    lines = content.decode("utf-8").split("\n")
    assert lines.pop() == ""
    found = []
    for line in lines:
        code, properties, index, file = line.split(":")
        (values,) = csv.reader([properties], strict=True)
        found.append({"class": code, "properties": values, "index": index, "file": file})
    return found


FIXED = {
    "type": (0, 1),
    "delivery": (1, 21),
    "mrn": (21, 32),
    "family": (32, 62),
    "given": (62, 92),
    "born": (92, 100),
    "service": (100, 108),
    "document": (108, 112),
    "pages": (112, 117),
    "cents": (117, 127),
    "file": (127, 157),
}


def fixed(content: bytes) -> list[dict[str, str]]:
    """Read lines of fixed columns, counted in bytes."""
    lines = content.split(b"\r\n")
    assert lines.pop() == b""
    assert {len(line) for line in lines} == {157}
    return [
        {name: line[start:end].decode("iso-8859-1").rstrip(" ") for name, (start, end) in FIXED.items()}
        for line in lines
    ]


class Message:
    """An HL7 message, read by the `hl7` package."""

    def __init__(self, content: bytes) -> None:
        self.parsed = hl7.parse(content.decode("utf-8"))

    def leaf(self, segment: str, field: int, component: int = 1, occurrence: int = 0) -> str:
        """Return the text of a component, unescaped; "" where it is not there."""
        components = str(self.parsed.segments(segment)[occurrence](field)).split("^")
        return self.parsed.unescape(components[component - 1]) if component <= len(components) else ""

    def name(self) -> list[str]:
        """Return the parts of the patient's name, in no order."""
        return " ".join(self.leaf("PID", 5, component) for component in range(1, 7)).split()


def rows(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    """Read CSV with a header."""
    text = io.StringIO(content.decode("utf-8"), newline="")
    return list(csv.DictReader(text, strict=True, delimiter=delimiter))


def laserfiche(content: bytes) -> dict[str, list[str]]:
    """Return the fields of a Laserfiche list file's only document, in their order."""
    fields: dict[str, list[str]] = {}
    for value in ElementTree.fromstring(content).iter(f"{LF}field_value"):
        fields.setdefault(value.attrib["name"], []).append(value.text or "")
    return fields


@dataclass(frozen=True)
class Invoice:
    """A UBL invoice: what its importer adds up, and the names in it."""

    root: ElementTree.Element

    def texts(self, *path: str) -> list[str]:
        """Return the texts of basic components, by the aggregates that they lie in."""
        *outer, last = path
        return [each.text or "" for each in self.root.iterfind("/".join([*(CAC + name for name in outer), CBC + last]))]

    def amount(self, *path: str) -> Decimal:
        return sum(map(Decimal, self.texts(*path)), Decimal())


def ubl(content: bytes) -> Invoice:
    """Read a UBL invoice, of which each amount must be in its one currency."""
    invoice = Invoice(ElementTree.fromstring(content))
    (currency,) = invoice.texts("DocumentCurrencyCode")
    assert {each.get("currencyID", currency) for each in invoice.root.iter()} == {currency}
    return invoice


def form(content: bytes) -> ElementTree.Element:
    """Read an intake form."""
    return ElementTree.fromstring(content)


def bundle(content: bytes) -> dict[str, object]:
    """Return the only resource of a FHIR bundle."""
    return json.loads(content)["entry"][0]["resource"]
