"""The caller's way to the provider."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import L16_8K, L16_16K, PCMU_8K
from bridge.audio.pcm import audioop
from bridge.session.uplink import MAX_HELD_MS, PRE_ROLL_MS, Uplink

HELD_BYTES = L16_8K.bytes_for_ms(MAX_HELD_MS)
PRE_ROLL_BYTES = L16_8K.bytes_for_ms(PRE_ROLL_MS)
A, B = audioop.ulaw2lin(b"\x21", 2), audioop.ulaw2lin(b"\x42", 2)
"""Samples that stay what they are when they are kept."""


def uplink(listener=L16_8K) -> tuple[Uplink, bytearray]:
    sent = bytearray()
    up = Uplink(sent.extend, lambda data: None)
    up.attach(L16_8K)
    up.listen(listener)
    return up, sent


def test_audio_before_the_stream_or_after_it_is_nothing():
    up = Uplink(lambda _: None, lambda _: None)
    up.receive(b"xx")
    up.attach(L16_8K)
    up.detach()
    up.receive(b"xx")
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


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=401), st.booleans()), max_size=40))
def test_nothing_is_lost_or_doubled_within_the_limit(steps):
    heard = bytearray()
    sent = bytearray()
    up = Uplink(sent.extend, heard.extend)
    up.attach(L16_8K)
    up.listen(L16_8K)
    given_bytes = b""
    for step in steps:
        if isinstance(step, bool):
            (up.open if step else up.shut)()
        else:
            given_bytes += step
            up.receive(step)
    up.open()
    whole = given_bytes[: len(given_bytes) & ~1]
    assert bytes(sent) == whole[len(whole) - len(sent) :]
    assert len(sent) == len(whole) - up.counters.held_dropped_bytes
    assert bytes(heard) == whole


def test_nothing_is_sent_where_nothing_came_of_it():
    sent: list[bytes] = []
    up = Uplink(sent.append, lambda _: None)
    up.attach(L16_8K)
    up.listen(L16_16K)
    up.open()
    for _ in range(10):
        up.receive(b"xx")
    assert b"" not in sent


def test_before_the_caller_is_known_to_speak_only_the_pre_roll_is_kept():
    up, sent = uplink()
    up.open()
    for _ in range(50):
        up.receive(A * 160)
    for _ in range(PRE_ROLL_BYTES // 320):
        up.receive(B * 160)
    up.listener_lost()
    sent.clear()
    up.open()
    assert bytes(sent) == B * (PRE_ROLL_BYTES // 2)
    assert up.counters.held_dropped_bytes == 0


def test_a_turn_is_kept_over_two_losses_and_within_its_limit():
    up, sent = uplink()
    up.open()
    up.turn_began()
    up.receive(A * 150)
    for _ in range(2):
        up.listener_lost()
        sent.clear()
        up.open()
        assert bytes(sent) == A * 150
    up.receive(B * (HELD_BYTES // 2))
    up.listener_lost()
    sent.clear()
    up.open()
    assert bytes(sent) == B * (HELD_BYTES // 2)
    assert up.in_turn


def test_what_was_sent_comes_before_what_was_not_sent_yet():
    up, sent = uplink()
    up.open()
    up.turn_began()
    up.receive(A)
    up.shut()
    up.receive(B)
    up.listener_lost()
    sent.clear()
    up.open()
    assert bytes(sent) == A + B


def test_what_is_kept_is_heard_by_the_next_in_its_own_format():
    up, sent = uplink(PCMU_8K)
    up.open()
    up.turn_began()
    up.receive(bytes(3200))
    assert bytes(sent) == b"\xff" * 1600
    up.listener_lost()
    up.listen(L16_8K)
    sent.clear()
    up.open()
    assert bytes(sent) == bytes(3200)


@pytest.mark.parametrize("other", [False, True])
def test_a_new_stream_takes_over_what_is_held_in_its_own_format_only(other):
    up, sent = uplink()
    up.receive(b"aa")
    up.detach()
    up.attach(L16_16K if other else L16_8K)
    up.open()
    assert bytes(sent) == (b"" if other else b"aa")


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


def test_a_shut_line_may_forget():
    up, sent = uplink()
    up.open()
    up.turn_began()
    up.receive(b"aa")
    up.shut(forget=True)
    up.receive(b"bb")
    sent.clear()
    up.open()
    up.receive(b"cc")
    assert bytes(sent) == b"cc"
    assert not up.in_turn


def test_a_muted_line_is_silence_of_the_same_length():
    up, sent = uplink(PCMU_8K)
    up.open()
    up.muted = True
    up.receive(b"\x00\x40" * 160)
    assert bytes(sent) == b"\xff" * 160
