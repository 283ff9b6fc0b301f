"""Removes lines that hold nothing but tags and comments, so that templates may be laid out freely.

    {% for code in fields.diagnosis_code %}
    DG1|{{ loop.index }}||{{ code }}
    {% endfor %}

leaves the DG1 lines alone. A tag beside text or a value keeps its line break.
"""

from typing import NamedTuple

TAGS = frozenset({"block_begin", "comment_begin"})
CONTENT = frozenset({"variable_begin", "raw_begin"})


class Token(NamedTuple):
    """A piece of a template: its position, Jinja's name for its kind, and its text."""

    position: int
    type: str
    value: str


def standalone(tokens: list[Token]) -> list[Token]:
    """Return the tokens without the indentation and line breaks of lines that hold only tags and comments."""
    bare = _bare(tokens)
    kept = []
    line = 0  # counts line breaks outside of tags only: a tag over several lines is on one
    for token in tokens:
        if token.type != "data":
            kept.append(token)
            continue
        breaks = token.value.count("\n")
        first = token.value.find("\n") + 1 or len(token.value)
        start = first if line in bare else 0
        end = token.value.rfind("\n") + 1 if breaks and line + breaks in bare else len(token.value)
        if start < end:
            kept.append(Token(token.position + start, "data", token.value[start:end]))
        line += breaks
    return kept


def _bare(tokens: list[Token]) -> set[int]:
    """Return the lines with tags and without anything else."""
    tagged: set[int] = set()
    filled: set[int] = set()
    line = 0
    for token in tokens:
        if token.type in TAGS:
            tagged.add(line)
        elif token.type in CONTENT:
            filled.add(line)
        elif token.type == "data":
            pieces = token.value.split("\n")
            filled.update(line + index for index, piece in enumerate(pieces) if piece.strip())
            line += len(pieces) - 1
    return tagged - filled
