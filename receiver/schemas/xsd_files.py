"""The files of an XSD by include, import, redefine and override, and their cost.

All inside one folder.

Twenty groups that each refer twice to the next one have a million particles, in a file of 2 KB, and every element with
that content is judged by all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from xmlschema import XMLResource, XMLSchemaException, names

from receiver.core.faults import Fault
from receiver.schemas import advice, words
from receiver.schemas.encodings import MalformedError
from receiver.schemas.xml_text import parse, places, utf8

MAX_NODES = 200_000  # elements and attributes of a schema file: the largest public ones have some 50,000

REFERENCES = {names.XSD_INCLUDE, names.XSD_IMPORT, names.XSD_REDEFINE, names.XSD_OVERRIDE}
TESTS = {names.XSD_ASSERT, names.XSD_ASSERTION, names.XSD_ALTERNATIVE}
KNOWN_NAMESPACES = {names.XML_NAMESPACE, names.XSI_NAMESPACE}  # xmlschema brings them: no location is looked at
MIN_VERSION = "{http://www.w3.org/2007/XMLSchema-versioning}minVersion"
OUTWARD = ("doc", "doc-available", "collection", "uri-collection", "unparsed-text", "environment-variable")
UNBOUNDED = ("matches", "replace", "tokenize", "analyze-string")
MOST_PARTICLES = 10_000  # particles or types: some forty milliseconds; the largest public schemas have some thousand

COUNTED_WHOLE = {names.XSD_COMPLEX_TYPE, names.XSD_SIMPLE_TYPE, names.XSD_GROUP}
COUNTED_APART = {
    names.XSD_ELEMENT,
    names.XSD_ATTRIBUTE,
    names.XSD_ANNOTATION,
}  # what stands in them judges another value


@dataclass(frozen=True)
class SchemaFile:
    """One schema file, read."""

    path: Path
    file: str  # relative to the site
    root: Element
    places: list[tuple[int, int]]  # of each element, in document order

    def fault(self, element: Any, code: str, message: str, hint: str = "") -> Fault:
        """Return a fault that points at an element."""
        return Fault(self.file, *self.place(element), code, message, hint)

    def place(self, element: Any) -> tuple[int, int]:
        """Return line and column of an element; of the root for one of another file."""
        for found, place in zip(self.root.iter(), self.places, strict=True):
            if found is element:
                return place
        return self.places[0]

    def places_in(self, root: Any) -> Iterator[tuple[Any, tuple[int, int]]]:
        """Yield each element of the library's own tree of this file, and its place.

        The library takes away what vc:minVersion and its like exclude (XML Schema 1.1 Part 1, §4.2.2).
        """
        places = {id(element): place for element, place in zip(self.root.iter(), self.places, strict=True)}
        for element, counterpart in _counterparts(root, self.root):
            yield element, places[id(counterpart)]


def _counterparts(kept: Any, whole: Any) -> Iterator[tuple[Any, Any]]:
    """Pair a tree's elements with those of the whole one, alike in what was kept."""
    yield kept, whole
    others = iter(whole)
    for child in kept:
        twin = next(other for other in others if (other.tag, other.attrib) == (child.tag, child.attrib))
        yield from _counterparts(child, twin)


class Files:
    """Reads an XSD and all it refers to; what is wrong gathers in `faults`."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.documents: dict[Path, SchemaFile] = {}
        self.faults: list[Fault] = []
        self._folder = folder.resolve()
        self._site = site

    def add(self, path: Path) -> SchemaFile | None:
        """Read a file and what it refers to; None if it cannot be read."""
        place = path.resolve()
        if place in self.documents:
            return self.documents[place]
        file = words.file(path, self._site)
        if not place.is_relative_to(self._folder):
            hint = "copy it into schemas/: what it links to elsewhere is not read"
            self.faults.append(Fault(file, 1, 1, "outside-schemas", "the file does not lie in schemas/", hint))
            return None
        try:
            raw = path.read_bytes()
            source = utf8(raw)
            document = SchemaFile(place, file, parse(source, MAX_NODES).root, places(source))
        except OSError as error:
            self.faults.append(
                Fault(file, 1, 1, "unreadable-file", error.strerror or "cannot be read", advice.UNREADABLE)
            )
            return None
        except MalformedError as error:
            self.faults.append(Fault(file, error.line, error.column, "not-xml", *advice.of_file(error.message)))
            return None
        if source != raw and not _is_read_by_libraries(path):
            hint = "save it as UTF-8, and declare that"
            self.faults.append(Fault(file, 1, 1, "not-xml", "schemas are not read in this encoding", hint))
            return None
        self.documents[place] = document
        self._follow(document)
        self.faults += _dangerous(document)
        return document

    def _follow(self, document: SchemaFile) -> None:
        for element in document.root:
            location = element.get("schemaLocation")
            known = element.tag == names.XSD_IMPORT and element.get("namespace") in KNOWN_NAMESPACES
            if element.tag not in REFERENCES or location is None or known:
                continue
            target = self._target(document, location)
            if target is None:
                message = f"{words.name(location)} leads to no file in schemas/"
                hint = "nothing is fetched from elsewhere: put that schema into schemas/ and name its file"
                self.faults.append(document.fault(element, "unresolved-reference", message, hint))
            else:
                self.add(target)

    def _target(self, document: SchemaFile, location: str) -> Path | None:
        parts = urlsplit(location.strip())
        if parts.scheme or parts.netloc or "\\" in location:
            return None
        target = (document.path.parent / unquote(parts.path)).resolve()
        return target if target.is_relative_to(self._folder) and target.is_file() else None


def _is_read_by_libraries(path: Path) -> bool:
    """Return whether xmlschema, which reads fewer encodings, can read a sound file."""
    try:
        XMLResource(str(path))
    except (XMLSchemaException, LookupError, ValueError):
        return False
    return True


def is_1_1(document: SchemaFile) -> bool:
    """Return whether vc:minVersion asks for XSD 1.1 (XML Schema 1.1 Part 1, §4.2.2)."""
    version: str = document.root.get(MIN_VERSION, "1.0")
    return version.strip() not in ("", "1.0")


def _dangerous(document: SchemaFile) -> Iterator[Fault]:
    """Yield XSD 1.1 assertions that reach outside, or run unbounded patterns."""
    for element in document.root.iter():
        if element.tag not in TESTS:
            continue
        calls = element.get("test", "").replace(" ", "")
        if any(f"{function}(" in calls for function in OUTWARD):
            message = "the test reaches outside of the document"
            yield document.fault(element, "unsafe-assertion", message, "let it speak of this document only")
        if any(f"{function}(" in calls for function in UNBOUNDED):
            message = "the test runs a pattern, which can take unbounded time"
            yield document.fault(element, "unsafe-assertion", message, "use xs:pattern")


def cost_faults(files: Files) -> Iterator[Fault]:
    """Yield the first definition of each file that costs too much."""
    cost = _Cost(files)
    for document in files.documents.values():
        whole = (element for element in document.root.iter() if element.tag in COUNTED_WHOLE)
        if element := next((each for each in whole if cost.of(each) > MOST_PARTICLES), None):
            message = (
                f"it comes to {cost.of(element):,} particles or types: its references lead to the same again and again"
            )
            yield document.fault(element, "too-costly", message, f"at most {MOST_PARTICLES:,}: refer to each once")


class _Cost:
    """Counts by definition; those of one name in several namespaces count together."""

    def __init__(self, files: Files) -> None:
        self._counted: dict[int, int] = {}  # by the identity of the element
        self._named: dict[tuple[bool, str], list[Any]] = {}  # group or type
        for document in files.documents.values():
            for element in document.root.iter():
                if element.tag in COUNTED_WHOLE and element.get("name"):
                    self._named.setdefault(_cost_key(element.tag, element.get("name", "")), []).append(element)

    def of(self, element: Any) -> int:
        """Return the cost of one element with all that it refers to for the same value."""
        if id(element) not in self._counted:
            self._counted[id(element)] = 0  # meanwhile: a circle is reported by the library
            inner = [child for child in element if child.tag not in COUNTED_APART]
            plain = len(element) - len(inner)
            self._counted[id(element)] = 1 + plain + sum(map(self.of, [*inner, *self._referred(element)]))
        return self._counted[id(element)]

    def _referred(self, element: Any) -> Iterator[Any]:
        if element.tag == names.XSD_GROUP:
            yield from self._named.get(_cost_key(element.tag, element.get("ref", "")), ())
        for name in (element.get("base", ""), element.get("itemType", ""), *element.get("memberTypes", "").split()):
            yield from self._named.get(_cost_key(names.XSD_SIMPLE_TYPE, name), ())


def _cost_key(tag: str, name: str) -> tuple[bool, str]:
    return tag == names.XSD_GROUP, name.rpartition(":")[2]
