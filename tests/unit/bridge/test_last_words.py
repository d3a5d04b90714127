"""The words that end a conversation; music; and an agent that hears itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import L16_8K, L16_16K, PCMU_8K
from bridge.session.echo import EchoGuard
from bridge.session.last_words import UNNAMED_GRACE_S, LastWords
from bridge.session.music import Music


def test_only_the_answer_that_was_asked_for_counts():
    words = LastWords()
    assert not words.awaited
    words.ask("t1")
    words.response_started("r1", "")
    words.response_done("r1", heard=False, now=1.0)
    assert words.awaited
    words.response_started("r0", "t0")
    words.response_done("r0", heard=True, now=1.5)
    words.handle_timeout(1.6, idle=True)
    assert words.awaited
    words.response_started("r2", "t1")
    words.response_done("r1", heard=True, now=2.0)
    assert words.awaited
    words.response_done("r2", heard=True, now=3.0)
    assert not words.awaited


def test_unheard_they_are_still_to_be_said():
    words = LastWords()
    words.ask("t1")
    words.response_started("r1", "t1")
    words.response_done("r1", heard=False, now=1.0)
    assert words.awaited
    words.response_started("r2", "t1")
    words.response_done("r2", heard=True, now=1.0)
    assert not words.awaited


def test_an_answer_without_a_name_may_have_been_them():
    words = LastWords()
    words.ask("t1")
    words.response_started("r1", "")
    words.response_done("r1", heard=True, now=1.0)
    words.handle_timeout(1.0 + UNNAMED_GRACE_S / 2, idle=True)
    assert words.awaited
    words.handle_timeout(1.0 + UNNAMED_GRACE_S, idle=False)
    assert words.awaited
    words.handle_timeout(1.0 + UNNAMED_GRACE_S, idle=True)
    assert not words.awaited


def test_but_not_when_the_named_one_follows_it():
    words = LastWords()
    words.ask("t1")
    words.response_done("r1", heard=True, now=1.0)
    words.response_started("r2", "t1")
    words.handle_timeout(99.0, idle=True)
    assert words.awaited


def test_a_phrase_is_played_or_not():
    words = LastWords()
    words.ask_phrase(2.0)
    words.handle_timeout(1.9, idle=True)
    assert words.awaited
    words.announced()
    assert not words.awaited
    words.ask_phrase(2.0)
    words.handle_timeout(2.0, idle=True)
    assert not words.awaited


def test_a_phrase_of_another_kind_is_not_the_good_bye_that_was_asked_for():
    words = LastWords()
    words.ask("t1")
    words.announced()
    assert words.awaited
    words.give_up()
    assert not words.awaited


@given(st.binary(min_size=2, max_size=999), st.lists(st.integers(1, 300), max_size=20))
def test_music_is_the_recording_over_and_over(data, pieces):
    music = Music(data, L16_8K)
    whole = data[: len(data) & ~1]
    got = b"".join(music.next(L16_8K, ms) for ms in pieces)
    assert len(got) == sum(L16_8K.bytes_for_ms(ms) for ms in pieces)
    assert got == (whole * (len(got) // len(whole) + 1))[: len(got)]


def test_music_follows_the_line_into_another_format():
    music = Music(b"\x7f" * 8000, PCMU_8K)
    assert len(music.next(L16_8K, 100)) == 1600
    assert abs(len(music.next(L16_16K, 1000)) - 32000) < 3200
    assert Music(b"", L16_8K).next(L16_8K, 100) == b""


def quick(echo, times, voice_after_s=0.2, cut_after_s=0.4):
    for number in range(times):
        echo.answer_began(number * 10.0)
        echo.interrupted(number * 10.0 + cut_after_s, number * 10.0 + voice_after_s)


def test_three_quick_cuts_by_a_voice_after_ours_are_an_echo():
    echo = EchoGuard()
    quick(echo, 2)
    assert not echo.suspected
    quick(echo, 1)
    assert echo.suspected
    echo.answer_over()
    assert not echo.suspected
    quick(echo, 2)
    assert not echo.suspected


def test_a_late_cut_an_older_voice_and_a_key_are_no_echo():
    for voice_after_s, cut_after_s in ((0.2, 1.5), (-0.5, 0.4)):
        echo = EchoGuard()
        quick(echo, 5, voice_after_s, cut_after_s)
        assert not echo.suspected
    echo = EchoGuard()
    for _ in range(5):
        echo.answer_began(0.0)
        echo.interrupted(0.3, None)
    echo.interrupted(0.3, 0.1)
    assert not echo.suspected
