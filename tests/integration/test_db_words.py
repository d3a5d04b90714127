"""What of rows is told to others: notifications, PostgreSQL's own log, values of any kind."""

import uuid
from datetime import UTC, datetime

import gevent
import pytest

from esl_controller.database.models import ConversationRealtime
from esl_controller.database.notifications import NotificationListener
from esl_controller.database.repository import conversations, pages, statements
from tests.integration.db_fixtures import execute

NOW = datetime.now(UTC).replace(microsecond=0)


def test_nobody_is_notified_while_nobody_watches(database, pool):
    """Commits that notify wait for each other in the whole database."""
    domain = database.seed().domain_uuid

    def tell() -> None:
        with pool.connection() as connection:
            pages.announce(connection, domain, ["a", "b"])

    with NotificationListener(database.dsn, pages.CHANNEL) as unannounced:
        tell()
        assert unannounced.receive(0.1) == []
        with NotificationListener(
            database.dsn, pages.CHANNEL, present_key=pages.WATCHED_KEY
        ) as watcher:
            tell()
            assert sorted(watcher.receive(5)) == [f"{domain} a", f"{domain} b"]
            assert len(unannounced.receive(5)) == 2
        held = "select count(*) from pg_locks where locktype = 'advisory'"
        with gevent.Timeout(5):
            while database.execute(held) != [(0,)]:  # the server notices the end a little later
                gevent.sleep(0.01)
        tell()
        assert unannounced.receive(0.1) == []


def test_what_a_deleted_domain_s_call_still_says_is_not_tried(database, pool, tmp_path):
    """PostgreSQL's log would keep a refused statement with every word in it."""
    domain = database.seed().domain_uuid
    entry = ConversationRealtime(
        conversation_uuid=str(uuid.uuid4()), domain_uuid=domain, call_uuid="c", started_at=NOW
    )
    database.execute("delete from v_domains where domain_uuid = %s", domain)
    with pool.connection() as connection:
        assert not conversations.store(connection, domain, entry)


def test_the_packaged_database_logs_no_words(postgres_server):
    setting = execute(postgres_server.dsn(), "show log_min_error_statement")
    assert setting == [("panic",)]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\x00b", "ab"),
        (r"C:\u0000path", r"C:\u0000path"),
        ('quote " and \\', 'quote " and \\'),
    ],
)
def test_structured_values_lose_nothing_but_nul(database, text, stored):
    value = statements.as_stored({"key\x00": [text, {"deep": text}], "number": 2**70})
    ((found,),) = database.execute("select %s::jsonb", value)
    assert found == {"key": [stored, {"deep": stored}], "number": 2**70}
