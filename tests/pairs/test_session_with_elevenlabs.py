"""A session with ElevenLabs' protocol object and the emulated agent, in virtual time."""

from __future__ import annotations

import pytest

from bridge.ports import EndCause
from bridge.providers.conversation import Brief, Tool
from bridge.session.states import SessionState
from esl_controller.simulator.elevenlabs.config import EmulatorConfig, Faults
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.pairs.services import Agent, Service
from tests.pairs.world import World

LONG = "There are several things I can tell you about that. " * 4
TOOLS = [Tool("f", "does it", {"type": "object", "properties": {}})]


def agent(*answers: Answer | str, faults=(), keywords=None, **fields) -> Agent:
    made = tuple(Answer(one) if isinstance(one, str) else one for one in answers)
    script = Script(made or (Answer("Certainly."),), keywords or {}, caller_lines=("a question",))
    return Agent(EmulatorConfig(script=script, **({"turn_timeout_s": None} | fields)), *faults)


@pytest.fixture
def world(monkeypatch):
    return lambda *services, **config: World(monkeypatch, *services, **config)


def texts(w):
    return [u.text for u in w.session.transcript.utterances]


@pytest.mark.parametrize(
    "fields",
    [{}, {"number_chunks": True, "with_alignment": True}, {"output_format": "pcm_44100"},
     {"input_format": "pcm_16000", "output_format": "pcm_22050"}],
)  # fmt: skip
def test_a_greeting_two_turns_and_a_good_bye(world, fields):
    service = agent("We open at nine.", "You are welcome.", **fields)
    w = world(service).begin()
    began = w.now
    w.run(2.5)
    assert w.sound_ms(began) > 500
    for _ in range(2):
        w.speak("When do you open?")
        stopped = w.now
        w.run(4.0)
        assert w.sound_ms(stopped) > 500
        assert w.silence_s(stopped) < 2.0
    w.session.finish(EndCause.FINISHED, "Good-bye!")
    w.run(4.0)
    assert w.call.end.cause is EndCause.FINISHED
    assert texts(w) == [
        "Good morning.", "a question", "We open at nine.", "a question", "You are welcome.",
    ]  # fmt: skip
    assert w.session.turns == 2
    (record,) = service.records
    assert record.errors == []
    assert record.pongs
    assert record.override["agent"]["first_message"] == "Good morning."


@pytest.mark.parametrize("number_chunks", [False, True])
def test_the_agent_is_interrupted_by_its_own_decision(world, number_chunks):
    service = agent(LONG, "Of course.", number_chunks=number_chunks)
    w = world(service).begin()
    w.run(2.5)
    w.speak("Tell me everything.")
    w.run(3.0)
    w.speak("Stop, please.")
    w.run(0.4)
    quiet_from = w.now
    w.run(4.0)
    assert len(w.call.of("interrupted")) == 1
    assert service.records[0].corrections
    cut = next(u for u in w.session.transcript.utterances if u.interrupted)
    assert 1000 < cut.heard_ms < 4500
    assert texts(w)[-1] == "Of course."
    assert w.sound_ms(quiet_from) < 2000


@pytest.mark.parametrize("calls", [1, 2])
def test_functions_are_answered_and_the_agent_goes_on(world, calls):
    answer = Answer("Wait.", tuple(ScriptedCall("f", f'{{"n":{n}}}') for n in range(calls)))
    service = agent(answer, "Anything else?")
    w = world(service, brief=Brief("", "Hello.", None, TOOLS)).begin()
    w.run(2.5)
    w.speak("Do something.")
    w.run(8.0)
    assert len(w.call.of("function_called")) == calls
    assert len([text for text in texts(w) if text.startswith("All right")]) == 1
    assert len(service.records[0].function_outputs) == calls
    assert service.records[0].errors == []


def test_digits_are_a_turn(world):
    service = agent(keywords={"keypad": Answer("You pressed one.")})
    w = world(service).begin()
    w.run(2.5)
    w.session.press_digit("1")
    w.run(6.0)
    assert "keypad: 1" in service.records[0].texts[0]
    assert texts(w)[-1] == "You pressed one."


def test_the_agent_hangs_up_and_what_it_said_is_heard(world):
    service = agent(Answer("Good-bye then, and thank you.", (ScriptedCall("end_call"),)))
    w = world(service).begin()
    w.run(2.5)
    w.speak("That is all.")
    stopped = w.now
    w.run(8.0)
    assert w.call.end.cause is EndCause.AGENT_LEFT
    assert w.sound_ms(stopped) > 1000
    assert len(service.sessions) == 1


def test_it_asks_a_silent_caller_and_we_do_not(world):
    service = agent(turn_timeout_s=4.0)
    w = world(service, silence_s=2.0, give_up_s=30.0).begin()
    w.run(12.0)
    assert "Still there?" not in texts(w)
    assert "Are you still there?" in texts(w)


def test_the_bill_is_the_time(world):
    w = world(agent()).begin()
    w.run(10.0)
    w.session.finish(EndCause.FINISHED, "")
    w.run(3.0)
    ((bill,),) = w.call.of("used")
    assert bill.vendor == "elevenlabs"
    assert 9.0 < bill.audio_seconds < 15.0


# --- trouble ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Faults(close_after_s=5.0, close_code=1011),
        Faults(error_after_s=5.0),
        Faults(error_after_s=5.0, tells_error=False),
        Faults(error_after_s=5.0, error_type="max_duration_exceeded"),
    ],
    ids=["close", "error", "mute error", "duration"],
)
@pytest.mark.parametrize("order", ["agent first", "agent second"])
def test_whoever_takes_over_knows_what_was_said(world, fault, order):
    if order == "agent first":
        first, second = agent("We open at nine.", faults=(fault,) * 20), Service()
    else:
        from esl_controller.simulator.openai.config import EmulatorConfig as OpenAIConfig
        from esl_controller.simulator.openai.config import Faults as OpenAIFaults

        broken = OpenAIFaults(close_after_s=5.0, close_code=1011)
        script = Script((Answer("We open at nine."),), caller_lines=("a question",))
        first = Service(OpenAIConfig(script=script), *(broken,) * 20)
        second = agent("And we close at five.")
    w = world(first, second).begin()
    w.run(2.0)
    w.speak("When do you open?", run=False)
    w.run(14.0)
    w.speak("And when do you close?")
    w.run(6.0)
    assert w.session.state is SessionState.TALKING
    if order == "agent second":
        assert any("Caller: a question" in r.prompt or r.texts for r in second.records)
        assert any("We open at nine." in r.prompt for r in second.records)
        assert texts(w)[-1] == "And we close at five."
        assert "Good morning." not in second.records[-1].spoken


@pytest.mark.parametrize(
    "fault",
    [
        Faults(silent=True),
        Faults(stall_after_s=0.0),
        Faults(refuse_status=503),
        Faults(close_after_s=0.1, close_code=1008, close_reason="quota exceeded"),
        Faults(garbage_after_s=0.0, garbage=(b"{",) * 30),
    ],
    ids=["silent", "stalled", "refused", "quota", "garbage"],
)
def test_an_agent_that_does_not_come_up_is_replaced(world, fault):
    w = world(agent(faults=(fault,) * 20), Service()).begin()
    w.run(25.0)
    w.speak("Hello?")
    stopped = w.now
    w.run(5.0)
    assert w.sound_ms(stopped) > 300


@pytest.mark.parametrize(
    "fault",
    [Faults(wordless=True), Faults(strange_messages=True), Faults(without_pings=True)],
    ids=["wordless", "strange", "without pings"],
)
def test_oddities_do_not_matter(world, fault):
    w = world(agent("We open at nine.", faults=(fault,))).begin()
    w.run(2.5)
    w.speak("When do you open?")
    stopped = w.now
    w.run(4.0)
    assert w.sound_ms(stopped) > 500
    assert w.session.state is SessionState.TALKING


@pytest.mark.parametrize("number_chunks", [False, True])
def test_a_service_with_gaps_in_its_answers_is_heard_to_the_end(world, number_chunks):
    """Each gap looks like the end of the answer."""
    service = agent(LONG, pace=0.3, number_chunks=number_chunks)
    w = world(service).begin()
    w.run(8.0)
    w.speak("Tell me everything.")
    stopped = w.now
    w.run(60.0)
    record = service.records[0]
    assert record.spoken.count(LONG) == 1
    greeting_ms = 2000
    assert w.sound_ms(stopped) > (record.audio_out_ms - greeting_ms) * 0.9
    assert w.session.turns == 1
    assert len(service.sessions) == 1


def test_an_agent_that_breaks_off_by_itself(world):
    service = agent(LONG, faults=(Faults(interrupt_after_s=6.0),))
    w = world(service).begin()
    w.run(2.5)
    w.speak("Tell me everything.")
    w.run(20.0)
    assert service.records[0].corrections
    assert w.session.state is SessionState.TALKING


def test_a_conversation_longer_than_the_agent_allows_goes_on_with_another(world):
    service = agent("We open at nine.")
    w = world(service, provider={"session_limit_s": 12.0, "going_away_s": 4.0}).begin()
    w.run(3.0)
    w.speak("When do you open?")
    w.run(25.0)
    assert len(service.sessions) >= 2
    assert "We open at nine." in service.records[1].prompt
    assert service.records[1].spoken == []
    assert w.session.state is SessionState.TALKING


def test_a_refused_override_is_told_to_the_operator_and_not_tried_again(world):
    service = agent(overrides=frozenset({"agent.first_message"}))
    w = world(service, Service(), brief=Brief("Be kind.", "Hello.")).begin()
    w.run(5.0)
    assert len(service.sessions) == 1
    (trouble,) = w.call.of("provider_trouble")
    assert "Security settings" in str(trouble)
