"""Rows as the database would give them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

from esl_controller.database.repository.pages import ConversationSummary


def summary(**fields: Any) -> ConversationSummary:
    """A conversation with little known of it."""
    unknown = {field.name: None for field in dataclasses.fields(ConversationSummary)}
    known = {
        "conversation_uuid": "c",
        "call_uuid": "call",
        "started_at": datetime(2026, 11, 22, tzinfo=UTC),
        "total_turns": 0,
        "interruptions": 0,
    }
    return ConversationSummary(**(unknown | known | fields))
