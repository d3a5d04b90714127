"""How a stream is ended on a channel that is left this moment."""

import pytest

from bridge.playout.editions import EDITIONS
from bridge.playout.modes import Flavour
from esl_controller.calls.stream_start import end_at_once


@pytest.mark.parametrize("flavour", list(Flavour))
def test_what_writes_into_the_frame_before_has_nothing_queued_when_the_channel_goes(
    flavour: Flavour,
) -> None:
    told = [command.name for command in end_at_once("u", flavour)]
    assert told[-1] == "bgapi uuid_audio_stream"
    assert (told[:-1] == ["api uuid_audio_stream"]) is EDITIONS[flavour].holds_frame


def test_it_is_emptied_before_it_ends() -> None:
    emptied, ended = end_at_once("u", Flavour.ALCHEMILLA)
    assert emptied.to_bytes().startswith(b"api uuid_audio_stream u break\n")
    assert b"uuid_audio_stream u stop" in ended.to_bytes()
