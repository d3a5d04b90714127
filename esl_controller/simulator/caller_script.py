"""What a simulated caller does and when. Pure data.

A script is a list of steps, carried out in order: each waits for its condition, then acts.
"""

from __future__ import annotations

from dataclasses import dataclass

from esl_controller.simulator.speech import Clip

# conditions


@dataclass(frozen=True, slots=True)
class At:
    """This long after the call was answered."""

    s: float


@dataclass(frozen=True, slots=True)
class After:
    """This long after the step before was done (its speech said to the end)."""

    s: float = 0.0


@dataclass(frozen=True, slots=True)
class AgentSpeaking:
    """The agent has been audible for this long in one go: the moment to interrupt."""

    for_s: float


@dataclass(frozen=True, slots=True)
class AgentSilent:
    """The agent said something since the step before and has been silent for this long."""

    for_s: float


Condition = At | After | AgentSpeaking | AgentSilent

# actions


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a clip to its end. A new one cuts off the one before."""

    clip: Clip


@dataclass(frozen=True, slots=True)
class Murmur:
    """Say something under the agent's words, an "uh-huh": it is no turn, and no step waits for its
    end."""

    clip: Clip


@dataclass(frozen=True, slots=True)
class Press:
    """Press digits, one every `gap_s`."""

    digits: str
    gap_s: float = 0.2


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up."""


@dataclass(frozen=True, slots=True)
class Background:
    """Turn echo of the far end and room noise on from here; None turns them off."""

    echo_db: float | None = None
    """Level of the echo relative to what is heard, e.g. -30."""
    echo_ms: int = 0
    """How late it comes back, to the next packet."""
    noise_dbfs: float | None = None
    """Level of white noise, e.g. -50."""


@dataclass(frozen=True, slots=True)
class Mute:
    """Stop sending RTP (`True`) or send again."""

    on: bool = True


Action = Say | Murmur | Press | HangUp | Background | Mute


@dataclass(frozen=True, slots=True)
class Step:
    """When the condition holds, act."""

    when: Condition
    action: Action


@dataclass(frozen=True, slots=True)
class Note:
    """Something the caller did: monotonic seconds and a word."""

    at: float
    what: str
