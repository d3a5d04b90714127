"""How far ahead of the caller's ear to send: a fixed lead, or one that follows the hub. Pure."""

from __future__ import annotations

from bridge.audio.pacer import Due, Pacer
from bridge.playout.base import Playout

_SAME_S = 1e-4
"""Moments closer than that are one."""


class Lead:
    """One stream's. `now` and `until`, the end of what was sent, are monotonic seconds."""

    def __init__(self, playout: Playout, pacer: Pacer, lead_ms: int | None) -> None:
        """`lead_ms` overrides the playout's."""
        self.most_ms = playout.lead_ms if lead_ms is None else lead_ms
        self._pacer = pacer
        self._fixed_s = max(0, self.most_ms - playout.frame_ms) / 1000
        self._margin_s = None
        if lead_ms is None and playout.margin_ms is not None:
            least_ms, most_ms = playout.margin_ms
            self._margin_s = (least_ms / 1000, most_ms / 1000)
        self.lingers = self._margin_s is not None
        """So little is sent ahead that a stream with nothing left waits on the pacer for more until
        that is heard: joining anew takes longer than a call or two in vain."""
        uneven = playout.frame_ms % round(pacer.period_s * 1000)
        self._twice = self._margin_s is not None and uneven != 0
        self._calls_s = pacer.period_s / 2 if self._twice else pacer.period_s
        """From one call of the pacer to the next."""
        self._late_s = -1.0
        """The pacer's lateness that the next three follow from."""
        self.due_s = self._fixed_s
        """So long before the end of what was sent the next chunk is due; as of `look`."""
        self._enough_s = self._fixed_s
        self._planned_s = 0.0
        """`due_s` when the pacer was last told."""
        self.moved = False
        """The hub is not what it was then: `follow`."""

    def look(self, now: float) -> float:
        """With more than that sent ahead nothing has to go before the pacer's next call.

        The hot path: how late the hub is changes seldom.
        """
        pacer = self._pacer
        if self._margin_s is None or (
            now < pacer.remember_until and pacer.lately_s == self._late_s
        ):
            return self._enough_s
        self._late_s = late_s = pacer.lately_late_s(now)
        least_s, most_s = self._margin_s
        self.due_s = min(most_s, least_s + late_s)
        self._enough_s = self.due_s + self._pacer.slot_s - _SAME_S
        self.moved = abs(self.due_s - self._planned_s) >= self._pacer.slot_s
        return self._enough_s

    def join(self, stream: Due, until: float, now: float) -> None:
        """Have the pacer call `stream`, first when the next chunk is due."""
        if stream in self._pacer.members:
            return
        if self._margin_s is None:
            self._pacer.join(stream, now)
            return
        self.look(now)
        self._planned_s, self.moved = self.due_s, False
        self._pacer.join(stream, now, wanted=until - self.due_s, twice=self._twice)

    def strays(self, until: float, now: float) -> bool:
        """In one of the pacer's calls: the next comes too late for the next chunk.

        A hub that was late lets what is sent begin at another moment of the period: on the same
        place of the wheel each further chunk would come as the one in front ends.
        """
        late_s = now + self._calls_s - (until - self.due_s)
        return self.lingers and late_s > self._pacer.slot_s

    def follow(self, stream: Due, until: float, now: float) -> None:
        """On the wheel, where it has `moved` or `strays`: be called sooner, or later."""
        self._pacer.leave(stream)
        self.join(stream, until, now)
