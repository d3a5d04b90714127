"""Whoever answers a call of ours, in software: a person, a machine, a screener, hold music."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import After, AgentSilent, HangUp, Say, Step
from esl_controller.simulator.speech import Clip, beep, joined, silence, synthetic

RATE_HZ = 8000


def person(*, stays_s: float = 1.0) -> Caller:
    """Says hello, listens, and leaves when the agent has been silent."""
    return Caller(
        [Step(After(0.4), Say(synthetic(0.6))), Step(AgentSilent(stays_s), HangUp())],
        rate_hz=RATE_HZ,
    )


def answering_machine(*, greeting_s: float = 3.0, beep_hz: float = 1000.0) -> Caller:
    """Talks on, beeps and records; it never hangs up."""
    tape = joined(synthetic(greeting_s), silence(0.5), beep(0.4, beep_hz))
    return Caller([Step(After(0.2), Say(tape))], rate_hz=RATE_HZ)


def screener(*, asks_s: float = 1.8) -> Caller:
    """Asks who calls; a person comes when it has been told."""
    return Caller(
        [
            Step(After(0.3), Say(synthetic(asks_s))),
            Step(AgentSilent(1.5), Say(synthetic(0.7, seed=2))),
            Step(AgentSilent(1.0), HangUp()),
        ],
        rate_hz=RATE_HZ,
    )


def on_hold(*, music_s: float = 3.0) -> Caller:
    """Music, then a person."""
    tape = joined(hold_music(music_s), silence(0.9), synthetic(0.9), silence(0.3))
    return Caller([Step(After(0.2), Say(tape)), Step(AgentSilent(1.0), HangUp())], rate_hz=RATE_HZ)


@lru_cache(maxsize=4)
def hold_music(seconds: float) -> Clip:
    """Chords that last, with a soft beat."""
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * times) for hz in (262, 330, 392, 523))
    beat = 0.8 + 0.2 * np.sin(2 * np.pi * 2 * times)
    return Clip((chord * beat * 2500).astype("<i2").tobytes(), RATE_HZ, "music")
