"""What stands in process.toml and changes nothing."""

from collections.abc import Iterator

from receiver.checking.site import Site
from receiver.faults import Fault, Severity


def faults(site: Site) -> Iterator[Fault]:
    """Yield minimums of the confidence that nobody asks for."""
    for process in site.processes:
        rule = process.config.confidence
        if rule.below == "publish" and (rule.minimum > 0 or any(rule.fields.values())):
            message = "a delivery below this minimum is published all the same"
            hint = 'write below = "hold" or below = "refuse" under [confidence]'
            key = "minimum" if rule.minimum > 0 else "fields"
            yield process.config.fault("no-effect", message, "confidence", key, hint=hint, severity=Severity.WARNING)
