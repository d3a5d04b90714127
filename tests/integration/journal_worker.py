"""A worker that does nothing but record conversations, to be killed at any moment.

python -m tests.integration.journal_worker SPOOL DSN DOMAIN: says `durable` and a conversation's
UUID once its entries are, for ever.
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
import uuid  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from decimal import Decimal  # noqa: E402
from pathlib import Path  # noqa: E402

from esl_controller.database.models import (  # noqa: E402
    ConversationRealtime,
    JournalEntry,
    Turn,
    UsageRecord,
)
from esl_controller.database.pool import Pool  # noqa: E402
from esl_controller.record.journal import Journal  # noqa: E402

TURNS = 3
COST = Decimal("0.0125")
AT_ONCE = 5


def conversation_entries(domain_uuid: str, conversation_uuid: str) -> Iterator[JournalEntry]:
    key = {"domain_uuid": domain_uuid, "conversation_uuid": conversation_uuid}
    now = datetime.now(UTC)
    yield ConversationRealtime(call_uuid=conversation_uuid, started_at=now, **key)
    for number in range(1, TURNS + 1):
        identity = {"turn_uuid": str(uuid.uuid4()), "turn_number": number}
        yield Turn(role="user", content="olá" * 20, started_at=now, **identity, **key)
    usage = {"usage_uuid": str(uuid.uuid4()), "provider": "openai", "cost_usd": COST}
    yield UsageRecord(occurred_at=now, **usage, **key)
    yield ConversationRealtime(
        call_uuid=conversation_uuid, started_at=now, ended_at=now, outcome="completed", **key
    )


def main(spool_dir: str, dsn: str, domain_uuid: str) -> None:
    journal = Journal(Path(spool_dir), Pool(dsn, size=2))
    journal.start()
    while True:
        conversations = [str(uuid.uuid4()) for _ in range(AT_ONCE)]
        for conversation_uuid in conversations:
            for entry in conversation_entries(domain_uuid, conversation_uuid):
                assert journal.record(entry)
        assert journal.wait_durable(30)
        print("".join(f"durable {name}\n" for name in conversations), end="", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
