"""From a voice's beginnings and pauses to whole turns, and what becomes of too much audio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.speech.counters import Counters
from bridge.speech.ear_desk import MAX_BEHIND_S, EarDesk
from bridge.speech.listening import Listening
from bridge.speech.messages import Reply, Told
from bridge.speech.service import SpeechFailed
from bridge.speech.silero import Silero
from bridge.speech.turn_end import MAX_SILENCE_MS, silence_needed_ms

LOUD, QUIET = b"\x00\x60", b"\x00\x00"


class Model:
    """As sure as the loudness of the window."""

    def process(self, samples: memoryview) -> float:
        return max(map(abs, samples))


class Words:
    """A recogniser that knows one word more for every second of a voice."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self._loud = 0
        self.closed = False
        self.fed = 0

    def begin(self) -> None:
        self._loud = 0

    def feed(self, samples: bytes) -> str:
        self.fed += len(samples)
        self._loud += samples.count(b"\x60")
        return self._text()

    def finish(self) -> str:
        return self._text()

    def close(self) -> None:
        self.closed = True

    def _text(self) -> str:
        return " ".join(self._words[: 1 + self._loud // 8000])


def listen(words: Words, *parts: tuple[bytes, int]) -> list[Reply]:
    """What is told of so many milliseconds of loud and quiet."""
    ear = Listening(Silero(Model(), 8000, 96), words, silence_ms=300)
    audio = b"".join(sample * (8 * ms) for sample, ms in parts)
    return [reply for at in range(0, len(audio), 333) for reply in ear.hear(audio[at : at + 333])]


def turns(told: list[Reply]) -> list[str]:
    return [reply.data.decode() for reply in told if reply.told is Told.TURN]


def test_a_turn_ends_with_silence_and_silence_is_not_recognised() -> None:
    words = Words("book", "it")
    told = listen(words, (QUIET, 2000), (LOUD, 1200), (QUIET, 3000), (LOUD, 500), (QUIET, 1000))
    assert turns(told) == ["book it", "book"]
    assert [reply.told for reply in told].count(Told.STARTED) == 2
    assert words.fed < 16 * (1200 + 500 + 2 * 900)


def test_a_pause_behind_an_open_word_ends_nothing() -> None:
    pause = (LOUD, 600), (QUIET, 600), (LOUD, 600), (QUIET, 1500)
    assert turns(listen(Words("two", "more"), *pause)) == ["two", "two"]
    assert turns(listen(Words("and", "more"), *pause)) == ["and more"]


def test_noise_without_words_is_a_turn_without_words() -> None:
    assert turns(listen(Words(""), (LOUD, 300), (QUIET, 1000))) == [""]


def test_a_recogniser_that_fails_ends_the_turn_with_what_is_known() -> None:
    class Broken(Words):
        def finish(self) -> str:
            raise SpeechFailed("no memory")

    told = listen(Broken("book"), (LOUD, 500), (QUIET, 900), (LOUD, 500), (QUIET, 900))
    assert turns(told) == ["book", "book"]


@pytest.mark.parametrize(
    ("text", "language", "needed_ms"),
    [
        ("i want a table", "en", 300),
        ("i want a table for", "en", 750),
        ("quero falar com", "pt", 750),
        ("quero falar com", "en", 300),
        ("my number is five,", "en", 750),
        ("", "pt", 300),
    ],
)
def test_words_that_want_to_go_on_are_given_time(text: str, language: str, needed_ms: int) -> None:
    assert silence_needed_ms(text, language, 300) == needed_ms


def test_nobody_is_given_time_for_ever() -> None:
    assert silence_needed_ms("and", "en", 2000) == MAX_SILENCE_MS
    assert silence_needed_ms("and", "en", 5000) == 5000


class Later:
    """An executor whose work is done on demand."""

    def __init__(self) -> None:
        self.work: list[Callable[[], Any]] = []

    def submit(self, work: Callable[[], Any]) -> None:
        self.work.append(work)

    def run(self) -> None:
        while self.work:
            self.work.pop(0)()


class Echo:
    """An ear that tells what it was given."""

    closed = False

    def hear(self, data: bytes) -> list[Reply]:
        return [Reply(Told.TURN, len(data), data[:1])]

    def close(self) -> None:
        self.closed = True


def test_audio_nobody_can_keep_up_with_is_dropped_oldest_first() -> None:
    later, counters, told, ear = Later(), Counters(), [], Echo()
    desk = EarDesk(ear, 8000, later, counters, told.append)  # type: ignore[arg-type]
    for second in range(11):
        desk.hear(bytes([second]) * 16000)
    assert counters.waiting == MAX_BEHIND_S
    later.run()
    assert [reply.data for reply in told] == [bytes([n]) for n in range(3, 11)]
    assert (counters.dropped_audio_ms, counters.waiting, counters.turns) == (3000, 0, 8)
    desk.close()
    assert ear.closed


def test_an_ear_in_use_is_closed_by_its_last_user() -> None:
    later, ear = Later(), Echo()
    desk = EarDesk(ear, 8000, later, Counters(), lambda reply: None)  # type: ignore[arg-type]
    desk.hear(bytes(320))
    assert later.work == []
    desk.hear(bytes(320))
    desk.close()
    assert not ear.closed
    later.run()
    assert ear.closed
