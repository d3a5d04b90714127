"""Announced transfers, every way they end: who heard what, what the rows say, and nothing left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gevent

from esl_controller.calls.states import CallState
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import (
    After,
    AgentSilent,
    AgentSpeaking,
    HangUp,
    Press,
    Say,
    Step,
)
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.speech import beep
from esl_controller.simulator.switch.legs import FarEnd
from tests.integration.service import Service, TestCall, wait_for
from tests.integration.who_heard import (
    AGENT,
    CALLER,
    CALLER_HZ,
    HUMAN,
    HUMAN_HZ,
    MUSIC,
    story,
    who_is_heard,
)

CALLER_SAYS = Say(beep(0.5, CALLER_HZ))
HUMAN_SAYS = Say(beep(0.5, HUMAN_HZ))
ASK = Step(AgentSilent(0.35), CALLER_SAYS)
TALKS = [ASK, Step(After(2.0), CALLER_SAYS), *[Step(After(0.6), CALLER_SAYS) for _ in range(40)]]
"""Goes on speaking, whoever hears it."""


def model(number: str) -> EmulatorConfig:
    """Asks for a transfer, and accepts for a human who speaks."""
    transfer = f'{{"destination": "{number}", "reason": "an invoice"}}'
    calls = (ScriptedCall("transfer_call", transfer), ScriptedCall("accept_call"))
    script = Script(
        answers=(Answer("I try.", calls=calls), Answer("Well, so much for that.")),
        keywords={
            "hears you again": Answer("Welcome back."),
            "with you again": Answer("What else may I do for you?"),
        },
    )
    return EmulatorConfig(script=script, think_s=0.05)


@dataclass
class Human:
    """Whoever is called at a number of the simulated switch."""

    steps: Sequence[Step] = ()
    options: dict[str, Any] = field(default_factory=dict)
    phones: list[Caller] = field(default_factory=list)

    def far_end(self) -> FarEnd:
        def end() -> Caller:
            self.phones.append(Caller(self.steps))
            return self.phones[-1]

        return FarEnd(end=end, **self.options)

    @property
    def phone(self) -> Caller:
        return self.phones[-1]


@dataclass(frozen=True)
class Case:
    """One number, who answers it, and what must come of it."""

    human: Callable[[], Human]
    status: str
    back: bool = True
    """The caller talks to the agent again."""
    briefed: bool = False
    met: bool = False
    """Caller and human hear each other."""
    cause: str | None = None
    """FreeSWITCH's, of the human's leg that ended before anybody was joined."""


def pressing(*digits: str) -> list[Step]:
    return [Step(AgentSpeaking(0.9), Press(digit)) for digit in digits]


ACCEPTS = [
    *pressing("1"),
    *[Step(After(0.6), HUMAN_SAYS) for _ in range(3)],
    Step(After(0.5), HangUp()),
]
CASES = {
    "201": Case(lambda: Human(ACCEPTS), "completed", back=False, briefed=True, met=True),
    "202": Case(
        lambda: Human([Step(AgentSpeaking(0.9), HUMAN_SAYS), *ACCEPTS[1:]]),
        "completed",
        back=False,
        briefed=True,
        met=True,
    ),
    "203": Case(lambda: Human(pressing("2")), "declined", briefed=True),
    "204": Case(
        lambda: Human([Step(AgentSpeaking(0.9), HangUp())]),
        "human_left",
        briefed=True,
        cause="NORMAL_CLEARING",
    ),
    "205": Case(lambda: Human(options={"cause": "USER_BUSY"}), "busy", cause="USER_BUSY"),
    "206": Case(lambda: Human(options={"rings": True}), "no_answer", cause="NO_ANSWER"),
    "207": Case(
        lambda: Human(options={"cause": "CALL_REJECTED"}), "declined", cause="CALL_REJECTED"
    ),
    "209": Case(lambda: Human(), "unreachable"),
}
RULE = {"mode": "announced", "ring_seconds": 5}


def transfers(call: TestCall) -> list[tuple[str, str, str]]:
    return call.database.execute(
        """select transfer_type, destination, status from v_voice_transfers_realtime
           where conversation_uuid = %s order by started_at""",
        call.row()["conversation_uuid"],
    )


def call_number(service: Service, number: str, steps: Sequence[Step] = TALKS, **secretary: Any):
    """A new tenant whose agent connects every caller to `number`."""
    rules = [RULE | {"destination": number} | secretary.pop("rule", {})]
    if "also" in secretary:
        rules.append(RULE | {"destination": secretary.pop("also")})
    # Tones are no words: the agent would take them for noise, and go on.
    secretary = {"voice_settings": {"speed": 1.5}, "resume_after_noise": False} | secretary
    tenant = service.add_tenant(model(number), transfer_rules=rules, **secretary)
    return service.call(steps, tenant=tenant)


def test_every_outcome_and_who_heard_what(serve):
    humans = {number: case.human() for number, case in CASES.items()}
    ends = {number: one.far_end() for number, one in humans.items() if number != "209"}
    service = serve(far_ends=ends)
    calls = {number: call_number(service, number) for number in CASES}
    for number, call in calls.items():
        if CASES[number].back:
            told = "transfer did not come to an end"
            wait_for(lambda c=call: len(c.tenant.records[0].told) >= 1, 25, told)
        else:
            call.wait(25)
    gevent.sleep(1.0)
    for call in calls.values():
        if not call.leg.hung_up:
            call.caller.hang_up()
            call.wait()
    service.stored()
    for number, call in calls.items():
        judge(CASES[number], call, humans[number])


def judge(case: Case, call: TestCall, human: Human) -> None:
    ((kind, number, status),) = transfers(call)
    assert (kind, status) == ("announced", case.status), number
    ((cause,),) = call.database.execute(
        "select hangup_cause from v_voice_transfers_realtime where conversation_uuid = %s",
        call.row()["conversation_uuid"],
    )
    assert cause == case.cause, number
    if case.briefed or case.status == "no_answer":
        assert MUSIC in who_is_heard(call.caller)
    if case.briefed:
        phone = human.phone
        assert AGENT in who_is_heard(phone)
        answered = phone.answered_at
        met = min((at for at in (first(phone, CALLER), first(call.caller, HUMAN)) if at), default=0)
        # In private: the caller hears music and nothing else.
        assert who_is_heard(call.caller, answered + 0.2, (met or phone.ended_at) - 0.2) == {MUSIC}
    if case.met:
        met = first(human.phone, CALLER)
        assert who_is_heard(human.phone, met + 0.2) == {CALLER}
        assert who_is_heard(call.caller, met + 0.2) == {HUMAN}
    elif human.phones:
        assert CALLER not in who_is_heard(human.phone)
    row = call.row()
    assert row["outcome"] == ("completed" if case.back else "transferred")
    if case.back:
        (told, *_) = call.tenant.records[0].told
        assert "hears you again" in told


def first(phone: Caller, who: str) -> float | None:
    return next((at for at, one in story(phone) if one == who), None)


def test_what_else_a_caller_and_a_tenant_may_do(serve):
    """Leaves while it rings or in the briefing, thinks better of it; the next one, the mailbox,
    the tenant's fallback; a briefing that nobody can give; a worker that is drained, a supervisor;
    a note that somebody gets, and no promise where nobody would.
    """
    briefed = Human()
    ends = {
        "211": FarEnd(rings=True),
        "212": briefed.far_end(),
        "213": FarEnd(rings=True),
        "214": FarEnd(cause="USER_BUSY"),
        "215": Human(ACCEPTS).far_end(),
        "216": FarEnd(cause="USER_BUSY"),
        "217": FarEnd(cause="CALL_REJECTED"),
        "218": (by_tones := Human(ACCEPTS)).far_end(),
        "219": FarEnd(rings=True),
        "220": FarEnd(rings=True),
        "222": FarEnd(cause="USER_BUSY"),
        "223": FarEnd(cause="USER_BUSY"),
        "224": FarEnd(rings=True),
    }
    service = serve(far_ends=ends)
    calls = {
        "212": call_number(service, "212"),
        "214": call_number(service, "214", rule={"fallback": "next", "next": ["215"]}, also="215"),
        "216": call_number(service, "216", rule={"fallback": "voicemail", "mailbox": "1004"}),
        "217": call_number(
            service, "217", rule={"fallback": "hand_back"}, fallback_extension="1000"
        ),
    }
    note, to = {"fallback": "message"}, ["sales@example.com"]
    calls["222"] = call_number(service, "222", [ASK], rule=note, email_to=to)
    calls["223"] = call_number(service, "223", [ASK], rule=note)
    for number, act in (
        ("211", lambda call: calls["211"].caller.hang_up()),
        ("213", lambda call: calls["213"].caller.press("*")),
        ("219", lambda call: call.drain()),
        ("220", lambda call: call.hand_back("failed", extension="1004")),
        ("224", lambda call: call.take_over("1004", "taken over")),
    ):
        calls[number] = call_number(service, number, [ASK])
        gevent.spawn(when_held, service, calls[number], act)
    calls["218"] = call_number(service, "218")
    wait_for(lambda: len(calls["218"].tenant.records) == 1)
    calls["218"].tenant.emulator.queue_faults(Faults(refuse_status=401))
    wait_for(lambda: briefed.phones and who_is_heard(briefed.phone), 20)
    calls["212"].caller.hang_up()
    back = calls["213"]
    wait_for(lambda: back.tenant.records and back.tenant.records[0].told, 20, "never came back")
    assert "called off" in back.tenant.records[0].told[0]
    for number in ("211", "212", "214", "218", "219"):
        calls[number].wait()
    wait_for(lambda: all(calls[number].leg.sent_to for number in ("216", "217", "220", "224")))
    for number, words in (("222", "A note has gone out"), ("223", "promise none")):
        records = calls[number].tenant.records
        wait_for(lambda r=records: r[0].told, 20, "never came back")
        assert words in records[0].told[0]
    for call in calls.values():
        call.caller.hang_up()
        call.wait()
    service.stored()
    assert {number: transfers(call) for number, call in sorted(calls.items())} == {
        "211": [("announced", "211", "cancelled")],
        "212": [("announced", "212", "cancelled")],
        "213": [("announced", "213", "cancelled")],
        "214": [("announced", "214", "busy"), ("announced", "215", "completed")],
        "216": [("announced", "216", "busy"), ("voicemail", "1004", "passed_on")],
        "217": [("announced", "217", "declined")],
        "218": [("announced", "218", "completed")],
        "219": [("announced", "219", "cancelled")],
        "220": [("announced", "220", "cancelled")],
        "222": [("announced", "222", "busy")],
        "223": [("announced", "223", "busy")],
        "224": [("announced", "224", "cancelled"), ("takeover", "1004", "passed_on")],
    }
    errands = service.database.execute(
        """select payload ->> 'for', payload ->> 'reason', payload -> 'to', conversation_uuid
           from v_voice_realtime_errands where kind = 'message'"""
    )
    key = calls["222"].row()["conversation_uuid"]
    assert errands == [("222", "an invoice", to, key)]
    assert calls["219"].row()["end_cause"] == "drained"
    assert AGENT not in who_is_heard(by_tones.phone) and CALLER in who_is_heard(by_tones.phone)
    assert briefed.phone.cause == "NORMAL_CLEARING"
    assert calls["217"].leg.sent_to == "1000"
    assert calls["217"].row()["outcome"] == "fallback"


def test_no_limit_of_time_comes_between_a_caller_and_who_is_rung(serve):
    """The longest call is over by then: who is joined talks, who is not is told so."""
    human = Human(ACCEPTS, {"answers_after_s": 4.0})
    ends = {"231": human.far_end(), "232": FarEnd(rings=True)}
    service = serve(far_ends=ends, timeouts={"max_call_s": 3.0})
    joined, alone = (call_number(service, number) for number in ends)
    for call in (joined, alone):
        call.wait(25)
    service.stored()
    assert transfers(joined) == [("announced", "231", "completed")]
    answered = human.phone.answered_at
    assert who_is_heard(joined.caller, answered - 3.0, answered) == {MUSIC}
    assert HUMAN in who_is_heard(joined.caller)
    assert joined.row()["outcome"] == "transferred"
    assert transfers(alone) == [("announced", "232", "no_answer")]
    assert MUSIC in who_is_heard(alone.caller)
    assert alone.tenant.records[0].spoken[-1].startswith("Our time for this call is over")
    assert alone.row()["outcome"] == "timeout"


def test_the_caller_is_with_the_agent_again_when_the_human_leaves(serve):
    """Elsewhere there is no ticket: what was said comes from the database."""
    humans = {number: Human(ACCEPTS) for number in ("221", "222")}
    ends = {number: human.far_end() for number, human in humans.items()}
    service = serve(far_ends=ends, esl={"total_capacity": 100})
    talks = TALKS[:4]  # then he listens
    here, elsewhere = (
        call_number(service, number, talks, transfer_return=True) for number in humans
    )
    for call in (here, elsewhere):
        wait_for(lambda c=call: HUMAN in who_is_heard(c.caller), 20)
    assert service.app.journal.wait_stored(5)
    assert len(service.app.returning) == 2
    wait_for(lambda: not (service.app.calls or service.app.manager.calls), 5)
    assert not service.app._leases._held  # nobody pays for two people who talk
    del service.app.returning._tickets[elsewhere.tenant.domain_uuid, elsewhere.leg.uuid]
    for call, human in zip((here, elsewhere), humans.values(), strict=True):
        came_back(call, human)
    service.stored()
    assert len(service.app.returning) == 0
    for call in (here, elsewhere):
        rows = call.database.execute(
            """select c.outcome, t.status from v_voice_conversations_realtime c
               left join v_voice_transfers_realtime t using (conversation_uuid)
               where call_uuid = %s order by c.started_at""",
            call.leg.uuid,
        )
        assert rows == [("transferred", "returned"), ("completed", None)]


def came_back(call: TestCall, human: Human) -> None:
    records = call.tenant.records
    wait_for(lambda: len(records) == 3 and records[2].told, 10, "did not come back")
    left_at = human.phone.ended_at
    wait_for(lambda: AGENT in who_is_heard(call.caller, left_at), 8, str(records[2].spoken))
    assert not call.leg.hung_up
    call.caller.hang_up()
    call.wait()
    (words,) = records[2].told
    assert "has talked with 22" in words and "with you again" in words
    assert records[2].said_before == ["Hello.", "I try."]
    heard_at = call.caller.hearing.first_sound_at(after=left_at + 0.1)
    assert heard_at is not None and heard_at - left_at < 2.0


def when_held(service: Service, call: TestCall, act: Callable[[Any], None]) -> None:
    def mine() -> list[Any]:
        return [one for one in service.app.calls if one.leg.uuid == call.leg.uuid]

    wait_for(lambda: mine() and mine()[0].state is CallState.HELD, 20)
    act(mine()[0])


def test_the_agent_introduces_the_two_and_leaves(serve):
    human = Human([Step(AgentSpeaking(0.9), Press("1")), Step(After(6.5), HangUp())])
    alone = Human([Step(AgentSpeaking(0.9), Press("1"))])
    service = serve(far_ends={"231": human.far_end(), "232": alone.far_end()})
    rule = {"mode": "attended"}
    steps = [ASK, Step(After(5.5), CALLER_SAYS), Step(After(0.6), CALLER_SAYS)]
    call = call_number(service, "231", steps, rule=rule, transfer_return=True)
    leaves = call_number(service, "232", [ASK, Step(After(5.0), HangUp())], rule=rule)
    records = call.tenant.records
    wait_for(lambda: len(records) == 3 and not records[2].open, 25, "not introduced")
    assert "231" in records[2].spoken[0] and "I leave you" in records[2].spoken[0]
    began, ended = records[2].stamps[0][1], time.monotonic()
    for phone in (call.caller, human.phone):
        assert AGENT in who_is_heard(phone, began, ended), "both hear the introduction"
    wait_for(lambda: human.phone.ended_at is not None)
    wait_for(lambda: len(records) == 4 and records[3].told, 10, "did not come back")
    assert CALLER in who_is_heard(human.phone)
    call.caller.hang_up()
    leaves.wait()
    wait_for(lambda: alone.phone.ended_at is not None, 10, "the human is left in the room")
    service.stored()
    assert transfers_of(call) == [("attended", "231", "returned")]
    assert transfers_of(leaves) == [("attended", "232", "completed")]


def transfers_of(call: TestCall) -> list[tuple[str, str, str]]:
    return call.database.execute(
        "select transfer_type, destination, status from v_voice_transfers_realtime "
        "where domain_uuid = %s",
        call.tenant.domain_uuid,
    )
