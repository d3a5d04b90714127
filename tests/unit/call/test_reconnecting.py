"""A stream that was lost is asked for for as long as a caller bears it."""

from __future__ import annotations

import pytest

from esl_controller.calls.media_site import MediaUnavailable
from esl_controller.calls.reconnecting import BEARS_S, LATE_S, LONGEST_PAUSE_S, ask_again


class Line:
    """Refuses until `back_at`; each attempt takes a while. Seconds of a clock of its own."""

    def __init__(self, back_at: float, takes_s: float = 0.05) -> None:
        self.now = 0.0
        self.attempts: list[float] = []
        self.told: list[float] = []
        self._back_at, self._takes_s = back_at, takes_s

    def attempt(self) -> None:
        self.attempts.append(self.now)
        self.now += self._takes_s
        if self.now < self._back_at:
            raise MediaUnavailable(f"refused at {self.now:.2f}")

    def pause(self, pause_s: float) -> None:
        self.now += pause_s

    def ask(self) -> None:
        ask_again(self.attempt, self.pause, lambda: self.told.append(self.now), lambda: self.now)


def test_what_is_there_is_asked_once() -> None:
    line = Line(0.0)
    line.ask()
    assert (line.attempts, line.told) == ([0.0], [])


@pytest.mark.parametrize("back_at", [0.3, 1.0, 2.0, 3.0, 5.0])
def test_it_is_had_soon_after_it_is_back(back_at: float) -> None:
    line = Line(back_at)
    line.ask()
    assert back_at <= line.now <= back_at + LONGEST_PAUSE_S + 0.1
    assert len(line.told) == (line.attempts[-1] > LATE_S)


@pytest.mark.parametrize("takes_s", [0.05, 3.0])
def test_what_stays_away_is_given_up(takes_s: float) -> None:
    line = Line(60.0, takes_s)
    with pytest.raises(MediaUnavailable, match="refused at"):
        line.ask()
    assert BEARS_S - LONGEST_PAUSE_S - 0.1 <= line.now <= BEARS_S + takes_s
    assert len(line.told) == 1
