"""Templates that the rest of the process contradicts.

Placeholders of other programs, types, sizes and encodings.
"""

import codecs
import re
from collections.abc import Iterator

from jinja2 import nodes

from receiver.authoring.check.shape import Shape
from receiver.authoring.check.site import Site, Written, texts
from receiver.core import units
from receiver.core.delivery import Role
from receiver.core.faults import Fault, Severity
from receiver.formats.budget import MAX_DOCUMENT
from receiver.site.config.model import PartConfig, ProcessConfig, RecordConfig
from receiver.site.pieces import Pieces
from receiver.templates.names import NAMES
from receiver.templates.source import Source

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
FORMS = {  # of other template languages; the word within decides
    "{word}": re.compile(r"(?<![{$])\{\s*([A-Za-z_][\w.-]*)\s*\}(?!\})"),
    "${word}": re.compile(r"\$\{\s*([^}\n]+?)\s*\}"),
    "%word%": re.compile(r"%([A-Za-z_][\w.-]*)%"),
    "[word]": re.compile(r"(?<!\w)\[([A-Za-z_][\w.-]*)\]"),
    "<word>": re.compile(r"<([A-Za-z_][\w.-]*)>"),
    "fields.word": re.compile(r"(?<![\w.{$%\[<])(fields\.[A-Za-z_]\w*)"),
}
STRAY = re.compile(r"(?<=\}\})\}")  # }}}
ALWAYS = frozenset({"${word}"})  # nothing else looks so
MEDIA_TYPE = re.compile(r"\b(application|image)[/^](pdf|tiff|png|jpeg)\b", re.IGNORECASE)


def literals(site: Site) -> Iterator[Fault]:
    """Yield text that looks like a field, and media types that documents do not have."""
    for process in site.processes:
        name = process.config.fields.schema
        shape = site.shape(name) if name else None
        written = list(texts(site, process))
        for each in written:
            yield from _placeholders(each, shape)
        yield from _media_types(process.config, [each for each in written if each.record])


def _placeholders(written: Written, shape: Shape | None) -> Iterator[Fault]:
    if not isinstance(written.root, nodes.Template):  # a condition has no text that is printed
        return
    text = _literal(written)
    stray = STRAY.search(written.source.text) if written.record and written.record.format != "json" else None
    if stray:
        message, hint = "a } behind a value is printed as it stands", "write }} where the value ends"
        place = written.source.place(stray.start())
        yield Fault(*place, "foreign-placeholder", message, hint, Severity.WARNING)
    for form, pattern in FORMS.items():
        if form == "<word>" and written.record and written.record.format == "xml":
            continue
        for match in pattern.finditer(text):
            if form in ALWAYS or _known(match[1], shape):
                message = f"{match[0]} is printed as it stands here"
                hint = f"a value is written {{{{ {_meant(match[1], shape)} }}}}"
                place = written.source.place(match.start())
                yield Fault(*place, "foreign-placeholder", message, hint, Severity.WARNING)


def _literal(written: Written) -> str:
    """Return the text with its tags blanked out, so that places stay what they are."""
    return TAG.sub(lambda tag: re.sub(r"[^\n]", " ", tag[0]), written.source.text)


def _known(word: str, shape: Shape | None) -> bool:
    owner, dot, _ = word.partition(".")
    return (bool(dot) and owner in NAMES) or bool(shape and word in shape.members)


def _meant(word: str, shape: Shape | None) -> str:
    return f"fields.{word}" if shape and word in shape.members else word if "." in word else "fields.…"


def _media_types(config: ProcessConfig, written: list[Written]) -> Iterator[Fault]:
    """Yield a media type as text although documents of other types are accepted.

    Unless something asks for the type.
    """
    rules = [part for part in config.parts if part.role is Role.DOCUMENT]
    asking = {each.record for each in written if "document.type" in each.source.text}
    kinds = {kind for part in rules for kind in (("application/pdf",) if part.convert else part.types)}
    if len(kinds) < 2:
        return
    for each in written:
        if each.record in asking:
            continue
        for match in MEDIA_TYPE.finditer(_literal(each)):
            found = f"{match[1]}/{match[2]}".lower()
            if found in kinds:
                others = ", ".join(sorted(kinds - {found}))
                message = f"the record says {found}, and documents may be {others} as well"
                hint = "print {{ document.type }}, or let one type in"
                place = each.source.place(match.start())
                yield Fault(*place, "type-literal", message, hint, Severity.WARNING)


def embedding(site: Site) -> Iterator[Fault]:
    """Yield templates that read one document of several, or embed too small a size."""
    for process in site.processes:
        rules = [part for part in process.config.parts if part.role is Role.DOCUMENT]
        written = [each for each in texts(site, process) if each.record]
        if rules and rules[0].many and not any(list(each.names("documents")) for each in written):
            yield from _first(written, rules[0])
        for each in written:
            yield from _sizes(each, rules)


def _first(written: list[Written], rule: PartConfig) -> Iterator[Fault]:
    for each in written:
        for node in list(each.names("document"))[:1]:
            message = f'several documents may come as "{rule.name}", and only the first is told of'
            yield each.fault(node, "first-only", message, "write {% for document in documents %} … {% endfor %}")


def _sizes(written: Written, rules: list[PartConfig]) -> Iterator[Fault]:
    for node in written.root.find_all(nodes.Filter):
        limit = _limit(node) if node.name == "base64" else None
        for rule in rules if limit is not None else ():
            if limit is not None and rule.max_size is not None and rule.max_size > limit:
                message = (
                    f"no more than {units.size_text(limit)} are embedded, and {rule.name} may have "
                    f"{units.size_text(rule.max_size)}: a document between them is refused"
                )
                hint = "give both the same size"
                yield written.fault(node, "size-misfit", message, hint)
                break


def _limit(node: nodes.Filter) -> int | None:
    argument = node.args[0] if node.args else nodes.Const(MAX_DOCUMENT)
    value = argument.value if isinstance(argument, nodes.Const) else None
    try:
        size = units.size(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return min(size, MAX_DOCUMENT) if isinstance(size, int) else None


DECLARED = {  # where a template says its record's encoding
    "xml": re.compile(r"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)"),
    "hl7": re.compile(r"^MSH.{5}(?:\|[^|\n]*){15}\|([A-Za-z0-9 _/-]+)", re.MULTILINE),
}
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
HL7 = {"unicode utf-8": "utf-8", "ascii": "ascii", "8859/1": "iso-8859-1", "8859/15": "iso-8859-15"}  # table 0211


def encodings(site: Site) -> Iterator[Fault]:
    """Yield declarations that the record's encoding belies."""
    for process in site.processes:
        for written in texts(site, process):
            yield from _columns(written)
        for index, record in enumerate(process.records):
            if record.template:
                yield from _declared(site, process, record.config, record.template.name)
            yield from _json(process, record.config, index)


def _declared(site: Site, process: Pieces, record: RecordConfig, file: str) -> Iterator[Fault]:
    text = (site.settings.site / file).read_text("utf-8-sig")
    literal = TAG.sub(lambda tag: " " * len(tag[0]), text)  # a filter's | is no delimiter
    found = DECLARED[record.format].search(literal) if record.format in DECLARED else None
    if found and (declared := _codec(HL7.get(found[1].lower(), found[1]))) not in ("", _codec(record.encoding)):
        if declared == "ascii" and _codec(record.encoding) == "utf-8":
            return  # every ASCII text is UTF-8; a letter beyond it is the template's own business
        message = f'the record says that it is "{found[1]}", and is written in {record.encoding}'
        hint = f'write encoding = "{declared}" in {process.config.source.file}, or change it here'
        yield Fault(*Source(file, text).place(found.start(1)), "encoding-misfit", message, hint)


def _columns(written: Written) -> Iterator[Fault]:
    """Yield columns that are counted in bytes of another encoding than the record's."""
    said = {
        node.target.name: node.node
        for node in written.root.find_all(nodes.Assign)
        if isinstance(node.target, nodes.Name)
    }
    for node in written.root.find_all(nodes.Filter) if written.record else ():
        named = {each.key: each.value for each in node.kwargs} | dict(
            zip(("", "", "", "encoding"), node.args, strict=False)
        )
        given = named.get("encoding")
        meant = said.get(given.name) if isinstance(given, nodes.Name) else given
        encoding = meant.value if isinstance(meant, nodes.Const) else None if given else "utf-8"
        if node.name != "fixed" or encoding is None or written.record is None:
            continue
        if _codec(str(encoding)) != _codec(written.record.encoding) and (given or _is_free(node)):
            message = f"the column is counted in {encoding}, and the record is written in {written.record.encoding}"
            hint = f'write fixed(…, encoding="{written.record.encoding}")'
            yield written.fault(node, "encoding-misfit", message, hint, Severity.ERROR)


def _is_free(node: nodes.Filter) -> bool:
    """Return whether a column holds a part of a name, which may have any letter."""
    return any(each.name == "person" for each in node.find_all(nodes.Filter))


def _json(process: Pieces, record: RecordConfig, index: int) -> Iterator[Fault]:
    if record.format == "json" and _codec(record.encoding) not in ("utf-8", "ascii"):
        message, hint = "JSON is exchanged in UTF-8 (RFC 8259 §8.1)", "leave encoding out"
        yield process.config.fault("encoding-misfit", message, "records", index, "encoding", hint=hint)


def _codec(name: str) -> str:
    """Return an encoding's one name; "" for one that Python does not know."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""
