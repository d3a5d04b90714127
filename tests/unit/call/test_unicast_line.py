"""What the caller has heard by `unicast` when it ends."""

import time

from bridge.playout.heard import PacketsHeard
from bridge.session.media_plan import Leg
from esl_controller.calls.unicast_line import SETTLES_S, UnicastLine, packets_sent
from esl_controller.calls.unicast_ports import PortRange

from .fake_esl import FakeEsl


def test_nothing_is_sure_of_a_line_that_ends_before_the_packet_time_is_settled() -> None:
    before = time.monotonic()
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61520, 61529), lambda _: None)
    try:
        opened = time.monotonic()
        line._on_datagram(bytes(320))
        line.proves(Leg("PCMU", 8000, 20))
        assert line.heard_until(opened + 0.5) == opened + 0.5
        line.proves(Leg("PCMU", 8000, 30))
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


def test_a_codec_that_freeswitch_corrects_to_what_is_known_ends_the_line_all_the_same() -> None:
    """The telephone says 20 ms and sends 30: the first datagram has 30 before FreeSWITCH does."""
    says, sends = Leg("G722", 16000, 20), Leg("G722", 16000, 30)
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61540, 61549), lambda _: None)
    try:
        line._on_datagram(bytes(960))
        proven = time.monotonic()
        assert line.proves(says) == sends
        assert not line.ended_by(says, proven + 1)
        assert line.ended_by(sends, proven + 1)
        assert not line.ended_by(sends, proven + 2), "told once"
        line.proves(says)
        assert not line.ended_by(sends, proven - 1), "it began behind the correction"
    finally:
        line.close()


def test_packets_that_freeswitch_filled_up_were_no_speech() -> None:
    """The telephone says 30 ms and sends 20, and so did we."""
    says, sends = Leg("PCMU", 8000, 30), Leg("PCMU", 8000, 20)
    opened = time.monotonic()
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61560, 61569), lambda _: None)
    try:
        line._on_datagram(bytes(320))
        assert line.proves(says) == sends
        line.sent_before = 0
        assert line.ended_by(sends, time.monotonic() + 1)
        nothing = line.heard(30, 2.0, 1.0)
        assert isinstance(nothing, float)
        assert opened <= nothing <= time.monotonic()
        line.proves(sends)
        assert line.ended_by(Leg("PCMU", 8000, 10), time.monotonic() + 1)
        assert line.heard(30, 2.0, 1.0) == PacketsHeard(30, 2.0), "it had believed ours"
    finally:
        line.close()


def test_silence_that_fills_up_longer_packets_is_not_handed_on() -> None:
    came: list[int] = []
    ports = PortRange(61550, 61559)
    line = UnicastLine("127.0.0.1", "127.0.0.1", ports, lambda data: came.append(len(data)))
    try:
        for size, byte in ((3840, b"\0"), (1920, b"\xff"), (3840, b"\0"), (1920, b"\xff")):
            line._on_datagram(byte * size)
        assert came == [3840, 1920, 3840]
    finally:
        line.close()


def test_a_freeswitch_that_does_not_count() -> None:
    esl = FakeEsl()
    esl.uuid = esl.channel.uuid
    assert packets_sent(esl) is None
    assert [step.split()[1] for step in esl.steps] == ["uuid_set_media_stats", "uuid_getvar"]


def test_of_a_line_found_dead_what_freeswitch_has_sent_was_heard() -> None:
    """Until it closed its socket, or by then, when its codec is another one; else only what is
    sure: others may play on the channel."""
    leg, other = Leg("PCMU", 8000, 20), Leg("PCMA", 8000, 30)
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61570, 61579), lambda _: None)
    try:
        line._on_datagram(bytes(320))
        line.proves(leg)
        assert line.died(leg, 5.0, 5.6) == (5.0, 5.0)
        assert line.died(other, 5.0, 5.6) == (5.6, 5.0)
        line.proves(leg)
        before = time.monotonic()
        while not line._link.refused:  # nobody has that port
            line.send(bytes(320))
        until, otherwise = line.died(other, 5.0, time.monotonic())
        assert before <= until <= time.monotonic()
        assert otherwise == 5.0
    finally:
        line.close()


def test_behind_the_answer_to_a_new_codec_all_is_noise() -> None:
    leg, other = Leg("G722", 16000, 20), Leg("opus", 48000, 20)
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61580, 61589), lambda _: None)
    try:
        line._on_datagram(bytes(640))
        proven = time.monotonic()
        line.proves(leg)
        line.sent_before = 7
        assert line.heard(57, 2.0, 1.0) == PacketsHeard(50, 2.0), "the codec is the same"
        assert line.ended_by(other, proven + 1)
        assert line.heard(57, 2.0, 1.0) == PacketsHeard(49, 2.0), "one at least"
        line.noise_from = 1.99
        assert line.heard(57, 2.0, 1.0) == PacketsHeard(49, 2.0)
        line.noise_from = 1.5
        assert line.heard(57, 2.01, 1.0) == PacketsHeard(50 - 25, 2.01), "it had to wait"
        assert line.heard(57, 9.0, 1.0) == PacketsHeard(49, 9.0), "that was another one"
        assert line.heard(7, 1.0, 1.0) == PacketsHeard(0, 1.0)
    finally:
        line.close()


def test_the_first_packet_of_opus_tells_whether_they_are_as_long_as_agreed() -> None:
    for came, shorter, longer in ((1920, False, False), (3840, False, True), (960, True, False)):
        line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61590, 61599), None)
        try:
            line._on_datagram(b"\xff" * 1920)
            line.proves(Leg("opus", 48000, 20))
            assert not line.packets_shorter, "that was nothing yet"
            line._on_datagram(bytes(came))
            assert (line.packets_shorter, line.packets_longer) == (shorter, longer)
            line.proves(Leg("L16", 48000, 20))
            seen = line.packets_shorter or line.packets_longer
            assert not seen, "of others FreeSWITCH sees it itself"
        finally:
            line.close()


def test_who_listens_later_hears_no_filler_of_freeswitchs() -> None:
    heard: list[int] = []
    line = UnicastLine("127.0.0.1", "127.0.0.1", PortRange(61600, 61609), None)
    try:
        line._on_datagram(b"\xff" * 1920)
        line.proves(Leg("opus", 48000, 20))
        line._on_datagram(bytes(3840))
        assert line.packets_longer
        line.listen(lambda data: heard.append(len(data)))
        for _ in range(3):
            line._on_datagram(b"\xff" * 1920)
            line._on_datagram(bytes(3840))
        assert heard == [1920, 3840, 3840, 3840], "the first tells how long fillers are"
    finally:
        line.close()
