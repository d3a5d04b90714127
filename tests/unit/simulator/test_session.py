"""Frame by frame: what is written in which 20 ms, without a clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esl_controller.simulator.switch.action import Action, Message
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM
from esl_controller.simulator.switch.session import Session
from esl_controller.simulator.switch.silent_end import SilentEnd
from esl_controller.simulator.switch.sound import level

FRAME_S = 0.02


class Ear(SilentEnd):
    """Hears: per frame nothing, quiet (`_`) or sound (`#`)."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = ""

    def hear(self, frame: bytes, now: float) -> None:
        self.heard += "#" if level(frame) > 1000 else "_"


class Bench:
    """A parked call whose frames are ticked by hand."""

    def __init__(self, switch: Switch, *variables: str) -> None:
        self.ear = Ear()
        actions = [*(Action("set", variable) for variable in variables), Action("answer")]
        self.session: Session = switch.start_call([*actions, Action("park")], caller=self.ear)
        switch.clock.stop()
        self.now = switch.now()
        self.tick()

    def tick(self, count: int = 1) -> str:
        """What was heard in each of the next frames; `.` for nothing."""
        line = ""
        for _ in range(count):
            self.now += FRAME_S
            self.ear.heard = ""
            self.session.tick(self.now)
            line += self.ear.heard or "."
        return line

    def play(self, frames: int, *, lock: bool = True, lead: int = 0) -> None:
        tone = f"tone_stream://%({frames * 20},0,700)"
        self.session.queue(Message("execute", "playback", tone, lock=lock, lead_frames=lead))


@pytest.fixture
def switch() -> Iterator[Switch]:
    with Switch(SwitchConfig(quirks=CALM)) as switch:
        yield switch


def test_a_message_is_taken_up_on_the_next_frame_and_a_queue_has_no_holes(switch: Switch) -> None:
    bench = Bench(switch)
    assert bench.tick(2) == ".."
    bench.play(3)
    bench.play(2)
    assert bench.tick(7) == "#####.."


def test_after_a_break_the_next_one_begins_a_frame_later(switch: Switch) -> None:
    bench = Bench(switch)
    bench.play(10)
    bench.play(2)
    assert bench.tick(3) == "###"
    bench.session.break_playback(everything=False)
    assert bench.tick(5) == ".##.."


def test_a_nested_playback_interrupts_and_the_outer_one_goes_on(switch: Switch) -> None:
    bench = Bench(switch)
    bench.play(4, lock=False)
    assert bench.tick(2) == "##"
    bench.session.queue(Message("execute", "playback", "silence_stream://40"))
    assert bench.tick(6) == "__##.."


def test_idle_silence_fills_what_is_not_played(switch: Switch) -> None:
    bench = Bench(switch, "send_silence_when_idle=-1")
    assert bench.tick(2) == "__"
    bench.play(2)
    assert bench.tick(4) == "##__"


def test_a_nested_park_leaves_the_idle_silence_alone(switch: Switch) -> None:
    bench = Bench(switch)
    assert bench.tick() == "."
    bench.session.channel.set("send_silence_when_idle", "-1")
    bench.session.queue(Message("execute", "park"))
    assert bench.tick(3) == "..."


def test_lead_frames_come_before_the_playback(switch: Switch) -> None:
    bench = Bench(switch)
    bench.play(1, lead=5)
    assert bench.tick(8) == ".....#.."


def test_hang_up_is_final_within_a_frame(switch: Switch) -> None:
    bench = Bench(switch)
    bench.play(10)
    bench.tick()
    bench.session.hang_up("USER_BUSY")
    bench.session.hang_up("NORMAL_CLEARING")
    bench.tick()
    assert bench.session.ended.is_set()
    assert bench.session.channel.hangup_cause == "USER_BUSY"
