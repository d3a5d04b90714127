"""Where an answer's time went, as a turn's row has it. Pure."""

from __future__ import annotations

from typing import Any

from bridge.ports import TurnLatency


def latency_columns(latency: TurnLatency | None) -> dict[str, Any]:
    """The latency columns of a turn."""
    if latency is None:
        return {}
    parts = ("total", "network", "model", "buffer", "playout")
    values = {f"{part}_ms": getattr(latency, f"{part}_ms") for part in parts}
    return {name: None if value is None else round(value) for name, value in values.items()}
