"""Literal text that was meant as something else: placeholders of other programs, the media type of one document."""

import re
from collections.abc import Iterator

from receiver.authoring.check.shape import Shape
from receiver.authoring.check.site import Site
from receiver.authoring.check.written import Written, texts
from receiver.core.delivery import Role
from receiver.core.faults import Fault, Severity
from receiver.site.config.model import ProcessConfig
from receiver.templates.names import NAMES

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
FORMS = {  # of other template languages; the word within decides
    "{word}": re.compile(r"(?<![{$])\{\s*([A-Za-z_][\w.-]*)\s*\}(?!\})"),
    "${word}": re.compile(r"\$\{\s*([^}\n]+?)\s*\}"),
    "%word%": re.compile(r"%([A-Za-z_][\w.-]*)%"),
    "[word]": re.compile(r"(?<!\w)\[([A-Za-z_][\w.-]*)\]"),
    "<word>": re.compile(r"<([A-Za-z_][\w.-]*)>"),
}
ALWAYS = frozenset({"${word}"})  # nothing else looks so
MEDIA_TYPE = re.compile(r"\b(application|image)[/^](pdf|tiff|png|jpeg)\b", re.IGNORECASE)


def faults(site: Site) -> Iterator[Fault]:
    """Yield literal text that looks like a field, and media types that are not those of every document."""
    for process in site.processes:
        name = process.config.fields.schema
        shape = site.shape(name) if name else None
        written = list(texts(site, process))
        for each in written:
            yield from _placeholders(each, shape)
        yield from _media_types(process.config, [each for each in written if each.record])


def _placeholders(written: Written, shape: Shape | None) -> Iterator[Fault]:
    text = _literal(written)
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
    """Yield a media type that stands in a record as text although documents of others come, and nothing asks for it."""
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
