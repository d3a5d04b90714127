"""Where an answer's time went, as a turn's row has it. Pure."""

from __future__ import annotations

from typing import Any

from bridge.ports import TurnLatency


def latency_columns(latency: TurnLatency | None) -> dict[str, Any]:
    """The latency columns of a turn."""
    if latency is None:
        return {}
    return {
        "total_ms": round(latency.total_ms),
        "network_ms": _whole(latency.network_ms),
        "model_ms": _whole(latency.model_ms),
        "buffer_ms": _whole(latency.buffer_ms),
        "playout_ms": _whole(latency.playout_ms),
    }


def _whole(value_ms: float | None) -> int | None:
    return None if value_ms is None else round(value_ms)
