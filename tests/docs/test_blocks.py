"""Examples that are no commands are what they say they are."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import lupa
import pytest
import yaml

from tests.docs import pages
from tests.docs.pages import GUIDES


def lua(text: str) -> None:
    runtime = lupa.LuaRuntime()
    if runtime.eval("load")(text) is None:
        raise ValueError("no Lua")


READ: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "python": ast.parse,
    "xml": lambda text: ElementTree.fromstring(f"<all>{text}</all>"),
    "lua": lua,
}
OTHERS = {"sh", "console", "sql", "text", "mermaid", "php", ""}
"""Commands and SQL are tested by themselves, diagrams are made from their tables."""


@pytest.mark.parametrize("path", GUIDES, ids=pages.name)
def test_examples_can_be_read(path: Path) -> None:
    wrong = []
    for block in pages.blocks(path):
        if block.language in OTHERS:
            continue
        try:
            READ[block.language](block.text)
        except (ValueError, SyntaxError, KeyError, yaml.YAMLError, lupa.LuaError) as error:
            wrong.append((block.text[:60], repr(error)))
    assert wrong == []


@pytest.mark.parametrize("path", GUIDES, ids=pages.name)
def test_nothing_is_left_to_write(path: Path) -> None:
    assert re.findall(r"@@\w*@*|\b(?:TODO|TBD|FIXME|XXX)\b", pages.text(path)) == []
