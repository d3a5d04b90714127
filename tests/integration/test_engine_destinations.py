"""Every destination and every outcome on a real FreeSWITCH, with what each telephone heard.

Besides FREESWITCH_ESL it needs FREESWITCH_PLACES, a context with the dialplan of `engine_places`
(beside this file, with the telephones of its directory and the settings of its modules), and
FREESWITCH_SIP, `host:port` of a profile where telephones register without a password.
mod_callcenter, mod_voicemail and mod_lua are loaded; FREESWITCH_STORAGE is where mailboxes are.
"""

from __future__ import annotations

import dataclasses
import os
import time
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.simulator.hearing import Hearing
from esl_controller.simulator.speech import beep
from tests.integration.api_kit import client_of
from tests.integration.engine_domain import (  # noqa: F401 - the fixture
    DOMAIN,
    NUMBER,
    PEOPLE,
    Places,
    places_of_a_domain,
)
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS
from tests.integration.service import wait_for
from tests.integration.sip_phone import BUSY, DECLINES, RINGS, TAKES
from tests.integration.who_heard import AGENT, CALLER, HUMAN, HUMAN_HZ, MUSIC, who_is_heard

STORAGE = os.environ.get("FREESWITCH_STORAGE", "")
pytestmark = [
    *ENGINE_MARKS,
    pytest.mark.skipif(not DOMAIN, reason="no FREESWITCH_PLACES"),
]


def nothing_private(line: Places, answered: float, decided: float) -> None:
    """Of the briefing the caller has heard nothing, and the human nothing but it."""
    assert who_is_heard(line.caller, answered, decided) <= {MUSIC}
    assert who_is_heard(line.human, 0, decided) == {AGENT}


@pytest.mark.parametrize("how", ["key", "voice"])
@pytest.mark.parametrize("to", PEOPLE)
def test_accepted(places: Any, to: str, how: str) -> None:
    line = places(to)
    answered = line.briefed()
    gevent.sleep(1.0)
    decided = time.monotonic()
    if how == "key":
        line.human.press("1")
    else:
        line.human.say(beep(0.6, HUMAN_HZ).frames(8000))
    wait_for(lambda: not len(line.service.app.calls), CALL_S, "not accepted")
    met = line.talk()
    gevent.sleep(1.5)
    assert NUMBER in line.human.shown, "not the caller's own number"
    nothing_private(line, answered, decided - 0.2)
    assert who_is_heard(line.caller, met) == {HUMAN}
    assert who_is_heard(line.human, met) == {CALLER}
    line.human.hang_up()
    wait_for(line.caller.over.is_set, CALL_S, "the caller is left alone")
    statuses = line.end()
    line.report(to, f"accepted by {how}", statuses)
    assert statuses == ["completed"]


@pytest.mark.parametrize("to", PEOPLE)
def test_back_with_the_agent_when_the_human_leaves(places: Any, to: str) -> None:
    line = places(to, transfer_return=True)
    line.briefed()
    line.human.press("1")
    wait_for(lambda: not len(line.service.app.calls), CALL_S, "not accepted")
    line.talk()
    line.hush()
    line.human.hang_up()
    left = time.monotonic()
    wait_for(lambda: AGENT in who_is_heard(line.caller, left), CALL_S, "the agent is not back")
    assert "with you again" in line.told()
    statuses = line.end()
    line.report(to, "accepted, and back", statuses)
    assert statuses == ["returned"]


@pytest.mark.parametrize("how", ["key", "voice"])
@pytest.mark.parametrize("to", PEOPLE[:3])
def test_declined_by_who_answered(places: Any, to: str, how: str) -> None:
    line = places(to, verdict="decline_call")
    answered = line.briefed()
    gevent.sleep(0.5)
    decided = time.monotonic()
    if how == "key":
        line.human.press("2")
    else:
        line.human.say(beep(0.6, HUMAN_HZ).frames(8000))
    wait_for(line.human.over.is_set, CALL_S, "the human's call goes on")
    told = line.told()
    left = time.monotonic()
    wait_for(lambda: AGENT in who_is_heard(line.caller, left), CALL_S)
    nothing_private(line, answered, decided - 0.2)
    assert HUMAN not in who_is_heard(line.caller)
    assert CALLER not in who_is_heard(line.human)
    statuses = line.end()
    line.report(to, f"declined by {how}", statuses)
    assert ("tomorrow" in told) is (how == "voice")
    assert statuses == ["declined"]


NOBODY = {
    "busy": (BUSY, "busy"),
    "declined by telephone": (DECLINES, "declined"),
    "no answer": (RINGS, "no_answer"),
    "unreachable": (TAKES, "unreachable"),
}


@pytest.mark.parametrize("outcome", NOBODY)
@pytest.mark.parametrize("to", PEOPLE[:3])
def test_nobody_to_be_had(places: Any, to: str, outcome: str) -> None:
    does, status = NOBODY[outcome]

    def both(line: Places) -> None:
        if line.second is not None:
            line.second.does = does
            if outcome == "unreachable":
                line.second.unregister()

    line = places(to, does, registered=outcome != "unreachable", before=both)
    assert "hears you again" in line.told()
    left = time.monotonic()
    wait_for(lambda: AGENT in who_is_heard(line.caller, left), CALL_S, "not back")
    statuses = line.end()
    line.report(to, outcome, statuses)
    assert not line.human.packets
    if (to, outcome) == ("external number", "declined by telephone"):
        status = "unreachable"  # an outbound route goes on after a refusal, and ends
    assert statuses == [status]


@pytest.mark.parametrize("when", ["ringing", "briefing"])
@pytest.mark.parametrize("to", PEOPLE[:3])
def test_the_caller_leaves(places: Any, to: str, when: str) -> None:
    line = places(to, RINGS if when == "ringing" else TAKES)
    if when == "briefing":
        line.briefed()
    else:
        wait_for(lambda: line.human.rung, CALL_S)
    line.caller.hang_up()
    if when == "briefing":
        wait_for(line.human.over.is_set, CALL_S, "the human is left alone")
    statuses = line.end()
    line.report(to, f"the caller leaves: {when}", statuses)
    assert statuses == ["cancelled"]


@pytest.mark.parametrize("to", PEOPLE[:3])
def test_the_human_leaves_in_the_briefing(places: Any, to: str) -> None:
    line = places(to)
    line.briefed()
    line.human.hang_up()
    assert "hung up without taking" in line.told()
    statuses = line.end()
    line.report(to, "the human leaves", statuses)
    assert statuses == ["human_left"]


# --- who answers by himself: blind, and nothing of the agent's goes along ------------------------


def alone_together(line: Places) -> None:
    """Caller and human hear each other, and have heard nobody else since they met."""
    met = line.talk()
    gevent.sleep(1.0)
    assert who_is_heard(line.caller, met) == {HUMAN}
    assert who_is_heard(line.human) == {CALLER}


@pytest.mark.parametrize("to", [*PEOPLE[:3], "queue", "greeted ring group"])
def test_handed_over_blind_and_answered(places: Any, to: str) -> None:
    line = places(to, transfer_mode="announced" if to not in PEOPLE else "blind")
    wait_for(line.human.answered.is_set, CALL_S, "nobody was called")
    alone_together(line)
    line.human.hang_up()
    wait_for(line.caller.over.is_set, CALL_S, "the caller is left alone")
    statuses = line.end()
    line.report(to, "blind, answered", statuses)
    assert statuses == ["passed_on"]


def test_a_queue_in_which_nobody_answers(places: Any) -> None:
    line = places("queue", RINGS)
    wait_for(lambda: line.human.rung, CALL_S, "no agent was rung")
    wait_for(line.caller.over.is_set, CALL_S + 10, "the caller is left in the queue")
    statuses = line.end()
    line.report("queue", "blind, no answer", statuses)
    assert statuses == ["passed_on"]
    assert not line.human.packets


def test_a_menu_and_the_extension_behind_it(places: Any) -> None:
    line = places("ivr")
    wait_for(lambda: MUSIC in who_is_heard(line.caller), CALL_S, "no menu")
    line.caller.press("1")
    wait_for(line.human.answered.is_set, CALL_S, "nobody was called")
    alone_together(line)
    statuses = line.end()
    line.report("ivr", "blind, key 1, answered", statuses)
    assert statuses == ["passed_on"]


@pytest.mark.parametrize("way", ["asked for", "fallback", "blind, no answer"])
def test_a_message_in_the_mailbox(places: Any, way: str) -> None:
    for old in mailbox():
        old.unlink()
    to = "voicemail" if way == "asked for" else "extension"
    said: dict[str, Any] = {"transfer_mode": "blind"} if way == "blind, no answer" else {}
    if way == "fallback":
        said = {"rule": {"fallback": {"no_answer": "voicemail"}}}
    line = places(to, RINGS, **said)
    rung = time.monotonic()
    wait_for(lambda: MUSIC in who_is_heard(line.caller, rung), CALL_S, "no tone of the mailbox")
    hushed = lambda: (line.caller.hearing.silent_for(time.monotonic()) or 0) > 1.2  # noqa: E731
    if way == "fallback":  # the music of the hold is before the mailbox's tone
        wait_for(lambda: not len(line.service.app.calls), CALL_S, "not handed over")
        gevent.sleep(1.0)
    wait_for(hushed, CALL_S, "the mailbox does not record")
    for _ in range(3):
        line.caller.say(beep(0.9, 700.0).frames(8000))
        gevent.sleep(1.0)
    line.caller.hang_up()
    wait_for(mailbox, CALL_S, "no message")
    gevent.sleep(0.5)
    (kept,) = mailbox()
    assert who_is_heard(recorded(kept)) == {CALLER}
    statuses = line.end()
    line.report("voicemail", way, statuses)
    assert statuses[-1] == "passed_on"


def mailbox() -> list[Path]:
    """Messages of extension 201."""
    return sorted(Path(STORAGE).glob(f"voicemail/default/{DOMAIN}/201/msg_*.wav"))


def recorded(path: Path) -> SimpleNamespace:
    """A file as if a telephone had heard it."""
    with wave.open(str(path)) as file:
        hearing = Hearing(file.getframerate(), keep_audio=True)
        pcm = file.readframes(file.getnframes())
    size = hearing.rate_hz // 50 * 2
    for n, at in enumerate(range(0, len(pcm) - size + 1, size)):
        hearing.add(pcm[at : at + size], 1.0 + n * 0.02)
    return SimpleNamespace(hearing=hearing)


# --- supervision of callers who talk with a human -------------------------------------------------


def test_a_caller_who_talks_with_a_human_is_listened_to_taken_over_and_ended(places: Any) -> None:
    line = places("extension", transfer_return=True)
    line.briefed()
    line.human.press("1")
    wait_for(lambda: not len(line.service.app.calls), CALL_S, "not accepted")
    line.talk()
    assert line.service.app.journal.wait_stored(5)
    client, domain_uuid = client_of(line.service), line.service.tenant.domain_uuid
    (uuid,) = line.service.database.execute(
        "select call_uuid from v_voice_conversations_realtime where domain_uuid = %s", domain_uuid
    )[0]

    def act(name: str, body: Any = None) -> str:
        answer = client.post(f"/domains/{domain_uuid}/calls/{uuid}/{name}", body)
        result: str = answer.json["result"] if answer.status == 200 else str(answer.status)
        return result

    listener, other = line.extension("203"), line.extension("202")
    assert act("listen", {"extension": "203"}) == "asked"
    wait_for(lambda: {CALLER, HUMAN} <= who_is_heard(listener), CALL_S, "hears not both")
    listener.hang_up()
    assert act("takeover", {"extension": "202"}) == "done"
    wait_for(other.answered.is_set, CALL_S, "202 was not called")
    wait_for(line.human.over.is_set, CALL_S, "the first human is left alone")
    wait_for(lambda: CALLER in who_is_heard(other), CALL_S, "202 does not hear the caller")
    assert AGENT not in who_is_heard(other), "the caller went to the agent instead"
    assert act("hangup") == "done"
    wait_for(line.caller.over.is_set, CALL_S, "the caller was not hung up")
    assert act("hangup") == "404"
    line.report("extension", "listened to, taken over, hung up", line.end())


# --- presence ------------------------------------------------------------------------------------


def test_presence_of_a_telephone(places: Any) -> None:
    """Registered, on a call, do-not-disturb, forwarded, gone: asked as before a transfer."""
    line = places("extension")
    service = line.service
    (call,) = service.app.calls
    ana = Destination(Kind.EXTENSION, "Ana", "201", True, f"user/201@{DOMAIN}")
    bia = dataclasses.replace(ana, name="Bia", number="202")

    def presence(who: Destination = ana) -> tuple[str, str]:
        found = service.app._desk.site.places.presence(call.leg.esl, call.talk.entry, who)
        return found.state, found.detail

    def set_row(column: str, value: Any) -> None:
        service.database.execute(
            f"update v_extensions set {column} = %s where domain_uuid = %s and extension = '201'",
            value,
            service.tenant.domain_uuid,
        )

    line.briefed()
    seen = [("on a call", presence())]
    line.human.hang_up()
    wait_for(lambda: presence()[0] == "free", CALL_S, "still on a call")
    seen.append(("registered", presence()))
    seen.append(("another, never registered", presence(bia)))
    set_row("do_not_disturb", True)
    seen.append(("do not disturb", presence()))
    set_row("do_not_disturb", False)
    set_row("forward_all_destination", "202")
    set_row("forward_all_enabled", True)
    seen.append(("forwarded", presence()))
    set_row("forward_all_enabled", False)
    line.human.unregister()
    line.human._registered = None
    seen.append(("unregistered", presence()))
    for what, found in seen:
        print(f"\n| {what} | {found} |")
    line.end()
    states = [state for _, (state, _) in seen]
    assert states == [
        "busy", "free", "unregistered", "dnd", "forwarded", "unregistered"
    ]  # fmt: skip
