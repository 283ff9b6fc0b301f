"""Records whose text says another encoding than they are written in."""

import codecs
import re
from collections.abc import Iterator

from jinja2 import nodes

from receiver.authoring.check.site import Site
from receiver.authoring.check.written import Written, texts
from receiver.core.faults import Fault, Severity
from receiver.site.compiling import Pieces
from receiver.site.config.model import RecordConfig
from receiver.templates.source import Source

DECLARED = {  # where a template says its record's encoding
    "xml": re.compile(r"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)"),
    "hl7": re.compile(r"^MSH.{5}(?:\|[^|\n]*){15}\|([A-Za-z0-9 _/-]+)", re.MULTILINE),
}
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
HL7 = {"unicode utf-8": "utf-8", "ascii": "ascii", "8859/1": "iso-8859-1", "8859/15": "iso-8859-15"}  # table 0211


def faults(site: Site) -> Iterator[Fault]:
    """Yield declarations that the record's encoding belies."""
    for process in site.processes:
        for written in texts(site, process):
            yield from _columns(written)
        for index, record in enumerate(process.records):
            if record.template:
                yield from _declared(process, record.config, record.template.name)
            yield from _json(process, record.config, index)


def _declared(process: Pieces, record: RecordConfig, file: str) -> Iterator[Fault]:
    text = (process.config.folder / record.template).read_text("utf-8-sig")
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
    """Tell whether a column holds a part of a name, which may have any letter."""
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
