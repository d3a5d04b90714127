"""What the caller has heard by `unicast` when his leg changes."""

import time

from bridge.session.media_plan import Leg
from esl_controller.calls.unicast_line import EVENT_LATE_S, SETTLES_S, UnicastLine
from esl_controller.calls.unicast_ports import PortRange

SAYS_20, SENDS_10, SENDS_60 = (Leg("PCMU", 8000, ms) for ms in (20, 10, 60))


def test_nothing_is_sure_of_what_came_before_shorter_packets_were_noticed() -> None:
    before = time.monotonic()
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61520, 61529), None)
    try:
        opened, early = time.monotonic(), before + SETTLES_S / 2
        assert before <= line.heard_until(SAYS_20, SENDS_10, early) <= opened
        assert line.heard_until(SAYS_20, SENDS_60, early) == early - EVENT_LATE_S
        late = opened + SETTLES_S
        assert line.heard_until(SAYS_20, SENDS_10, late) == late - EVENT_LATE_S
    finally:
        line.close()
