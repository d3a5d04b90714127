"""Cut a SQL script into its statements, so that an error can name the line it is on. Pure.

Knows what PostgreSQL's own lexer knows where a semicolon may hide: quoted strings and names,
dollar-quoted bodies, line comments and nested block comments (PostgreSQL manual, 4.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


class SqlScriptError(Exception):
    """The script ends inside a quote or comment."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with the line (from 1) its first word is on."""

    text: str
    line: int


_TOKEN = re.compile(
    r"""(?P<line_comment>--[^\n]*)
      | (?P<block_comment>/\*)
      | (?P<escape_string>(?<![A-Za-z0-9_])[eE]'(?:[^'\\]|\\.|'')*')
      | (?P<string>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<dollar>(?<![A-Za-z0-9_$])\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$)
      | (?P<end>;)
      | (?P<open>['"])""",
    re.VERBOSE | re.DOTALL,
)
_BLOCK_MARK = re.compile(r"/\*|\*/")
_LEADING = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z))*")


def split(script: str) -> list[Statement]:
    """Return the statements of `script`, without their semicolons and without empty ones."""
    statements: list[Statement] = []
    begin = position = 0
    while (found := _TOKEN.search(script, position)) is not None:
        if found.lastgroup == "end":
            _append(statements, script, begin, found.start())
            begin = found.end()
        position = _token_end(script, found)
    _append(statements, script, begin, len(script))
    return statements


def _append(statements: list[Statement], script: str, begin: int, end: int) -> None:
    leading = _LEADING.match(script, begin, end)
    if leading is not None:
        begin = leading.end()
    text = script[begin:end].rstrip()
    if text:
        statements.append(Statement(text, script.count("\n", 0, begin) + 1))


def _token_end(script: str, found: re.Match[str]) -> int:
    if found.lastgroup == "block_comment":
        return _block_comment_end(script, found.end())
    if found.lastgroup == "dollar":
        end = script.find(found.group(), found.end())
        if end < 0:
            raise SqlScriptError(f"{found.group()} is not closed{_at(script, found.start())}")
        return end + len(found.group())
    if found.lastgroup == "open":
        raise SqlScriptError(f"{found.group()} is not closed{_at(script, found.start())}")
    return found.end()


def _block_comment_end(script: str, position: int) -> int:
    depth = 1
    start = position
    while depth:
        mark = _BLOCK_MARK.search(script, position)
        if mark is None:
            raise SqlScriptError(f"/* is not closed{_at(script, start)}")
        depth += 1 if mark.group() == "/*" else -1
        position = mark.end()
    return position


def _at(script: str, position: int) -> str:
    return f", line {script.count(chr(10), 0, position) + 1}"
