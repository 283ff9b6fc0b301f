"""XML without its dangers: no DOCTYPE or entities, no network, bounded sizes.

expat reads twice: once to judge, and then, through ElementTree, to build. lxml was left out because libxml2 keeps
every name it ever saw for as long as its thread lives: a sender of ever new names would fill the memory.
xmlschema's `XMLResource` remembers the namespaces in scope, which ElementTree alone forgets and xsi:type needs; where
a document declares none, it takes the tree as ElementTree builds it, in half the time.
XInclude and xsi:schemaLocation are plain data here: nothing acts on them.
"""

import re
from io import BytesIO
from xml.etree import ElementTree
from xml.parsers import expat

from xmlschema import XMLResource

from receiver.schemas import encodings
from receiver.schemas.encodings import MalformedError

MAX_DEPTH = 64  # levels of nesting: NEXTSTEP's metadata has three; xmlschema recurses some ten calls a level
MAX_NODES = 20_000  # elements and attributes: 1,000 table rows of ten cells; an XSD judges 50 in 1 ms, a hard one 10
MAX_DECLARATION = 1_000  # bytes at the start that are looked at for the encoding: <?xml … ?> has 40 characters
MAX_NAMESPACES = 100  # namespace declarations: each element where one stands keeps a copy of all in scope

DECLARED = re.compile(
    r"(?:<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:\"[^\"]*\"|'[^']*'))"
    r"([ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:\"([A-Za-z][^\"<>]*)\"|'([A-Za-z][^'<>]*)'))"
)


def parse(content: bytes, max_nodes: int = MAX_NODES) -> XMLResource:
    """Return a document in UTF-8; its `root` is an ElementTree element.

    Raises `MalformedError`.
    """
    namespaces = prove(content, max_nodes)
    source = BytesIO(content) if namespaces else ElementTree.fromstring(content)  # noqa: S314 (it is judged)
    return XMLResource(source, allow="none")


def prove(content: bytes, max_nodes: int = MAX_NODES) -> int:
    """Return how many namespaces a document in UTF-8 declares.

    Raises `MalformedError` if it is not well-formed, or refused.
    """
    if not content.strip():
        raise MalformedError("it is empty")
    judge = _Judge(max_nodes)
    fault = judge.fault(content)
    if fault is not None:
        raise fault
    return judge.namespaces


def utf8(content: bytes, charset: str = "", *, own: bool = False) -> bytes:
    """Return a document in UTF-8, characters in place, without a declared encoding.

    `charset` is that of the part. What is `own` was written here, in the encoding that it declares. Raises
    `MalformedError`.
    """
    found = DECLARED.match(content[:MAX_DECLARATION].replace(b"\0", b"").decode("latin-1"))
    text = encodings.decoded(content, charset, found[2] or found[3] if found else "", own=own)
    there = DECLARED.match(text)
    if there:
        text = there[0][: -len(there[1])] + re.sub(r"[^\r\n]", " ", there[1]) + text[there.end() :]
    return text.encode()


def places(content: bytes) -> list[tuple[int, int]]:
    """Return line and column, from 1, of each start tag, in document order.

    For a UTF-8 document that `parse` accepts.
    """
    found: list[tuple[int, int]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda *_: found.append((parser.CurrentLineNumber, parser.CurrentColumnNumber + 1))
    parser.Parse(content, True)
    parser.StartElementHandler = None  # it holds the parser: no circle is left behind
    return found


class _RefusedError(Exception):
    pass


class _Judge:
    """Counts what the parser meets and stops it at the first thing that is refused."""

    def __init__(self, max_nodes: int) -> None:
        self._max_nodes = max_nodes
        self._depth = self._nodes = self.namespaces = 0
        self._fault: MalformedError | None = None
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartNamespaceDeclHandler = self._namespace

    def fault(self, content: bytes) -> MalformedError | None:
        """Return what is wrong with the text; None if nothing is."""
        try:
            self._parser.Parse(content, True)
        except _RefusedError:
            return self._fault
        except expat.ExpatError as error:
            return MalformedError(
                f"not well-formed XML: {expat.ErrorString(error.code)}", error.lineno, error.offset + 1
            )
        finally:
            del self._parser  # it holds this judge: a circle would keep its memory until garbage is looked for
        return None

    def _refuse(self, why: str) -> None:
        self._fault = MalformedError(why, self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)
        raise _RefusedError

    def _doctype(self, *_: object) -> None:
        self._refuse("a DOCTYPE is not accepted")

    def _start(self, _name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._nodes += 1 + len(attributes)
        if self._depth > MAX_DEPTH:
            self._refuse(f"it is nested deeper than {MAX_DEPTH} levels")
        if self._nodes > self._max_nodes:
            self._refuse(f"it has more than {self._max_nodes:,} elements and attributes")

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _namespace(self, *_: object) -> None:
        self.namespaces += 1
        if self.namespaces > MAX_NAMESPACES:
            self._refuse(f"it declares more than {MAX_NAMESPACES} namespaces")
