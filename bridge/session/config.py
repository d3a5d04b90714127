"""Everything one conversation is made with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridge.audio.formats import AudioFormat
from bridge.providers.ahead import Ahead
from bridge.providers.base import Capabilities
from bridge.providers.conversation import Brief, Ran, Said
from bridge.providers.host import Network
from bridge.session.barge_in import TurnTaking
from bridge.session.candidates import Candidate
from bridge.session.phrases import Phrases


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Everything one conversation is made with."""

    candidates: Sequence[Candidate]
    brief: Brief
    phrases: Phrases
    provider_formats: Callable[[Capabilities], tuple[AudioFormat, AudioFormat]]
    """What a candidate is asked to take and to give on this call: `media_plan.provider_formats`."""
    provider_connect_timeout_s: float = 5.0
    silence_s: float = 15.0
    give_up_s: float = 10.0
    max_duration_s: float = 1800.0
    """Without the time on hold."""
    longest_s: float = 3600.0
    """With it: who is on hold for ever costs a line, and a provider's session."""
    join_timeout_s: float = 5.0
    """Longest time without the caller's media once it was asked for."""
    closing_timeout_s: float = 20.0
    answer_cover_s: float = 1.5
    """Longest silence while an answer is expected; then something is said meanwhile. Looked at four
    times a second: the caller is never alone for two seconds."""
    function_cover_s: float = 1.0
    """The same while a function of ours runs: the agent has just said that it will look."""
    answer_limit_s: float = 6.0
    """Longest wait for a provider's answer; then the next one is asked."""
    digit_pause_s: float = 2.0
    history: Sequence[Said | Ran] = ()
    """What caller and agent have said to each other before this session, oldest first."""
    max_turns: int | None = None
    """Answers after which the conversation is ended politely."""
    max_function_calls: int = 100
    """In one conversation; what is called beyond is refused: a model that loops would fill the
    audit and spend money. The only such limit."""
    barge_in: bool = True
    turns: TurnTaking = field(default_factory=TurnTaking)
    network: Network | None = None
    """How providers are reached; None: directly, with the system's certificates."""
    ahead: Ahead | None = None
    """Channels to the first candidate that were opened before this was known."""
