# SPDX-License-Identifier: MIT
"""Tokens of P4_16 (specification 1.2.5, section 6.4).

``>`` is always a token of its own, as ``>>`` also closes nested type arguments; the expression
parser joins two adjacent ones into a shift.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from softswitch.frontend.ast import Span
from softswitch.frontend.diagnostics import error
from softswitch.frontend.preprocess import Line, Source

_KEYWORD_TEXT = """
abstract action actions apply bool bit break const continue control default else entries enum
error exit extern false for header header_union if in inout int key list match_kind type out
parser package priority return select state string struct switch table this transition true tuple
typedef varbit value_set void _
"""
# longest first where one begins another
_OPERATOR_TEXT = """
{#} |+|= |-|= <<= &&& ... |+| |-| .. << && || == != >= <= ++ += -= *= /= %= &= |= ^=
+ - * / % | & ^ ~ ! ( ) [ ] { } < > : , ? . = ; @
"""
KEYWORDS = frozenset(_KEYWORD_TEXT.split())
_OPERATORS = _OPERATOR_TEXT.split()
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\f\v\r\ufeff]+)
  | (?P<comment>//.*)
  | (?P<open>/\*)
  | (?P<int>\d[\w]*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<str>"(?:[^"\\]|\\.)*")
  | (?P<op>"""
    + "|".join(map(re.escape, _OPERATORS))
    + ")",
    re.VERBOSE | re.ASCII,
)
_INTEGER = re.compile(
    r"(?:\d+[ws])?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|0[dD][0-9_]+|\d[0-9_]*)\Z", re.A
)
_MAX_LITERAL = 2100  # characters; the widest type has 2048 bits
_HAS_DIGIT = re.compile(r"(?:\d+[ws])?(?:0[xXoObBdD]_*[0-9a-fA-F]|\d)", re.A)


class Token(NamedTuple):
    """``kind`` is ``id``, ``integer``, ``str``, ``eof`` or the text of a keyword or operator."""

    kind: str
    text: str
    file: str
    line: int
    column: int
    end_column: int
    glued: bool = False
    """No blank before it; not to be seen from columns where a macro was expanded."""

    @property
    def span(self) -> Span:
        """Where the token stands."""
        return Span(self.file, self.line, self.column, self.line, self.end_column)


def tokenize(source: Source) -> list[Token]:
    """All tokens, an ``eof`` token last.  Raises `P4CompileError` for characters not in P4."""
    tokens: list[Token] = []
    comment: Span | None = None
    for line in source.lines:
        if comment is not None:
            end = line.text.find("*/")
            if end < 0:
                continue
            comment = _scan(line, end + 2, tokens)
        elif line.text:
            comment = _scan(line, 0, tokens)
    if comment is not None:
        raise error("syntax-error", "unterminated comment", comment)
    last = source.lines[-1] if source.lines else Line(source.file, 1, "")
    column = len(last.text) + 1
    tokens.append(Token("eof", "end of file", last.file, last.number, column, column))
    return tokens


def _scan(line: Line, position: int, tokens: list[Token]) -> Span | None:
    """Appends the tokens of one line; the start of a comment that stays open, or None."""
    text, size = line.text, len(line.text)
    first, end = len(tokens), -1
    while position < size:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _bad_character(line, position)
        group, start = match.lastgroup, position
        position = match.end()
        if group == "space" or group == "comment":
            continue
        if group == "open":
            closed = text.find("*/", position)
            if closed < 0:
                _restore_columns(line, first, tokens)
                return Span(line.file, line.number, start + 1, line.number, start + 3)
            position = closed + 2
            continue
        word = match.group()
        kind = _kind(group or "", word, line, start)
        glued = len(tokens) > first and end == start
        end = position
        tokens.append(Token(kind, word, line.file, line.number, start + 1, position + 1, glued))
    _restore_columns(line, first, tokens)
    return None


def _kind(group: str, word: str, line: Line, start: int) -> str:
    if group == "int":
        if len(word) > _MAX_LITERAL or not _INTEGER.match(word) or not _HAS_DIGIT.match(word):
            span = Span(line.file, line.number, start + 1, line.number, start + 1 + len(word))
            raise error("syntax-error", f"'{word[:60]}' is not an integer literal", span)
        return "integer"
    if group == "word":
        return word if word in KEYWORDS else "id"
    return "str" if group == "str" else word


def _bad_character(line: Line, position: int) -> Exception:
    char = line.text[position]
    what = "unterminated string" if char == '"' else f"unexpected character {char!r}"
    return error("syntax-error", what, _point(line, position))


def _point(line: Line, position: int) -> Span:
    return Span(line.file, line.number, position + 1, line.number, position + 2)


def _restore_columns(line: Line, first: int, tokens: list[Token]) -> None:
    """Places the tokens of a line with macros in the original line.

    Tokens that read the same from the left and from the right keep their places; those between
    came out of a macro and take its extent.
    """
    if line.original is None:
        return
    text = line.original.partition("//")[0].rstrip()
    start, head = 0, first
    while head < len(tokens):
        start += len(text[start:]) - len(text[start:].lstrip())
        word = tokens[head].text
        if not text.startswith(word, start) or _cuts_word(text, start + len(word)):
            break
        _place(tokens, head, start, start + len(word))
        start += len(word)
        head += 1
    end, tail = len(text), len(tokens)
    while tail > head:
        end = len(text[:end].rstrip())
        word = tokens[tail - 1].text
        begin = end - len(word)
        if begin < start or not text.startswith(word, begin) or _cuts_word(text, begin):
            break
        tail -= 1
        _place(tokens, tail, begin, end)
        end = begin
    end = len(text[:end].rstrip())
    for i in range(head, tail):
        _place(tokens, i, start, max(end, start + 1))


def _cuts_word(text: str, position: int) -> bool:
    """Whether ``position`` is inside of a word."""
    around = text[max(position - 1, 0) : position + 1]
    return len(around) == 2 and all(c.isalnum() or c == "_" for c in around)


def _place(tokens: list[Token], index: int, start: int, end: int) -> None:
    tokens[index] = tokens[index]._replace(column=start + 1, end_column=end + 1)
