"""Metadata in XML; paths are XPath 1.0. json.py has the same functions.

Namespaces are left out of paths and templates: the schema has judged them, and a process owner should not have
to declare them again. Names are local names. Paths of nothing but names are ElementTree's own as well, which takes
no second tree: elementpath is asked for all others.
"""

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from operator import itemgetter, methodcaller
from typing import Any, cast
from xml.etree.ElementTree import Element, ElementTree

from elementpath import (
    AttributeNode,
    DocumentNode,
    ElementNode,
    ElementPathError,
    XPath1Parser,
    XPathContext,
    XPathNode,
    build_node_tree,
)
from xmlschema.utils.etree import etree_getpath

from receiver.metadata.fields import Absent, Found, Known, Layout, WrongPathError, read_numbers
from receiver.metadata.xml_names import Names
from receiver.schemas import xml_text
from receiver.schemas.folder import Schemas
from receiver.schemas.xsd import XmlSchema
from receiver.schemas.xsd_explain import path_of

NAME = "XML"
SOURCE_ID = "sourceId"
EACH, FIELD_NAME, VALUE, CONFIDENCE = ".//field", "@name", ".", "@confidence"
NO_CONFIDENCE = "@none"  # the path of one that is never sent

PREFIX = re.compile(r"[\w.-]+:(?=[\w*])")
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"  # XML Schema 1.0 Part 1, §2.6.2
_NAMES = re.compile(r"\.//[a-z_][\w-]*|[a-z_][\w-]*(/[a-z_][\w-]*)*", re.ASCII | re.IGNORECASE)
_OWNER = re.compile(rf"(?P<names>{_NAMES.pattern})/@[a-z_][\w-]*", re.ASCII | re.IGNORECASE)


@dataclass
class Document:
    """A document as the schema sees it, and as paths and templates do."""

    parsed: xml_text.Parsed
    root: Element  # without namespaces

    @cached_property
    def tree(self) -> DocumentNode:
        """The same for XPath."""
        return cast(DocumentNode, build_node_tree(ElementTree(self.root)))


Item = tuple[Element | XPathNode, Document]  # an element or other node to look from, and its document


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled XPath."""

    expression: str
    attribute: str  # the one that it leads to if it is nothing else: `@name`
    names: bool  # whether it is nothing but names: `a/b`, `.//a`
    _token: Any
    owner: str = ""  # names before an attribute, and nothing else: `a/b` of `a/b/@c`

    def select(self, item: Item) -> list[Any]:
        """Return every element, other node or value that the path selects, in document order."""
        node, document = item
        if self.names and isinstance(node, Element):
            return node.findall(self.expression)
        context = XPathContext(document.tree, item=node)
        try:
            found = list(self._token.select(context))
        except (ElementPathError, ArithmeticError, ValueError, TypeError):  # a function dislikes what it is given
            return []
        found.sort(key=_position)  # elementpath takes what `.//a[b]` finds level by level
        return [each.obj if isinstance(each, ElementNode) else each for each in found]

    def find(self, item: Item) -> Any:
        """Return the text of the one thing that the path selects."""
        node, _ = item
        if self.attribute and isinstance(node, Element):
            return node.get(self.attribute, Absent.MISSING)
        if self.owner and isinstance(node, Element):
            return self._attribute_below(node)
        found = [node] if self.expression == "." else self.select(item)
        if len(found) != 1:
            return Absent.SEVERAL if found else Absent.MISSING
        (only,) = found
        return None if _is_nil(only) else _text(only)

    def find_each(self, items: Sequence[Item]) -> list[Any]:
        """Return what `find` does, for each of some items."""
        nodes: list[Any] = list(map(itemgetter(0), items))
        try:
            if self.attribute:
                return list(map(methodcaller("get", self.attribute, Absent.MISSING), nodes))
            if self.expression == "." and not any(map(methodcaller("get", NIL), nodes)):
                return list(map("".join, map(Element.itertext, nodes)))
        except AttributeError:  # some are no elements
            pass
        return [self.find(item) for item in items]

    def _attribute_below(self, node: Element) -> Any:
        name = self.expression.removeprefix(f"{self.owner}/@")
        found = [value for each in node.findall(self.owner) if (value := each.get(name)) is not None]
        if len(found) != 1:
            return Absent.SEVERAL if found else Absent.MISSING
        (only,) = found
        return only


def path(expression: str) -> Path:
    """Compile an XPath. Raises `WrongPathError`."""
    try:
        token = XPath1Parser().parse(expression)
        list(token.select(XPathContext(build_node_tree(Element("document")))))  # finds an unknown variable
    except ElementPathError as error:
        position = getattr(error.token, "position", None) or (1, 1)
        hint = 'steps are names with / between them: document/id; @id is an attribute, .//field each "field" below'
        if error.code == "err:XPST0081":
            hint = f"names stand without a prefix here: write {PREFIX.sub('', expression)}"
        raise WrongPathError(f"not an XPath: {error.message}", position[1], hint) from None
    owner = _OWNER.fullmatch(expression)
    names = bool(_NAMES.fullmatch(expression))
    return Path(expression, _attribute(token), names, token, owner["names"] if owner else "")


def schema(schemas: Schemas, name: str) -> XmlSchema:
    """Return the schema of the metadata. Raises `ConfigurationError`."""
    return schemas.xml(name)


def parse(content: bytes, charset: str = "") -> Document:
    """Return the document. `charset` is that of its part. Raises `MalformedError`."""
    text = xml_text.utf8(content, charset)
    parsed = xml_text.parse(text)
    named = b"xmlns" in text or b"xml:" in text  # without them no name has a namespace
    return Document(parsed, _without_namespaces(parsed.root) if named else parsed.root)


def judged(document: Document) -> xml_text.Parsed:
    """Return what the schema judges."""
    return document.parsed


def source_id(document: Document, path: Path) -> Any:
    """Return the text at the path without white space around it (XML 1.0 §2.3)."""
    found = path.find(top(document))
    return found.strip(" \t\r\n") if isinstance(found, str) else found


def fields(document: Document, layout: Layout, known: Known = None) -> Found | None:
    """Return every field; None if `each` selects something that is no node.

    Names that are not `known` are stars in what is reported of a field's place.
    """
    found = cells(top(document), layout.each)
    return None if found is None else Found(found, lambda index: _place(found[index][0], document, known))


def rows(item: Item, path: Any) -> list[Item | None] | None:
    """Return every row, None for a nil one; None for all if something is no node."""
    found = cells(item, path)
    return None if found is None else [None if _is_nil(each[0]) else each for each in found]


def cells(item: Item, path: Any) -> list[Item] | None:
    """Return every node that a path selects; None if it selects anything else."""
    found = path.select(item)
    if path.names or all(isinstance(node, Element | XPathNode) for node in found):
        return list(zip(found, repeat(item[1])))
    return None


def numbers(item: Item, path: Any) -> Iterator[float]:
    """Yield the numbers at a path, in order; none if anything else is there."""
    return read_numbers(_text(each) for each in path.select(item))


def top(document: Document) -> Item:
    """Return what paths into the whole document are looked up from."""
    return document.root, document


def place(document: Document, path: Any, known: Known = None) -> str:
    """Return where a path leads, for people."""
    root = document.root.tag if known is None or document.root.tag in known else "*"
    return str(path.expression if path.expression.startswith("/") else f"/{root}/{path.expression}")


def as_names(document: Document) -> Names:
    """Return what templates see as `metadata`."""
    return Names((document.root,))


def _position(found: Any) -> int:
    """Return where a node stands in its document; values stand nowhere."""
    return getattr(found, "position", 0)


def _attribute(token: Any) -> str:
    """Return the attribute at the end of a path, as XPath parsed it; else ""."""
    return str(token[0].value) if token.symbol == "@" and token[0].symbol == "(name)" else ""


def _is_nil(found: Any) -> bool:
    """Return whether an element says that it has no value, and has none."""
    if not isinstance(found, Element) or found.get(NIL, "").strip() not in ("true", "1"):
        return False
    return not "".join(found.itertext()).strip()


def _text(found: Any) -> str:
    if isinstance(found, Element):
        return "".join(found.itertext())
    if isinstance(found, XPathNode):
        return str(found.string_value)
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(int(found)) if isinstance(found, float) and found.is_integer() else str(found)


def _place(node: Element | XPathNode, document: Document, known: Known) -> str:
    """Return the node's XPath as xmlschema writes it, so equal places look equal."""
    element = cast(ElementNode, node.parent).obj if isinstance(node, AttributeNode) else node
    if not isinstance(element, Element):
        return "/"
    path = etree_getpath(element, document.root, relative=False, add_position=True) or "/"
    found = f"{path}/@{node.name}" if isinstance(node, AttributeNode) else path
    return found if known is None else path_of(found, known)


def _without_namespaces(root: Element) -> Element:
    copy = deepcopy(root)
    for element in copy.iter():
        element.tag = _local(element.tag)
        for name in [name for name in element.attrib if "}" in name]:
            element.attrib.setdefault(_local(name), element.attrib[name])
            if name != NIL:
                del element.attrib[name]
    return copy


def _local(name: str) -> str:
    return name.rpartition("}")[2]
