"""Providers of other kinds than OpenAI, driven by the real host over real sockets."""

import functools
import struct

import gevent
import gevent.event
import msgspec
import pybase64
import pytest

from bridge.audio.formats import L16_16K, PCMU_8K
from bridge.providers.base import (
    Audio,
    CallerStopped,
    Ended,
    ErrorKind,
    Heard,
    Interrupted,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
    Usage,
)
from bridge.providers.conversation import Brief, Conversation, Opening, Speaker
from bridge.providers.host import Network, ProviderHost
from bridge.speech.frames import Kind
from bridge.wire import frames, http_channel
from bridge.wire.frames import BINARY, CLOSE, PING, TEXT
from bridge.wire.keepalive import KeepAlive
from tests.integration.wire.http_peer import STREAM_HEAD, HttpPeer, SpeechPeer, chunk, reply
from tests.integration.wire.provider_peer import Provider
from tests.unit.providers.seam.elevenlabs import ElevenLabs, ElevenLabsConfig
from tests.unit.providers.seam.pipeline import PIPER_22K, Pipeline, PipelineConfig
from tests.unit.providers.seam.test_elevenlabs import METADATA
from tests.unit.providers.seam.test_pipeline import heard, llm
from tests.wire.ws.peers import until

KEY = "xi-s3cret-s3cret"
encode = msgspec.json.encode


class Owner:
    """Whoever owns the host: keeps what it is told."""

    def __init__(self, protocol, conversation, **network):
        self.events = []
        self.protocol = protocol
        self.host = ProviderHost(
            protocol,
            conversation,
            on_events=self.events.extend,
            connect_timeout_s=5.0,
            network=Network(keepalive=KeepAlive(), max_attempts=1, **network),
        )
        self.host.start()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def wait(self, kind, count=1):
        until(lambda: len(self.of(kind)) >= count, f"{count} {kind.__name__}: {self.events}")
        return self.of(kind)

    def do(self, command, *args, **options):
        command(*args, **options)
        self.host.flush()


@pytest.fixture
def made():
    """Things to be closed, the last first."""
    things = []
    yield things
    for thing in reversed(things):
        thing.close()
    http_channel._shared_pool.cache_clear()


def read(peer):
    """The next data message of a WebSocket peer."""
    while (message := peer.receive())[0] == PING:
        pass
    return message


def read_json(peer):
    return msgspec.json.decode(read(peer)[1])


# --- an agent whose address is signed over HTTP ---------------------------------------------------


@pytest.fixture
def agent(made):
    """`agent()` gives the WebSocket server, the HTTP server and the owner."""

    def build(answer=None):
        service = Provider()
        signer = HttpPeer(answer or reply(200, encode({"signed_url": service.url})))
        brief = Brief("Be kind.", "Oi.", "pt-BR")
        talk = Conversation(PCMU_8K, PCMU_8K, brief, Opening.GREET)
        owner = Owner(ElevenLabs(ElevenLabsConfig("a1", KEY, signer.url)), talk)
        made.extend([service, signer, owner.host])
        return service, signer, owner

    return build


def answering(agent):
    """A session that is ready."""
    service, signer, owner = agent()
    until(lambda: service.peers)
    peer = service.peers[0]
    first = read_json(peer)
    assert first["conversation_config_override"]["agent"]["first_message"] == "Oi."
    kind = "conversation_initiation_metadata"
    peer.send(TEXT, encode({"type": kind, f"{kind}_event": METADATA}))
    assert owner.wait(SessionReady) == [SessionReady("c", L16_16K, PCMU_8K)]
    return peer, signer, owner


def agent_audio(peer, number):
    data = pybase64.b64encode(b"\xff" * 160).decode()
    event = {"event_id": number, "audio_base_64": data}
    peer.send(TEXT, encode({"type": "audio", "audio_event": event}))


def test_signed_address_audio_and_interruption(agent):
    peer, signer, owner = answering(agent)
    ((head, _),) = signer.requests
    assert head.startswith(b"GET /v1/convai/conversation/get-signed-url?agent_id=a1 ")
    assert f"xi-api-key: {KEY}".encode() in head
    owner.protocol.send_audio(b"\x00\x01")
    owner.host.flush_audio()
    assert read_json(peer) == {"user_audio_chunk": "AAE="}
    agent_audio(peer, 3)
    owner.wait(Audio)
    peer.send(TEXT, encode({"type": "interruption", "interruption_event": {"event_id": 3}}))
    owner.wait(Interrupted)
    owner.do(owner.protocol.cut, [Heard("agent-3", 20)], 0.0)
    agent_audio(peer, 3)
    agent_audio(peer, 4)
    assert [event.response_id for event in owner.wait(ResponseStarted, 2)] == ["3", "4"]
    assert len(owner.of(Audio)) == 2
    assert owner.wait(ResponseDone)[0].response_id == "4"
    assert owner.host.connect_s is not None


def test_the_agent_hangs_up(agent):
    peer, _, owner = answering(agent)
    peer.send(CLOSE, frames.encode_close(1000))
    owner.wait(Ended)
    assert isinstance(owner.events[-2], Usage)
    assert owner.host.is_over


def test_an_agent_that_refuses_what_it_was_told(agent):
    peer, _, owner = answering(agent)
    peer.send(CLOSE, frames.encode_close(1008, f"override not allowed for {KEY}"))
    (failure,) = owner.wait(ProviderFailure)
    assert (failure.kind, failure.code) == (ErrorKind.INVALID_REQUEST, "close_1008")
    assert KEY not in failure.message


def test_a_key_that_signs_nothing(agent):
    body = encode({"detail": {"status": "invalid_api_key", "message": f"bad {KEY}"}})
    service, _, owner = agent(reply(401, body))
    (failure,) = owner.wait(ProviderFailure)
    assert (failure.kind, failure.fatal) == (ErrorKind.AUTHENTICATION, True)
    assert KEY not in repr(failure)
    assert service.requests == []


def test_leaving_bills_the_time(agent):
    peer, _, owner = answering(agent)
    owner.host.stop()
    (usage,) = owner.of(Usage)
    assert usage.vendor == "elevenlabs"
    assert usage.audio_seconds > 0
    assert read(peer)[0] == CLOSE


# --- three stages ---------------------------------------------------------------------------------


class Model:
    """A chat model: each request gets the next of `streams`, piece by piece as it is let go on."""

    def __init__(self):
        self.asked = []
        self.dropped = 0
        self.go_on = gevent.event.Event()
        self.first = llm("One moment. Let me ")
        self.rest = [llm("see.", finish="stop"), b"[DONE]"]

    def __call__(self, sock, head, body):
        self.asked.append(msgspec.json.decode(body)["messages"])
        sock.sendall(STREAM_HEAD + chunk(b"data: " + self.first + b"\n\n"))
        waiting = gevent.spawn(sock.recv, 1)
        gevent.wait([waiting, self.go_on], count=1)
        if waiting.ready():
            self.dropped += 1
            return
        waiting.kill()
        for data in self.rest:
            sock.sendall(chunk(b"data: " + data + b"\n\n"))
        sock.sendall(chunk(b""))


def speak(said, peer, service, options):
    """Piper: a tenth of a second of sound for each sentence."""
    assert (service, options) == ("piper", {"voice": "pt"})
    peer.send(Kind.READY)
    while True:
        _, data = peer.receive()
        said.append(data)
        if data[:1] == b"S":
            place = data[1:5]
            peer.send(Kind.BINARY, b"A" + place + bytes(PIPER_22K.bytes_for_ms(100)))
            peer.send(Kind.BINARY, b"D" + place)


@pytest.fixture
def cascade(made):
    """`cascade(model)` gives what hears, what speaks said, and the owner; ready."""

    def build(model, **brief):
        hearing, thinking, said = Provider(), HttpPeer(model), []
        speaking = SpeechPeer(functools.partial(speak, said))
        config = PipelineConfig(hearing.url, thinking.url + "/v1/chat", "dg-s3cret", "gsk-s3cret")
        opening = Opening.GREET if brief else Opening.LISTEN
        talk = Conversation(PCMU_8K, PIPER_22K, Brief(**brief), opening, opening_token="hello")
        owner = Owner(Pipeline(config), talk, speech=speaking.path)
        made.extend([hearing, thinking, speaking, owner.host])
        owner.wait(SessionReady)
        return hearing.peers[0], said, owner

    return build


def test_a_turn_goes_through_all_three(cascade):
    model = Model()
    peer, said, owner = cascade(model)
    owner.protocol.send_audio(b"\xff" * 160)
    owner.host.flush_audio()
    assert read(peer) == (BINARY, b"\xff" * 160)
    peer.send(TEXT, heard("when do you open"))
    owner.wait(CallerStopped)
    until(lambda: [data[5:] for data in said] == [b"One moment."])
    owner.wait(Audio)
    model.go_on.set()
    (done,) = owner.wait(ResponseDone)
    assert (done.status, done.spoke) == ("completed", True)
    assert [data[5:] for data in said] == [b"One moment.", b"Let me see."]
    assert model.asked[0][-1] == {"role": "user", "content": "when do you open"}
    assert [(event.speaker, event.text) for event in owner.of(Transcript)] == [
        (Speaker.CALLER, "when do you open"),
        (Speaker.AGENT, "One moment. Let me see."),
    ]


def test_barge_in_drops_the_model_and_silences_the_voice(cascade):
    model = Model()
    peer, said, owner = cascade(model)
    peer.send(TEXT, heard("when do you open"))
    owner.wait(Audio)
    owner.do(owner.protocol.cut, [Heard("p1", 60)], 0.0)
    until(lambda: model.dropped == 1, "the model's connection is dropped")
    until(lambda: said[-1] == b"X")
    model.go_on.set()
    peer.send(TEXT, heard("and on Sunday"))
    owner.wait(ResponseDone)
    assert model.asked[1][-2:] == [
        {"role": "assistant", "content": "One moment. …"},
        {"role": "user", "content": "and on Sunday"},
    ]
    assert not owner.of(ProviderFailure)


def test_a_greeting_needs_no_model(cascade):
    _, said, owner = cascade(Model(), greeting="Good morning.")
    owner.wait(ResponseDone)
    assert said == [b"S" + struct.pack("<HH", 1, 0) + b"Good morning."]
    assert owner.of(ResponseStarted)[0].token == "hello"


def test_a_model_that_refuses_costs_the_answer_only(cascade):
    body = b'{"error":{"code":"rate_limit_exceeded","message":"Please try again in 1.5s"}}'
    peer, _, owner = cascade(reply(429, body))
    peer.send(TEXT, heard("hello"))
    (done,) = owner.wait(ResponseDone)
    assert (done.error_kind, done.retry_in_s) == (ErrorKind.RATE_LIMIT, 1.5)
    assert not owner.host.is_over


def test_hearing_that_ends_ends_it_all(cascade):
    peer, _, owner = cascade(Model())
    peer.send(CLOSE, frames.encode_close(1011, "NET-0001"))
    (failure,) = owner.wait(ProviderFailure)
    assert (failure.fatal, failure.code) == (True, "close_1011")
    assert owner.host.is_over


def test_leaving_closes_all_three(cascade):
    peer, _, owner = cascade(Model())
    owner.protocol.send_audio(b"\xff" * 8000)
    owner.host.flush_audio()
    owner.host.stop()
    (usage,) = owner.of(Usage)
    assert (usage.vendor, usage.audio_seconds) == ("deepgram", 1.0)
    assert read(peer)[0] == BINARY
    assert read(peer) == (TEXT, b'{"type":"CloseStream"}')
    assert read(peer)[0] == CLOSE


def test_without_a_speech_process_there_is_no_cascade(made):
    hearing = Provider()
    owner = Owner(Pipeline(PipelineConfig(hearing.url, "https://llm")), TALK_22K)
    made.extend([hearing, owner.host])
    (failure,) = owner.wait(ProviderFailure)
    assert (failure.code, failure.message) == ("request", "no speech process")
    assert not failure.retryable


TALK_22K = Conversation(PCMU_8K, PIPER_22K)
