"""Reads templates into Jinja's syntax tree, with the exact place of every token.

Jinja gives its nodes a line number and nothing else. Here that number is an index into `Places`, so that each
node, syntax error and line of a traceback leads to a file, a line and a column, across included files.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token as LexerToken
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from receiver.core.faults import ConfigurationError, Fault, did_you_mean

CLOSING = {"{{": "}}", "{%": "%}"}
TAGS = re.compile(r"\{#.*?#\}|\{%-?\s*raw\b.*?endraw\s*-?%\}|\{\{|\}\}|\{%|%\}", re.DOTALL)
UNKNOWN_TAG = re.compile(r"^Encountered unknown tag '(\w+)'(?:.*needs to be closed is '(\w+)')?")
TAGS_OF_OURS = ("if", "elif", "else", "for", "set", "include", "import", "from", "macro", "with", "raw")
HINTS = {  # what to do, by what Jinja's message says
    r"got '='$": "write == to compare",
    r"^unexpected char '&'": "write `and`",
    r"^unexpected char '\?'": "write `one if condition else other`; where a field may be missing, `| default(…)`",
    r"^unexpected char '\$'": "write fields.name",
    r"got '\|'|unexpected '\|'": "write `or`; a filter has a name behind its |",
    "^unexpected char '[\"']": "close the text with the quote that it began with",
    "^unexpected char '[\u2013\u2014\u2212]'": "write a plain -",
    r"^unexpected '>'": "write != for unequal",
    r"^unexpected '='": "write == to compare",
    r"expected token ':', got '}'": "write two braces, {{ … }}",
    r"expected token 'in'": "write {% for one in many %}",
    r"expected token 'as'": 'write {% import "names.j2" as names %}, or {% from "names.j2" import name %}',
    r"expected token 'end of print statement'": (
        "one value stands in {{ }}, with its filters behind |; if, for and set are written in {% %}"
    ),
    r"expected token 'end of statement block'": "write {% if … %}, {% elif … %}, {% for … in … %}, {% set … = … %}",
    r"expected '\]'$": "close the [ that is open",
    r"expected '\)'$": "close the ( that is open",
    r"expected '\}'$": "close the { that is open",
    "^[Uu]nexpected char '[\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb]'": "write straight quotes: \" or '",
}
LINE_TAGS = frozenset({"block_begin", "comment_begin"})
LINE_CONTENT = frozenset({"variable_begin", "raw_begin"})


class Token(NamedTuple):
    """A piece of a template: its position, Jinja's name for its kind, and its text."""

    position: int
    type: str
    value: str


class Place(NamedTuple):
    """A place in a file, from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Source:
    """Some template text with plain line ends, and where it begins in its file."""

    file: str  # relative to the site
    text: str
    line: int = 1
    column: int = 1

    def place(self, position: int) -> Place:
        """Return the place of a character."""
        before = self.text[:position]
        breaks = before.count("\n")
        column = position - before.rfind("\n")  # from 1: without a line break, rfind gives -1
        return Place(self.file, self.line + breaks, column if breaks else column + self.column - 1)


@dataclass(slots=True)
class Places:
    """Every numbered place of one compiled template."""

    positions: list[tuple[Source, int]] = field(default_factory=list)

    def add(self, source: Source, position: int) -> int:
        """Return the number of a place."""
        self.positions.append((source, position))
        return len(self.positions) - 1

    def place(self, number: int, offset: int = 0) -> Place:
        """Return a numbered place, or that of a later character of the same text."""
        source, position = self.positions[number]
        return source.place(position + offset)

    def wrote(self, number: int, text: str, offset: int) -> Place:
        """Return the place of a character of printed text; of a value that of the value."""
        source, position = self.positions[number]
        return source.place(position + (offset if source.text.startswith(text, position) else 0))

    def fault(self, number: int, code: str, message: str, hint: str = "", offset: int = 0) -> Fault:
        """Return a fault at a numbered place."""
        return Fault(*self.place(number, offset), code, message, hint)


def start(node: nodes.Node) -> int:
    """Return the place where an expression begins; some nodes have a later token's."""
    return min([node.lineno, *(child.lineno for child in node.find_all(nodes.Expr))])


def parse(environment: Environment, source: Source, places: Places) -> nodes.Template:
    """Parse a template. Raises `ConfigurationError` with its syntax error."""
    opened: list[LexerToken] = []
    try:
        return _parser(environment, source, places, None, opened).parse()
    except TemplateSyntaxError as error:
        raise _misconfigured(error, source, places, opened) from None
    except RecursionError:
        raise ConfigurationError([Fault(*source.place(0), "template-syntax", "it is nested too deeply")]) from None


def parse_expression(environment: Environment, source: Source, places: Places) -> nodes.Expr:
    """Parse one expression. Raises `ConfigurationError` with its syntax error."""
    if source.text.lstrip().startswith(("{{", "{%")):
        message, hint = "an expression stands here by itself", "leave {{ }} or {% %} away"
        raise ConfigurationError([Fault(*source.place(0), "template-syntax", message, hint)])
    try:
        parser = _parser(environment, source, places, "variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            found = parser.stream.current
            parser.fail("expected the end, got '='" if found.type == "assign" else "the expression ends before this")
    except TemplateSyntaxError as error:
        raise _misconfigured(error, source, places) from None
    except RecursionError:
        raise ConfigurationError([Fault(*source.place(0), "template-syntax", "it is nested too deeply")]) from None
    return expression


class _Parser(Parser):
    """Jinja's parser, which remembers the tags that are open."""

    opened: list[LexerToken]

    def parse_statement(self) -> nodes.Node | list[nodes.Node]:
        self.opened.append(self.stream.current)
        statement = super().parse_statement()
        self.opened.pop()
        return statement


def _parser(
    environment: Environment, source: Source, places: Places, state: str | None, opened: list[LexerToken] | None = None
) -> Parser:
    tokens = standalone(_tokens(environment, source, places, state))
    numbered = [(places.add(source, token.position), token.type, token.value) for token in tokens]
    parser = _Parser(environment, "")
    parser.opened = [] if opened is None else opened
    parser.stream = TokenStream(environment.lexer.wrap(numbered), None, None)
    return parser


def _tokens(environment: Environment, source: Source, places: Places, state: str | None) -> list[Token]:
    """Cut a template into tokens, each with its position.

    The lexer drops nothing but white space between them, so each is the next occurrence of its text.
    """
    tokens: list[Token] = []
    position = 0
    try:
        for _, kind, value in environment.lexer.tokeniter(source.text, None, None, state):
            position = source.text.index(value, position)
            tokens.append(Token(position, kind, value))
            position += len(value)
    except TemplateSyntaxError as error:
        error.lineno = places.add(source, position)  # a line until here, and from here on a place
        raise
    return tokens


def _misconfigured(
    error: TemplateSyntaxError, source: Source, places: Places, opened: Sequence[LexerToken] = ()
) -> ConfigurationError:
    if opened and (error.message or "").startswith("Unexpected end of template"):
        tag = opened[-1].value
        hint = f"write {{% end{tag} %}} where it ends"
        return ConfigurationError(
            [places.fault(opened[-1].lineno, "template-syntax", f"this {tag} is not closed", hint)]
        )
    if unclosed := _unclosed(source):
        return ConfigurationError([unclosed])
    number = error.lineno if error.lineno < len(places.positions) else places.add(source, len(source.text))
    message = (error.message or "it cannot be read").rstrip(".")
    if unknown := UNKNOWN_TAG.match(message):
        ends = f"write {{% end{unknown[2]} %}}" if unknown[2] and unknown[1].startswith("end") else ""
        hint = ends or did_you_mean(unknown[1], TAGS_OF_OURS) or f"there are: {', '.join(TAGS_OF_OURS)}"
        return ConfigurationError(
            [places.fault(number, "template-syntax", f'there is no tag "{unknown[1]}" here', hint)]
        )
    hint = next((hint for end, hint in HINTS.items() if re.search(end, message)), "")
    message = message[:1].lower() + re.sub(r" at \d+$", "", message[1:])
    return ConfigurationError([places.fault(number, "template-syntax", message, hint)])


def _unclosed(source: Source) -> Fault | None:
    """Return the fault of the first {{ or {% that another one follows before its end."""
    opened: re.Match[str] | None = None
    for tag in TAGS.finditer(source.text):
        if opened and tag[0] == CLOSING[opened[0]]:
            opened = None
        elif tag[0] in CLOSING:
            if opened:
                break
            opened = tag
    if not opened:
        return None
    hint = f"write {CLOSING[opened[0]]} where it ends"
    return Fault(*source.place(opened.start()), "template-syntax", f"this {opened[0]} is not closed", hint)


@dataclass(slots=True)
class _Block:
    """A macro or set block, or the template itself: what it fills."""

    first: int  # its first line
    lines: set[int] = field(default_factory=set)  # with text or values
    tokens: set[int] = field(default_factory=set)  # literal text


def standalone(tokens: list[Token]) -> list[Token]:
    """Return tokens without indentation and breaks of lines that print nothing.

    Those are lines with nothing but tags, comments, and one-line macros and set blocks:

        {% for code in fields.diagnosis_code %}
        DG1|{{ loop.index }}||{{ code }}
        {% endfor %}

    leaves the DG1 lines alone. A tag beside text or a value keeps its line break.
    """
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
    """Return lines of tags that print nothing, and the text inside one-line blocks."""
    tagged: set[int] = set()
    inside: set[int] = set()
    open_blocks = [_Block(0)]
    line = 0
    for index, token in enumerate(tokens):
        block = open_blocks[-1]
        if token.type in LINE_TAGS:
            tagged.add(line)
            tag = _keeping(tokens, index)
            if tag.startswith("end") and len(open_blocks) > 1:
                inside |= _close(open_blocks, line)
            elif tag and not tag.startswith("end"):
                open_blocks.append(_Block(line))
        elif token.type in LINE_CONTENT:
            block.lines.add(line)
        elif token.type == "data":
            pieces = token.value.split("\n")
            block.lines.update(line + number for number, piece in enumerate(pieces) if piece.strip())
            block.tokens.add(index)
            line += len(pieces) - 1
    return tagged.difference(*(block.lines for block in open_blocks)), inside


def _close(open_blocks: list[_Block], line: int) -> set[int]:
    """Close a block.

    One that began on this line fills nothing, and its text stays as it is.
    """
    block = open_blocks.pop()
    if block.first == line:
        return block.tokens
    open_blocks[-1].lines |= block.lines
    return set()


def _keeping(tokens: list[Token], index: int) -> str:
    """Return a tag's name if it is of a macro or set block, else ""."""
    words: list[str] = []
    for token in tokens[index + 1 :]:
        if token.type == "block_end" or token.type in LINE_TAGS:
            break
        if token.type in ("name", "operator"):
            words.append(token.value)
    begins = words[:1] == ["macro"] or (words[:1] == ["set"] and "=" not in words)
    return words[0] if begins or words[:1] in (["endmacro"], ["endset"]) else ""
