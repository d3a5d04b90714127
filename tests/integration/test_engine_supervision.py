"""Recordings, listening, taking over and calls of ours on a real FreeSWITCH.

Besides FREESWITCH_ESL it needs a context named by FREESWITCH_OUTBOUND: there `p<port>` bridges to
`sofia/<profile>/phone@127.0.0.1:<port>`, 1000 answers with a steady 555 Hz, 1486 is busy.
FreeSWITCH writes recordings below this test's own directory.
"""

from __future__ import annotations

import os
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest

from esl_controller.calls import audio_module, supervision
from esl_controller.esl import dialstring
from esl_controller.esl.applications import Application
from esl_controller.esl.inbound import InboundClient
from esl_controller.simulator.callees import hold_music
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script
from esl_controller.simulator.speech import Clip, beep, joined, silence, synthetic
from tests.integration.api_kit import OPEN, Client, client_of
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, channels, engine_client
from tests.integration.engine_line import PROFILE, dial, media
from tests.integration.service import Service, wait_for
from tests.integration.sip_phone import Phone

CONTEXT = os.environ.get("FREESWITCH_OUTBOUND", "")
pytestmark = [
    *ENGINE_MARKS,
    pytest.mark.skipif(not CONTEXT, reason="no FREESWITCH_OUTBOUND"),
]
MESSAGE = "Please call us back."
LOUD = 300.0
WAYS = ["unicast", "unicast without module"]


class Stage:
    """A service, a FreeSWITCH and telephones."""

    def __init__(self, service: Service, client: InboundClient, stack: ExitStack) -> None:
        self.service, self.client, self._stack = service, client, stack
        self.api: Client = client_of(service)
        self.domain = service.tenant.domain_uuid

    def phone(self, codec: str = "PCMU") -> Phone:
        return self._stack.enter_context(closing(Phone(codec)))

    def call_uuid(self) -> str:
        wait_for(lambda: self.api.get(f"/domains/{self.domain}/calls").json["calls"], CALL_S)
        (call,) = self.api.get(f"/domains/{self.domain}/calls").json["calls"]
        return str(call["call_uuid"])

    def act(self, act: str, body: Any = None) -> str:
        page = f"/domains/{self.domain}/calls/{self.call_uuid()}/{act}"
        answer = self.api.post(page, body)
        assert answer.status == 200, answer.body
        return str(answer.json["result"])

    def acts(self) -> list[tuple[str, str]]:
        return self.service.database.execute(
            "select action, result from v_voice_audits_realtime order by acted_at"
        )


@pytest.fixture
def stage(serve: Any, tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    with ExitStack() as stack:

        def start(way: str = "unicast", lines: tuple[str, ...] = (), **secretary: Any) -> Stage:
            script = Script(answers=(Answer("Certainly I will. " * 3),), caller_lines=lines)
            host, port, *_ = os.environ["FREESWITCH_ESL"].split(":")
            service = serve(
                **OPEN,
                emulator=EmulatorConfig(script=script, think_s=0.05),
                secretary={"domain_name": CONTEXT} | secretary,
                media=media(way),
                freeswitch={
                    "host": host,
                    "port": int(port),
                    "recordings_dir": str(tmp_path / "recordings"),
                },
            )
            return Stage(service, stack.enter_context(engine_client()), stack)

        yield start


def speaks(phone: Phone) -> gevent.Greenlet[..., None]:
    """The telephone speaks all the time, half a second of each."""

    def run() -> None:
        while not phone.over.is_set():
            phone.say(beep(0.5, 700.0).frames(8000))
            gevent.sleep(1.0)

    return gevent.spawn(run)


def heard(phone: Phone) -> bool:
    return phone.hearing.heard_for(time.monotonic()) > 0.1


def sides(stage: Stage) -> tuple[list[float], list[float], float]:
    """Levels of both sides of the recording, by 100 ms, and its length."""
    ((path, name),) = stage.service.database.execute(
        "select record_path, record_name from v_voice_conversations_realtime"
    )
    with wave.open(f"{path}/{name}") as file:
        assert file.getnchannels() == 2, "stereo"
        rate_hz = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    size = rate_hz // 10
    whole = samples[: len(samples) // size * size].astype(float).reshape(-1, size, 2)
    levels = np.sqrt((whole**2).mean(axis=1))
    return list(levels[:, 0]), list(levels[:, 1]), len(samples) / rate_hz


@pytest.mark.parametrize("way", WAYS)
def test_a_recording_is_stereo_and_silent_where_it_must_be(
    stage: Callable[..., Stage], way: str
) -> None:
    """Unicast goes on through mask and unmask, and so does the caller's own way to the model."""
    here = stage(way, record_calls=True, first_message="Hello, how can I help you today?")
    phone = here.phone()
    dial(here.client, here.service, phone, way)
    wait_for(lambda: heard(phone), CALL_S)
    find = "select recording_consent from v_voice_conversations_realtime"
    wait_for(lambda: here.service.database.execute(find) == [("announced",)], CALL_S)
    speaking = speaks(phone)
    gevent.sleep(3.0)
    assert here.act("recording", {"wanted": "pause"}) == "done"
    wait_for(lambda: ("recording_pause", "done") in here.acts(), CALL_S)
    packets = len(phone.packets)
    turns = len(here.service.tenant.record.spoken)
    gevent.sleep(3.0)
    assert len(phone.packets) - packets > 30, "unicast goes on"
    assert len(here.service.tenant.record.spoken) > turns, "the model hears the caller"
    assert here.act("recording", {"wanted": "go_on"}) == "done"
    wait_for(lambda: ("recording_resume", "done") in here.acts(), CALL_S)
    gevent.sleep(2.0)
    speaking.kill()
    phone.hang_up()
    here.service.stored()
    left, right, seconds = sides(here)
    quiet = [at for at in range(len(left)) if max(left[at], right[at]) < 50]
    longest, run = 0, 0
    for at in range(1, len(quiet)):
        run = run + 1 if quiet[at] == quiet[at - 1] + 1 else 0
        longest = max(longest, run)
    print(f"\n{way}: {seconds:.1f} s, silent for {longest / 10:.1f} s, {len(quiet)} of {len(left)}")
    assert max(left) > LOUD and max(right) > LOUD
    assert max(right[:10]) < 50, "nothing of the notice itself"
    assert longest >= 25, "three seconds of silence on both sides"


def rung_is(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever extension shall listen."""
    address = f"sofia/{PROFILE}/phone@{phone.address}"
    monkeypatch.setattr(supervision.dialstring, "user", lambda *_: address)


@pytest.mark.parametrize("way", WAYS)
def test_a_supervisor_listens_while_the_agent_speaks_and_takes_over(
    stage: Callable[..., Stage], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = stage(way, first_message="Hello, how can I help you today? " * 3)
    phone, listener = here.phone(), here.phone()
    rung_is(listener, monkeypatch)
    dial(here.client, here.service, phone, way)
    wait_for(lambda: heard(phone), CALL_S)
    assert here.act("listen", {"extension": "200"}) == "asked"
    wait_for(lambda: ("listen", "done") in here.acts(), CALL_S)
    packets, began = len(phone.packets), time.monotonic()
    wait_for(lambda: heard(listener), CALL_S, "the agent is not heard by who listens")
    gevent.sleep(1.5)
    rate = (len(phone.packets) - packets) / (time.monotonic() - began)
    print(f"\n{way}: {rate:.0f} packets a second to the caller meanwhile")
    assert rate > 35, "the caller hears the agent all the time"
    wait_for(lambda: (phone.hearing.silent_for(time.monotonic()) or 0) > 0.8, CALL_S)
    quiet_since = time.monotonic()
    listener.say(synthetic(1.0).frames(8000))
    gevent.sleep(1.5)
    last = phone.hearing.last_sound_at
    assert last is not None and last < quiet_since, "who listens is heard by nobody"
    phone.say(synthetic(0.8).frames(8000))
    wait_for(lambda: (listener.hearing.last_sound_at or 0.0) > quiet_since, CALL_S)
    assert here.act("takeover", {"extension": "1000"}) == "done"
    taken = time.monotonic()
    gevent.sleep(4.0)
    assert (phone.hearing.last_sound_at or 0.0) > taken + 3.0, "the tone of 1000"
    phone.hang_up()
    wait_for(listener.over.is_set, CALL_S, "who listens is left behind")
    here.service.stored()
    assert ("takeover", "done") in here.acts()


@pytest.mark.parametrize(
    ("way", "end"),
    [
        ("unicast", "who listens leaves"),
        ("unicast", "the caller leaves"),
        ("unicast", "takeover"),
        ("unicast without module", "the caller leaves"),
    ],
)
def test_a_call_of_l16_ends_though_somebody_has_listened(
    stage: Callable[..., Stage], way: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FreeSWITCH would keep it for ever, had it been played by unicast: see `listening`."""
    here = stage(way, first_message="Hello, how can I help you today? " * 3)
    phone, listener = here.phone("L16"), here.phone()
    rung_is(listener, monkeypatch)
    dial(here.client, here.service, phone, way)
    wait_for(lambda: heard(phone), CALL_S)
    assert here.act("listen", {"extension": "200"}) == "asked"
    wait_for(lambda: heard(listener), CALL_S, "the agent is not heard by who listens")
    wait_for(lambda: (phone.hearing.silent_for(time.monotonic()) or 0) > 0.8, CALL_S)
    if end == "who listens leaves":
        listener.hang_up()
    asked = time.monotonic()
    phone.say(synthetic(0.8).frames(phone.format.rate_hz))
    wait_for(lambda: (phone.hearing.last_sound_at or 0.0) > asked, CALL_S, "no answer")
    if end == "takeover":
        assert here.act("takeover", {"extension": "1000"}) == "done"
        wait_for(lambda: (phone.hearing.last_sound_at or 0.0) > asked + 5.0, CALL_S)
    phone.hang_up()
    wait_for(lambda: channels(here.client) == 0, CALL_S, "the call is left in FreeSWITCH")
    here.service.stored()


def test_a_call_of_l16_that_nothing_else_can_play_is_not_listened_to(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = stage("unicast without module", first_message="Hello, how can I help you today? ")
    if audio_module.loaded(here.client.api(audio_module.USAGE_COMMAND, check=False)):
        pytest.skip("FreeSWITCH has a module: the call goes on by that")
    phone, listener = here.phone("L16"), here.phone()
    rung_is(listener, monkeypatch)
    dial(here.client, here.service, phone, "unicast without module")
    wait_for(lambda: heard(phone), CALL_S)
    assert here.act("listen", {"extension": "200"}) == "asked"
    wait_for(lambda: here.acts() == [("listen", "failed")], CALL_S, "not refused")
    assert not listener.answered.is_set()
    phone.hang_up()


def test_a_call_of_l16_that_the_dialplan_has_somebody_listen_to_in_silence(
    stage: Callable[..., Stage],
) -> None:
    """FusionPBX's *33, which asks nobody: see `overheard`, also of who listens to speech."""
    here = stage("unicast", first_message="Hello, how can I help you today? " * 3)
    phone, listener = here.phone("L16"), here.phone()
    dial(here.client, here.service, phone, "unicast")
    wait_for(lambda: heard(phone), CALL_S)
    wait_for(lambda: (phone.hearing.silent_for(time.monotonic()) or 0) > 0.8, CALL_S)
    leg = dialstring.Leg(f"sofia/{PROFILE}/phone@{listener.address}")
    listens = dialstring.run(Application.EAVESDROP, here.call_uuid())
    here.client.originate(dialstring.DialString([leg], {}), listens)
    gevent.sleep(1.5)
    asked = time.monotonic()
    phone.say(synthetic(0.8).frames(phone.format.rate_hz))
    wait_for(lambda: (phone.hearing.last_sound_at or 0.0) > asked, CALL_S, "no answer")
    phone.hang_up()
    wait_for(lambda: channels(here.client) == 0, CALL_S, "the call is left in FreeSWITCH")
    here.service.stored()


def test_whom_we_called_ends_though_somebody_has_listened(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own calls are loopbacks: L16, whatever the telephone has."""
    here = stage(lines=("Hello?",))
    may_call(here)
    phone, listener = here.phone(), here.phone()
    rung_is(listener, monkeypatch)
    body = {"extension": "8001", "number": f"p{phone.address.rpartition(':')[2]}"}
    here.api.post(f"/domains/{here.domain}/outbound", body)
    here.service.app.outbound.run_once()
    wait_for(phone.answered.is_set, CALL_S, "not called")
    phone.say(joined(silence(0.5), synthetic(0.6)).frames(8000))
    wait_for(lambda: here.service.tenant.records and here.service.tenant.record.spoken, 20)
    assert here.act("listen", {"extension": "200"}) == "asked"
    wait_for(lambda: ("listen", "done") in here.acts(), CALL_S)
    gevent.sleep(2.0)
    asked = time.monotonic()
    phone.say(synthetic(0.8).frames(8000))
    wait_for(lambda: (listener.hearing.last_sound_at or 0.0) > asked, CALL_S)
    wait_for(lambda: (phone.hearing.last_sound_at or 0.0) > asked, CALL_S, "no answer")
    phone.hang_up()
    wait_for(lambda: channels(here.client) == 0, CALL_S, "the call is left in FreeSWITCH")


def may_call(here: Stage) -> None:
    here.service.database.execute(
        """insert into v_voice_realtime_settings (domain_uuid, outbound_max_concurrent)
           values (%s, 2)""",
        here.domain,
    )


def called(here: Stage, phone: Phone, clip: Clip, *, machine: bool = False) -> dict[str, Any]:
    """Have the telephone called; it plays the clip when it answers, and leaves unless it is a
    machine. The row when the call is over.
    """
    may_call(here)
    number = f"p{phone.address.rpartition(':')[2]}"
    page = f"/domains/{here.domain}/outbound"
    wanted = {"extension": "8001", "number": number, "caller_id": "4000"}
    answer = here.api.post(page, wanted)
    assert answer.status == 201, answer.body
    key = answer.json["call"]["outbound_uuid"]
    here.service.app.outbound.run_once()
    wait_for(phone.answered.is_set, CALL_S, "not called")
    gevent.sleep(0.3)
    phone.say(clip.frames(8000))

    def row() -> dict[str, Any]:
        found: dict[str, Any] = here.api.get(f"{page}/{key}").json["call"]
        return found

    wait_for(lambda: row()["answered_by"] or here.service.tenant.record.spoken, 20)
    if machine:
        wait_for(phone.over.is_set, 30)
    if row()["status"] == "calling" and not phone.over.is_set():
        wait_for(lambda: here.service.tenant.record.spoken, 20)
        wait_for(lambda: phone.over.is_set() or _quiet(phone), 20)
        if not phone.over.is_set():
            phone.hang_up()
    wait_for(lambda: row()["status"] != "calling", 20)
    here.service.stored()
    return row()


def _quiet(phone: Phone) -> bool:
    return (phone.hearing.silent_for(time.monotonic()) or 0.0) > 2.5


def test_a_person_is_called(stage: Callable[..., Stage]) -> None:
    here = stage(lines=("Hello?",))
    phone = here.phone()
    row = called(here, phone, joined(silence(0.5), synthetic(0.6)))
    print("\nperson:", row["status"], row["answered_by"], here.service.tenant.record.spoken)
    assert (row["status"], row["answered_by"]) == ("done", "human")
    assert phone.hearing.last_sound_at is not None, "the agent is heard at the telephone"


def test_who_is_called_is_not_left_alone_by_a_worker_that_is_killed(
    stage: Callable[..., Stage],
) -> None:
    here = stage(lines=("Hello?",))
    may_call(here)
    phone = here.phone()
    body = {"extension": "8001", "number": f"p{phone.address.rpartition(':')[2]}"}
    here.api.post(f"/domains/{here.domain}/outbound", body)
    here.service.app.outbound.run_once()
    wait_for(phone.answered.is_set, CALL_S, "not called")
    phone.say(joined(silence(0.5), synthetic(0.6)).frames(8000))
    wait_for(lambda: here.service.tenant.records and here.service.tenant.record.spoken, 20)
    for leg in tuple(here.service.app.door._server._calls):
        leg.close()
    wait_for(phone.over.is_set, CALL_S, "the call goes on with nobody")
    assert phone.hung_up_by_far_end


def test_a_machine_is_left_the_message(stage: Callable[..., Stage]) -> None:
    here = stage(lines=("You have reached us. Leave a message.",), voicemail_message=MESSAGE)
    phone = here.phone()
    row = called(here, phone, joined(synthetic(4.0), silence(0.4), beep(0.4, 1000.0)), machine=True)
    print("\nmachine:", row["status"], row["answered_by"], here.service.tenant.record.spoken)
    assert (row["status"], row["answered_by"]) == ("done", "machine")
    assert here.service.tenant.record.spoken[-1] == MESSAGE
    assert phone.hung_up_by_far_end


def test_music_is_waited_through(stage: Callable[..., Stage]) -> None:
    here = stage(lines=("Hello, this is Ana.",))
    phone = here.phone()
    row = called(here, phone, joined(hold_music(4.0), silence(0.9), synthetic(0.9)))
    print("\nmusic:", row["status"], row["answered_by"], here.service.tenant.record.spoken)
    assert (row["status"], row["answered_by"]) == ("done", "human")


def test_who_is_busy_is_told(stage: Callable[..., Stage]) -> None:
    here = stage()
    may_call(here)
    page = f"/domains/{here.domain}/outbound"
    key = here.api.post(page, {"extension": "8001", "number": "1486"}).json["call"]["outbound_uuid"]
    here.service.app.outbound.run_once()
    wait_for(lambda: here.api.get(f"{page}/{key}").json["call"]["cause"], CALL_S)
    assert here.api.get(f"{page}/{key}").json["call"]["cause"] == "USER_BUSY"
