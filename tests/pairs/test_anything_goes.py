"""Random calls: whatever happens, in any order, nobody is left in silence and nothing raises."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.audio.formats import L16_8K
from bridge.ports import EndCause
from bridge.providers.conversation import Brief, Tool
from bridge.session.states import SessionState
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.pairs.services import Service
from tests.pairs.world import World

MUSIC = (b"\x00\x10" * 8000, L16_8K)
ANSWERS = st.sampled_from(
    [
        Answer("We open at nine."),
        Answer("Let me tell you all there is to be said about that. " * 3),
        Answer("Wait.", (ScriptedCall("f"), ScriptedCall("g"))),
        Answer("", (ScriptedCall("f"),)),
        Answer(fail=("server_error", "server_error", "It broke.")),
        Answer(fail=("tokens", "rate_limit_exceeded", "Please try again in 1.5s.")),
        Answer(""),
    ]
)
FAULTS = st.sampled_from(
    [
        Faults(),
        Faults(),
        Faults(close_after_s=5.0),
        Faults(stall_after_s=6.0),
        Faults(refuse_status=503),
        Faults(garbage_after_s=3.0),
        Faults(wrong_order=True),
    ]
)
STEPS = st.sampled_from(
    [
        "speak",
        "speak",
        "speak and wait",
        "wait",
        "wait long",
        "digits",
        "hold",
        "resume",
        "caller holds",
        "caller resumes",
        "lose",
        "join",
        "say",
        "tell",
        "whisper",
    ]
)
HARMLESS = {
    "response_cancel_not_active",
    "conversation_already_has_active_response",
    "item_retrieve_invalid_item_id",
}
"""What the service may object to: requests that crossed an event of its own, and the item that is
asked for as a sign of life."""
TOOLS = [Tool(name, "", {"type": "object", "properties": {}}) for name in "fg"]


def do(w: World, step: str) -> None:
    session = w.session
    match step:
        case "speak":
            w.speak("When do you open?")
        case "speak and wait":
            w.speak("Tell me.")
            w.run(4.0)
        case "wait":
            w.run(0.7)
        case "wait long":
            w.run(6.0)
        case "digits":
            for digit in "42#":
                session.press_digit(digit)
        case "hold":
            session.hold(MUSIC)
        case "resume":
            session.resume()
        case "caller holds":
            session.set_on_hold(True)
        case "caller resumes":
            session.set_on_hold(False)
        case "lose":
            session.lose_media()
        case "join" if not session.line.attached:
            w.join()
        case "say":
            session.say("I connect you.")
        case "tell":
            session.tell("[The shop closes.]", respond=True)
        case "whisper":
            session.tell("[Be kind.]", respond=False)


class Watch:
    """Looks each moment whether the caller waits in silence for something that is due."""

    def __init__(self, w: World) -> None:
        self._w = w
        self._since: float | None = None
        self.longest_s = 0.0
        w.on_moment = self.look

    def look(self) -> None:
        w, session = self._w, self._w.session
        there = session.state in (SessionState.TALKING, SessionState.WAITING)
        waits = there and session._floor.due
        waits = waits and session.line.idle(w.now)
        if not waits:
            self._since = None
            return
        self._since = w.now if self._since is None else self._since
        self.longest_s = max(self.longest_s, w.now - self._since)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(ANSWERS, min_size=1, max_size=4),
    st.lists(FAULTS, max_size=3),
    st.lists(STEPS, max_size=14),
    st.sampled_from([0.01, 0.1, 0.3]),
)
def test_nobody_is_left_in_silence(monkeypatch, answers, faults, steps, delay_s):
    services = [
        Service(EmulatorConfig(script=Script(tuple(answers))), *faults),
        Service(EmulatorConfig(script=Script((Answer("Here I am."),)))),
    ]
    brief = Brief("", "Good morning.", None, TOOLS)
    w = World(monkeypatch, *services, delay_s=delay_s, brief=brief, silence_s=5.0)
    watch = Watch(w)
    w.begin()
    for step in steps:
        if not w.session.ended:
            do(w, step)
    w.run(3.0)
    assert watch.longest_s <= 2.0
    w.session.finish(EndCause.FINISHED, "Good-bye!")
    w.run(25.0)
    assert w.session.ended
    assert w.call.names()[-1] == "ended"
    assert all(host.over for host in w.hosts)
    assert len(w.pacer) == 0
    for service in services:
        for one in service.sessions:
            assert set(one.core.record.errors) <= HARMLESS
    times = [u.at_s for u in w.session.transcript.utterances]
    assert times == sorted(times)
