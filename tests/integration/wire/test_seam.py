"""Providers of other kinds than OpenAI, driven by the real host over real sockets."""

import msgspec
import pybase64
import pytest

from bridge.audio.formats import L16_16K, PCMU_8K
from bridge.providers.base import (
    Audio,
    Brief,
    Conversation,
    Ended,
    ErrorKind,
    Heard,
    Interrupted,
    Opening,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Usage,
)
from bridge.providers.host import Network, ProviderHost
from bridge.wire import frames, http_channel
from bridge.wire.frames import CLOSE, PING, TEXT
from bridge.wire.keepalive import KeepAlive
from tests.integration.wire.http_peer import HttpPeer, reply
from tests.integration.wire.provider_peer import Provider
from tests.unit.providers.seam.elevenlabs import ElevenLabs, ElevenLabsConfig
from tests.unit.providers.seam.test_elevenlabs import METADATA
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
