"""How an emulated agent behaves: its settings, its pace, and faults on demand.

Defaults: ElevenLabs, «Agents», conversation settings (2026-08).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gevent.ssl import SSLContext

from bridge.audio.formats import PCMU_8K, AudioFormat, Encoding
from esl_controller.simulator.service.faults import AnswerFaults
from esl_controller.simulator.service.script import Script
from esl_controller.simulator.service.voice import Voice

FORMATS = {"ulaw_8000": PCMU_8K} | {
    f"pcm_{rate_hz}": AudioFormat(Encoding.L16, rate_hz)
    for rate_hz in (8000, 16000, 22050, 24000, 44100, 48000)
}
OVERRIDES = frozenset(
    {
        "agent.prompt.prompt",
        "agent.prompt.llm",
        "agent.first_message",
        "agent.language",
        "tts.voice_id",
        "tts.stability",
        "tts.similarity_boost",
        "tts.speed",
    }
)
"""What an agent's security settings can allow."""


@dataclass(frozen=True, slots=True)
class Faults(AnswerFaults):
    """What goes wrong in one conversation."""

    signing_status: int | None = None
    """The request for a signed address is answered so."""
    signing_body: str = '{"detail":{"status":"refused_on_demand","message":"refused on demand"}}'
    signed_url: str = ""
    """Given instead of the right address."""
    silent: bool = False
    """The client's first message is never answered."""
    wordless: bool = False
    """Answers have sound and no words."""
    deaf: bool = False
    """The caller is never heard."""
    without_pings: bool = False
    interrupt_after_s: float | None = None
    """The agent breaks off what it says, for no reason."""
    error_after_s: float | None = None
    error_type: str = "llm_timeout"
    error_code: int = 1011
    """Told in an `error` message, and then closed with."""
    error_text: str = "broken on demand"
    tells_error: bool = True
    """Older services close without a message."""
    strange_messages: bool = False
    """Kinds no client knows come in between."""


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """One agent, as its owner has set it up, and the service around it."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: SSLContext | None = None
    api_keys: frozenset[str] | None = field(default=None, repr=False)
    """Keys that may have an address signed; None takes every key that is not empty."""
    agent_ids: frozenset[str] | None = None
    """None knows every agent."""
    public: bool = False
    """Nobody needs a signed address."""
    input_format: str = "ulaw_8000"
    output_format: str = "ulaw_8000"
    first_message: str = "Hello, this is the agent."
    overrides: frozenset[str] = OVERRIDES
    """Those that are allowed."""
    required_variables: frozenset[str] = frozenset()
    """Dynamic variables without which it does not begin."""
    script: Script = field(default_factory=Script)
    voice: Voice = field(default_factory=Voice)
    chunk_ms: int = 250
    pace: float = 4.0
    """Audio is sent so many times faster than it plays."""
    think_s: float = 0.2
    """From the end of the caller's turn to the first sound."""
    transcription_delay_s: float = 0.05
    silence_ms: int = 500
    """Ends a turn of the caller."""
    turn_timeout_s: float | None = 7.0
    """So long after its last word it asks a silent caller."""
    still_there: str = "Are you still there?"
    max_duration_s: float = 600.0
    ping_every_s: float = 2.0
    number_chunks: bool = False
    """Every chunk of audio has a number of its own, instead of its answer's."""
    with_alignment: bool = False
    """Chunks say when each letter is spoken."""
    fast: bool = False
    """Cheap voice activity by whole messages: for load tests."""
    max_message_bytes: int = 16 * 1024 * 1024
    faults: Faults = field(default_factory=Faults)
    """For every conversation that no other faults are queued for."""
