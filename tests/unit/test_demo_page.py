"""The demo's account of its call: when the caller waited, for what, and how the page shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from esl_controller.commands.demo_page import page, summary
from esl_controller.commands.demo_story import PARTS, Story, tell
from esl_controller.database.models import Turn
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import Note
from esl_controller.simulator.speech import beep

FRAME_S = 0.02
LOUD, QUIET = b"\x00\x10\x00\xf0" * 80, bytes(320)


def turn(text: str, role: str = "assistant", **more: object) -> Turn:
    return Turn(
        turn_uuid=text,
        domain_uuid="d",
        conversation_uuid="c",
        turn_number=1,
        role=role,
        content=text,
        started_at=datetime.now(UTC),
        **more,
    )


ANSWER = turn("One <b>answer</b>", total_ms=300, network_ms=40, model_ms=250, buffer_ms=10,
              playout_ms=60)  # fmt: skip


@pytest.fixture
def caller() -> Caller:
    """Hears from 1 to 3 s; interrupts from 2 to 3 s; hears the answer from 4 s on; keys at 6 s."""
    caller = Caller()
    caller.answered_at, caller.ended_at = 100.0, 108.0
    for number in range(400):
        at = 100.0 + number * FRAME_S
        caller.hearing.add(LOUD if 50 <= number < 110 or 200 <= number < 250 else QUIET, at)
        caller._spoken_times.append(at)
        caller._spoken.append(LOUD if 100 <= number < 150 else QUIET)
    caller.notes = [
        Note(100.0, "answered"),
        Note(101.99, "says a sentence"),
        Note(103.0, "said"),
        Note(108.0, "ended NORMAL_CLEARING"),
    ]
    return caller


@pytest.fixture
def story(caller: Caller) -> Story:
    return tell([turn("Hello"), turn("a question", "user"), ANSWER], caller)


def test_a_wait_runs_from_the_callers_last_sound_to_the_answers_first(story: Story) -> None:
    (one,) = story.exchanges
    assert one.asked_s == pytest.approx(3.0, abs=0.001)
    assert one.ear_ms == pytest.approx(1000, abs=21)
    assert sum(one.parts_ms.values()) == pytest.approx(one.ear_ms)
    assert tuple(one.parts_ms) == PARTS
    assert one.parts_ms["end of turn"] == pytest.approx(640, abs=21)


def test_an_interruption_is_told_apart(story: Story) -> None:
    assert [mark.label for mark in story.marks] == ["answered", "interrupts"]
    assert story.silenced_ms == pytest.approx([180], abs=21)
    assert (story.greeting_ms, story.length_s) == (pytest.approx(1000), 8.0)


def test_keys_are_asked_with_the_last_one(caller: Caller) -> None:
    caller.notes[1:3] = [Note(103.0, "presses 12#")]
    (one,) = tell([ANSWER], caller).exchanges
    assert one.asked_s == pytest.approx(3.4)


def test_what_cannot_be_matched_is_left_open(caller: Caller) -> None:
    story = tell([ANSWER, replace(ANSWER, turn_uuid="2")], caller)
    assert [one.ear_ms for one in story.exchanges] == [None, None]
    assert story.typical_wait_ms is None
    assert "One <b>answer</b>" in summary(story)


def test_the_table_fits_80_columns(story: Story) -> None:
    lines = summary(story).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split()[:2] == ["answer", "waited"]
    assert lines[1].split()[-5:] == ["40", "0", "250", "10", "60"]


def test_what_the_emulator_was_set_to_wait_is_told_apart(caller: Caller, tmp_path: Path) -> None:
    told = tell([turn("Hello"), turn("a question", "user"), ANSWER], caller, 200)
    (one,) = told.exchanges
    assert (one.parts_ms["set"], one.parts_ms["model"]) == (200, 50)
    assert sum(one.parts_ms.values()) == pytest.approx(one.ear_ms)
    assert "was set to wait" in summary(told)
    recording = tmp_path / "call.wav"
    caller.write_wav(recording)
    assert "200 ms before each answer are a <b>setting" in page(told, recording, "nobody")


def test_an_answer_behind_a_phrase_is_timed_by_the_ear(caller: Caller) -> None:
    untimed = replace(ANSWER, total_ms=None)
    (one,) = tell([turn("Hello"), turn("a question", "user"), untimed], caller).exchanges
    assert one.ear_ms == pytest.approx(1000, abs=21)


class Checker(HTMLParser):
    """Every tag that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_nothing_said_is_markup(
    caller: Caller, story: Story, tmp_path: Path
) -> None:
    recording = tmp_path / "call.wav"
    caller.write_wav(recording)
    html = page(story, recording, "nobody & co")
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    assert "One &lt;b&gt;answer&lt;/b&gt;" in html
    assert "nobody &amp; co" in html
    assert 'src="data:audio/wav;base64,UklGR' in html
    assert "call.wav" not in html
    assert 'data-length="8.000"' in html


def test_a_call_without_sound_has_a_page_too(tmp_path: Path) -> None:
    caller, recording = Caller(), tmp_path / "call.wav"
    caller.write_wav(recording)
    assert "<svg" in page(tell([], caller), recording, "nobody")


def test_the_callers_own_sound_is_found() -> None:
    caller = Caller()
    caller.answered_at = 0.0
    caller.say(beep(0.1))
    for number in range(20):
        caller.speak(number * FRAME_S)
    assert caller.first_spoke(0.0, 1.0) == 0.0
    assert caller.last_spoke(0.0, 1.0) == pytest.approx(0.1, abs=0.021)
    assert caller.last_spoke(0.3, 1.0) is None
