"""The pages' commands that ask or change the database are run, page by page and in their order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import judges, pages, shell
from tests.docs.pages import GUIDES
from tests.docs.shell import Command
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import (
    TestDatabase,
    clean_databases,
    database,
    migrated_relations,
    migrated_template,
    open_directory,
    postgres_server,
)
from tests.unit.knowledge.pages import pdf

__all__ = [
    "clean_databases",
    "database",
    "migrated_relations",
    "migrated_template",
    "open_directory",
    "postgres_server",
]

ROWS = {"tenant", "provider", "secretary", "function", "knowledge", "errands", "outbound"}
ON_ROWS = {"list", "add", "set", "show", "check", "copy", "search", "kinds", "models", "voices"}
ALONE = {"config", "migrate", "keys", "erase"}
"""Commands that need nothing but the database. The others need a worker, a switch or a network."""
KEYS = "key-of-the-page\n" * 2


def runs(command: Command) -> bool:
    words = command.words
    if (
        len(words) < 2
        or words[0].rpartition("/")[2] != "esl-controller"
        or "--embedded-db" in words
    ):
        return False
    if words[1] in ALONE or words[1:3] == ("calls", "--past"):
        return True
    return words[1] in ROWS and words[2] in ON_ROWS and not judges.PLACEHOLDER.search(words[-1])


def prepare(database: TestDatabase, path: Path, place: Path) -> None:
    """What a page takes for granted: its domains, secretaries it does not make, files it shows."""
    text = pages.text(path)
    lines = " ".join(command.line for command in to_run(path))
    names = dict.fromkeys(re.findall(r"--domain ([a-z][\w-]*(?:\.[\w-]+)+)", lines))
    made = set(re.findall(r"secretary (?:add|copy 8000) (\d+)", text))
    for name in names or ("pbx.example.com",):
        database.seed(extension="8000", name=name)
        database.execute("delete from v_voice_realtime_providers")
        if "8000" in made:
            database.execute("delete from v_voice_secretaries_realtime")
        elif "8001" not in made and "8001" in text:
            run("secretary", "copy", "8000", "8001", VOICE_AI_DATABASE_DSN=database.dsn)
    if "4f2b1c9e-" in text:
        database.execute(
            "insert into v_domains (domain_uuid, domain_name) values (%s, 'uuid.example')",
            judges.UUID,
        )
    for name, content in re.findall(r"`(\w+\.json)` [^`]*`(\{.*?\})`", text):
        (place / name).write_text(content)
    for name in re.findall(r"\b\w+\.pdf\b", text):
        (place / name).write_bytes(pdf("Delivery costs ten euros."))


def to_run(path: Path) -> list[Command]:
    return [each for line in shell.lines(path) for each in shell.commands(line) if runs(each)]


@pytest.mark.parametrize("path", [*filter(to_run, GUIDES)], ids=pages.name)
def test_the_commands_of_a_page_work_in_its_order(
    path: Path, database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(database, path, tmp_path)
    environ = {
        "VOICE_AI_DATABASE_DSN": database.dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
        "VOICE_AI_PROVIDER_API_KEY": "key-of-the-operator",
    }
    failed = []
    for command in to_run(path):
        words = judges.filled(command.words[1:], tmp_path)
        typed = KEYS if "--key-prompt" in words or command.inputs else "y\n"
        result = run(*words, stdin=typed, **environ)
        if result.exit_code != 0:
            failed.append((command.line, result.exit_code, result.output[-300:]))
    assert failed == []


def test_the_sql_of_the_pages_fits_the_tables(database: TestDatabase) -> None:
    found = [block.text for path in GUIDES for block in pages.blocks(path, "sql")]
    assert len(found) >= 2
    for text in found:
        database.execute("explain " + text.replace("'…'", f"'{judges.UUID}'").rstrip("; \n"))
