"""When FreeSWITCH's timer ticks, told from its datagrams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import L16_8K
from bridge.audio.pacer import Pacer
from bridge.playout.base import PlayoutSinks
from bridge.playout.heard import Timeline
from bridge.playout.ticks import ENOUGH, Ticks
from bridge.playout.unicast import BEFORE_TICK_MS, SLOT_MS, UnicastPlayout

PERIOD_S, FORMAT = 0.01, L16_8K


def test_a_line_that_said_nothing_is_left_alone() -> None:
    assert Ticks().shift_s(5.0, PERIOD_S, 0.001, 0.004) == 0.0


@given(
    phase_ms=st.floats(0.0, 9.99),
    late_ms=st.lists(st.floats(0.0, 1.0), min_size=ENOUGH, max_size=ENOUGH),
    once_late_ms=st.floats(0.0, 9.0),
    at_ms=st.floats(0.0, 1e6),
)
def test_the_tick_is_found_though_the_hub_was_late(
    phase_ms: float, late_ms: list[float], once_late_ms: float, at_ms: float
) -> None:
    late_ms[0] = once_late_ms
    ticks = noted(phase_ms, late_ms)
    at = 1001.0 + at_ms / 1000
    shift_s = ticks.shift_s(at, PERIOD_S, 0.001, 0.004)
    assert abs(shift_s) <= 0.0035 + 1e-9
    behind_ms = ((at + shift_s - 1000.0) * 1000 - phase_ms) % 10.0
    assert 0.999 <= behind_ms <= 5.001


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 60])
@pytest.mark.parametrize("now_ms", [0.3, 2.7, 4.1, 6.6, 8.0, 9.9, 15.2, 18.8])
def test_each_packet_but_the_first_keeps_away_from_the_ticks(ptime_ms: int, now_ms: float) -> None:
    ticks = Ticks()
    for step in range(ENOUGH):
        ticks.note(1000.0 + step * ptime_ms / 1000)
    playout = UnicastPlayout(FORMAT, PlayoutSinks(), ptime_ms=ptime_ms, ticks=ticks)
    assert playout.margin_ms is not None
    now = 1001.0 + now_ms / 1000
    begins = playout.begins(now)
    assert abs(begins - now) <= 0.0036
    until = begins + ptime_ms / 1000
    for before_ms in (playout.margin_ms[0], playout.margin_ms[0] + SLOT_MS):
        behind_ms = (until - before_ms / 1000 - 1000.0) * 1000 % ptime_ms
        assert 0.999 <= behind_ms <= ptime_ms - BEFORE_TICK_MS + 0.001


def test_the_slot_is_the_pacers() -> None:
    assert Pacer().slot_s * 1000 == SLOT_MS


def test_a_fixed_lead_is_left_alone() -> None:
    ticks = noted(0.0, [0.0] * ENOUGH)
    playout = UnicastPlayout(FORMAT, PlayoutSinks(), ptime_ms=10, lead_ms=40, ticks=ticks)
    assert playout.begins(1.0) == 1.0


def noted(phase_ms: float, late_ms: list[float]) -> Ticks:
    ticks = Ticks()
    for step, late in enumerate(late_ms):
        assert not ticks.sure
        ticks.note(1000.0 + step * PERIOD_S + (phase_ms + late) / 1000)
    assert ticks.sure
    return ticks


def test_what_is_sent_begins_when_the_far_end_does() -> None:
    timeline = Timeline(8000, 2, 0.0, lambda now: now + 0.004)
    timeline.send(160, 1.0)
    assert timeline.until == pytest.approx(1.014)
    assert timeline.heard(1.003) == 0
    timeline.send(160, 1.008)
    assert timeline.until == pytest.approx(1.024)
    assert timeline.heard(1.014) == 160
