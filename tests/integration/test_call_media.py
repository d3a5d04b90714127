"""Calls whose packets are not 20 ms, or whose codec changes, from the greeting to the good-bye."""

from __future__ import annotations

import dataclasses
import time

import gevent
import pytest

from bridge.audio.formats import PCMA_8K, PCMU_8K
from bridge.playout.modes import PlayoutMode
from esl_controller.simulator import speech
from esl_controller.simulator.caller_script import After, AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.switch.quirks import CALM, Edition
from tests.integration.service import (
    FALLBACK,
    LONG_TEXT,
    SPEAK,
    hang_up_after,
    service,
    wait_for,
)
from tests.integration.test_call_conversation import ANSWER, GREETING, SCRIPT, VOICE

ASK = Step(AgentSilent(0.35), SPEAK)
BYE = hang_up_after(AgentSilent(0.5))
NOTHING_TWICE = ["Hello.", "Certainly."]
"""What a line that died did not play is played by the next one: the model is not asked for it."""
PTIMES_MS = [10, 30, 40, 60]
WAYS = {
    "unicast": {},
    "both by unicast": {"input": "unicast"},
    "file": {"playback": "file"},
}


def media_of(running, call):
    return next(c.talk.media for c in running.app.calls if c.leg.channel.uuid == call.leg.uuid)


def heard(call) -> bool:
    return call.caller.hearing.first_sound_at() is not None


@pytest.mark.parametrize("way", WAYS)
def test_packets_of_any_length(serve, way):
    emulator = EmulatorConfig(script=SCRIPT, think_s=0.05)
    running = serve(media=WAYS[way], emulator=emulator)
    tenants = [running.tenant, *(running.add_tenant(emulator) for _ in PTIMES_MS[1:])]
    calls = [
        running.call([ASK, BYE], tenant=tenant, ptime_ms=ptime_ms)
        for tenant, ptime_ms in zip(tenants, PTIMES_MS, strict=True)
    ]
    for call in calls:
        call.wait()
    running.stored()
    for call in calls:
        assert call.tenant.record.spoken == [GREETING, ANSWER]
        assert call.row()["outcome"] == "completed"
        report = call.caller.report(speech.from_wav(VOICE))
        assert (report.lost_ms, report.doubled_ms) == (0.0, 0.0), call.leg.channel.ptime_ms


@pytest.mark.parametrize("change", [(PCMA_8K, 20), (PCMU_8K, 40), (PCMU_8K, 30)], ids=str)
def test_another_codec_in_mid_call(serve, change):
    """FreeSWITCH ends `unicast` and says nothing about that; files go on."""
    running = serve(secretary={"first_message": LONG_TEXT})
    call = running.call([Step(After(3.5), SPEAK), BYE])
    wait_for(lambda: heard(call))
    gevent.sleep(0.5)
    call.leg.change_codec(*change)
    wait_for(lambda: media_of(running, call).choice.mode is PlayoutMode.FILE)
    call.wait()
    running.stored()
    assert call.tenant.record.spoken[-1] == "Certainly."
    assert call.caller.hearing.last_sound_at > call.caller.answered_at + 4.0
    assert (call.row()["outcome"], call.row()["error_code"]) == ("completed", None)
    assert len(running.app._desk.site.media.ports) > 0


@pytest.mark.parametrize("sends_ms", [10, 30, 40])
def test_a_telephone_that_sends_other_packets_than_it_said(serve, sends_ms):
    """FreeSWITCH sets its codec anew in a moment: a datagram of ours that is on its way then would
    leave the call in FreeSWITCH for ever (`calls.reoffers.will_change`)."""
    running = serve(secretary={"first_message": LONG_TEXT})
    call = running.call([Step(AgentSilent(0.35), SPEAK), BYE], sends_ms=sends_ms)
    wait_for(lambda: call.leg.media.unicast is not None)
    unicast = call.leg.media.unicast
    call.wait()
    running.stored()
    assert unicast.received == 0
    assert call.leg.channel.ptime_ms == sends_ms
    assert call.tenant.record.spoken == [LONG_TEXT.strip(), "Certainly."]
    assert call.row()["outcome"] == "completed"


def test_unicast_that_ends_unasked_is_noticed(serve):
    """As after `uuid_broadcast` from outside."""
    running = serve()
    call = running.call([Step(After(3.0), SPEAK), BYE])
    wait_for(lambda: heard(call))
    call.leg.media.end_unicast()
    wait_for(lambda: media_of(running, call).choice.mode is PlayoutMode.FILE)
    call.wait()
    running.stored()
    assert call.tenant.record.spoken == NOTHING_TWICE
    assert call.row()["outcome"] == "completed"


def test_silence_of_freeswitchs_own_does_not_count_as_heard(serve):
    """It goes on when `unicast` has ended, and is in its count of packets; the second datagram that
    is sent then is refused."""
    running = serve(secretary={"first_message": LONG_TEXT})
    call = running.call([hang_up_after(After(4.0))])
    wait_for(lambda: heard(call))
    gevent.sleep(1.0)  # longer than a packet time takes to settle
    session, told = running.session(call), []
    lose = session.lose_media
    session.lose_media = lambda **how: (told.append(how["heard_until"]), lose(**how))
    call.leg.media.end_unicast()
    call.leg.media.frames_out += 100
    ended = time.monotonic()
    wait_for(lambda: media_of(running, call).choice.mode is PlayoutMode.FILE)
    assert told[0].until <= ended + 3 * 0.02
    call.wait()


def test_files_go_on_with_another_packet_time(serve):
    running = serve(media={"playback": "file"})
    call = running.call([Step(After(3.0), SPEAK), BYE])
    wait_for(lambda: heard(call))
    call.leg.change_codec(PCMU_8K, 30)
    wait_for(lambda: media_of(running, call).restarts == 1)
    call.wait()
    running.stored()
    assert call.tenant.record.spoken == NOTHING_TWICE
    assert call.row()["outcome"] == "completed"


def test_without_the_module_the_dialplan_takes_the_call(database, tmp_path):
    quirks = dataclasses.replace(CALM, edition=Edition.NONE)
    with service(database, tmp_path, quirks=quirks) as running:
        call = running.call(actions_after=FALLBACK)
        wait_for(lambda: heard(call))
        call.leg.change_codec(PCMA_8K, 20)
        call.wait()
        running.stored()
        assert (call.outcome, call.leg.dialplan_continued) == ("failed", True)
        assert call.row()["outcome"] == "fallback"


def test_a_key_pressed_does_not_cut_a_file(serve):
    running = serve(media={"playback": "file"}, secretary={"first_message": LONG_TEXT})
    call = running.call([hang_up_after(AgentSilent(1.0))])
    wait_for(lambda: heard(call))
    gevent.sleep(0.5)
    call.caller.press("*")
    gevent.sleep(0.3)
    assert call.leg.channel.get("playback_terminator_used") is None
    call.caller.hang_up()
    call.wait()
