"""`${variable}` and `${api(arguments)}` in what an application is given (switch_channel.c,
switch_channel_expand_variables_check), and the api `cond` (mod_commands.c, cond_function). Pure.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

Variable = Callable[[str], str | None]
Api = Callable[[str, str], str]

_MAX_DEPTH = 100
_ERROR = "-ERR"
_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,  # type: ignore[dict-item]  # of two numbers
    ">": operator.gt,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    "<": operator.lt,  # type: ignore[dict-item]
}
_OPERAND = r"(?:'((?:[^'\\]|\\.)*)'(?=\s)|([^' ][^ ]*))"
_CONDITION = re.compile(
    rf"{_OPERAND}\s+(==|!=|>=|<=|>|<)\s+{_OPERAND}\s+\?(.*)", re.DOTALL | re.ASCII
)
_NUMBER = re.compile(r"[-+]?\d*\.?\d+\Z", re.ASCII)


def expand(text: str, variable: Variable, api: Api, depth: int = 0) -> str:
    """Return `text` with each `${…}` replaced; unset variables become empty."""
    pieces, at = [], 0
    while depth < _MAX_DEPTH and (start := text.find("${", at)) >= 0:
        end = _closing(text, start + 1, "{", "}")
        if end < 0:
            break
        pieces += [text[at:start], _value(text[start + 2 : end], variable, api, depth + 1)]
        at = end + 1
    return "".join([*pieces, text[at:]])


def _value(inside: str, variable: Variable, api: Api, depth: int) -> str:
    name, bracket, _ = inside.partition("(")
    if bracket and (end := _closing(inside, len(name), "(", ")")) > 0:
        return api(name, expand(inside[len(name) + 1 : end], variable, api, depth))
    return expand(variable(expand(inside, variable, api, depth)) or "", variable, api, depth)


def _closing(text: str, start: int, opens: str, closes: str) -> int:
    level = 0
    for at in range(start, len(text)):
        level += (text[at] == opens) - (text[at] == closes)
        if level == 0:
            return at
    return -1


def cond(argument: str) -> str:
    """`<value> <operator> <value> ? <if true> : <if false>`, with its own errors.

    An empty value without quotes is an error, not an empty value: blanks before it are skipped.
    """
    found = _CONDITION.fullmatch(argument.lstrip())
    if found is None:
        return _ERROR
    quoted_a, bare_a, sign, quoted_b, bare_b, choices = found.groups()
    words = [word.strip() for word in choices.split(":")]
    if len(words) > 2 or not words[0]:
        return _ERROR
    a, a_is_number = _operand(quoted_a, bare_a)
    b, b_is_number = _operand(quoted_b, bare_b)
    if sign in ("==", "!=") and not (a_is_number or b_is_number):
        is_true = _OPERATORS[sign](a, b)
    else:
        is_true = _OPERATORS[sign](_weight(a, a_is_number), _weight(b, b_is_number))
    return words[0] if is_true else words[1] if len(words) == 2 else ""


def _operand(quoted: str | None, bare: str | None) -> tuple[str, bool]:
    if quoted is not None:
        return quoted, False
    return bare or "", bool(_NUMBER.match(bare or ""))


def _weight(text: str, is_number: bool) -> float:
    """Text is compared by its length when the other side is a number."""
    return float(text) if is_number else float(len(text))
