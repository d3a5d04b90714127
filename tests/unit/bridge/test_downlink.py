"""The agent's way to the caller."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio.formats import L16_8K, L16_24K, PCMU_8K
from bridge.audio.pacer import Pacer
from bridge.playout.base import PlayoutSinks
from bridge.playout.heard import PacketsHeard
from bridge.playout.unicast import UnicastPlayout
from bridge.session.downlink import MAX_EARLY_BYTES, MAX_SILENCE_MS, Downlink, DownlinkListener
from tests.unit.bridge.session_kit import FRAME, PHRASE, SILENT_FRAME


class Line:
    """A downlink, its far side and its clock."""

    def __init__(self) -> None:
        self.told: list[tuple] = []
        self.datagrams: list[bytes] = []
        self.pacer = Pacer()
        self.now = 1.0
        names = [field.name for field in dataclasses.fields(DownlinkListener)]
        listener = DownlinkListener(
            **{name: lambda *what, name=name: self.told.append((name, *what)) for name in names}
        )
        self.down = Downlink(self.pacer, listener)
        self.down.speak(PCMU_8K)

    def open(self) -> None:
        sinks = PlayoutSinks(send_datagram=self.datagrams.append)
        self.down.open(UnicastPlayout(L16_8K, sinks), 0, self.now)

    def play(self, item_id: str, frames: int, frame: bytes = FRAME) -> bool:
        return self.down.play(item_id, frame * frames, self.now)

    def after(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.005)):
            self.now += 0.005
            self.pacer.tick(self.now)

    def names(self) -> list[str]:
        return [told[0] for told in self.told]


@pytest.fixture
def line():
    return Line()


def test_what_comes_before_the_line_opens_is_kept(line):
    line.down.begin_answer()
    assert line.play("i1", 5)
    assert not line.play("i1", 5)
    line.down.complete(line.now)
    line.open()
    line.after(1.0)
    assert len(line.datagrams) >= 10
    assert line.names() == ["on_sound", "on_first_frame", "on_drained"]
    assert line.down.counters.chunks == 2


def test_a_greeting_without_end_is_cut_at_a_limit(line):
    line.down.play("i1", bytes(MAX_EARLY_BYTES), line.now)
    assert not line.play("i1", 1)
    assert line.down.counters.early_dropped_bytes == len(FRAME)


def test_what_the_resampler_still_holds_is_not_lost_with_the_line(line):
    """Each line has its own; the end of an answer comes while there is none."""
    tone = b"".join((3000 * (n // 30 % 2)).to_bytes(2, "little") for n in range(24 * 200))
    line.down.speak(L16_24K)
    line.open()
    line.down.begin_answer()
    line.play("i1", 1, tone)
    line.after(0.5)
    line.down.suspend(PacketsHeard(5, 99.0), line.now)
    line.play("i1", 1, tone)
    line.datagrams.clear()
    line.open()
    line.down.complete(line.now)
    line.after(1.0)
    assert len(line.datagrams) == (400 - 5 * 20) // 20
    assert any(line.datagrams[-1][-32:]), "two milliseconds were missing, and silence filled up"


def test_what_was_kept_and_is_cut_was_not_heard(line):
    line.play("i1", 5)
    line.play("i2", 5)
    assert line.down.cut(line.now) == [("i1", 0, 0), ("i2", 0, 0)]
    line.open()
    line.after(0.5)
    assert line.datagrams == []


def test_a_phrase_needs_a_line(line):
    line.down.announce(*PHRASE, line.now, finish=True)
    assert line.told == []
    line.open()
    line.down.announce(*PHRASE, line.now, finish=True)
    line.after(0.8)
    assert line.names() == ["on_first_frame", "on_drained"]


def test_a_closed_line_is_idle_and_tells_nothing(line):
    line.open()
    line.play("i1", 50)
    assert not line.down.idle(line.now)
    line.down.close()
    line.after(0.5)
    assert line.down.idle(line.now)
    assert "on_drained" not in line.names()


def test_sound_is_told_once_for_each_answer(line):
    line.open()
    for _ in range(2):
        line.down.begin_answer()
        line.play("i1", 10, SILENT_FRAME)
        assert not line.down.sounded
        line.play("i1", 10)
        line.play("i1", 10)
        assert line.down.sounded
    assert line.names().count("on_sound") == 2
    assert "on_soundless" not in line.names()


def test_an_answer_of_silence_is_told_once_and_not_played_on(line):
    line.open()
    line.down.begin_answer()
    for _ in range(40):
        line.play("i1", 5, SILENT_FRAME)
    assert line.names().count("on_soundless") == 1


@pytest.mark.parametrize("sound", [0, 20])
def test_silence_inside_an_answer_is_played_only_so_long(line, sound):
    line.open()
    line.down.begin_answer()
    line.play("i1", sound)
    for _ in range(10):
        line.play("i1", 10, SILENT_FRAME)
    assert line.down.withholding
    line.after(3.0)
    assert line.down.playout.depth_ms == 0
    silence_ms = MAX_SILENCE_MS if sound else 0
    assert abs(20 * len(line.datagrams) - 20 * sound - silence_ms) <= 100
    assert line.names().count("on_withheld") == 1
    assert "on_soundless" not in line.names()
    before = len(line.datagrams)
    line.play("i1", 10)
    assert not line.down.withholding
    line.after(0.5)
    assert len(line.datagrams) >= before + 10
    heard_ms = silence_ms + 20 * sound + 200
    assert line.down.newest == ("i1", heard_ms, heard_ms)


pieces = st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.integers(1, 40)), min_size=1)


@settings(max_examples=60, deadline=None)
@given(pieces, st.floats(0.0, 3.0))
def test_what_was_heard_of_all_items_is_what_was_played(steps, seconds):
    """Phrases of ours between them, in any order, cut at any moment."""
    line = Line()
    line.open()
    total: dict[str, int] = {}
    order: list[str] = []
    for item_id, frames in steps:
        if item_id:
            line.play(item_id, frames)
        else:
            silence = (bytes(320 * frames), L16_8K)
            line.down.announce(*silence, line.now, finish=False)
        total[item_id] = total.get(item_id, 0) + frames * 20
        order += [item_id] * frames
    line.after(seconds)
    played = order[: len(line.datagrams)]
    cut = {one.item_id: one for one in line.down.cut(line.now)}
    for item_id, total_ms in total.items():
        heard_ms = played.count(item_id) * 20
        if item_id in cut:
            assert cut[item_id].heard_ms == heard_ms
            assert cut[item_id].total_ms == total_ms
        elif item_id:
            assert heard_ms == total_ms or len(played) == len(order)
