"""SQL stands in one place: the repository, where every statement is tried for its domain."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.arch.tree import ROOT, sources

REPOSITORY = ROOT / "esl_controller" / "database" / "repository"
ALLOWED = {"migrate.py", "notifications.py", "role.py", "role_given.py"}
"""The runner of files, with its ledger; LISTEN; rights."""
TENANT_TABLE = re.compile(r"\b(from|into|update|join|table)\s+v_\w+", re.IGNORECASE)


def sql_of(text: str) -> list[str]:
    """Texts that read or write a table of tenants, and cursors, of one module."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [node.value] if TENANT_TABLE.search(node.value) else []
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".cursor"):
            found.append(ast.unparse(node))
    return found


def outside() -> list[Path]:
    return [
        path
        for path in sources("esl_controller", "bridge")
        if REPOSITORY not in path.parents and path.name not in ALLOWED
    ]


def test_no_statement_stands_elsewhere():
    assert len(outside()) > 100
    found = {path.name: sql_of(path.read_text("utf-8")) for path in outside()}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    "text",
    [
        'sql = "select 1 from v_voice_turns_realtime"',
        'sql = f"""delete\n from  v_voice_usage_realtime where a = {b}"""',
        'connection.cursor().execute("vacuum")',
    ],
)
def test_one_would_be_found(text: str):
    assert sql_of(text)
