"""Which way a call's audio goes, from what tenant and installation ask for."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bridge.playout.modes import Flavour, PlayoutMode
from bridge.session.media_plan import MediaPath, PlayoutChoice
from esl_controller.calls.leg_codec import has_idle_silence
from esl_controller.calls.plan import ConversationPlan, choose_media
from esl_controller.settings.table import Media, Settings

UNICAST = PlayoutChoice(PlayoutMode.UNICAST)


def chosen(
    playback: str = "auto",
    media: str = "stream",
    module: Flavour | None = Flavour.OPEN,
    *,
    idle_silence: bool = True,
    ptime_ms: int = 20,
    **installed: Any,
) -> tuple[MediaPath, PlayoutChoice]:
    secretary = cast(Any, SimpleNamespace(playback_mode=playback, media_mode=media))
    settings = Settings(media=Media(**installed))
    return choose_media(secretary, settings, module, idle_silence=idle_silence, ptime_ms=ptime_ms)


def test_unicast_is_the_way_out_unless_another_is_asked_for() -> None:
    assert chosen() == (MediaPath.STREAM, UNICAST)
    assert chosen(playback="file") == (MediaPath.STREAM, PlayoutChoice(PlayoutMode.FILE))


def test_a_module_with_a_documented_contract_plays_by_itself() -> None:
    binary = PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOSED_1_0_3)
    assert chosen(module=Flavour.CLOSED_1_0_3) == (MediaPath.STREAM, binary)
    raw = PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ)
    assert chosen(module=Flavour.CLOUDFIELDCZ) == (MediaPath.STREAM, raw)


def test_the_tenants_wish_goes_before_the_installations() -> None:
    binary = PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ)
    assert chosen(playback="binary", module=Flavour.CLOUDFIELDCZ)[1] == binary
    assert chosen(playback="unicast", module=Flavour.OPEN)[1] == UNICAST


@pytest.mark.parametrize(
    "way", [{"media": "unicast"}, {"input": "unicast"}, {"module": None}], ids=str
)
def test_without_the_module_both_ways_are_unicast(way: dict[str, Any]) -> None:
    assert chosen(playback="file", **way) == (MediaPath.UNICAST, UNICAST)


@pytest.mark.parametrize("playback", ["binary", "json"])
def test_what_the_module_cannot_play_goes_by_unicast(playback: str) -> None:
    assert chosen(playback=playback, module=Flavour.OPEN) == (MediaPath.STREAM, UNICAST)


@pytest.mark.parametrize("module", [Flavour.CLOUDFIELDCZ, Flavour.ALCHEMILLA, Flavour.CLOSED_1_0_3])
def test_a_module_that_replaces_frames_has_none_on_a_call_answered_before(module: Flavour) -> None:
    assert chosen(playback="binary", module=module)[1] == PlayoutChoice(PlayoutMode.BINARY, module)
    answered_before = chosen(playback="binary", module=module, idle_silence=False)
    assert answered_before == (MediaPath.UNICAST, UNICAST), "beside the module it is not heard"


@pytest.mark.parametrize("module", [Flavour.ALCHEMILLA, Flavour.CLOUDFIELDCZ, Flavour.EARSHOT])
@pytest.mark.parametrize("playback", ["unicast", "file"])
def test_a_module_that_cannot_be_beside_unicast_is_left_out(playback: str, module: Flavour) -> None:
    """AlchemillaHQ's filled FreeSWITCH's memory until it was ended; channels of L16 never ended."""
    assert chosen(playback=playback, module=module) == (MediaPath.UNICAST, UNICAST)


@pytest.mark.parametrize(
    ("module", "choice", "way"),
    [
        (Flavour.OPEN, UNICAST, PlayoutChoice(PlayoutMode.FILE, Flavour.OPEN)),
        (None, UNICAST, UNICAST),
        (Flavour.CLOUDFIELDCZ, UNICAST, UNICAST),
        (Flavour.OPEN, PlayoutChoice(PlayoutMode.FILE), PlayoutChoice(PlayoutMode.FILE)),
    ],
)
def test_what_somebody_listens_to_is_not_begun_by_unicast(
    module: Flavour | None, choice: PlayoutChoice, way: PlayoutChoice
) -> None:
    plan = ConversationPlan(cast(Any, None), MediaPath.UNICAST, choice, module, known={})
    other = plan.without_unicast()
    assert (other.choice, other is plan) == (way, way == choice)
    assert (other.path is MediaPath.STREAM) == (way != choice), "heard by the module, too"


def test_a_module_that_can_end_freeswitch_plays_only_where_it_is_asked_for() -> None:
    assert chosen(module=Flavour.ALCHEMILLA) == (MediaPath.UNICAST, UNICAST)
    by_name = PlayoutChoice(PlayoutMode.BINARY, Flavour.ALCHEMILLA)
    assert chosen(playback="binary", module=Flavour.ALCHEMILLA) == (MediaPath.STREAM, by_name)


@pytest.mark.parametrize("playback", ["binary", "json"])
def test_a_module_of_one_packet_time_has_no_calls_of_others(playback: str) -> None:
    """AlchemillaHQ's plays 20 ms for each packet: nothing was heard."""
    for ptime_ms in (10, 30, 40, 60):
        way = chosen(playback=playback, module=Flavour.ALCHEMILLA, ptime_ms=ptime_ms)
        assert way == (MediaPath.UNICAST, UNICAST)
    fits = chosen(playback=playback, module=Flavour.ALCHEMILLA)
    assert (fits[0], fits[1].flavour) == (MediaPath.STREAM, Flavour.ALCHEMILLA)
    other = chosen(playback="binary", module=Flavour.CLOUDFIELDCZ, ptime_ms=60)
    assert other[1] == PlayoutChoice(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ)


def test_what_writes_frames_itself_needs_no_silence() -> None:
    by_file = PlayoutChoice(PlayoutMode.FILE)
    assert chosen(playback="file", idle_silence=False)[1] == by_file
    writes = PlayoutChoice(PlayoutMode.JSON, Flavour.VOXCOM_US)
    assert chosen(playback="json", module=Flavour.VOXCOM_US, idle_silence=False)[1] == writes


@pytest.mark.parametrize(
    "fields, silence",
    [
        ({"Answer-State": "ringing"}, True),
        ({"Answer-State": "answered"}, False),
        ({"Answer-State": "early"}, False),
        ({"Answer-State": "answered", "variable_send_silence_when_idle": "-1"}, True),
        ({"Answer-State": "answered", "variable_send_silence_when_idle": "0"}, False),
    ],
)
def test_idle_silence_must_be_asked_for_before_there_is_media(
    fields: dict[str, str], silence: bool
) -> None:
    channel = cast(
        Any,
        SimpleNamespace(
            get=lambda name: fields.get(name, ""),
            variable=lambda name: fields.get(f"variable_{name}", ""),
        ),
    )
    assert has_idle_silence(channel) is silence
