"""Reads a process.toml: judges it, applies defaults and converts units."""

from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

from receiver.core import positions, units
from receiver.core.batches import MOST_BYTES, MOST_RECORDS, Closing
from receiver.core.delivery import Role
from receiver.core.faults import ConfigurationError, reading
from receiver.site.config import rules, shape
from receiver.site.config.model import (
    AuthConfig,
    BatchConfig,
    ColumnConfig,
    ConfidenceConfig,
    ConsoleConfig,
    DeliveryConfig,
    FieldsConfig,
    MetadataConfig,
    NotifyConfig,
    OutputConfig,
    PartConfig,
    PersonsConfig,
    PlaceConfig,
    ProcessConfig,
    RecordConfig,
    RetentionConfig,
    RouteConfig,
    RuleConfig,
    TableConfig,
)
from receiver.site.config.rules import record_format
from receiver.site.config.schema import defaults
from receiver.site.config.source import FILE, Source, load

METADATA_MAX_SIZE = 10**6  # bytes of metadata without a max_size: it is held in memory; a hundred fields take 10 kB
XML_CELLS = {"name": "@name", "value": ".", "confidence": "@confidence"}
XML_FIELDS = {"each": ".//field", **XML_CELLS}


def read(folder: Path, site: Path) -> ProcessConfig:
    """Read the process.toml of one process's folder.

    Raises `ConfigurationError` with all of its faults at once.
    """
    with reading((folder / FILE).relative_to(site).as_posix()):
        source = load(folder, site)
        found = list(shape.faults(source))
        broken = {path for path, _ in found}
        faults = {fault for _, fault in found} | set(rules.faults(source, broken))
        if faults:
            raise ConfigurationError(faults)
        return build(folder, source)


def build(folder: Path, source: Source) -> ProcessConfig:
    """Return the configuration of the process that lives in `folder`."""
    data = source.data
    metadata = MetadataConfig(**_section(data, "metadata"))
    return ProcessConfig(
        name=folder.name,
        title=data.get("title", folder.name),
        auth=_auth(data),
        route=_route(data),
        parts=tuple(_part(data, name) for name in data["parts"]),
        metadata=metadata,
        fields=_fields(data, metadata.form),
        tables={name: _table(data, name, metadata.form) for name in data.get("tables", {})},
        confidence=ConfidenceConfig(**_section(data, "confidence")),
        console=ConsoleConfig(tuple(_section(data, "console")["keys"])),
        delivery=DeliveryConfig(**_section(data, "delivery")),
        output=_output(data, folder.name),
        rules=tuple(RuleConfig(**{**defaults(["rules", 0]), **rule}) for rule in data.get("rules", [])),
        records=tuple(_record(record) for record in data.get("records", [])),
        batches=tuple(_batch(data, name) for name in data.get("batches", {})),
        retention=_retention(data),
        persons=_persons(data),
        notify=_notify(data),
        folder=folder,
        source=source,
    )


def _section(data: dict[str, Any], name: str) -> dict[str, Any]:
    return {**defaults([name]), **data.get(name, {})}


def _auth(data: dict[str, Any]) -> AuthConfig:
    section = _section(data, "auth")
    return AuthConfig(tokens=tuple(section.get("tokens", ())), open=section["open"])


def _route(data: dict[str, Any]) -> RouteConfig:
    section = _section(data, "route")
    host = section.get("host")
    return RouteConfig(host=host.lower() if host else None, default=section["default"])


def _part(data: dict[str, Any], name: str) -> PartConfig:
    part = {**defaults(["parts", name]), **data["parts"][name]}
    role = Role(part["role"])
    max_size = part.get("max_size", METADATA_MAX_SIZE if role is Role.METADATA else None)
    return PartConfig(
        name=name,
        role=role,
        types=tuple(part["types"]),
        max_size=units.size(max_size) if isinstance(max_size, str) else max_size,
        required=part["required"],
        many=part["many"],
        sniff=part["sniff"],
        convert=part.get("convert"),
        scan=part.get("scan"),
    )


def _fields(data: dict[str, Any], form: str) -> FieldsConfig:
    own = XML_FIELDS if form == "xml" else {}
    section = {"schema": None, **defaults(["fields"]), **own, **data.get("fields", {})}
    section["repeated"] = tuple(section["repeated"])
    return FieldsConfig(**{**section, "place": _place(section)})


def _place(section: dict[str, Any]) -> PlaceConfig | None:
    return PlaceConfig(**section["place"]) if "place" in section else None


def _table(data: dict[str, Any], name: str, form: str) -> TableConfig:
    own = XML_CELLS if form == "xml" else {}
    unsaid = {"within": None, "each": None, "columns": {}, "schema": None, **defaults(["tables", name]), **own}
    section = {**unsaid, **data["tables"][name]}
    columns = {
        cell: ColumnConfig(**({"value": column} if isinstance(column, str) else column))
        for cell, column in section["columns"].items()
    }
    return TableConfig(**{**section, "columns": columns, "place": _place(section)})


def _output(data: dict[str, Any], name: str) -> OutputConfig:
    return OutputConfig(**{"directory": name, "marker": None, **_section(data, "output")})


def _record(record: dict[str, Any]) -> RecordConfig:
    complete = {"path": None, "when": None, "schema": None, **defaults(["records", 0]), **record}
    return RecordConfig(**{**complete, "format": record_format(record)})


def _batch(data: dict[str, Any], name: str) -> BatchConfig:
    section = data["batches"][name]
    close = section.get("close", {})
    size = close.get("size", MOST_BYTES)
    closing = Closing(
        count=close.get("count", MOST_RECORDS),
        size=units.size(size) if isinstance(size, str) else size,
        after=units.short_duration(close["after"]) if "after" in close else None,
        at=time.fromisoformat(close["at"]) if "at" in close else None,
    )
    where = (section.get("directory"), section.get("group"))
    return BatchConfig(name, section["path"], section.get("header"), section.get("trailer"), closing, *where)


def _retention(data: dict[str, Any]) -> RetentionConfig:
    section = _section(data, "retention")
    size = section.pop("quarantine_size")
    spans = {kind: units.duration(text) for kind, text in section.items()}
    bound = units.size(size) if isinstance(size, str) else size
    return RetentionConfig(spans.get("originals"), spans.get("quarantine"), bound, spans.get("ledger"))


def _persons(data: dict[str, Any]) -> PersonsConfig:
    section = _section(data, "persons")
    return PersonsConfig(
        order=section.get("order"),
        given_name=section["given_name"],
        family_names=section.get("family_names"),
        titles=tuple(section["titles"]),
        suffixes=tuple(section["suffixes"]),
        degrees=tuple(section["degrees"]),
        particles=tuple(section["particles"]),
        names=tuple(section["names"]),
    )


def _notify(data: dict[str, Any]) -> NotifyConfig:
    section = _section(data, "notify")
    return NotifyConfig(
        command=tuple(section.get("command", ())),
        webhook=section.get("webhook"),
        on=frozenset(section["on"]),
        refused=section["refused"],
        silence=units.duration(section["silence"]) if "silence" in section else None,
    )


AUTH = ("auth-missing", "auth-ambiguous")  # who may deliver is nothing to a template


def read_provisional(folder: Path, site: Path) -> ProcessConfig | None:
    """Return a configuration with defaults for faulty parts; None if little is left.

    It is never served: with it, one run finds the faults of templates and schemas as well.
    """
    try:
        source = load(folder, site)
    except ConfigurationError:
        return None
    rest = deepcopy(source.data)
    _remove(rest, (path for path, _ in shape.faults(source)))
    sound = replace(source, data=rest)
    if list(shape.faults(sound)) or any(fault.code not in AUTH for fault in rules.faults(sound, ())):
        return None
    return build(folder, sound)


def _remove(data: dict[str, Any], paths: Iterable[positions.Path]) -> None:
    """Remove the values at some paths, whole keys of them, so that no index shifts."""
    for path in paths:
        keys = path[: max((place for place, step in enumerate(path, 1) if isinstance(step, str)), default=0)]
        below: Any = data
        with suppress(LookupError, TypeError):  # it went with what it stood in
            for step in keys[:-1]:
                below = below[step]
            del below[keys[-1]]
