"""XML metadata in templates: read-only, children and attributes by name."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element


class Names:
    """Elements of one name: `metadata.patient.name`, `metadata.patient["@id"]`.

    `{% for each in metadata.code %}` goes through all.

    It is all siblings of that name. Text, children and attributes are asked of a single one: where there are
    several, say which, `metadata.code[0]`, or loop. Names are local names, without namespaces.
    """

    __slots__ = ("_elements",)

    def __init__(self, elements: tuple[Element, ...]) -> None:
        self._elements = elements

    def __getattr__(self, name: str) -> "Names":
        if name.startswith("_"):
            raise AttributeError(name)
        children = tuple(child for child in self._only() if child.tag == name)
        if not children:
            raise AttributeError(name)
        return Names(children)

    def __getitem__(self, key: str | int) -> "Names | str":
        if isinstance(key, int):
            return Names((self._elements[key],))
        if key.startswith("@"):
            return self._only().attrib[key[1:]]
        try:
            return self.__getattr__(key)
        except AttributeError:
            raise KeyError(key) from None

    def __iter__(self) -> "Iterator[Names]":
        return (Names((element,)) for element in self._elements)

    def __len__(self) -> int:
        return len(self._elements)

    def __str__(self) -> str:
        return "".join(self._only().itertext())

    def __repr__(self) -> str:
        return f"<{len(self._elements)} elements>"  # never the text

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def _only(self) -> Element:
        if len(self._elements) != 1:
            raise ValueError("there are several of these elements: say which, [0], or loop")
        return self._elements[0]
