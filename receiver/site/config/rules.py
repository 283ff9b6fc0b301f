"""The rules of process.toml that span several keys, or that a schema cannot say."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from receiver.core import units
from receiver.core.faults import Fault, did_you_mean
from receiver.core.positions import Path
from receiver.documents import CONVERTIBLE
from receiver.site.config.source import Source
from receiver.site.config.wording import either, value_name

GLOB = re.compile(r"[*?]|\[[^\]]+\]")
SUFFIX_FORMATS = {".hl7": "hl7", ".json": "json", ".xml": "xml", ".csv": "csv", ".txt": "text"}
LEDGER_AT_LEAST = timedelta(days=30)  # nobody says how late a platform sends again; a month outlasts any outage
FIXED_LINE_ENDS = {"hl7": "CR", "csv": "CRLF"}
DIALECT = {"delimiter": "csv", "quote": "csv", "forbid": "text"}  # keys of a record that one format alone has
BY_EACH = {"name", "value", "confidence"}  # keys of a table that say something of a cell that `each` selects
MAX_NESTED = 3  # a table, one within its rows, and one within those: claims, services and their adjustments
FITTING_SCHEMA = {"json": (".json", "fhir"), "xml": (".xsd",), "hl7": ("hl7",)}


def faults(source: Source, broken: Collection[Path]) -> Iterator[Fault]:
    """Yield every broken rule.

    What lies in or around a `broken` path has its fault already and is not judged.
    """

    def sound(*path: str | int) -> bool:
        return not any(fault[: len(path)] == path[: len(fault)] for fault in broken)

    data = source.data
    if sound("auth"):
        yield from _auth(source, data.get("auth", {}))
    if sound("parts"):
        yield from _metadata_part(source, data["parts"])
    for name in [name for name in _names(data, "parts") if sound("parts", name)]:
        yield from _glob(source, name)
        yield from _convert(source, name)
    if sound("fields") and sound("confidence") and sound("console"):
        yield from _renamed(source, *(data.get(name, {}) for name in ("fields", "confidence", "console")))
    if sound("retention", "ledger"):
        yield from _retention(source, data.get("retention", {}))
    for section, judged in SECTIONS.items():
        if section in data and sound(section):
            yield from judged(source, data[section])
    yield from _records(source, sound)


def _records(source: Source, sound: Callable[..., bool]) -> Iterator[Fault]:
    records = source.data.get("records", [])
    for index in range(len(records) if isinstance(records, list) else 0):
        if sound("records", index):
            yield from _record(source, index, records[index])
            yield from _place(source, index, records[index])
    if sound("batches") and sound("records"):
        yield from _batched(source, [record_format(record) for record in records])


def record_format(record: dict[str, Any]) -> str | None:
    """Return the record's format as written, or from its name: NAME.hl7.j2 is hl7."""
    if "format" in record:
        return str(record["format"])
    name = str(record["template"]).removesuffix(".j2")
    return next((known for suffix, known in SUFFIX_FORMATS.items() if name.endswith(suffix)), None)


def _names(data: dict[str, Any], section: str) -> list[str]:
    names = data.get(section, {})
    return list(names) if isinstance(names, dict) else []


def _auth(source: Source, auth: dict[str, Any]) -> Iterator[Fault]:
    hint = 'write tokens = ["env:NAME"], or open = true where anybody may deliver'
    if "tokens" in auth and auth.get("open"):
        yield source.fault("auth-ambiguous", "tokens are named, and open = true too", ("auth", "open"), hint=hint)
    elif "tokens" not in auth and not auth.get("open"):
        yield source.fault("auth-missing", "nothing says who may deliver", ("auth",), hint=hint)


def _metadata_part(source: Source, parts: dict[str, Any]) -> Iterator[Fault]:
    code = "metadata-part"
    names = [name for name, part in parts.items() if part["role"] == "metadata"]
    if not names:
        hint = 'write role = "metadata" for one of them'
        yield source.fault(code, "no part has the role metadata", ("parts",), hint=hint)
    for name in names[1:]:
        message = f"a second part with the role metadata; {value_name(names[0])} is the first"
        yield source.fault(code, message, ("parts", name, "role"), hint="a delivery has exactly one")
    for name in names:
        if parts[name].get("many") or GLOB.search(name):
            message = "the metadata part may come only once"
            yield source.fault(code, message, ("parts", name), hint="give it one name, without * and many")
        if not parts[name].get("required", True):
            message = "the metadata part is always required"
            yield source.fault(code, message, ("parts", name, "required"), hint="remove this line")


def _glob(source: Source, name: str) -> Iterator[Fault]:
    part = source.data["parts"][name]
    if GLOB.search(name) and not part.get("many") and part["role"] != "metadata":
        message = f"{value_name(name)} can match several sections, but only one is allowed"
        yield source.fault("glob-without-many", message, ("parts", name), hint="write many = true")


def _convert(source: Source, name: str) -> Iterator[Fault]:
    part = source.data["parts"][name]
    if "convert" not in part:
        return
    if part["role"] == "metadata":
        message, hint = "the metadata is never published, so there is nothing to convert", "remove this line"
        yield source.fault("convert-misfit", message, ("parts", name, "convert"), hint=hint)
    elif not part.get("types") or not set(part["types"]) <= set(CONVERTIBLE):
        message = f"only {either(CONVERTIBLE)} can be published as PDF"
        hint = "name the types that this part may have, all of them among these"
        yield source.fault("convert-misfit", message, ("parts", name, "convert"), hint=hint)


def _renamed(
    source: Source, fields: dict[str, Any], confidence: dict[str, Any], console: dict[str, Any]
) -> Iterator[Fault]:
    """Yield the old names of renamed fields; only `aliases` may have them."""
    aliases = fields.get("aliases", {})
    places: list[Path] = [("fields", "repeated", index) for index, _ in enumerate(fields.get("repeated", []))]
    uses = dict(zip(places, fields.get("repeated", []), strict=True))
    uses |= {("fields", "aliases", name): target for name, target in aliases.items()}
    uses |= {("confidence", "fields", name): name for name in confidence.get("fields", {})}
    uses |= {("console", "keys", index): name for index, name in enumerate(console.get("keys", []))}
    for path, name in uses.items():
        if name in aliases:
            message = f"{value_name(name)} is renamed by [fields] aliases"
            yield source.fault("renamed-field", message, path, hint=f"write {value_name(aliases[name])}")


def _tables(source: Source, tables: dict[str, Any]) -> Iterator[Fault]:
    for name, table in tables.items():
        place = ("tables", name)
        if "each" in table and "columns" in table:
            message, hint = "each and columns both say where the cells are", "remove one of the two"
            yield source.fault("table-cells", message, (*place, "columns"), hint=hint)
        elif "each" not in table and "columns" not in table:
            message, hint = "nothing says where the cells of a row are", 'write columns = { sku = "code" }, or each'
            yield source.fault("table-cells", message, place, hint=hint)
        for key in BY_EACH & table.keys() if "columns" in table and "each" not in table else ():
            message, hint = f"{key} has no meaning beside columns", "write { value = …, confidence = … } for a column"
            yield source.fault("no-effect", message, (*place, key), hint=hint)
        if name in tables.get(table.get("within"), {}).get("columns", {}):
            message = f"{value_name(name)} is also a column of the table that this one lies within"
            yield source.fault("table-within", message, (*place, "within"), hint="give one of them another name")
        if wrong := _wrong_within(tables, name):
            yield source.fault("table-within", wrong[0], (*place, "within"), hint=wrong[1])


def _wrong_within(tables: dict[str, Any], name: str) -> tuple[str, str] | None:
    """Return what is wrong with the table that another one lies in, and what to do."""
    around = [name]
    while (outer := tables[around[-1]].get("within")) is not None:
        if outer not in tables:
            known = [each for each in tables if each != name]
            return f"there is no table {value_name(outer)}", did_you_mean(outer, known) or f"add [tables.{outer}]"
        if outer in around:
            return "the table lies within itself", "name the table that has it in its rows"
        around.append(outer)
        if len(around) > MAX_NESTED:
            return "tables are nested deeper than three", "read what lies deeper by a path of columns"
    return None


def _retention(source: Source, retention: dict[str, Any]) -> Iterator[Fault]:
    span = retention.get("ledger")
    if span and units.duration(span) < LEDGER_AT_LEAST:
        days = LEDGER_AT_LEAST.days
        message = f"ledger = {value_name(span)} is too short: what the ledger forgets, a retry publishes again"
        yield source.fault("short-memory", message, ("retention", "ledger"), hint=f"at least {days}d")


def _notify(source: Source, notify: dict[str, Any]) -> Iterator[Fault]:
    if ("command" in notify) == ("webhook" in notify):
        both = "both a command and a webhook are" if "command" in notify else "neither a command nor a webhook is"
        yield source.fault("notify-ambiguous", f"{both} named under [notify]", ("notify",), hint="name one of the two")
    if "command" in notify and not notify["command"][0].startswith("/"):
        message = f"{value_name(notify['command'][0])} is not the absolute path of a program"
        hint = 'write "/etc/receiver/notify-by-mail"; no shell looks for it'
        yield source.fault("bad-command", message, ("notify", "command", 0), hint=hint)


def _rules(source: Source, rules: list[dict[str, Any]]) -> Iterator[Fault]:
    """Yield rules of the same name: nothing could tell them apart."""
    names = [rule["name"] for rule in rules]
    for index, name in enumerate(names):
        if name in names[:index]:
            message, hint = f"a second rule is called {value_name(name)}", "give each a name of its own"
            yield source.fault("bad-name", message, ("rules", index, "name"), hint=hint)


def _record(source: Source, index: int, record: dict[str, Any]) -> Iterator[Fault]:
    encoding = record.get("encoding", "utf-8")
    if not _encodes(encoding):
        message, hint = f"{value_name(encoding)} is no known encoding", '"utf-8", "iso-8859-1", "windows-1252"'
        yield source.fault("bad-encoding", message, ("records", index, "encoding"), hint=hint)
    form, schema = record_format(record), record.get("schema")
    if "line_ends" in record and form in FIXED_LINE_ENDS:
        message = f"the lines of {form} always end with {FIXED_LINE_ENDS[form]}"
        yield source.fault("line-ends-misfit", message, ("records", index, "line_ends"), hint="remove this line")
    for key in DIALECT.keys() & record.keys():
        if form not in (DIALECT[key], None):
            message = f"{key} has no meaning for a record of format {form}: only {DIALECT[key]} records have it"
            yield source.fault("dialect-misfit", message, ("records", index, key), hint="remove this line")
    if form is None:
        message, hint = "the template's name does not tell the record's format", 'write format = "hl7" or another'
        yield source.fault("missing-key", message, ("records", index, "template"), hint=hint)
    elif schema is not None and not schema.endswith(FITTING_SCHEMA.get(form, ("\0",))):
        message = f"{value_name(schema)} cannot check a record of format {form}"
        yield source.fault("schema-misfit", message, ("records", index, "schema"), hint=_fitting(form))


def _encodes(encoding: str) -> bool:
    """Return whether Python encodes text so; some codecs, as base64, take no text."""
    try:
        "".encode(encoding)
    except (LookupError, ValueError, UnicodeError):
        return False
    return True


def _fitting(form: str) -> str:
    if form not in FITTING_SCHEMA:
        return f"only {either(FITTING_SCHEMA)} records have a schema"
    return either(
        f"name a {fitting} file in schemas/" if fitting.startswith(".") else f'write schema = "{fitting}"'
        for fitting in FITTING_SCHEMA[form]
    )


SECTIONS: Mapping[str, Callable[[Source, Any], Iterator[Fault]]] = {
    "tables": _tables,
    "notify": _notify,
    "rules": _rules,
}


ALIKE = ("encoding", "line_ends", "delimiter", "quote", "forbid")  # header and trailer are written as records


def _batched(source: Source, formats: Sequence[str | None]) -> Iterator[Fault]:
    """Yield unknown batches, empty ones, and those whose records are written unlike."""
    batches: dict[str, Any] = source.data.get("batches", {})
    first: dict[str, int] = {}
    for index, record in enumerate(source.data.get("records", [])):
        name = record.get("batch")
        if name is not None and name not in batches:
            hint = did_you_mean(name, batches) or f"add [batches.{name}]"
            yield source.fault("unknown-batch", f"there is no batch {value_name(name)}", _at(index, "batch"), hint=hint)
        elif name is not None:
            yield from _unlike(source, first.setdefault(name, index), index, formats)
    for name in batches.keys() - first.keys():
        message, hint = "no record goes into this batch", f"write batch = {value_name(name)} in one of the [[records]]"
        yield source.fault("no-effect", message, ("batches", name), hint=hint)


def _place(source: Source, index: int, record: dict[str, Any]) -> Iterator[Fault]:
    """Yield a record that has no place to go to, or two."""
    if "batch" not in record and "path" not in record:
        hint = "The record's name in the output folder; or batch, if it goes into one"
        yield source.fault("missing-key", "the key path is missing in [[records]]", _at(index, "path"), hint=hint)
    elif "batch" in record and "path" in record:
        message = "a record that goes into a batch is no file of its own"
        yield source.fault("no-effect", message, _at(index, "path"), hint="remove this line: the batch has a path")
    for key in {"directory", "group"} & record.keys() if "batch" in record else ():
        message, hint = "the batch says where it is published", f"write {key} under [batches.{record['batch']}]"
        yield source.fault("no-effect", message, _at(index, key), hint=hint)
    if "group" in record and "directory" not in record and "batch" not in record:
        message, hint = (
            "the process's own folder has its group under [output]",
            "write directory beside it",
        )
        yield source.fault("no-effect", message, _at(index, "group"), hint=hint)


def _unlike(source: Source, first: int, index: int, formats: Sequence[str | None]) -> Iterator[Fault]:
    """Yield what a record has otherwise than the first one of its batch."""
    one, other = source.data["records"][first], source.data["records"][index]
    unlike = [key for key in ALIKE if one.get(key) != other.get(key)]
    for key in unlike if formats[first] == formats[index] else ["format", *unlike]:
        message = f"{key} is not the same as for the other records of the batch {value_name(other['batch'])}"
        _place = _at(index, key if key in other else "batch")
        yield source.fault("batch-mixed", message, _place, hint="one file is written in one way")


def _at(index: int, key: str) -> Path:
    return ("records", index, key)
