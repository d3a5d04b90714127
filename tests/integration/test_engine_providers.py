"""On an engine: a whole call with each provider, heard at a telephone and read from what is stored.

Greeting, two turns, an interruption, keys, a function and the hang-up it asks for. The services are
the emulated ones.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from esl_controller.database.repository.demo import DemoProvider
from esl_controller.simulator import speech
from esl_controller.simulator.elevenlabs.config import EmulatorConfig as AgentConfig
from esl_controller.simulator.gemini.config import EmulatorConfig as GeminiConfig
from esl_controller.simulator.gemini.server import GeminiEmulator
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.recogniser import Recogniser
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.integration.engine_kit import ENGINE_MARKS, engine_client
from tests.integration.engine_line import cough, dial, media, silence_around, went_on_after
from tests.integration.service import LONG_TEXT, QUICK, Service, Tenant, wait_for
from tests.integration.sip_phone import Phone
from tests.integration.speech_process import speech_process
from tests.integration.test_call_pipeline import Stages

pytestmark = ENGINE_MARKS
GREETING, HOURS, STOPPED, GOOD_BYE = "Good morning.", "We open at nine.", "Of course.", "Good-bye."
SCRIPT = Script(
    answers=(Answer(HOURS), Answer(LONG_TEXT.strip()), Answer(STOPPED)),
    keywords={"keypad": Answer(GOOD_BYE, calls=(ScriptedCall("end_call"),))},
    caller_lines=("when do you open", "tell me everything", "stop please"),
)
PAUSE_S = 0.8
"""Longer than any pause inside an answer."""
SPEECH_S = 0.8
PATIENCE_S = 20.0
QUESTION = speech.synthetic(SPEECH_S)


ENDS: dict[str, tuple[str, list[Any]]] = {"elevenlabs": ("agent_left", [])}
"""The cause, and the functions stored: its agent hangs up by a tool of the service's own."""
ENDS_BY_FUNCTION = ("finished", [("end_call", "completed")])


def _openai(serve: Any, stack: ExitStack, tmp_path: Path, script: Script) -> Service:
    config = EmulatorConfig(script=script, think_s=0.05)
    return _served(serve, emulator=config)


def _elevenlabs(serve: Any, stack: ExitStack, tmp_path: Path, script: Script) -> Service:
    config = AgentConfig(script=script, think_s=0.05, turn_timeout_s=None, public=True)
    return _served(serve, emulator=config)


def _gemini(serve: Any, stack: ExitStack, tmp_path: Path, script: Script) -> Service:
    service = _served(serve)
    emulator = GeminiEmulator(GeminiConfig(script=script, think_s=0.05))
    base_url = emulator.start()
    row = service.database.seed(
        extension="8001",
        provider=DemoProvider(
            base_url=base_url, realtime_provider="gemini", model="gemini-3.8-live"
        ),
        voice_id="Kore",
        first_message=GREETING,
        **{name: value for name, value in QUICK.items() if name != "first_message"},
    )
    tenant = Tenant(row.domain_uuid, row.domain_name, "8001", emulator, base_url)
    service.tenants.insert(0, tenant)
    return service


def _custom(serve: Any, stack: ExitStack, tmp_path: Path, script: Script) -> Service:
    process = stack.enter_context(speech_process(tmp_path))
    service = _served(serve, speech={"socket": str(process.path)})
    stages = Stages(service, script, "tones")
    stack.callback(stages.stop)
    return service


def _served(serve: Any, **options: Any) -> Service:
    made: Service = serve(secretary={"first_message": GREETING}, media=media("unicast"), **options)
    return made


KINDS: dict[str, Callable[..., Service]] = {
    "openai": _openai,
    "elevenlabs": _elevenlabs,
    "gemini": _gemini,
    "custom": _custom,
}


class Caller:
    """A person at the telephone, who waits for silence before he speaks."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._did_at = time.monotonic()

    def listen(self, what: str) -> None:
        """Until the agent has said something since we last did anything, and is quiet."""
        hearing = self._phone.hearing

        def heard() -> bool:
            now = time.monotonic()
            sounded = (hearing.last_sound_at or 0.0) > self._did_at
            return sounded and (hearing.silent_for(now) or 0.0) > PAUSE_S

        self._wait(heard, f"{what} was not heard")

    def hears(self, seconds: float) -> None:
        """Until the agent has been speaking for a while."""
        hearing = self._phone.hearing
        self._wait(lambda: hearing.heard_for(time.monotonic()) > seconds, "nothing to interrupt")

    def say(self) -> None:
        """Speak for a moment; what the agent still says meanwhile is no answer."""
        self._did_at = time.monotonic() + SPEECH_S
        self._phone.say(QUESTION.frames(self._phone.format.rate_hz))

    def press(self, keys: str) -> None:
        """On the keypad."""
        self._did_at = time.monotonic()
        self._phone.press(keys)

    def _wait(self, fact: Callable[[], bool], what: str) -> None:
        try:
            wait_for(fact, PATIENCE_S)
        except AssertionError:
            pytest.fail(what)


@pytest.fixture(params=KINDS)
def service(request: Any, serve: Any, tmp_path: Path) -> Iterator[Service]:
    with ExitStack() as stack:
        yield KINDS[request.param](serve, stack, tmp_path, SCRIPT)


def test_a_whole_call(service: Service, request: Any) -> None:
    kind = request.node.callspec.params["service"]
    with engine_client() as client, closing(Phone("PCMU")) as phone:
        caller = Caller(phone)
        dial(client, service, phone, "unicast")
        caller.listen("the greeting")
        caller.say()
        caller.listen("the first answer")
        caller.say()
        caller.hears(1.5)
        caller.say()
        caller.listen("the answer to the interruption")
        caller.press("1#")
        wait_for(phone.over.is_set, PATIENCE_S)
        assert phone.hung_up_by_far_end
    service.stored()
    domain = service.tenant.domain_uuid
    ((conversation, outcome, cause, interruptions),) = service.database.execute(
        """select conversation_uuid, outcome, end_cause, interruptions
           from v_voice_conversations_realtime where domain_uuid = %s""",
        domain,
    )
    ended_by, functions_called = ENDS.get(kind, ENDS_BY_FUNCTION)
    assert (outcome, cause) == ("completed", ended_by)
    said = service.database.execute(
        """select role, content, interrupted from v_voice_turns_realtime
           where conversation_uuid = %s order by turn_number""",
        conversation,
    )
    assert interruptions == 1, said
    agent = [(text, cut) for role, text, cut in said if role == "assistant"]
    assert [text for text, cut in agent if not cut] == [GREETING, HOURS, STOPPED, GOOD_BYE]
    assert len([text for text, cut in agent if cut]) == 1
    told = [text for role, text, _ in said if role == "user"]
    assert told[:3] == list(SCRIPT.caller_lines), said
    functions = service.database.execute(
        """select function_name, status from v_voice_function_calls_realtime
           where conversation_uuid = %s""",
        conversation,
    )
    assert functions == functions_called


HEARS = dataclasses.replace(
    SCRIPT,
    answers=(Answer(LONG_TEXT.strip()), Answer(STOPPED)),
    recogniser=Recogniser([("tell me", (QUESTION.pcm, QUESTION.rate_hz))]),
)
"""A cough is not one of the caller's sentences."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_false_interruption_is_gone_on_with(
    kind: str, serve: Any, tmp_path: Path, capsys: Any
) -> None:
    with ExitStack() as stack:
        service = KINDS[kind](serve, stack, tmp_path, HEARS)
        client = stack.enter_context(engine_client())
        phone = stack.enter_context(closing(Phone("PCMU")))
        dial(client, service, phone, "unicast")
        caller = Caller(phone)
        caller.listen("the greeting")
        caller.say()
        caller.hears(1.5)
        coughed_at = time.monotonic()
        phone.say(cough().frames(phone.format.rate_hz))
        wait_for(lambda: went_on_after(phone, coughed_at), PATIENCE_S, "not gone on with")
        caller.listen("the rest")
        phone.hang_up()
    service.stored()
    domain = service.tenant.domain_uuid
    ((interruptions, resumptions),) = service.database.execute(
        """select interruptions, resumptions from v_voice_conversations_realtime
           where domain_uuid = %s""",
        domain,
    )
    silent_ms, pause_ms = silence_around(phone, coughed_at)
    with capsys.disabled():
        print(f"\n{kind}: silent {silent_ms:.0f} ms after a cough began, for {pause_ms:.0f} ms")
    assert (interruptions, resumptions) == (0, 1)
    assert 300 <= pause_ms <= 2500
