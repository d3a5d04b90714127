"""What the caller has heard by `unicast` when it ends."""

import time

from esl_controller.calls.unicast_line import SETTLES_S, UnicastLine
from esl_controller.calls.unicast_ports import PortRange


def test_nothing_is_sure_of_a_line_that_ends_before_the_packet_time_is_settled() -> None:
    before = time.monotonic()
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61520, 61529), None)
    try:
        opened = time.monotonic()
        assert before <= line.heard_until(before + SETTLES_S / 2) <= opened
        assert line.heard_until(opened + SETTLES_S) == opened + SETTLES_S
    finally:
        line.close()
