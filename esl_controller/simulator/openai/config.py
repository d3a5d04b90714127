"""How an emulated service behaves: pace, rules, and faults on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gevent.ssl import SSLContext

from esl_controller.simulator.service.faults import ConnectionFaults
from esl_controller.simulator.service.script import Script
from esl_controller.simulator.service.voice import Voice

StampHook = Callable[[int, str, float], None]
"""Called with session number, kind of moment and monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Faults(ConnectionFaults):
    """What goes wrong on one connection."""

    out_of_quota: bool = False
    """Every response fails with `insufficient_quota`."""
    wrong_order: bool = False
    """Each response's events come in reverse: `response.done` first."""


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """Everything that can be set."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: SSLContext | None = None
    api_keys: frozenset[str] | None = field(default=None, repr=False)
    """Keys let in; None lets in every key that is not empty."""
    refuse_key_by: str = "close"
    """`close` (upgrade, then close code 3000) or `http` (status 401)."""
    models: Mapping[str, str | None] = field(
        default_factory=lambda: {"gpt-realtime-2.1": None, "gpt-realtime": "2027-01-20"}
    )
    """Of `GET /v1/models`, with their `shutdown_date`."""
    api_shape: str = "ga"
    """`beta` plays a look-alike that never left the beta's names."""
    script: Script = field(default_factory=Script)
    voice: Voice = field(default_factory=Voice)
    delta_ms: int = 100
    pace: float = 4.0
    """How many times faster than real time audio is sent."""
    think_s: float = 0.2
    """From the request to the first sound."""
    transcription_delay_s: float = 0.15
    session_limit_s: float = 3600.0
    max_message_bytes: int = 16 * 1024 * 1024
    fast: bool = False
    """Cheap voice activity by whole messages: for load tests."""
    stamp_deltas: bool = False
    """Every audio delta is stamped, not only the first of a response."""
    embed_stamps: bool = False
    """Audio deltas carry `emulator_sent_s`, the monotonic second of their sending."""
    on_stamp: StampHook | None = None
    faults: Faults = field(default_factory=Faults)
    """For every connection that no other faults are queued for."""
