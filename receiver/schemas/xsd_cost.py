"""What an XSD costs: how many particles one element's content has, and types one value, which references multiply.

Twenty groups that each refer twice to the next one have a million particles, in a file of 2 KB, and every element with
that content is judged by all of them.
"""

from collections.abc import Iterator
from typing import Any

from xmlschema import names

from receiver.core.faults import Fault
from receiver.schemas.xsd_files import Files

MOST = 10_000  # particles or types: some forty milliseconds; the largest public schemas have some thousand

WHOLE = {names.XSD_COMPLEX_TYPE, names.XSD_SIMPLE_TYPE, names.XSD_GROUP}
OTHERS = {names.XSD_ELEMENT, names.XSD_ATTRIBUTE, names.XSD_ANNOTATION}  # what stands in them judges another value


def faults(files: Files) -> Iterator[Fault]:
    """Yield the first definition of each file that costs too much."""
    cost = _Cost(files)
    for document in files.documents.values():
        whole = (element for element in document.resource.root.iter() if element.tag in WHOLE)
        if element := next((each for each in whole if cost.of(each) > MOST), None):
            message = (
                f"it comes to {cost.of(element):,} particles or types: its references lead to the same again and again"
            )
            yield document.fault(element, "too-costly", message, f"at most {MOST:,}: refer to each once")


class _Cost:
    """Counts by definition; those of one name in several namespaces count together."""

    def __init__(self, files: Files) -> None:
        self._counted: dict[int, int] = {}  # by the identity of the element
        self._named: dict[tuple[bool, str], list[Any]] = {}  # group or type
        for document in files.documents.values():
            for element in document.resource.root.iter():
                if element.tag in WHOLE and element.get("name"):
                    self._named.setdefault(_key(element.tag, element.get("name", "")), []).append(element)

    def of(self, element: Any) -> int:
        """Return how much one element of a schema comes to, with all that it refers to for the same value."""
        if id(element) not in self._counted:
            self._counted[id(element)] = 0  # meanwhile: a circle is told by the library
            inner = [child for child in element if child.tag not in OTHERS]
            plain = len(element) - len(inner)
            self._counted[id(element)] = 1 + plain + sum(map(self.of, [*inner, *self._referred(element)]))
        return self._counted[id(element)]

    def _referred(self, element: Any) -> Iterator[Any]:
        if element.tag == names.XSD_GROUP:
            yield from self._named.get(_key(element.tag, element.get("ref", "")), ())
        for name in (element.get("base", ""), element.get("itemType", ""), *element.get("memberTypes", "").split()):
            yield from self._named.get(_key(names.XSD_SIMPLE_TYPE, name), ())


def _key(tag: str, name: str) -> tuple[bool, str]:
    return tag == names.XSD_GROUP, name.rpartition(":")[2]
