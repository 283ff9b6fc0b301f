"""An XSD, compiled once; judges, and explains without the refused value.

No network, nothing outside of schemas/, no hints from the documents themselves: xsi:schemaLocation is ignored.
"""

import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from elementpath import ElementPathError
from xmlschema import XMLResource, XMLSchemaException, XsdComponent

from receiver.core.faults import ConfigurationError, Fault, reading
from receiver.core.problems import Violation
from receiver.schemas import advice, words, xsd_explain, xsd_files
from receiver.schemas.xsd_acceptor import Acceptor
from receiver.schemas.xsd_files import Files, SchemaFile, is_1_1
from receiver.schemas.xsd_library import Schema10, Schema11, adapt

Places = Sequence[tuple[int, int]]  # line and column of each element, in document order

MAX_VIOLATIONS = 100  # reported at once: more than anyone repairs in one go


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
        self, document: XMLResource, where: str = "", places: Callable[[], Places] | None = None
    ) -> tuple[Violation, ...]:
        """Return every rule that the document breaks, at most a hundred; () if valid.

        `where` comes before the XPaths, and so does the line if `places` returns that of each element. The
        document is what `xml_text.parse` returns.
        """
        if self._acceptor.accepts(document.root):
            return ()
        try:
            errors = list(islice(self._schema.iter_errors(document), MAX_VIOLATIONS + 1))
        except (XMLSchemaException, ElementPathError, ArithmeticError, ValueError, TypeError):
            # a year of twelve digits is one: the libraries' own arithmetic gives up
            return (Violation(where or "/", "schema", "holds a value that cannot be judged", self.file),)
        found = zip(document.root.iter(), places(), strict=True) if errors and places else ()
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
    every = (element for document in files.documents.values() for element in document.resource.root.iter())
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
