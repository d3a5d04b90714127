"""Every fault of every provider: what the caller hears, what the row says, what is known after.

A tenant has two providers. The caller asks twice; the first provider fails at a set moment, and
whenever it is connected to again. A pipeline's hearing and its language model count as two.
"""

from __future__ import annotations

import dataclasses

import pytest

from bridge.ports import EndCause
from bridge.providers.base import ErrorKind as K
from bridge.providers.conversation import Brief, Ran, Said, Speaker, Tool
from bridge.session.states import SessionState
from esl_controller.simulator.service.faults import Fault
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.pairs.mixed import MixedWorld, Tables, service
from tests.pairs.test_anything_goes import Watch

DEAD_AIR_S = 2.0
"""Longest silence a caller may hear who is owed something."""
RINGS_S = 2.0
LONG = "There are several things I can tell you about that. " * 4
BRIEF = Brief("Be kind.", "Good morning.", "pt-BR")
OTHER = {"openai": "gemini", "gemini": "openai", "elevenlabs": "openai", "hearing": "elevenlabs",
         "model": "openai"}  # fmt: skip
FAULTS: dict[str, set[K]] = {
    "slow=3": set(),
    "slow=9": {K.CONNECTION},
    "refuse=401": {K.AUTHENTICATION},
    "refuse=429": {K.RATE_LIMIT},
    "refuse=503": {K.SERVER},
    "drop@6": {K.CONNECTION},
    "close=1011@6": {K.SERVER},
    "quota": {K.QUOTA},
    "quota@4": {K.QUOTA},
    "rate_limit": {K.RATE_LIMIT},
    "malformed@6": {K.PROTOCOL},
    "out_of_order": {K.SERVER},
    "session_limit=12": {K.SESSION_EXPIRED, K.SERVER},
    "silent": {K.CONNECTION, K.SERVER},
    "silent@3.6": {K.SERVER},
    "silent@6": {K.SERVER},
    "no_sound": {K.SERVER},
    "no_sound=1": {K.SERVER},
    "text_only": {K.SERVER},
}
"""What is asked for, and what the row may give as the reason."""
BORNE = {"slow=3", "malformed@6", "out_of_order", "session_limit=12", "no_sound=1"}
"""What a provider may be kept with."""
OVERTAKEN = {"slow=9", "silent", "text_only"}
"""The caller asks before anybody could greet him: he is answered instead."""
COMES_BACK = {"drop@6", "close=1011@6"}
"""Whoever has served well is connected to again before another is."""
UNKNOWABLE = {("elevenlabs", "silent@6"), ("hearing", "silent@6"), ("hearing", "silent@3.6")}
"""It fell silent between two sentences, or in one: only the caller's next words show it."""


def cases() -> list[tuple[str, str]]:
    made = []
    for kind, table in Tables.of.items():
        for text in FAULTS:
            fault = Fault(text.partition("=")[0].partition("@")[0])
            at_the_door = "@" in text and (kind, fault) in {
                ("hearing", Fault.QUOTA),
                ("model", Fault.QUOTA),
            }
            if fault not in table.cannot and not at_the_door:  # type: ignore[attr-defined]
                made.append((kind, text))
    return made


@pytest.fixture
def call(monkeypatch):
    def call(*services):
        w = MixedWorld(monkeypatch, *services, brief=BRIEF, silence_s=60.0)
        w.watch = Watch(w)
        return w

    return call


def check_ears(w: MixedWorld, since: float) -> None:
    """No silence for two seconds, up to the last word; and nothing is owed after it."""
    assert w.silence_s(since) < DEAD_AIR_S
    assert w.watch.longest_s < DEAD_AIR_S


@pytest.mark.parametrize(("kind", "fault"), cases())
def test_the_caller_is_served_whatever_the_first_provider_does(call, kind, fault):
    first = service(kind, (LONG, "You are welcome."), "a question", fault)
    second = service(OTHER[kind], ("We open at nine.", "You are welcome."), "a question", "")
    w = call(first, second).answer()
    assert w.answered_at - 100.0 < RINGS_S + 0.1
    w.run(2.4)
    check_ears(w, w.answered_at)
    w.ask(14.0)
    check_ears(w, w.stopped_at)
    assert w.sound_ms(w.stopped_at) >= 480
    assert any(text.startswith("Good") for text in w.spoken) or fault in OVERTAKEN
    known, connections = w.session.transcript.history(), len(w.hosts)
    w.ask(9.0)
    check_ears(w, w.stopped_at)
    assert w.sound_ms(w.stopped_at) >= 480
    if (kind, fault) in UNKNOWABLE:  # asked to say it again, which shows that nobody listens
        w.ask(9.0)
        check_ears(w, w.stopped_at)

    assert w.session.state is SessionState.TALKING
    assert set(w.troubles) <= FAULTS[fault]
    assert w.troubles or fault in BORNE or (kind, fault) in UNKNOWABLE
    if fault not in BORNE and fault not in COMES_BACK:
        assert w.session.provider_name == second.kind
        assert {"We open at nine.", "You are welcome."} & set(w.spoken)
    for begun in w.told():
        assert begun.brief == BRIEF, "in the same language"
    for begun in w.told()[connections:]:
        assert list(begun.history)[: len(known) - 1] == known[:-1], "the last may have been cut"


CODES = [1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4000, 4999]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", ["openai", "gemini", "elevenlabs", "hearing"])
def test_any_close_code_in_the_middle_of_an_answer(call, kind, code):
    first = service(kind, (LONG,), "a question", f"close={code}@6", "refuse=503")
    w = call(first, service(OTHER[kind], ("We open at nine.",), "a question", "")).answer()
    w.run(2.4)
    w.ask(16.0)
    check_ears(w, w.stopped_at)
    if (kind, code) == ("elevenlabs", 1000):
        assert w.call.end.cause is EndCause.AGENT_LEFT
        return
    assert w.session.state is SessionState.TALKING
    assert w.troubles
    assert "We open at nine." in w.spoken or kind == "hearing"


@pytest.mark.parametrize("kind", list(OTHER))
@pytest.mark.parametrize("fault", ["refuse=503", "drop@6", "quota", "silent@6", "slow=9"])
def test_the_second_one_fails_too_and_the_caller_goes_elsewhere(call, kind, fault):
    then = "refuse=503"
    w = call(
        service(kind, (LONG,), "a question", fault, then),
        service(OTHER[kind], (LONG,), "a question", then),
    ).answer()
    if fault == "refuse=503" and kind != "model":
        assert w.session.ended and not w.answered_at, "it still rings: the dialplan goes on"
    for _ in range(4):
        if not w.session.ended:
            w.ask(9.0)
            check_ears(w, w.stopped_at)
    assert w.call.end.cause is EndCause.PROVIDER_FAILED
    assert w.call.end.error_kind is not None
    assert w.troubles


WELL = "slow=0"


@pytest.mark.parametrize("kind", ["openai", "gemini", "elevenlabs", "hearing", "model"])
@pytest.mark.parametrize("fault", ["drop@6", "rate_limit@4", "refuse=503"])
def test_a_single_provider_that_recovers_goes_on(call, kind, fault):
    if kind in ("elevenlabs", "hearing", "model"):
        fault = fault.replace("rate_limit@4", "rate_limit")
    w = call(service(kind, (LONG, "You are welcome."), "a question", fault, WELL)).answer()
    w.run(2.4)
    check_ears(w, w.answered_at)
    for _ in range(2):
        w.ask(15.0)
        check_ears(w, w.stopped_at)
        assert w.sound_ms(w.stopped_at) >= 480
    assert w.session.state is SessionState.TALKING
    assert any(text.startswith(("You are", "There are")) for text in w.spoken)


@pytest.mark.parametrize("kind", ["openai", "gemini", "elevenlabs", "hearing"])
def test_what_was_said_and_done_goes_along(monkeypatch, kind):
    """A function that has run is not run again."""
    tools = [Tool("f", "does it", {"type": "object", "properties": {}})]
    brief = Brief("Be kind.", "Good morning.", "pt-BR", tools)
    first = service(kind, (), "a question", "drop@9", "refuse=503")
    answers = (Answer("Wait.", (ScriptedCall("f", '{"n":1}'),)), Answer(LONG))
    script = Script(answers, caller_lines=("a question",))
    for part in (first, getattr(first, "model", None)):
        if getattr(part, "config", None) is not None:
            part.config = dataclasses.replace(part.config, script=script)
    if kind == "hearing":
        first._hearing = dataclasses.replace(first._hearing, script=script)
    if kind == "gemini":
        first.gemini = dataclasses.replace(first.gemini, script=script)
    w = MixedWorld(
        monkeypatch, first, service(OTHER[kind], ("We open at nine.",), "", ""), brief=brief
    )
    w.call.functions["f"] = lambda call: '{"booked":"table 7"}'
    w.answer()
    w.run(2.4)
    w.ask(15.0)
    begun = w.told()[-1]
    assert Said(Speaker.CALLER, "a question") in begun.history
    (ran,) = [entry for entry in begun.history if isinstance(entry, Ran)]
    assert (ran.name, ran.output) == ("f", '{"booked":"table 7"}')
    assert begun.brief.language == "pt-BR"
    assert len(w.call.of("function_called")) == 1
