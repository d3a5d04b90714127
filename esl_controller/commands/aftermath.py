"""What a worker stored about a call that was just made: why it failed, and what was said."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import gevent

from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import conversations, pages
from esl_controller.settings.table import Settings

STORED_S = 3.0
"""The journal writes some tenths of a second behind; a call that left no row is not waited for
longer."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A conversation, as it is in the database."""

    reason: str
    transcript: tuple[str, ...]


def look_up(settings: Settings, domain_uuid: str, call_uuid: str) -> Stored | None:
    """What is stored of a call; None where no database is set, it is away, or nothing came."""
    if not settings.database.dsn:
        return None
    try:
        with closing(Pool(settings.database.dsn.reveal(), size=1)) as pool:
            return _waited_for(pool, domain_uuid, call_uuid)
    except DatabaseError:
        return None


def _waited_for(pool: Pool, domain_uuid: str, call_uuid: str) -> Stored | None:
    until = time.monotonic() + STORED_S
    found = None
    while time.monotonic() < until:
        with pool.connection(autocommit=True) as connection:
            key = pages.find_key_by_call(connection, domain_uuid, call_uuid)
            if key is not None:
                one = conversations.find_conversation(connection, domain_uuid, key)
                turns = conversations.list_turns(connection, domain_uuid, key)
                found = None if one is None else _stored(asdict(one), list(map(asdict, turns)))
                if one is not None and one.ended_at is not None:
                    break
        gevent.sleep(0.2)
    return found


def _stored(one: Mapping[str, Any], turns: list[dict[str, Any]]) -> Stored:
    why = filter(None, [one["end_cause"], one["error_code"]])
    said = {"user": "caller", "assistant": "agent"}
    return Stored(
        reason=one.get("reason") or ", ".join(why),
        transcript=tuple(
            f"{said.get(turn['role'], turn['role'])}: {turn['content']}" for turn in turns
        ),
    )
