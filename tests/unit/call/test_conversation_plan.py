"""Which way a call's audio goes, from what tenant and installation ask for."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bridge.audio.media_plan import MediaPath, PlayoutChoice
from bridge.playout.modes import Flavour, PlayoutMode
from esl_controller.conversation_plan import choose_media
from esl_controller.settings import Media, Settings

UNICAST = PlayoutChoice(PlayoutMode.UNICAST)


def chosen(
    playback: str = "auto",
    media: str = "stream",
    module: Flavour | None = Flavour.OPEN,
    **installed: Any,
) -> tuple[MediaPath, PlayoutChoice]:
    secretary = cast(Any, SimpleNamespace(playback_mode=playback, media_mode=media))
    return choose_media(secretary, Settings(media=Media(**installed)), module)


def test_unicast_is_the_way_out_unless_another_is_asked_for() -> None:
    assert chosen() == (MediaPath.STREAM, UNICAST)
    assert chosen(module=Flavour.CLOUDFIELDCZ) == (MediaPath.STREAM, UNICAST)
    assert chosen(playback="file") == (MediaPath.STREAM, PlayoutChoice(PlayoutMode.FILE))


def test_a_module_with_a_documented_contract_plays_by_itself() -> None:
    binary = PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOSED_1_0_3)
    assert chosen(module=Flavour.CLOSED_1_0_3) == (MediaPath.STREAM, binary)


def test_the_tenants_wish_goes_before_the_installations() -> None:
    binary = PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ)
    assert chosen(playback="binary", module=Flavour.CLOUDFIELDCZ)[1] == binary
    assert chosen(playback="unicast", module=Flavour.OPEN)[1] == UNICAST


@pytest.mark.parametrize(
    "way", [{"media": "unicast"}, {"input": "unicast"}, {"module": None}], ids=str
)
def test_without_the_module_both_ways_are_unicast(way: dict[str, Any]) -> None:
    assert chosen(playback="file", **way) == (MediaPath.UNICAST, UNICAST)


@pytest.mark.parametrize("playback", ["file", "json"])
def test_what_the_module_cannot_play_goes_by_unicast(playback: str) -> None:
    assert chosen(playback=playback, module=Flavour.CLOUDFIELDCZ) == (MediaPath.STREAM, UNICAST)
