"""A line that is gone gives back what was not heard, and recalls it where it can be."""

import math

from bridge.playout.heard import BytesHeard, PacketsHeard

from .stream_kit import make, ms


def test_what_is_given_back_is_recalled_so_that_it_is_heard_once() -> None:
    far, _, stream = make(lead_ms=120, chunk_ms=200, first_chunk_ms=100)
    stream.write("a", ms(1000), far.now)
    far.now += 0.05
    ((item, data),) = stream.give_back(None, far.now)
    assert item == "a"
    assert data == ms(1000)[far.heard_bytes(far.now) :]
    assert len(far.cleared) == 1
    assert far.heard_bytes(far.now + 5) == far.heard_bytes(far.now)


def test_files_that_play_on_are_not_recalled() -> None:
    far, _, stream = make(lead_ms=120, chunk_ms=200, first_chunk_ms=100)
    stream.write("a", ms(1000), far.now)
    sent = len(far.sound)
    far.now += 0.05
    ((_, data),) = stream.give_back(math.inf, far.now)
    assert data == ms(1000)[sent:]
    assert not far.cleared


def test_what_cannot_be_recalled_is_only_given_back() -> None:
    far, _, stream = make(recalls=False)
    stream.write("a", ms(1000), far.now)
    far.now += 0.05
    assert stream.give_back(None, far.now)
    assert not far.cleared


def test_what_freeswitch_did_not_send_is_given_back_to_the_packet() -> None:
    far, _, stream = make(recalls=False, lead_ms=100)
    stream.write("a", ms(1000), far.now)
    sent = len(far.sound) // len(ms(20))
    ((_, data),) = stream.give_back(PacketsHeard(sent - 2, math.inf), far.now + 0.5)
    assert data == ms(1000)[len(ms(20)) * (sent - 2) :]


def test_what_was_sent_after_the_end_is_given_back_whoever_sent_packets_besides() -> None:
    far, _, stream = make(recalls=False, lead_ms=100)
    stream.write("a", ms(1000), far.now)
    ended = far.now + 0.04
    ((_, data),) = stream.give_back(PacketsHeard(1000, ended), far.now + 0.5)
    assert data == ms(1000)[len(ms(40)) :]


def test_a_packet_that_had_begun_when_it_ended_was_heard_whole() -> None:
    far, _, stream = make(recalls=False, lead_ms=100)
    stream.write("a", ms(1000), far.now)
    ended = far.now + 0.045
    ((_, data),) = stream.give_back(PacketsHeard(1000, ended), far.now + 0.5)
    assert data == ms(1000)[len(ms(60)) :]


def test_what_files_were_not_played_is_given_back_to_the_byte() -> None:
    far, _, stream = make(lead_ms=120, chunk_ms=200, first_chunk_ms=100)
    stream.write("a", ms(1000), far.now)
    heard = len(ms(30)) + 2
    ((_, data),) = stream.give_back(BytesHeard(heard), far.now + 0.2)
    assert data == ms(1000)[heard:]
