"""Records for each item of a list, within bounds for all of them together."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import thread_time

from receiver.core.delivery import Record
from receiver.core.limits import MAX_RECORDS, MAX_RECORDS_SECONDS, MAX_RECORDS_SIZE
from receiver.core.problems import Code, Problem, Violation
from receiver.templates import Items

Names = dict[str, object]  # what a template sees

MAX_FAILED = 10  # records of one `each` that are told of: what is wrong with the rest is mostly the same


def render_each(each: Items, values: Names, render: Callable[[Names], list[Record]]) -> list[Record]:
    """Render the records of each item.

    Raises `Problem`, which tells of the first few that fail.
    """
    items = each.of(values)
    if len(items) > MAX_RECORDS:
        raise too_many()
    records: list[Record] = []
    problems: list[Problem] = []
    size, until = 0, thread_time() + MAX_RECORDS_SECONDS
    for index, item in enumerate(items):
        try:
            made = render({**values, "item": item, "loop": _loop(index, len(items))})
        except Problem as problem:
            problems.append(_of_item(problem, each.table, index))
        else:
            records += made
            size += sum(len(record.content) for record in made)
        if size > MAX_RECORDS_SIZE or thread_time() > until:
            raise _too_much("The records are too large, or take too long to render.")
        if len(problems) == MAX_FAILED:
            break
    if problems:
        raise together(problems)
    return records


def _loop(index: int, length: int) -> dict[str, object]:
    """Return what Jinja2's loops call `loop`."""
    return {
        "index": index + 1,
        "index0": index,
        "revindex": length - index,
        "first": index == 0,
        "last": index == length - 1,
        "length": length,
    }


def _of_item(problem: Problem, table: str, index: int) -> Problem:
    """Return the problem of one of several records, with its item's number."""
    row = f"tables/{table}/{index}/"
    violations = [
        each if each.where.startswith(row) else replace(each, message=f"{each.message} (item {index})")
        for each in problem.violations
    ]
    return Problem(problem.code, problem.detail, violations)


def too_many() -> Problem:
    """Return the problem of a delivery that would become more records than may be."""
    return _too_much(f"There would be more than {MAX_RECORDS:,} records.")


def _too_much(reason: str) -> Problem:
    detail = "More would be made of this delivery than its records may take."
    return Problem(Code.TEMPLATE_FAILED, detail, [Violation("records", "limit", reason)])


def together(problems: Sequence[Problem]) -> Problem:
    """Return the problems of several records as one."""
    if len(problems) == 1:
        return problems[0]
    violations = [violation for problem in problems for violation in problem.violations]
    codes = [problem.code for problem in problems]
    ours = next((code for code in codes if code not in (Code.FIELDS_INVALID, Code.METADATA_INVALID)), codes[0])
    details = dict.fromkeys(problem.detail for problem in problems)
    return Problem(ours, " ".join(details), violations)
