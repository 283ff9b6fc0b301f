"""XML: well formed, and by an XSD."""

from receiver.core.problems import Violation
from receiver.schemas import xml_text
from receiver.schemas.encodings import MalformedError
from receiver.schemas.xsd import XmlSchema

MAX_NODES = 100_000  # elements and attributes of a record: our own, so bounded only against a runaway loop


def violations(content: bytes, schema: XmlSchema | None) -> tuple[Violation, ...]:
    """Return the faults, each with its line and XPath."""
    try:
        content = xml_text.utf8(content, own=True)
        if schema is None:
            xml_text.prove(content, MAX_NODES)
            return ()
        document = xml_text.parse(content, MAX_NODES)
    except MalformedError as error:
        fault = Violation(f"line {error.line}, column {error.column}", "well-formed", error.message)
    else:
        return schema.violations(document, places=lambda: xml_text.places(content))
    return (fault,)
