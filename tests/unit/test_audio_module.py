"""Editions of mod_audio_stream by what they answer, as recorded from each."""

from __future__ import annotations

import pytest

from bridge.playout.editions import flavours
from bridge.playout.modes import Flavour, PlayoutMode
from esl_controller.calls.audio_module import (
    best_playback,
    editions,
    known,
    loaded,
    without_unicast,
)
from esl_controller.calls.installed_module import InstalledModule
from tests.unit.call.fake_esl import FakeEsl

OPEN = (
    "-USAGE: <uuid> [start | stop | send_text | pause | resume | graceful-shutdown ] "
    "[wss-url | path] [mono | mixed | stereo] [8000 | 16000] [metadata]\n"
)
EARSHOT = "-ERR usage: uuid_audio_stream <uuid> start <url> <mix> <rate>\n"


@pytest.mark.parametrize(
    ("answer", "first", "count"),
    [
        (OPEN, Flavour.OPEN, 3),
        (OPEN.replace("[metadata]", "[l16 | pcmu | pcma] [metadata]"), Flavour.JULIANOTARGA, 1),
        (OPEN.replace("resume |", "resume | break |"), Flavour.CLOSED_1_0_3, 2),
        (OPEN.replace("resume | graceful-shutdown", "resume | break"), Flavour.ALCHEMILLA, 3),
        (EARSHOT, Flavour.EARSHOT, 1),
    ],
)
def test_editions_are_told_by_their_usage(answer: str, first: Flavour, count: int) -> None:
    found = editions(answer)
    assert (found[0], len(found)) == (first, count)


@pytest.mark.parametrize("answer", ["-ERR uuid_audio_stream Command not found!\n", "", "\n"])
def test_no_module_is_what_freeswitch_itself_answers(answer: str) -> None:
    assert not loaded(answer)
    assert editions(answer) == ()


@pytest.mark.parametrize("answer", ["-USAGE: <uuid> [start | stop | dance]\n", "-ERR usage", "+OK"])
def test_an_edition_that_is_not_known_is_loaded_all_the_same(answer: str) -> None:
    assert loaded(answer)
    assert not known(answer)
    assert editions(answer) == (Flavour.OPEN,)


@pytest.mark.parametrize("flavour", list(Flavour))
def test_the_best_playback_is_one_the_edition_has(flavour: Flavour) -> None:
    assert flavour in flavours(best_playback(flavour))


def test_without_a_module_unicast_is_left() -> None:
    assert best_playback(None) is PlayoutMode.UNICAST


@pytest.mark.parametrize(
    ("flavour", "mode"),
    [
        (Flavour.OPEN, PlayoutMode.FILE),
        (Flavour.VOXCOM_US, PlayoutMode.JSON),
        (Flavour.JULIANOTARGA, PlayoutMode.JSON),
        (Flavour.CLOUDFIELDCZ, None),
        (Flavour.CLOSED_1_0_3, None),
        (Flavour.CLOSED_1_1_0, None),
        (Flavour.EARSHOT, None),
        (Flavour.ALCHEMILLA, None),
        (Flavour.JAMBONZ, None),
        (None, None),
    ],
)
def test_what_can_play_where_unicast_ended(flavour: Flavour, mode: PlayoutMode | None) -> None:
    """The others replace frames that a channel without idle silence never writes."""
    other = without_unicast(flavour)
    assert other == (None if mode is None else (mode, flavour))
    assert mode is None or flavour in flavours(mode)


class Asked(FakeEsl):
    """One FreeSWITCH, which says what module it has."""

    def __init__(self, host: str, answer: str) -> None:
        super().__init__()
        self.far_host, self._usage, self.times = host, answer, 0

    def api(self, *_: object, **__: object) -> str:
        self.times += 1
        return self._usage


def test_each_freeswitch_has_its_own_module() -> None:
    installed = InstalledModule("auto")
    with_module, without = (
        Asked("10.0.0.1", OPEN),
        Asked("10.0.0.2", "-ERR uuid_audio_stream Command not found!\n"),
    )
    for _ in range(2):
        assert installed(with_module) is Flavour.OPEN
        assert installed(without) is None
    assert (with_module.times, without.times) == (1, 1)
