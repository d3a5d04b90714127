"""How an emulated service behaves: pace, rules, and faults on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gevent.ssl import SSLContext

from esl_controller.simulator.openai.script import Script
from esl_controller.simulator.openai.voice import Voice

StampHook = Callable[[int, str, float], None]
"""Called with session number, kind of moment and monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong on one connection. Times are seconds from the accepted hand-shake."""

    connect_delay_s: float = 0.0
    """The answer to the hand-shake comes so late."""
    refuse_status: int | None = None
    """The hand-shake is answered with this HTTP status (401, 429, 500 …)."""
    drop_after_s: float | None = None
    """The TCP connection is reset."""
    close_after_s: float | None = None
    close_code: int = 1001
    close_reason: str = ""
    stall_after_s: float | None = None
    """From then on nothing is sent any more; the connection stays."""
    garbage_after_s: float | None = None
    garbage: tuple[bytes, ...] = (b"\x00\xff not json", b"[]", b'{"type":7}', b"{" * 5000)
    """Messages sent as they are, as text frames."""
    oversize_after_s: float | None = None
    oversize_bytes: int = 32 * 1024 * 1024
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
