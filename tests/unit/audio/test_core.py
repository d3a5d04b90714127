"""Whether the compiled core is used is decided in one place."""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace

import pytest

from bridge.audio import core
from bridge.audio.formats import L16_8K, PCMU_8K
from bridge.audio.processor import Converter
from bridge.audio.resampler import Resampler, make_resampler
from bridge.session.echo_levels import PythonLevels, make_levels
from bridge.session.kept_audio import PythonKept, make_kept
from bridge.session.voice_activity import VoiceActivity, make_activity
from bridge.wire.uplink_codec import AudioShape, Hearing, UplinkCodec, make_codec

SHAPE = AudioShape("channel", b"<", b">", base64=True)


@pytest.fixture
def found(monkeypatch):
    """Imports the core anew, as if this were installed (None: nothing is)."""

    def install(module: object) -> None:
        monkeypatch.setitem(sys.modules, "voice_ai_switch_core", module)
        importlib.reload(core)

    yield install
    monkeypatch.undo()
    importlib.reload(core)


def made() -> list[type]:
    hearing = Hearing(make_activity(8000), make_levels(), make_kept())
    codec = make_codec(Converter(L16_8K, PCMU_8K), SHAPE, hearing)
    return [type(one) for one in (make_resampler(8000, 16000), *hearing, codec)]


TWINS = [Resampler, VoiceActivity, PythonLevels, PythonKept, UplinkCodec]


def test_without_it_the_twins_do_everything(found) -> None:
    found(None)
    assert made() == TWINS
    assert (core.running(), core.installed) == ("python", "")


def test_one_that_fits_is_used_until_it_is_not_wanted(found) -> None:
    class Compiled:
        def __init__(self, *args: object) -> None:
            self.args = args

    found(
        SimpleNamespace(
            interface=core.INTERFACE,
            version="7",
            Resampler=Compiled,
            VoiceActivity=Compiled,
            EchoLevels=Compiled,
            KeptAudio=Compiled,
            UplinkCodec=Compiled,
        )
    )
    assert made() == [Compiled] * 5
    assert core.running() == "compiled 7"
    core.forgo()
    assert made() == TWINS
    assert core.running() == "python"


def test_one_of_another_version_is_left_alone(found) -> None:
    found(SimpleNamespace(interface=core.INTERFACE + 1, version="8"))
    assert made() == TWINS
    assert (core.running(), core.installed) == ("python", "8")
