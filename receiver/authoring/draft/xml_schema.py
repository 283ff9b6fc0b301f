"""An XSD from XML documents: elements and attributes, and which are required.

Values leave no trace in it.
"""

import re
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

XS = "http://www.w3.org/2001/XMLSchema"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
UNBOUNDED = {"minOccurs": "0", "maxOccurs": "unbounded"}
NAME = re.compile(r"(?:\{([^}]*)\})?(.*)", re.DOTALL)


def schema(documents: Sequence[Any], open_at: str | None) -> bytes:
    """Return a schema that all documents satisfy.

    Elements of further namespaces are accepted unchecked.

    `open_at` is the path of the element whose children are the fields, under names of their own: any may come.
    """
    roots = [document.parsed.root for document in documents]
    namespace = NAME.fullmatch(roots[0].tag)[1]  # type: ignore[index]
    attributes = {"xmlns:xs": XS, "elementFormDefault": "qualified"}
    if namespace:
        attributes |= {"targetNamespace": namespace, "xmlns": namespace}
    top = Element("xs:schema", attributes)
    _Shape(namespace or "", open_at).element(top, roots, "", {})
    indent(top, "  ")
    text: str = tostring(top, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


class _Shape:
    """Writes the declarations of one namespace."""

    def __init__(self, namespace: str, open_at: str | None) -> None:
        self.namespace = namespace
        self.open_at = open_at

    def element(self, parent: Element, seen: Sequence[Element], path: str, occurs: dict[str, str]) -> None:
        """Write the declaration of an element; `path` leads to it from the root."""
        declared = SubElement(parent, "xs:element", {"name": _local(seen[0].tag), **occurs})
        children = any(len(element) for element in seen)
        names = [name for name in _attributes(seen) if not name.startswith(XSI)]
        if not children and not names:
            declared.set("type", "xs:string")
            return
        body = SubElement(declared, "xs:complexType")
        if children:
            self.content(body, seen, path)
        elif any((element.text or "").strip() for element in seen):
            body = SubElement(SubElement(body, "xs:simpleContent"), "xs:extension", {"base": "xs:string"})
        for name in (name for name in names if not name.startswith("{")):
            use = {"use": "required"} if all(name in element.attrib for element in seen) else {}
            SubElement(body, "xs:attribute", {"name": name, "type": "xs:string", **use})
        SubElement(body, "xs:anyAttribute", {"namespace": "##any", "processContents": "lax"})

    def content(self, body: Element, seen: Sequence[Element], path: str) -> None:
        """Write what an element holds: in the order in which it always came, or in any."""
        if any(_has_text(element) for element in seen):
            body.set("mixed", "true")
        if path == self.open_at:
            group = SubElement(body, "xs:sequence")
            SubElement(group, "xs:any", {"processContents": "lax", **UNBOUNDED})
            return
        children = [child for element in seen for child in element]
        own = list(dict.fromkeys(child.tag for child in children if _space(child.tag) == self.namespace))
        others = any(_space(child.tag) != self.namespace for child in children)
        ordered = not others and all(_is_in_order(element, own) for element in seen)
        group = SubElement(body, "xs:sequence") if ordered else SubElement(body, "xs:choice", UNBOUNDED)
        for tag in own:
            same = [child for child in children if child.tag == tag]
            self.element(group, same, f"{path}/{_local(tag)}".strip("/"), _occurs(seen, tag) if ordered else {})
        if others:
            SubElement(group, "xs:any", {"namespace": "##other", "processContents": "lax"})


def _occurs(seen: Sequence[Element], tag: str) -> dict[str, str]:
    counts = [sum(1 for child in element if child.tag == tag) for element in seen]
    many = {"maxOccurs": "unbounded"} if max(counts) > 1 else {}
    return ({"minOccurs": "0"} if min(counts) == 0 else {}) | many


def _is_in_order(element: Element, tags: list[str]) -> bool:
    places = [tags.index(child.tag) for child in element]
    return places == sorted(places)


def _attributes(seen: Sequence[Element]) -> list[str]:
    return list(dict.fromkeys(name for element in seen for name in element.attrib))


def _has_text(element: Element) -> bool:
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _space(tag: str) -> str:
    return tag.rpartition("}")[0].removeprefix("{")
