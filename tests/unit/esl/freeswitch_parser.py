"""How FreeSWITCH takes a dial string apart, function by function, as an oracle for our builder.

Follows switch_utils.c (separate_string_char_delim, separate_string_blank_delim,
cleanup_separated_string, switch_find_end_paren), switch_event.c (switch_event_create_brackets),
switch_channel.c (switch_channel_expand_variables_check, the literal part) and
switch_ivr_originate.c.
"""

from __future__ import annotations

_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


def clean_up(text: str, delimiter: str) -> str:
    text = text.lstrip(" ")
    out: list[str] = []
    end = None
    quoted = False
    i = 0
    while i < len(text):
        c = text[i]
        if c == "\\":
            e = text[i + 1 : i + 2]
            known = (e in ("'", '"', "\\") and e) or (delimiter and e == delimiter and e)
            plain = known or _UNESCAPED.get(e)
            if plain:
                out.append(plain)
                end = len(out)
                i += 2
                continue
        if c == "'" and (quoted or "'" in text[i + 1 :]):
            quoted = not quoted
            if quoted:
                end = len(out)
        else:
            out.append(c)
            if c != " " or quoted:
                end = len(out)
        i += 1
    return "".join(out if end is None else out[:end])


def separate(text: str, delimiter: str, limit: int = 1000) -> list[str]:
    if text.startswith("^^") and len(text) > 3:
        delimiter, text = text[2], text[3:]
    blank = delimiter == " "
    parts: list[str] = []
    i = 0
    while i < len(text) and len(parts) < limit:
        while blank and i < len(text) and text[i] == " ":
            i += 1
        start, quoted, ended = i, False, False
        if len(parts) + 1 == limit:
            parts.append(text[start:])
            break
        while i < len(text) and not ended:
            if text[i] == "\\":
                i += 1
            elif text[i] == "'" and (blank or quoted or "'" in text[i + 1 :]):
                quoted = not quoted
            elif text[i] == delimiter and not quoted:
                ended = True
                break
            i += 1
        parts.append(text[start:i])
        i += 1
        while blank and i < len(text) and text[i] == " ":
            i += 1
    return [clean_up(part, "" if blank else delimiter) for part in parts]


def end_paren(text: str, opening: str, closing: str) -> int:
    depth = 0
    for i, c in enumerate(text):
        depth += (c == opening) - (c == closing)
        if not depth:
            return i
    return -1


def brackets(text: str, opening: str, closing: str, separator: str) -> tuple[dict[str, str], str]:
    end = end_paren(text, opening, closing)
    assert end > 0, text
    assert not text[end + 1 :].lstrip(" ").startswith(opening), "two groups: not built by us"
    inner = text[1:end]
    if inner.startswith("^^"):
        separator, inner = inner[2], inner[3:]
    variables: dict[str, str] = {}
    for item in separate(inner, separator):
        pair = separate(item, "=", 2)
        if len(pair) == 2:
            variables.setdefault(pair[0], pair[1])
    return variables, text[end + 1 :]


def mark_commas(text: str) -> str:
    """The scan before legs are split: commas inside [] become markers."""
    out = list(text)
    end, quoted, alternative = None, False, False
    for i, c in enumerate(text):
        if end is None and c == "[":
            closing = end_paren(text[i:], "[", "]")
            end = i + closing if closing > 0 else None
            alternative = text[i + 1 : i + 3] == "^^"
            quoted = False
        if c == "'":
            quoted = not quoted
        if end is not None and i < end and c == "," and text[i - 1] != "\\":
            out[i] = "\x01" if quoted or alternative else "\x02"
        if i == end:
            end = None
    return "".join(out)


def dial(text: str) -> tuple[dict[str, str], list[list[tuple[str, dict[str, str]]]]]:
    """Global variables, then alternatives ('|') of groups (',') of (endpoint, variables)."""
    assert ":_:" not in text
    assert "origination_nested_vars=true" not in text
    variables: dict[str, str] = {}
    assert not text.startswith("<")
    while text.startswith("{"):
        found, text = brackets(text, "{", "}", ",")
        variables.update(found)
    alternatives = []
    for alternative in separate(text, "|"):
        group = []
        for leg in separate(mark_commas(alternative), ","):
            own: dict[str, str] = {}
            leg = leg.lstrip(" ")
            while leg.startswith("["):
                end = end_paren(leg, "[", "]")
                leg = leg[: end + 1].replace("\x01", ",") + leg[end + 1 :]
                found, leg = brackets(leg, "[", "]", "\x02")
                own.update(found)
            group.append((leg, own))
        alternatives.append(group)
    return variables, alternatives


def expand(text: str) -> str:
    """Application arguments: what variable expansion does to text that names no variable."""
    assert "${" not in text
    escaped = any(
        text[i] == "\\" and text[i + 1 : i + 2] in tuple("\\nst'") for i in range(len(text))
    )
    if not escaped:
        return text
    out, i = [], 0
    while i < len(text):
        following = text[i + 1 : i + 2]
        if text[i] == "\\" and following == "'":
            i += 2
            continue
        if text[i] == "\\" and following == "\\":
            out.append("\\")
            i += 2
            continue
        out.append(text[i])
        i += 1
    return "".join(out)
