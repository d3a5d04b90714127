"""Finds a stored conversation by the name of its call, in the domains that are looked at."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from esl_controller.commands.site import find_domain
from esl_controller.database.pool import GreenConnection, Pool
from esl_controller.database.repository import (
    conversations,
    pages,
    providers,
    spending,
    tenants,
)
from esl_controller.database.repository.statements import Row


def chosen_domains(pool: Pool, name: str | None) -> list[Row]:
    """The domain of that name or UUID; all where none is named."""
    if name is not None:
        return [find_domain(pool, name)]
    with pool.connection(autocommit=True) as connection:
        return tenants.list_domains(connection)


def whole(pool: Pool, domain_uuid: str, name: str) -> dict[str, Any] | None:
    """All that is stored of a conversation, named by its call's UUID or its own."""
    with pool.connection(autocommit=True) as connection:
        key = pages.find_key_by_call(connection, domain_uuid, name) or _uuid(name)
        one = None if key is None else conversations.find_conversation(connection, domain_uuid, key)
        if one is None or key is None:
            return None
        names = (connection, domain_uuid, key)
        return {
            "conversation": asdict(one),
            "turns": list(map(asdict, conversations.list_turns(*names))),
            "function_calls": list(map(asdict, conversations.list_function_calls(*names))),
            "transfers": list(map(asdict, conversations.list_transfers(*names))),
            "usage": list(map(asdict, conversations.list_usage(*names))),
            "cost_usd": spending.conversation_cost(*names),
            "providers": _labels(connection, domain_uuid),
        }


def _labels(connection: GreenConnection, domain_uuid: str) -> dict[str, str]:
    """Of the providers the domain has now, by their UUID."""
    rows = providers.list_providers(connection, domain_uuid)
    return {row["voice_realtime_provider_uuid"]: row["provider_label"] for row in rows}


def _uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None
