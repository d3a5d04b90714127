"""Lines of the pages' shell blocks, as the commands a shell would run."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs import pages

_SHELL = ("sh", "console", "bash", "shell")
_JOINS = {"|", "&&", "||", ";"}
_REDIRECTIONS = {"<", ">", ">>", "2>", "<<<"}
_WRAPPERS = {"sudo": 2, "env": 0, "nice": 2}
"""Programs that run another, and how many words of their own come first (`sudo -u voice-ai`)."""


@dataclass(frozen=True)
class Command:
    """One program with its arguments."""

    words: tuple[str, ...]
    line: str
    """As it stands in the page."""
    environment: tuple[str, ...] = ()
    """Names of variables set for it, or set by it alone."""
    inputs: tuple[str, ...] = field(default=())
    """Files it is given by `<`."""


def lines(path: Path) -> list[str]:
    """Whole lines of a page's shell blocks, continued ones joined."""
    found = []
    for block in pages.blocks(path, *_SHELL):
        text = re.sub(r"\\\n\s*", "", block.text)
        prompt = block.language == "console"
        for line in text.splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if not prompt:
                found.append(line.strip())
            elif line.startswith("$ "):  # else it is what the command prints
                found.append(line[2:])
    return found


def commands(line: str) -> list[Command]:
    """What a shell makes of one line. Raises `ValueError` for one that it would refuse."""
    if substituted := re.fullmatch(r'eval "\$\((.*)\)"', line):
        return commands(substituted[1])
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    found, words = [], []
    for word in [*_words(lexer), ";"]:
        if word in _JOINS:
            if words:
                found.append(_command(words, line))
            words = []
        else:
            words.append(word)
    return found


def _words(lexer: shlex.shlex) -> list[str]:
    """The words of a line; a `#` inside one is no comment, as a shell has it."""
    lexer.commenters = ""
    found: list[str] = []
    for word in lexer:
        if word.startswith("#"):
            break
        found.append(word)
    return found


def _command(words: list[str], line: str) -> Command:
    inputs, kept, environment = [], [], []
    rest = iter(words)
    for word in rest:
        if word in _REDIRECTIONS:
            target = next(rest)
            inputs += [target] if word in ("<", "<<<") else []
        else:
            kept.append(word)
    while kept and (kept[0] in _WRAPPERS or re.match(r"[A-Za-z_]\w*=", kept[0])):
        if kept[0] in _WRAPPERS:
            kept = kept[1 + _WRAPPERS[kept[0]] :]
        else:
            environment.append(kept.pop(0).partition("=")[0])
    if kept[:1] == ["export"]:
        environment += [word.partition("=")[0] for word in kept[1:]]
        kept = []
    return Command(tuple(kept), line, tuple(environment), tuple(inputs))
