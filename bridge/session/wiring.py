"""What a session is made of, and who tells whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bridge.audio.pacer import Pacer
from bridge.ports import SessionListener
from bridge.providers import base as p
from bridge.session.answering import Answering
from bridge.session.closing import Closing
from bridge.session.comfort import Comfort
from bridge.session.config import SessionConfig
from bridge.session.connection import SeatListener
from bridge.session.dialogue import Dialogue
from bridge.session.downlink import DownlinkListener
from bridge.session.floor import Floor
from bridge.session.hold import Hold
from bridge.session.last_words import LastWords
from bridge.session.line import Line
from bridge.session.minding import Minding
from bridge.session.plain_uplink import PlainUplink
from bridge.session.provider import ProviderSeat
from bridge.session.sense import Sense
from bridge.session.silence import SilenceWatch
from bridge.session.states import SessionState
from bridge.session.telling import Telling
from bridge.session.transcript import Transcript
from bridge.session.voice_activity import loud_rms


class Owner(Protocol):
    """The session, as its parts see it."""

    state: SessionState

    def on_event(self, event: p.ProviderEvent) -> None:
        """The provider tells anything but audio."""

    def on_ready(self, ready: p.SessionReady) -> None:
        """A provider took the settings."""

    def on_crossed(self, ready: p.SessionReady) -> None:
        """A new session of the same provider took over."""

    def on_lost(self, failure: p.ProviderFailure) -> None:
        """The provider is gone; another is being connected."""

    def on_exhausted(self, failure: p.ProviderFailure) -> None:
        """Nobody is left to try."""

    def on_drained(self, now: float) -> None:
        """All that was finished has been heard."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything one session owns."""

    transcript: Transcript
    floor: Floor
    silence: SilenceWatch
    last_words: LastWords
    seat: ProviderSeat
    line: Line
    plain: PlainUplink
    answering: Answering
    minding: Minding
    dialogue: Dialogue
    telling: Telling
    hold: Hold
    closing: Closing
    forget: Callable[[], None]
    """After the end: who tells whom is forgotten."""


def wire(
    owner: Owner,
    config: SessionConfig,
    listener: SessionListener,
    pacer: Pacer,
    clock: Callable[[], float],
) -> Parts:
    """Make a session's parts. Callbacks look the others up when they run."""
    now = clock()
    transcript, floor, last_words = Transcript(now), Floor(barge_in=config.barge_in), LastWords()
    silence = SilenceWatch(
        now,
        silence_s=config.silence_s,
        give_up_s=config.give_up_s,
        max_s=config.max_duration_s,
        longest_s=config.longest_s,
    )
    parts: Parts
    seat = ProviderSeat(
        config.candidates,
        config.brief,
        SeatListener(
            on_audio=lambda event: parts.dialogue.on_audio(event, clock()),
            on_event=lambda event: owner.on_event(event),
            on_ready=lambda ready: owner.on_ready(ready),
            on_crossed=lambda ready: owner.on_crossed(ready),
            on_lost=lambda failure: owner.on_lost(failure),
            on_exhausted=lambda failure: owner.on_exhausted(failure),
            start=lambda: parts.answering.start(),
            history=transcript.history,
        ),
        formats=config.provider_formats,
        connect_timeout_s=config.provider_connect_timeout_s,
        network=config.network,
        clock=clock,
        ahead=config.ahead,
    )
    line = Line(
        pacer,
        DownlinkListener(
            on_first_frame=lambda now, ms: parts.dialogue.on_first_frame(now, ms),
            on_drained=lambda now: owner.on_drained(now),
            on_sound=lambda now: parts.dialogue.on_sound(now),
            on_soundless=lambda now: parts.dialogue.on_soundless(now),
            on_withheld=lambda: parts.answering.withheld(),
            on_full=lambda item_id, ms, now: parts.dialogue.on_full(item_id, ms, now),
        ),
        send_audio=seat.send_audio,
        on_voice=lambda now: parts.dialogue.on_voice(now, owner.state),
        on_doubt=lambda now: parts.dialogue.look(now, owner.state),
        clock=clock,
        least_rms=loud_rms(config.turns.vad_threshold),
        turn_end_ms=config.turns.turn_end_ms,
        sense=Sense(
            config.network.speech,
            lambda there: parts.line.ear.be_patient(there),
            lambda: parts.line.ear.conclude(),
        )
        if config.turns.by_sense and config.network is not None
        else None,
    )
    answering = Answering(
        config, seat, floor, line, transcript, listener, lambda phrase: parts.minding.phrase(phrase)
    )
    comfort = Comfort(floor, line, wanted=config.turns.comfort_sound)
    minding = Minding(config, seat, floor, line, silence, answering, comfort, listener)
    dialogue = Dialogue(
        config, seat, floor, line, transcript, silence, answering, last_words, comfort, listener
    )
    hold = Hold(floor, line, dialogue, answering, silence, config.brief)
    closing = Closing(config, seat, answering, last_words, listener)

    def forget() -> None:
        nonlocal parts, owner
        parts.line.uplink.close()
        parts.dialogue.doubt.close()
        del parts, owner

    parts = Parts(
        transcript,
        floor,
        silence,
        last_words,
        seat,
        line,
        PlainUplink(line, seat),
        answering,
        minding,
        dialogue,
        Telling(seat, floor, line, silence, answering),
        hold,
        closing,
        forget,
    )
    return parts
