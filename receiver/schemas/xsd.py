"""An XSD, compiled once; judges, and explains without the refused value.

No network, nothing outside of schemas/, no hints from the documents themselves: xsi:schemaLocation is ignored.
What of xmlschema is exchanged when the first one is compiled:

- Patterns run on finite automata: time grows with the text, whatever the pattern. xmlschema translates them for
  Python's re, which backtracks: `(a+)+` and thirty letters stall a worker for good. Its translation is kept,
  jsonschema-rs's linear engine runs it, and a schema class of ours plugs that in.
- The paths of xs:key, xs:unique and xs:keyref are matched without all of Unicode's letters if ASCII's will do. The
  library matches them by two expressions (XSD 1.0 part 1 §3.11.6), and compiling those takes 0.5 s of the 2 s of a
  start with XSDs, for the schema of schemas has such paths itself. With ASCII's letters alone they take 5 ms; what
  these do not match is left to the library's own.
- What elements of documents are called is not remembered: the library would keep each unknown name for good, and a
  sender of ever new names would fill the memory.
- Sets of characters, which `\\w` in a pattern intersects for seconds, are intersected range by range.
"""

import re
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema_rs
from elementpath import ElementPathError
from elementpath.regex import RegexError, UnicodeSubset, translate_pattern
from xmlschema import XMLSchema10, XMLSchema11, XMLSchemaException, XsdComponent
from xmlschema.validators import XsdGroup, XsdPatternFacets
from xmlschema.validators.builders import XsdBuilders
from xmlschema.validators.identities import XsdFieldSelector, XsdSelector

from receiver.core.faults import ConfigurationError, Fault, reading
from receiver.core.problems import Violation
from receiver.schemas import advice, words, xsd_explain, xsd_files
from receiver.schemas.xml_text import Parsed
from receiver.schemas.xsd_acceptor import Acceptor
from receiver.schemas.xsd_files import Files, SchemaFile, is_1_1

Places = Sequence[tuple[int, int]]  # line and column of each element, in document order

MAX_VIOLATIONS = 100  # reported at once: more than anyone repairs in one go

# XML Schema Part 2, F.1.1: multi-character escapes, which engines differ about
ESCAPES = {
    r"\d": r"\p{Nd}",
    r"\D": r"\P{Nd}",
    r"\w": r"[^\p{P}\p{Z}\p{C}]",
    r"\W": r"[\p{P}\p{Z}\p{C}]",
    r"\s": r"[ \t\n\r]",
    r"\S": r"[^ \t\n\r]",
}
ASCII = {r"\i": "[A-Za-z_:]", r"\c": "[-.0-9:A-Z_a-z]"}  # of the escapes in paths
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_END = r"$(?!\n\Z)"  # how the translation says "the end, and no line break before it"


@dataclass(frozen=True, slots=True)
class XmlSchema:
    """A schema that is ready to judge."""

    file: str  # below schemas/
    warnings: tuple[Fault, ...]
    known: frozenset[str]  # names in it, which may be shown
    _schema: Any
    _acceptor: Acceptor
    _places: Mapping[int, str]  # id of a schema's element → "nextstep-metadata.xsd:14"

    @property
    def files(self) -> set[str]:
        """The file and all that it refers to, below schemas/."""
        return {place.rpartition(":")[0] for place in self._places.values()}

    def violations(
        self, document: Parsed, where: str = "", places: Callable[[], Places] | None = None
    ) -> tuple[Violation, ...]:
        """Return every rule that the document breaks, at most a hundred; () if valid.

        `where` comes before the XPaths, and so does the line if `places` returns that of each element.
        """
        if self._acceptor.accepts(document.root):
            return ()
        resource = document.resource()
        try:
            errors = list(islice(self._schema.iter_errors(resource), MAX_VIOLATIONS + 1))
        except (XMLSchemaException, ElementPathError, ArithmeticError, ValueError, TypeError):
            # a year of twelve digits is one: the libraries' own arithmetic gives up
            return (Violation(where or "/", "schema", "holds a value that cannot be judged", self.file),)
        found = zip(resource.root.iter(), places(), strict=True) if errors and places else ()
        lines = {id(element): f"line {line}, " for element, (line, _) in found}
        violations = tuple(self._violation(error, where, lines) for error in errors[:MAX_VIOLATIONS])
        if len(errors) > MAX_VIOLATIONS:
            violations += (Violation(where or "/", "more", "and more of them", self.file),)
        return violations

    def _violation(self, error: Any, where: str, lines: Mapping[int, str]) -> Violation:
        rule, message = xsd_explain.rule_and_message(error, self.known)
        element = getattr(error.validator, "elem", None)
        schema = self._places.get(id(element), self.file)
        surplus = getattr(error, "invalid_child", None)
        line = lines.get(id(error.elem if surplus is None else surplus), "")
        return Violation(where + line + xsd_explain.place(error, self.known), rule, message, schema)


def compile(path: Path, folder: Path, site: Path) -> XmlSchema:  # noqa: A001 (as re.compile)
    """Compile a schema file of `folder`, with all that it refers to there.

    Raises `ConfigurationError`.
    """
    files = Files(folder, site)
    root = files.add(path)
    if files.faults or root is None:
        raise ConfigurationError(files.faults)
    if costly := list(xsd_files.cost_faults(files)):
        raise ConfigurationError(costly)
    schema, errors = _build(root, files)
    faults = dict.fromkeys(_fault(error, files, root) for error in errors)
    if faults:
        raise ConfigurationError(faults)
    names = {
        document.path: document.path.relative_to(folder.resolve()).as_posix() for document in files.documents.values()
    }
    return XmlSchema(names[root.path], (), _known(files), schema, Acceptor(schema), _all_places(schema, files, names))


def _known(files: Files) -> frozenset[str]:
    """Return local names of all elements and attributes, declared or referred to."""
    every = (element for document in files.documents.values() for element in document.root.iter())
    names = (name for element in every for name in (element.get("name"), element.get("ref")) if name)
    return frozenset(name.rpartition(":")[2] for name in names)


def _build(root: SchemaFile, files: Files) -> tuple[Any, list[Any]]:
    """Return what the library makes of a schema, and all that it finds wrong there.

    Raises `ConfigurationError`.
    """
    adapt()
    kind = Schema11 if is_1_1(root) else Schema10
    at_work = partial(_at_work, files, root)
    with warnings.catch_warnings(), reading(root.file, at_work):
        warnings.simplefilter("ignore")  # includes that lead nowhere are faults already
        try:
            schema = kind(
                str(root.path),
                allow="local",
                defuse="always",
                use_fallback=False,
                validation="lax",
            )
            return schema, list(schema.maps.all_errors)
        except (XMLSchemaException, ElementPathError) as error:
            message = words.rule(getattr(error, "message", None) or type(error).__name__)
            raise ConfigurationError(
                [Fault(*at_work(error), "invalid-schema", message, advice.of_xsd(message))]
            ) from None


def _at_work(files: Files, root: SchemaFile, error: BaseException) -> tuple[str, int, int]:
    """Return the innermost element that the library was building when it gave up."""
    found: tuple[str, int, int] = (root.file, 1, 1)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        component = frame.f_locals.get("self")
        if isinstance(component, XsdComponent):
            document = files.documents.get(Path(str(component.schema.source.filepath)))
            if document:
                found = (document.file, *_place(document, component.schema.source.root, component.elem))
    return found


def _fault(error: Any, files: Files, root: SchemaFile) -> Fault:
    """Point at the element of the file that an error of xmlschema speaks of."""
    source = getattr(error.validator, "schema", error.validator).source
    document = files.documents.get(Path(str(source.filepath)), root)
    place = _place(document, source.root, error.elem)
    return Fault(document.file, *place, "invalid-schema", words.rule(error.message), _hint(document, error))


def _place(document: SchemaFile, root: Any, wanted: Any) -> tuple[int, int]:
    found = (place for element, place in document.places_in(root) if element is wanted)
    return next(found, document.places[0])


def _hint(document: SchemaFile, error: Any) -> str:
    if "assert" in error.message and not is_1_1(document):
        return 'for XSD 1.1 say vc:minVersion="1.1" in xs:schema'
    return advice.of_xsd(error.message)


def _all_places(schema: Any, files: Files, names: Mapping[Path, str]) -> dict[int, str]:
    """Return file and line of each element of each schema, by the element's identity."""
    found: dict[int, str] = {}
    for each in schema.maps.schemas:
        document = files.documents.get(Path(str(each.source.filepath)))
        if document is not None:
            for element, (line, _) in document.places_in(each.source.root):
                found[id(element)] = f"{names[document.path]}:{line}"
    return found


def _keep_common(characters: UnicodeSubset, others: Iterable[Any]) -> UnicodeSubset:
    """Intersect by ranges: the library goes character by character, for seconds."""
    characters -= characters - others
    return characters


def _for_python(pattern: str, xsd_version: str) -> str:
    """Translate a pattern of XSD. Raises `RegexError`."""
    return translate_pattern(
        pattern, xsd_version=xsd_version, back_references=False, lazy_quantifiers=False, anchors=False
    )


class Linear:
    """One pattern, anchored at both ends.

    Raises `ValueError` if the engine does not take it.
    """

    def __init__(self, pattern: str, xsd_version: str) -> None:
        translated = _for_python(pattern, xsd_version)
        body = _ESCAPE.sub(lambda escape: ESCAPES.get(escape[0], escape[0]), translated.removesuffix(_END))
        self._validator = jsonschema_rs.validator_for(
            {"pattern": body + "$"}, pattern_options=jsonschema_rs.RegexOptions()
        )

    def match(self, text: str) -> bool | None:
        """Return True if the whole text matches, else None, as xmlschema expects of re."""
        return self._validator.is_valid(text) or None


class LinearPatterns(XsdPatternFacets):
    """The pattern facet, with the engine exchanged."""

    __slots__ = ()

    def _parse_value(self, elem: Any) -> Any:
        try:
            return Linear(elem.get("value", ""), self.xsd_version)
        except RegexError as error:
            self.parse_error(str(error), elem)
        except ValueError:
            self.parse_error("not a pattern, or one too large when its {n,m} are written out", elem)
        return re.compile("")  # the schema is refused; only the rest of its faults is still looked for


class Schema10(XMLSchema10):
    """XSD 1.0 with patterns that cannot stall."""

    builders = XsdBuilders("1.0", LinearPatterns)


class Schema11(XMLSchema11):
    """XSD 1.1 with patterns that cannot stall."""

    builders = XsdBuilders("1.1", LinearPatterns)


class KeyPaths:
    """Takes the place of a compiled expression of the library."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._plain = re.compile(re.sub(r"\\[ic]", lambda found: ASCII[found[0]], expression))

    def match(self, path: str) -> Any:
        """Return something true for a path that may stand in a key."""
        return self._plain.fullmatch(path) or re.match(_for_python(self._expression, "1.0"), path)


@cache
def adapt() -> None:
    """Patch the library once, before the first XSD is compiled."""
    XsdGroup.match_element = XsdGroup.match_element.__wrapped__  # type: ignore[method-assign,attr-defined]
    UnicodeSubset.__iand__ = _keep_common  # type: ignore[assignment]
    for selector in (XsdSelector, XsdFieldSelector):
        selector.pattern = KeyPaths(selector._REGEXP)  # type: ignore[assignment]  # only its `match` is called
