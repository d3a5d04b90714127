"""What the caller has heard by `unicast` when it ends."""

import time

from bridge.playout.heard import PacketsHeard
from esl_controller.calls.unicast_line import SETTLES_S, UnicastLine, packets_sent
from esl_controller.calls.unicast_ports import PortRange

from .fake_esl import FakeEsl


def test_nothing_is_sure_of_a_line_that_ends_before_the_packet_time_is_settled() -> None:
    before = time.monotonic()
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61520, 61529), None)
    try:
        opened = time.monotonic()
        assert before <= line.heard_until(before + SETTLES_S / 2) <= opened
        assert line.heard_until(opened + SETTLES_S) == opened + SETTLES_S
    finally:
        line.close()


def test_freeswitch_is_asked_how_many_packets_it_has_sent() -> None:
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61530, 61539), None)
    try:
        line.sent_before = 7
        assert line.heard(57, 2.0, 1.0) == PacketsHeard(50, 2.0)
        assert line.heard(None, 2.0, 1.0) == 1.0
        line.sent_before = None
        assert line.heard(57, 2.0, 1.0) == 1.0
    finally:
        line.close()


def test_a_freeswitch_that_does_not_count() -> None:
    esl = FakeEsl()
    esl.uuid = esl.channel.uuid
    assert packets_sent(esl) is None
    assert [step.split()[1] for step in esl.steps] == ["uuid_set_media_stats", "uuid_getvar"]
