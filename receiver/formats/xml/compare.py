"""XML, by path: `/intakeForm/diagnoses/diagnosis[2]/@code`.

Prefixes are left out; names are local names.
"""

from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

from receiver.formats import differences
from receiver.formats.differences import aligned


def compare(expected: str, got: str) -> Iterator[str]:
    """Yield the differences of two documents. Raises ValueError for what is none."""
    try:
        one, other = fromstring(expected), fromstring(got)  # noqa: S314 (records of our own making)
    except ParseError:
        raise ValueError("not an XML document") from None
    if one.tag != other.tag:
        return iter([differences.changed("/", _shown(one), _shown(other))])
    return _element(f"/{_local(one.tag)}", one, other)


def _element(where: str, one: Element, other: Element) -> Iterator[str]:
    for name in dict.fromkeys([*one.attrib, *other.attrib]):
        yield from _text(f"{where}/@{_local(name)}", one.get(name), other.get(name))
    yield from _text(where, _stripped(one.text), _stripped(other.text))
    children, others = list(one), list(other)
    labels, other_labels = _labels(where, children), _labels(where, others)
    for a, b in aligned(children, others, _whole, lambda child: child.tag):
        if a is not None and b is not None:
            yield from _element(labels[a], children[a], others[b])
            yield from _text(f"{labels[a]} (after it)", _stripped(children[a].tail), _stripped(others[b].tail))
        elif a is not None:
            yield differences.missing(labels[a], _shown(children[a]))
        elif b is not None:
            yield differences.surplus(other_labels[b], _shown(others[b]))


def _text(where: str, one: str | None, other: str | None) -> Iterator[str]:
    if one is None:
        if other is not None:
            yield differences.surplus(where, differences.quoted(other))
    elif other is None:
        yield differences.missing(where, differences.quoted(one))
    elif one != other:
        yield differences.values(where, one, other)


def _labels(where: str, children: list[Element]) -> list[str]:
    total = Counter(child.tag for child in children)
    seen: Counter[str] = Counter()
    labels = []
    for child in children:
        seen[child.tag] += 1
        number = f"[{seen[child.tag]}]" if total[child.tag] > 1 else ""
        labels.append(f"{where}/{_local(child.tag)}{number}")
    return labels


def _whole(element: Element) -> bytes:
    return bytes(tostring(element, "utf-8")).strip()


def _shown(element: Element) -> str:
    """Return an element as text, without the declarations of its namespaces."""
    text = "".join(element.itertext()).strip()
    attributes = "".join(f' {_local(name)}="{value}"' for name, value in element.attrib.items())
    return differences.quoted(f"<{_local(element.tag)}{attributes}>{text}")


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def _local(name: str) -> str:
    return name.rpartition("}")[2]
