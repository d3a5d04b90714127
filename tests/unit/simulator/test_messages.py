"""Queue, lock, nesting and break, in the order recorded on FreeSWITCH 1.11.1."""

from __future__ import annotations

import pytest

from esl_controller.simulator.switch.action import Action
from tests.integration.simulator_replay import execute
from tests.unit.simulator.conftest import wait_until


def order(desk) -> list[str]:
    """`EXECUTE:A`, `COMPLETE:A` … of playbacks with ids of their own."""
    short = {"CHANNEL_EXECUTE": "EXECUTE", "CHANNEL_EXECUTE_COMPLETE": "COMPLETE"}
    return [
        f"{short[seen.event]}:{seen.headers['Application-UUID']}"
        for seen in desk.app.seen
        if seen.event in short and seen.headers.get("Application") == "playback"
    ]


def queue_four(desk, *, lock: bool) -> None:
    for number in range(4):
        tone = f"tone_stream://%(1000,0,{600 + 200 * number})"
        desk.app.send(execute("playback", tone, lock=lock, uuid=str(number)))


def test_break_ends_only_the_current_of_locked_playbacks(call_desk) -> None:
    desk = call_desk(speed=5)
    desk.answer()
    queue_four(desk, lock=True)
    desk.app.wait_event("CHANNEL_EXECUTE", Application_UUID="0")
    assert desk.api(f"uuid_break {desk.uuid}") == "+OK\n"
    desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="3")
    assert order(desk) == [f"{what}:{n}" for n in range(4) for what in ("EXECUTE", "COMPLETE")]
    statuses = [s.headers["Playback-Status"] for s in desk.app.seen if s.event == "PLAYBACK_STOP"]
    assert statuses == ["break", "done", "done", "done"]


def test_break_all_drops_the_queue_without_events(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    queue_four(desk, lock=True)
    desk.app.wait_event("CHANNEL_EXECUTE", Application_UUID="0")
    moment = desk.switch.now()
    desk.api(f"uuid_break {desk.uuid} all")
    desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="0")
    desk.app.send(execute("playback", "tone_stream://%(40,0,500)", uuid="next"))
    desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="next")
    assert order(desk) == ["EXECUTE:0", "COMPLETE:0", "EXECUTE:next", "COMPLETE:next"]
    assert desk.caller.hearing.silence_after_ms(moment, quiet_s=0.015) < 100


def test_break_ends_nested_playbacks_one_after_the_other(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    queue_four(desk, lock=False)
    desk.app.wait_event("CHANNEL_EXECUTE", Application_UUID="3")
    desk.api(f"uuid_break {desk.uuid}")
    desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="0")
    assert order(desk) == [
        *(f"EXECUTE:{n}" for n in range(4)),
        *(f"COMPLETE:{n}" for n in (3, 2, 1, 0)),
    ]


def test_break_with_nothing_playing_does_no_harm(call_desk) -> None:
    desk = call_desk(speed=5)
    desk.answer()
    desk.api(f"uuid_break {desk.uuid} all")
    desk.app.send(execute("playback", "tone_stream://%(200,0,500)"))
    desk.app.wait_event("PLAYBACK_STOP")
    assert desk.caller.report().sound_ms == 200


def test_queued_locked_playbacks_are_gap_free(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    for number in range(5):
        desk.app.send(execute("playback", "tone_stream://%(100,0,500)", uuid=str(number)))
    desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="4")
    report = desk.caller.report()
    assert report.sound_ms == 500
    assert report.frames == 25


def test_broadcast_waits_a_tenth_of_a_second_before_each_file(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    for _ in range(2):
        reply = desk.api(f"uuid_broadcast {desk.uuid} tone_stream://%(100,0,500) aleg")
        assert reply == "+OK Message sent\n"
    desk.app.wait(lambda: len(desk.caller.hearing.times) == 10)
    first, second = desk.caller.hearing.times[0], desk.caller.hearing.times[5]
    assert second - first > 0.19


def test_missing_file_gives_no_playback_events(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    desk.app.send(execute("playback", "/nonexistent/x.wav", uuid="m"))
    complete = desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="m")
    assert complete.headers["Application-Response"] == "FILE NOT FOUND"
    assert "PLAYBACK_START" not in desk.app.events()


def test_more_than_256_queued_messages_close_the_socket(call_desk) -> None:
    desk = call_desk(speed=10)
    desk.answer()
    desk.app.send(execute("playback", "tone_stream://%(20,0,500)") * 300)
    desk.app.wait(lambda: desk.app.closed)
    assert 256 <= len([s for s in desk.app.seen if s.shape() == "command/reply | +OK | "]) < 300
    desk.call.ended.wait(10)
    assert desk.caller.report().frames >= 256  # what was queued is played before the end
    assert desk.caller.cause == "NORMAL_CLEARING"


@pytest.mark.parametrize("how", ["close", "exit"])
def test_dialplan_goes_on_after_the_queue(call_desk, how: str) -> None:
    desk = call_desk(speed=5, actions_after=[Action("playback", "tone_stream://%(100,0,950)")])
    desk.answer()
    for _ in range(2):
        desk.app.send(execute("playback", "tone_stream://%(200,0,500)"))
    wait_until(lambda: bool(desk.call.messages))
    desk.app.send("exit\n\n") if how == "exit" else desk.app.socket.shutdown(2)
    assert desk.call.ended.wait(10)
    assert desk.call.dialplan_continued
    assert [action.application for action in desk.call.actions_run] == ["socket", "playback"]
    assert desk.caller.report().sound_ms == 500


def test_without_further_actions_the_call_ends_with_the_application(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    desk.app.send("exit\n\n")
    assert desk.call.ended.wait(5)
    assert desk.call.channel.hangup_cause == "NORMAL_CLEARING"
    assert desk.switch.sessions == {}


def test_multiset_and_body_argument(call_desk) -> None:
    desk = call_desk()
    desk.app.send(execute("multiset", "^^:a=1:b=two words"))
    desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="multiset")
    assert (desk.call.channel.get("a"), desk.call.channel.get("b")) == ("1", "two words")


def test_sleep_and_dtmf_to_the_caller(call_desk) -> None:
    desk = call_desk(speed=5)
    desk.answer()
    desk.app.send(execute("sleep", "100") + execute("send_dtmf", "42#"))
    desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="send_dtmf")
    assert desk.caller.digits_heard == "42#"
    assert desk.api(f"uuid_send_dtmf {desk.uuid} 7") == "+OK\n"
    assert desk.caller.digits_heard == "42#7"
    desk.api(f"uuid_recv_dtmf {desk.uuid} 9")
    assert desk.app.wait_event("DTMF").headers["DTMF-Digit"] == "9"
