"""Removes lines that print nothing: those with nothing but tags, comments, and one-line macros and set blocks.

    {% for code in fields.diagnosis_code %}
    DG1|{{ loop.index }}||{{ code }}
    {% endfor %}

leaves the DG1 lines alone. A tag beside text or a value keeps its line break.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

TAGS = frozenset({"block_begin", "comment_begin"})
CONTENT = frozenset({"variable_begin", "raw_begin"})


class Token(NamedTuple):
    """A piece of a template: its position, Jinja's name for its kind, and its text."""

    position: int
    type: str
    value: str


@dataclass(slots=True)
class _Block:
    """A macro or set block, or the template itself: what it fills."""

    first: int  # its first line
    lines: set[int] = field(default_factory=set)  # with text or values
    tokens: set[int] = field(default_factory=set)  # literal text


def standalone(tokens: list[Token]) -> list[Token]:
    """Return the tokens without the indentation and line breaks of lines that print nothing."""
    bare, inside = _bare(tokens)
    kept = []
    line = 0  # counts line breaks outside of tags only: a tag over several lines is on one
    for index, token in enumerate(tokens):
        if token.type != "data" or index in inside:
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


def _bare(tokens: list[Token]) -> tuple[set[int], set[int]]:
    """Return the lines that have tags and print nothing, and the text within one-line macros and set blocks."""
    tagged: set[int] = set()
    inside: set[int] = set()
    open_blocks = [_Block(0)]
    line = 0
    for index, token in enumerate(tokens):
        block = open_blocks[-1]
        if token.type in TAGS:
            tagged.add(line)
            tag = _keeping(tokens, index)
            if tag.startswith("end") and len(open_blocks) > 1:
                inside |= _close(open_blocks, line)
            elif tag and not tag.startswith("end"):
                open_blocks.append(_Block(line))
        elif token.type in CONTENT:
            block.lines.add(line)
        elif token.type == "data":
            pieces = token.value.split("\n")
            block.lines.update(line + number for number, piece in enumerate(pieces) if piece.strip())
            block.tokens.add(index)
            line += len(pieces) - 1
    return tagged.difference(*(block.lines for block in open_blocks)), inside


def _close(open_blocks: list[_Block], line: int) -> set[int]:
    """Close a block. One that began on this line fills nothing, and its text stays as it is."""
    block = open_blocks.pop()
    if block.first == line:
        return block.tokens
    open_blocks[-1].lines |= block.lines
    return set()


def _keeping(tokens: list[Token], index: int) -> str:
    """Return a tag's name if it begins or ends a macro or set block, whose text is not printed there; or ""."""
    words: list[str] = []
    for token in tokens[index + 1 :]:
        if token.type == "block_end" or token.type in TAGS:
            break
        if token.type in ("name", "operator"):
            words.append(token.value)
    begins = words[:1] == ["macro"] or (words[:1] == ["set"] and "=" not in words)
    return words[0] if begins or words[:1] in (["endmacro"], ["endset"]) else ""
