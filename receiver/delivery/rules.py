"""Judges a delivery by the rules of process.toml: what only the process knows.

Records are rendered only of what meets all of them, so a template may rely on a rule.
"""

from receiver.core.problems import Code, Problem, Violation
from receiver.schemas.json_explain import pointer
from receiver.site.process import Process, Rule

UNJUDGED = frozenset({Code.TEMPLATE_FAILED, Code.FIELDS_INVALID, Code.METADATA_INVALID})  # by this delivery's values
ANYWHERE = "rules"  # where a rule is broken that reads several fields, or none


def judge(process: Process, names: dict[str, object], low: Problem | None, *, accept: bool) -> None:
    """Raise `Problem` with every broken rule, and with a confidence that is too low.

    `accept` passes over rules whose deliveries are held for a person, who has looked.
    """
    judged = [rule for rule in process.rules if not (accept and rule.config.otherwise == "hold")]
    broken = {rule: violation for rule in judged if (violation := _violation(rule, names))}
    if not broken:
        if low:
            raise low
        return
    details = [f"{rule.name}: {rule.config.message}" for rule in broken]
    raise Problem(
        Code.RULE_BROKEN,
        " ".join([*details, *([low.detail] if low else [])]),
        [*broken.values(), *(low.violations if low else ())],
        rules=tuple(rule.name for rule in broken),
        held=all(rule.config.otherwise == "hold" for rule in broken)
        and (low is None or process.config.confidence.below == "hold"),
    )


def _place(rule: Rule) -> str:
    """Return where a rule is told: at the one field that it is about, or at none."""
    fields = {read.name for read in rule.must.reads}
    return f"fields{pointer(list(fields))}" if len(fields) == 1 and rule.must.names == {"fields"} else ANYWHERE


def _violation(rule: Rule, names: dict[str, object]) -> Violation | None:
    """Return how a delivery breaks a rule; one that fails to evaluate is broken, too."""
    try:
        if rule.must.holds(names):
            return None
    except Problem as problem:
        if problem.code not in UNJUDGED:
            raise
        first = problem.violations[0]
        place = first.schema or first.where  # the line of process.toml
        return Violation(_place(rule), rule.name, f"{rule.config.message} ({first.message})", place)
    return Violation(_place(rule), rule.name, rule.config.message, rule.place)
