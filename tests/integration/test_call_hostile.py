"""What strangers and broken peers send: a clear end for one call at most, and nothing of it stays.

In every test a caller talks meanwhile, and hears no gap.
"""

from __future__ import annotations

import contextlib
import re
import socket
import uuid
from collections.abc import Iterator

import gevent
import pytest

from bridge.playout.unicast import LEAST_MARGIN_MS
from esl_controller.settings.loader import SettingsError, load_settings
from esl_controller.simulator.caller_script import AgentSilent, AgentSpeaking, Step
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.integration.hub_watch import STEP_MS, HubWatch
from tests.integration.service import (
    BRIEF,
    FALLBACK,
    SPEAK,
    Service,
    hang_up_after,
    wait_for,
)

ASK = Step(AgentSilent(0.35), SPEAK)
BYE = hang_up_after(AgentSilent(0.5))
LONG_HELLO = "hello" * 8


@contextlib.contextmanager
def perfect_call(service: Service) -> Iterator[None]:
    """A caller who listens to one long word while the test does its worst."""
    tenant = service.add_tenant(first_message=LONG_HELLO)
    with HubWatch() as hub:
        call = service.call(tenant=tenant)
        wait_for(lambda: call.caller.hearing.first_sound_at() is not None)
        yield
        session = service.session(call)
        wait_for(lambda: not session.agent_speaking)
        underruns = session.line.downlink.playout.counters.underruns
        call.caller.hang_up()
        call.wait()
    assert call.caller.report().longest_gap_ms <= 30 + 2 * hub.worst_ms
    # A packet goes so much before the one in front of it ends.
    assert underruns == 0 or hub.worst_ms + STEP_MS > LEAST_MARGIN_MS
    assert call.caller.report().sound_ms >= 2400


def send(address, *pieces: bytes, then_wait: bool = True) -> bytes:
    """Connect, send, and give what comes back until the other side closes."""
    received = b""
    with socket.create_connection(address, timeout=5) as sock, contextlib.suppress(OSError):
        for piece in pieces:
            sock.sendall(piece)
        while then_wait and (data := sock.recv(65536)):
            received += data
    return received


CHANNEL = b"Content-Type: command/reply\nReply-Text: +OK\n"


GARBAGE = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "binary": bytes(range(256)) * 40,
    "huge length": b"Content-Length: 99999999999\n\n",
    "negative length": b"Content-Length: -1\n\n",
    "long line": b"X: " + b"a" * 300_000,
    "many lines": b"A: b\n" * 60_000,
    "empty lines": b"\n" * 200_000,
    "no identity": CHANNEL + b"Unique-ID: not-a-uuid\nvariable_domain_uuid: x\n\n",
    "forged identity": CHANNEL + b"Unique-ID: %0A%0Aexit\n\n",
}


def test_garbage_on_the_event_socket(serve, monkeypatch):
    monkeypatch.setattr("esl_controller.calls.leg.COMMAND_TIMEOUT_S", 0.3)
    service = serve(esl={"connect_timeout_s": 0.5})
    with perfect_call(service):
        peers = {
            name: [gevent.spawn(send, service.address, data) for _ in range(3)]
            for name, data in GARBAGE.items()
        }
        for name, group in peers.items():
            gevent.joinall(group, timeout=8, raise_error=True)
            assert all(peer.ready() for peer in group), name
    assert service.tenant.records == []


def test_a_flood_of_half_open_peers(serve):
    """Peers that connect and say nothing on both ports, more than there are calls allowed."""
    service = serve(esl={"capacity": 5, "connect_timeout_s": 1.0})
    with perfect_call(service):
        peers = []
        for address in (service.address, service.app.media.address):
            for _ in range(150):
                sock = socket.create_connection(address, timeout=5)
                peers.append(sock)
        call = service.call([BYE])
        assert call.leg.answered.wait(3)
        call.wait()
        wait_for(lambda: service.app.esl.connecting == 0)
        for sock in peers:
            sock.close()
    wait_for(lambda: service.app.media.pending == 0)


def upgrade(target: str, token: str = "", *extra: str) -> bytes:
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: media",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *([f"X-Stream-Token: {token}"] if token else []),
        *extra,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def status_of(answer: bytes) -> int:
    match = re.match(rb"HTTP/1.1 (\d+)", answer)
    return int(match[1]) if match else 0


def test_nobody_else_joins_a_call(serve):
    service = serve()
    with perfect_call(service):
        call = service.call([ASK, BYE])
        assert call.leg.answered.wait(5)
        wait_for(lambda: service.app.manager.joined >= 2)
        ours = f"/stream/{service.tenant.domain_uuid}/{call.leg.uuid}"
        token = re.search(
            r'X-Stream-Token":"([^"]+)', call.leg.channel.get("STREAM_EXTRA_HEADERS")
        )[1]
        stranger = f"/stream/{uuid.uuid4()}/{call.leg.uuid}"
        expected = [
            (upgrade(ours, token), 409),  # a second stream for the same call
            (upgrade(ours, "wrong"), 403),
            (upgrade(ours), 403),
            (upgrade(stranger, token), 403),
            (upgrade(f"/stream/{service.tenant.domain_uuid}/{uuid.uuid4()}", token), 403),
            (upgrade("/stream/../../etc/passwd", token), 404),
            (upgrade(ours + "?token=" + token), 409),
            (upgrade("/stream/" + "a" * 20_000, token), 414),
            (b"GET /stream HTTP/1.1\r\n" + b"X: y\r\n" * 9000 + b"\r\n", 400),
        ]
        for request, status in expected:
            assert status_of(send(service.app.media.address, request)) == status, request[:60]
        call.wait()
        assert call.tenant.record.spoken == ["Hello.", "Certainly."]


def test_a_stream_that_breaks_the_rules_ends_at_most_its_own_call(serve):
    """Metadata that is no JSON is ignored; frames that are none lose the stream."""
    service = serve()
    texts, frames = service.add_tenant(), service.add_tenant()
    with perfect_call(service):
        polite = service.call([ASK, BYE], tenant=texts, actions_after=FALLBACK)
        rude = service.call([ASK], tenant=frames, actions_after=FALLBACK)
        for call in (polite, rude):
            assert call.leg.answered.wait(5)
            wait_for(lambda call=call: call.leg.media.streams)
            wait_for(lambda call=call: call.leg.media.streams[0]._socket is not None)
        stream = polite.leg.media.streams[0]
        for text in ("{", "[]", '{"domain_uuid":"' + "9" * 36 + '"}', '{"type":7}', "\0" * 500):
            stream.send_text(text)
        stream.send_text('{"event":"dtmf","digit":"' + "1" * 5000 + '"}')
        while not rude.leg.ended.is_set():
            raw = rude.leg.media.streams[-1]._socket if rude.leg.media.streams else None
            if raw is not None:
                with contextlib.suppress(OSError):
                    raw._socket.send(b"\xff" * 64)
            gevent.sleep(0.05)
        polite.wait()
    assert polite.tenant.record.spoken == ["Hello.", "Certainly."]
    assert rude.outcome == "failed"


def test_a_caller_cannot_forge_headers(serve):
    service = serve()
    name = "Eve\nvariable_domain_uuid: 99999999-9999-4999-8999-999999999999\nEvent-Name: HANGUP"
    call = service.call([ASK, BYE], caller_id_name=name, caller_id_number="%0Aexit\n\n").wait()
    service.stored()
    row = call.row()
    assert row["domain_uuid"] == service.tenant.domain_uuid
    assert "\n" not in row["caller_name"] + row["caller_id"]
    assert row["caller_name"].startswith("Eve")
    assert call.tenant.record.spoken == ["Hello.", "Certainly."]


FORGED = (
    "\r\napi status\n\n",
    "\nContent-Length: 0\n\nContent-Length: 60\nContent-Type: text/event-plain\n\n"
    "Event-Name: CHANNEL_HANGUP\nHangup-Cause: FORGED_BY_CALLER\n\n",
    "\nLinger-Time: -1\nContent-Length: 0\n\nContent-Type: command/reply\nReply-Text: -ERR\n\n",
    "5" * 600,
    "5%0A%25%",
    "\u202e\u0665\u0665",
)


def test_a_callers_number_writes_nothing_into_the_event_socket(serve):
    """FreeSWITCH prints the channel's name raw in the notice of the hang-up."""
    service = serve()
    with perfect_call(service):
        calls = [
            service.call([BYE], tenant=service.add_tenant(), caller_id_number="5" + forged)
            for forged in FORGED
        ]
        for call in calls:
            call.wait()
    service.stored()
    for call in calls:
        row = call.row()
        assert (row["outcome"], row["end_cause"]) == ("completed", "NORMAL_CLEARING")
        assert row["error_code"] is None


def test_pipelined_requests_leave_the_calls_their_turns(serve):
    """Whatever is asked on however many connections, a call's greenlets run between answers."""
    service = serve()
    requests = b"GET /metrics HTTP/1.1\r\n\r\n" * 400
    with perfect_call(service):
        for _ in range(3):
            peers = [gevent.spawn(send, service.app.media.address, requests) for _ in range(10)]
            gevent.joinall(peers, timeout=10, raise_error=True)
            limit = service.app.media.limits.max_requests_per_connection
            assert all(peer.value.count(b"HTTP/1.1 200") <= limit for peer in peers)
    assert service.app.media.share.given_way


def test_a_provider_that_talks_nonsense(serve, monkeypatch):
    """Wrong shape, wrong order, far too large: the next connection goes on, or the call ends."""
    monkeypatch.setattr("bridge.session.candidates.RECOVERY_PAUSES_S", (0.0,))
    monkeypatch.setattr("bridge.session.candidates.MAX_REPLACEMENTS", 3)
    service = serve()
    shapes = service.add_tenant()
    shapes.emulator.queue_faults(Faults(garbage_after_s=0.6))
    sizes = service.add_tenant()
    sizes.emulator.queue_faults(Faults(oversize_after_s=0.6))
    order = service.add_tenant()
    order.emulator.queue_faults(Faults(wrong_order=True))
    binary = service.add_tenant(
        EmulatorConfig(
            script=BRIEF,
            think_s=0.05,
            faults=Faults(
                garbage_after_s=0.6,
                garbage=(b'{"type":"response.output_audio.delta","delta":"!!"}',) * 50,
            ),
        )
    )
    calls = [
        service.call([ASK, Step(AgentSilent(0.8), SPEAK), BYE], tenant=tenant)
        for tenant in (shapes, sizes)
    ]
    hopeless = service.call([ASK], tenant=binary, actions_after=FALLBACK)
    backwards = service.call(tenant=order, actions_after=FALLBACK)
    with perfect_call(service):
        for call in calls:
            call.wait()
        hopeless.wait()
    backwards.caller.hang_up()
    backwards.wait()
    service.stored()
    for call in calls:
        assert call.row()["outcome"] == "completed"
        assert "Certainly." in call.tenant.records[-1].spoken
    assert (hopeless.outcome, hopeless.row()["outcome"]) == ("failed", "fallback")
    assert len(sizes.records) >= 2
    assert sizes.records[0].close_code in (1009, 1002, None)


def test_hostile_arguments_of_functions_are_refused(serve):
    answer = Answer(
        "Wait.",
        calls=(
            ScriptedCall("transfer_call", "{" * 2000),
            ScriptedCall("transfer_call", '{"destination": ["1000"]}'),
            ScriptedCall("end_call", "[1,2,3]"),
        ),
    )
    service = serve(
        emulator=EmulatorConfig(script=Script(answers=(answer,)), think_s=0.05),
        secretary={
            "enable_functions": True,
            "transfer_rules": [{"department": "sales", "destination": "1000"}],
        },
    )
    call = service.call([ASK, hang_up_after(AgentSpeaking(0.3)), BYE])
    wait_for(
        lambda: len(call.tenant.records[0].function_outputs) == 3 if call.tenant.records else 0
    )
    call.caller.hang_up()
    call.wait()
    outputs = [output for _, output in call.tenant.record.function_outputs]
    assert all("error" in output for output in outputs)
    service.stored()
    statuses = service.database.execute(
        """select status from v_voice_function_calls_realtime where conversation_uuid = %s""",
        call.row()["conversation_uuid"],
    )
    assert [status for (status,) in statuses] == ["refused"] * 3


def test_five_mistakes_in_the_settings_are_five_sentences():
    environ = {
        "VOICE_AI_ESL_PORT": "seventy",
        "VOICE_AI_MEDIA_BUFFER_MS": "33",
        "VOICE_AI_ESL_ALLOW": "10.0.0.0/99",
        "VOICE_AI_PROVIDER_BASE_URL": "ftp://nowhere",
        "VOICE_AI_LOG_LEVEL": "loud",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ)
    problems = [line for line in str(caught.value).splitlines() if "VOICE_AI_" in line]
    assert len(problems) == 5
    for name in environ:
        assert sum(name in problem for problem in problems) == 1
