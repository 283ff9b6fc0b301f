"""What stands in process.toml and changes nothing."""

from collections.abc import Iterator

from receiver.authoring.check.site import Site
from receiver.core.faults import Fault, Severity
from receiver.site.config.model import ProcessConfig


def faults(site: Site) -> Iterator[Fault]:
    """Yield minimums of the confidence that nobody asks for, and measures of faults that nobody is told."""
    for process in site.processes:
        yield from _confidence(process.config)
        yield from _notify(process.config)


def _confidence(config: ProcessConfig) -> Iterator[Fault]:
    rule = config.confidence
    if rule.below == "publish" and (rule.minimum > 0 or any(rule.fields.values())):
        message = "a delivery below this minimum is published all the same"
        hint = 'write below = "hold" or below = "refuse" under [confidence]'
        key = "minimum" if rule.minimum > 0 else "fields"
        yield config.fault("no-effect", message, "confidence", key, hint=hint, severity=Severity.WARNING)


def _notify(config: ProcessConfig) -> Iterator[Fault]:
    for key in {"refused", "silence"} - config.notify.on:
        if key in config.source.data.get("notify", {}):
            message = f"{key} says when to tell, and nobody is told of it"
            hint = f'add "{key}" to on'
            yield config.fault("no-effect", message, "notify", key, hint=hint, severity=Severity.WARNING)
