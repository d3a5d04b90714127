"""What `resources/tables.php` must say: the tables of the migrations, as FusionPBX compares them.

    python -m tests.pages.tables

writes it anew, after a migration.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from esl_controller.database.embedded import EmbeddedPostgres
from esl_controller.database.migrate import Migrator
from esl_controller.database.repository.demo import prepare_standalone

FILE = Path(__file__).parents[2] / "fusionpbx_app/voice_secretary/resources/tables.php"
_ABOUT = """<?php

//the tables of db/migrations, with types spelled as FusionPBX compares them; made by
//python -m tests.pages.tables, the key of each comes first
	return [
"""
_SHORT = {"timestamp with time zone": "timestamptz"}
# Types FusionPBX's upgrade does not know are not declared: it would alter their column each time.
_SQL = """
    select c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
           coalesce(a.attnum = any (i.indkey), false) as of_key
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where c.relkind = 'r' and c.relname <> 'v_voice_realtime_embeddings'
    and a.atttypid <> 'tsvector'::regtype
    and (c.relname like 'v\\_voice\\_%\\_realtime%' or c.relname like 'v\\_voice\\_realtime\\_%')
    order by c.relname, of_key desc, a.attnum"""


def text(select: Callable[[str], Iterable[tuple[Any, ...]]]) -> str:
    """The file for a migrated database; `select` runs one statement on it."""
    tables: dict[str, list[str]] = {}
    for table, column, kind, _ in select(_SQL):
        tables.setdefault(table, []).append(f"\t\t\t'{column}' => '{_SHORT.get(kind, kind)}',")
    blocks = [
        f"\t\t'{name}' => [\n" + "\n".join(lines) + "\n\t\t]," for name, lines in tables.items()
    ]
    return _ABOUT + "\n".join(blocks) + "\n\t];\n"


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory(prefix="voice-ai-tables") as directory:
        Path(directory).chmod(0o755)
        server = EmbeddedPostgres(Path(directory) / "postgresql", durable=False)
        dsn = server.start()
        try:
            with closing(psycopg2.connect(dsn)) as connection:
                with connection:
                    prepare_standalone(connection)
                Migrator(dsn).up()
                cursor = connection.cursor()
                FILE.write_text(text(lambda sql: (cursor.execute(sql), cursor.fetchall())[1]))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
