"""What the soak says of callers who stay half a second."""

from __future__ import annotations

from bench.soak import Heard
from esl_controller.simulator.caller import Caller

LOUD, SILENT = b"\x00\x40" * 160, bytes(320)


def caller(*frames: tuple[float, bytes], answered_at: float | None) -> Caller:
    found = Caller(keep_audio=False)
    if answered_at is not None:
        found.on_answered(answered_at)
    for at, frame in frames:
        found.hear(frame, at)
    return found


def test_who_heard_nothing_is_told_from_who_was_not_answered() -> None:
    heard = Heard(3, 0.5)
    heard.add(10.0, caller((10.21, SILENT), (10.23, LOUD), answered_at=10.2))
    heard.add(10.0, caller((10.42, SILENT), answered_at=10.4))
    assert heard.talked == 1
    heard.add(10.0, caller(answered_at=None))
    told = heard.told(2.0)
    assert "1 of 3 callers heard the agent, 2 calls a second" in told
    assert "answered after 200 and 400 ms, heard 30 and 30 ms later" in told
    assert "of the others 1 were not answered, and 1 hung up 500 ms after the answer" in told


def test_where_all_heard_nothing_is_explained() -> None:
    heard = Heard(1, 0.5)
    heard.add(10.0, caller((10.03, LOUD), answered_at=10.0))
    assert "of the others" not in heard.told(1.0)
