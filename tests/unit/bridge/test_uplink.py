"""The caller's way to the provider."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import PCMU_8K
from bridge.audio.processor import Converter
from bridge.session.uplink import MAX_HELD_MS, PRE_ROLL_MS, Uplink

HELD_BYTES = PCMU_8K.bytes_for_ms(MAX_HELD_MS)
PRE_ROLL_BYTES = PCMU_8K.bytes_for_ms(PRE_ROLL_MS)


def uplink() -> tuple[Uplink, bytearray]:
    sent = bytearray()
    up = Uplink(PCMU_8K, sent.extend)
    up.attach(Converter(PCMU_8K, PCMU_8K))
    return up, sent


def test_audio_before_the_stream_or_after_it_is_nothing():
    up = Uplink(PCMU_8K, lambda _: None)
    up.receive(b"xx")
    up.detach()
    assert up.counters.chunks == 0


def test_the_latest_audio_is_held_and_the_oldest_goes():
    up, sent = uplink()
    up.receive(b"a" * HELD_BYTES)
    up.receive(b"b" * 100)
    assert up.counters.held_dropped_bytes == 100
    up.open()
    assert bytes(sent) == b"a" * (HELD_BYTES - 100) + b"b" * 100
    up.shut()
    up.receive(b"c" * 10)
    assert len(sent) == HELD_BYTES


@given(st.lists(st.one_of(st.binary(min_size=2, max_size=400), st.booleans()), max_size=40))
def test_nothing_is_lost_or_doubled_within_the_limit(steps):
    up, sent = uplink()
    given_bytes, is_open = b"", False
    for step in steps:
        if isinstance(step, bool):
            (up.open if step else up.shut)()
            is_open = step
        else:
            given_bytes += step
            up.receive(step)
    if not is_open:
        up.open()
    assert bytes(sent) == given_bytes[-len(sent) :] if sent else given_bytes == b""
    assert len(sent) == len(given_bytes) - up.counters.held_dropped_bytes


def test_before_the_caller_is_known_to_speak_only_the_pre_roll_is_kept():
    up, sent = uplink()
    up.open()
    for _ in range(50):
        up.receive(b"a" * 160)
    for _ in range(PRE_ROLL_BYTES // 160):
        up.receive(b"b" * 160)
    up.listener_lost()
    sent.clear()
    up.open()
    assert bytes(sent) == b"b" * PRE_ROLL_BYTES
    assert up.counters.held_dropped_bytes == 0


def test_a_turn_is_kept_over_two_losses_and_within_its_limit():
    up, sent = uplink()
    up.open()
    up.turn_began()
    up.receive(b"a" * 300)
    for _ in range(2):
        up.listener_lost()
        sent.clear()
        up.open()
        assert bytes(sent) == b"a" * 300
    up.receive(b"b" * HELD_BYTES)
    up.listener_lost()
    sent.clear()
    up.open()
    assert bytes(sent) == b"b" * HELD_BYTES
    assert up.in_turn


def test_a_turn_that_is_over_is_not_kept():
    up, sent = uplink()
    up.open()
    up.turn_began()
    up.receive(b"a" * 300)
    up.turn_over()
    up.listener_lost()
    sent.clear()
    up.open()
    assert not sent
    assert not up.in_turn
