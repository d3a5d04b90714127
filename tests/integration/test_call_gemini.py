"""Whole calls through Gemini: switch, controller, bridge and the emulated service, real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg2.extras import Json

from esl_controller.database.repository.demo import DemoProvider
from esl_controller.simulator.caller_script import After, AgentSilent, AgentSpeaking, Press, Step
from esl_controller.simulator.gemini.config import EmulatorConfig, Faults
from esl_controller.simulator.gemini.server import GeminiEmulator
from esl_controller.simulator.openai.config import EmulatorConfig as OpenAIConfig
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.integration.service import (
    BRIEF,
    LONG_TEXT,
    QUICK,
    SPEAK,
    Service,
    Tenant,
    hang_up_after,
)

ASK = Step(AgentSilent(0.4), SPEAK)
BYE = hang_up_after(AgentSilent(0.6))
GOODBYE = Answer("Good-bye.", (ScriptedCall("end_call"),))
TALK = Script(
    answers=(Answer(LONG_TEXT), Answer("Certainly."), Answer("No."), GOODBYE),
    keywords={"keypad": Answer("Understood.")},
    caller_lines=("a question",),
)
STORY = [
    ASK,
    Step(AgentSpeaking(0.8), SPEAK),
    Step(AgentSilent(0.4), Press("12#", gap_s=0.1)),
    ASK,
]
"""A question, an interruption of its answer, keys, and words after which the agent hangs up."""


def emulated(script: Script = BRIEF, **fields: Any) -> EmulatorConfig:
    return EmulatorConfig(script=script, think_s=0.05, **fields)


@pytest.fixture
def gemini(serve: Callable[..., Service]) -> Iterator[tuple[Service, Callable[..., Tenant]]]:
    """A service, and how to add tenants to it who speak through Gemini."""
    service = serve()

    def add(config: EmulatorConfig, *faults: Faults, **provider_settings: Any) -> Tenant:
        emulator = GeminiEmulator(config)
        emulator.queue_faults(*faults)
        base_url = emulator.start()
        provider = DemoProvider(
            base_url=base_url, realtime_provider="gemini", model="gemini-3.8-live"
        )
        ours = provider_settings.get("turn_detection") == "none"
        # Our own ear takes a tone of 0.4 s for a noise, which does not interrupt.
        wanted = QUICK | {"voice_id": "Kore", "resume_after_noise": not ours}
        row = service.database.seed(extension="8001", provider=provider, **wanted)
        service.database.execute(
            "update v_voice_realtime_providers set provider_settings = %s where domain_uuid = %s",
            Json(provider_settings),
            row.domain_uuid,
        )
        tenant = Tenant(row.domain_uuid, row.domain_name, "8001", emulator, base_url)
        service.tenants.append(tenant)
        return tenant

    yield service, add


def add_second(service: Service, tenant: Tenant) -> OpenAIEmulator:
    second = OpenAIEmulator(OpenAIConfig(script=BRIEF, think_s=0.05))
    service.database.execute(
        """insert into v_voice_realtime_providers
             (domain_uuid, realtime_provider, provider_label, base_url, priority)
           values (%s, 'openai', 'second', %s, 9)""",
        tenant.domain_uuid,
        second.start(),
    )
    return second


def test_conversations_through_gemini(gemini: Any) -> None:
    service, add = gemini
    plain = add(emulated(TALK))
    ours = add(emulated(TALK), turn_detection="none")
    limited = add(emulated(session_limit_s=5.0, go_away_s=3.5))
    broken = add(emulated(), Faults(quota_after=1))
    second = add_second(service, broken)
    calls = [service.call(STORY, tenant=tenant) for tenant in (plain, ours)]
    crossing = service.call([ASK, Step(After(3.0), SPEAK), BYE], tenant=limited)
    failing = service.call([ASK, Step(AgentSilent(0.5), SPEAK), BYE], tenant=broken)
    for call in (*calls, crossing, failing):
        call.wait(30)
    service.stored()
    for call in calls:
        whole_story(call)
    assert ours.records[0].manual_turns == 3  # type: ignore[attr-defined]
    assert plain.records[0].manual_turns == 0  # type: ignore[attr-defined]
    unnoticed(crossing)
    with_memory(failing, second)
    second.stop()


def whole_story(call: Any) -> None:
    row, record = call.row(), call.tenant.record
    assert (row["outcome"], row["error_code"]) == ("completed", None), call.story()
    assert row["interruptions"] == 1
    assert record.spoken == ["Hello.", LONG_TEXT, "Certainly.", "Understood.", "Good-bye."]
    assert record.setup["model"] == "models/gemini-3.8-live"
    assert record.errors == []
    assert row["input_tokens"] > 0 < row["output_tokens"]
    turns = call.turns()
    assert [text for role, text, *_ in turns if role == "user"] == [
        "a question",
        "a question",
        "[12]",
        "a question",
    ]
    agent = [(text, interrupted) for role, text, interrupted, _ in turns if role == "assistant"]
    assert [text for text, interrupted in agent if not interrupted] == [
        "Hello.",
        "Certainly.",
        "Understood.",
        "Good-bye.",
    ]
    (cut,) = [turn for turn in turns if turn[2]]
    assert 500 < cut[3] < 3000


def unnoticed(call: Any) -> None:
    """The connection ended in the middle of the call."""
    first, *others = call.tenant.records
    assert first.spoken == ["Hello.", "Certainly."]
    (then,) = [record for record in others if record.spoken]
    assert then.spoken == ["Certainly."]
    assert [text for _, text in then.history] == ["Hello.", "a question", "Certainly."]
    row = call.row()
    assert (row["outcome"], row["error_code"], row["total_turns"]) == ("completed", None, 2)


def with_memory(call: Any, second: OpenAIEmulator) -> None:
    """The other provider hears what was asked, which was not even written down, and answers it."""
    taken = second.sessions[0]
    assert taken.spoken[0] == "Certainly.", (taken.texts, taken.turns, taken.spoken)
    assert taken.turns == 2
    row = call.row()
    assert (row["outcome"], row["error_code"]) == ("completed", None)
