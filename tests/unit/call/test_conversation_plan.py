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
    playback: str = "auto", media: str = "stream", *, has_module: bool = True, **installed: Any
) -> tuple[MediaPath, PlayoutChoice]:
    secretary = cast(Any, SimpleNamespace(playback_mode=playback, media_mode=media))
    return choose_media(secretary, Settings(media=Media(**installed)), has_module=has_module)


def test_unicast_is_the_way_out_unless_another_is_asked_for() -> None:
    assert chosen() == (MediaPath.STREAM, UNICAST)
    assert chosen(flavour="cloudfieldcz") == (MediaPath.STREAM, UNICAST)
    assert chosen(playback="file") == (MediaPath.STREAM, PlayoutChoice(PlayoutMode.FILE))


def test_the_tenants_wish_goes_before_the_installations() -> None:
    binary = PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ)
    assert chosen(playback="binary", flavour="cloudfieldcz")[1] == binary
    assert chosen(playback="unicast", flavour="open")[1] == UNICAST


@pytest.mark.parametrize(
    "way", [{"media": "unicast"}, {"input": "unicast"}, {"has_module": False}], ids=str
)
def test_without_the_module_both_ways_are_unicast(way: dict[str, Any]) -> None:
    assert chosen(playback="file", **way) == (MediaPath.UNICAST, UNICAST)


@pytest.mark.parametrize("playback", ["file", "json"])
def test_what_the_module_cannot_play_goes_by_unicast(playback: str) -> None:
    assert chosen(playback=playback, flavour="cloudfieldcz") == (MediaPath.STREAM, UNICAST)
