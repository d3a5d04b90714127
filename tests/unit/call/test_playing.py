"""What the caller has heard of what the module plays, when his codec changes."""

import math
import time

import gevent
import pytest

from bridge.audio.formats import L16_8K
from bridge.playout.base import Playout
from bridge.playout.heard import BytesHeard
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.session.media_plan import Leg, MediaPlan, PlayoutChoice
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.playing import SILENCE, Playing
from esl_controller.esl.events import Event
from esl_controller.esl.framing import Headers, encode_headers
from tests.unit.call.fake_esl import FakeEsl

PCMU_20, PCMA_60, G722_20 = Leg("PCMU", 8000, 20), Leg("PCMA", 8000, 60), Leg("G722", 16000, 20)


def playing(mode: PlayoutMode, flavour: Flavour) -> tuple[FakeEsl, Playing, Playout]:
    esl = FakeEsl()
    esl.uuid = "u"
    made = Playing(esl, Outbox())
    return esl, made, made.make(PlayoutChoice(mode, flavour), MediaPlan(L16_8K, L16_8K))


def tell(esl: FakeEsl, name: str, number: int, **more: str) -> None:
    """An event of a playback of ours, on a channel of 16 kHz."""
    fields = {"Application-UUID": f"va-0-{number}-1", "Channel-Read-Codec-Rate": "16000", **more}
    happened = Event(Headers(encode_headers(fields.items()), percent_encoded=True), b"")
    for handler in esl.handlers[name]:
        handler(happened)


@pytest.mark.parametrize(("before", "leg"), [(PCMU_20, PCMA_60), (PCMA_60, PCMU_20)])
def test_a_file_that_is_broken_off_was_heard_as_far_as_freeswitch_tells(
    before: Leg, leg: Leg
) -> None:
    """But for a packet of the old length, and what fills none of the new one."""
    esl, line, playout = playing(PlayoutMode.FILE, Flavour.OPEN)
    line.stream = NoStream()
    for number in (1, 2, 3):
        playout.play(bytes(3200), 0)
        body = b'{"file": "/tmp/a", "generation": 0, "seq": %d}' % number
        for handler in esl.handlers["mod_audio_stream::play"]:
            handler(Event(Headers(b"", percent_encoded=False), body))
    for number, samples in ((1, 3200), (2, 1600)):
        tell(esl, "CHANNEL_EXECUTE", number)
        told = {"variable_playback_last_offset_pos": str(samples)}
        if number == 1:
            tell(esl, "CHANNEL_EXECUTE_COMPLETE", number, **told)
    gevent.spawn(tell, esl, "CHANNEL_EXECUTE_COMPLETE", 2, **told)
    again_ms = 60
    assert line.heard_until(before, leg, 0.0) == BytesHeard(3200 + 1600 - again_ms * 16)
    assert esl.steps[-1] == "api uuid_break u all"


def test_where_nothing_is_under_way_nothing_is_broken_off() -> None:
    esl, line, playout = playing(PlayoutMode.FILE, Flavour.OPEN)
    line.stream = NoStream()
    playout.play(bytes(3200), 0)
    assert line.heard_until(PCMU_20, PCMA_60, 0.0) == BytesHeard(0)
    assert not esl.steps


def test_what_the_module_plays_itself_goes_on_unless_its_stream_must_end() -> None:
    _, module, _ = playing(PlayoutMode.BINARY, Flavour.CLOSED_1_0_3)
    assert module.heard_until(PCMU_20, PCMA_60, 0.0) == math.inf
    assert module.heard_until(PCMU_20, G722_20, 0.0) is None


def test_what_freeswitch_throws_away_of_a_modules_sound_is_sent_again() -> None:
    """Where the module drops in order with what follows: else the new sound would be dropped."""
    _, module, _ = playing(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ)
    assert module.heard_until(PCMU_20, Leg("PCMA", 8000, 20), 0.0) == math.inf
    began = time.monotonic()
    until = module.heard_until(PCMU_20, PCMA_60, 0.0)
    assert isinstance(until, float)
    assert began <= until + 0.09 <= time.monotonic()
    assert module.heard_until(PCMU_20, G722_20, 5.0) == pytest.approx(5.0 - 0.05)


def test_of_shorter_packets_one_more_of_the_old_length_is_sent_again() -> None:
    _, module, _ = playing(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ)
    began = time.monotonic()
    until = module.heard_until(PCMA_60, Leg("PCMU", 8000, 10), 0.0)
    assert isinstance(until, float)
    assert began <= until + 0.15 <= time.monotonic()


def test_silence_is_played_in_packets_of_the_new_length_until_the_channel_is_left() -> None:
    esl, module, _ = playing(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ)
    assert not module.last_commands()
    module.play_silence()
    module.play_silence()
    start = ["api uuid_setvar u playback_terminators none", f"execute playback {SILENCE}"]
    assert esl.steps == [*start, "api uuid_break u", *start]
    assert [command.name for command in module.last_commands()] == [
        "api uuid_setvar",
        "api uuid_break",
    ]


class NoStream:
    """Takes what is sent."""

    def send_text(self, data: bytes) -> None:
        """For a file."""
