"""Run as a program: check lines of JSON, our messages, against the `elevenlabs` package.

`sdk_types.py < lines` prints one JSON list of problems. Overrides are held against the class of
`conversation_config_override`, whose unknown keys pass there and do not here; the other messages
against what the official client sends itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import elevenlabs
from elevenlabs.conversational_ai.conversation import (
    ContextualUpdateClientToOrchestratorEvent,
    UserMessageClientToOrchestratorEvent,
)
from elevenlabs.types import ConversationConfigClientOverrideInput
from pydantic import BaseModel

INITIATION = {
    "type", "conversation_config_override", "dynamic_variables", "custom_llm_extra_body",
    "source_info", "user_id",
}  # fmt: skip
SAME = {
    "user_message": UserMessageClientToOrchestratorEvent,
    "contextual_update": ContextualUpdateClientToOrchestratorEvent,
}
KEYS = {
    "pong": {"type", "event_id"},
    "client_tool_result": {"type", "tool_call_id", "result", "is_error"},
}
"""As `Conversation` sends them."""


def unknown_keys(value: Any, path: str) -> Iterator[str]:
    """Every key no type knows, however deep."""
    if not isinstance(value, BaseModel):
        return
    for key in value.model_extra or ():
        yield f"{path}.{key}: no such field"
    for name in value.model_fields_set:
        yield from unknown_keys(getattr(value, name, None), f"{path}.{name}")


def problems(line: str) -> Iterator[str]:
    """What is wrong with one message."""
    message = json.loads(line)
    kind = message.get("type")
    if kind is None:
        if set(message) != {"user_audio_chunk"}:
            yield f"{sorted(message)}: no audio"
    elif kind == "conversation_initiation_client_data":
        yield from (f"{kind}.{key}" for key in message.keys() - INITIATION)
        override = message["conversation_config_override"]
        yield from unknown_keys(ConversationConfigClientOverrideInput(**override), kind)
    elif kind in SAME:
        if SAME[kind](text=message["text"]).to_dict() != message:
            yield f"{kind}: the official client sends something else"
    elif message.keys() != KEYS.get(kind):
        yield f"{kind}: {sorted(message)}"


if __name__ == "__main__":
    lines = sys.stdin.read().splitlines()
    found = sorted({text for line in lines for text in problems(line)})
    json.dump({"sdk": elevenlabs.__version__, "checked": len(lines), "problems": found}, sys.stdout)
