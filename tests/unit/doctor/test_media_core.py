"""What the doctor says of the compiled core."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import msgspec
import pytest

from bridge.audio import core
from esl_controller.doctor.finding import State
from esl_controller.doctor.host import _media_core
from esl_controller.settings.table import Settings


@pytest.mark.parametrize(
    ("module", "installed", "wanted", "state", "words"),
    [
        (None, "", True, State.NOTE, "python"),
        (None, "8", True, State.NOTE, "python: the core 8 is for another version"),
        (SimpleNamespace(), "7", True, State.OK, "compiled 7"),
        (SimpleNamespace(), "7", False, State.OK, "python: VOICE_AI_MEDIA_COMPILED is false"),
    ],
)
def test_it_says_which_runs(monkeypatch, module, installed, wanted, state, words) -> None:
    monkeypatch.setattr(core, "module", module)
    monkeypatch.setattr(core, "installed", installed)
    settings = Settings()
    media = msgspec.structs.replace(settings.media, compiled=wanted)
    finding = _media_core(msgspec.structs.replace(settings, media=media))
    assert (finding.state, finding.detail) == (state, words)
    assert dataclasses.asdict(finding)["check"] == "media path"
