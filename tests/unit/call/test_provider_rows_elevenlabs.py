"""From a tenant's rows to ElevenLabs: its agents, and its door that speaks OpenAI's protocol."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bridge.audio.formats import PCMU_8K, Encoding
from bridge.providers.actions import Endpoint, HttpRequest, Open, Send
from bridge.providers.base import ProviderFailure
from bridge.providers.conversation import Brief, Conversation
from bridge.wire.channel import ChannelEnd, Ender
from esl_controller.database.models import ProviderAccess
from esl_controller.settings.types import Secret
from esl_controller.tenants.providers import (
    NoProvider,
    provider_protocol,
)
from tests.unit.call.test_provider_rows import TALK, access, secretary


def agent(wishes: Any = None, *, own: bool = True, **fields: Any) -> dict[str, Any]:
    """The first message to the agent of a row."""
    settings = {"agent_id": "a1"} | fields.pop("provider_settings", {})
    row = access("p-1", "elevenlabs", provider_settings=settings, **fields)
    protocol = provider_protocol(row, wishes or secretary(), own=own)
    protocol.start(TALK, 0.0)
    (opening,) = protocol.actions()
    assert isinstance(opening, Open)
    assert isinstance(opening.target, Endpoint)  # no key: a public agent
    protocol.receive_open(opening.channel, 0.0)
    (first,) = protocol.actions()
    assert isinstance(first, Send)
    return dict(msgspec.json.decode(first.data))


def test_a_row_and_a_secretary_make_an_agent() -> None:
    wishes = secretary(
        voice_id="v2",
        model="gemini-2.5-flash",
        voice_settings={"speed": 1.5},
        provider_config={"tts": {"stability": 0.9}},
    )
    settings = {"dynamic_variables": {"tier": "gold"}, "stability": 0.4}
    first = agent(wishes, default_voice_id="v1", model="theirs", provider_settings=settings)
    assert first["conversation_config_override"] == {
        "agent": {"prompt": {"llm": "gemini-2.5-flash"}, "first_message": ""},
        "tts": {"voice_id": "v2", "stability": 0.9, "speed": 1.2},
    }
    assert first["dynamic_variables"] == {"tier": "gold"}
    standing_in = agent(wishes, own=False, default_voice_id="v1", model="theirs")
    assert standing_in["conversation_config_override"] == {
        "agent": {"prompt": {"llm": "theirs"}, "first_message": ""},
        "tts": {"voice_id": "v1"},
    }


def test_an_agent_without_a_name_is_none() -> None:
    with pytest.raises(NoProvider, match="agent_id: missing"):
        provider_protocol(access(kind="elevenlabs"))


def realtime(**settings: Any) -> ProviderAccess:
    fields = {"provider_settings": {"interface": "realtime"} | settings}
    row = access(kind="elevenlabs", **fields)
    return ProviderAccess(row.config, Secret("xi-key-12345"))


def test_eleven_realtime_is_openai_s_protocol_behind_another_door() -> None:
    wishes = secretary(voice_id="v", voice_settings={"speed": 1.3}, noise_reduction="far_field")
    protocol = provider_protocol(realtime(), wishes, own=True)
    can = protocol.capabilities
    assert PCMU_8K in can.audio_in
    assert all(one.encoding is not Encoding.PCMA for one in can.audio_in)
    protocol.start(Conversation(PCMU_8K, PCMU_8K, Brief(language="pt-BR")), 0.0)
    (buying,) = protocol.actions()
    assert isinstance(buying, Open)
    assert isinstance(buying.target, HttpRequest)
    url = "https://api.elevenlabs.io/v1/convai/realtime/client_secrets"
    assert (buying.target.method, buying.target.url) == ("POST", url)
    assert dict(buying.target.headers)["xi-api-key"] == "xi-key-12345"
    protocol.receive_message(buying.channel, b'{"value":"ek_1"}', 0.1)
    protocol.receive_end(buying.channel, ChannelEnd(Ender.PEER, code=200), 0.1)
    (opening,) = protocol.actions()
    assert isinstance(opening, Open)
    assert isinstance(opening.target, Endpoint)
    url = "wss://api.elevenlabs.io/v1/convai/realtime?model=eleven_realtime_v1_mini"
    assert opening.target == Endpoint(url, (("Authorization", "Bearer ek_1"),))
    protocol.receive_open(opening.channel, 0.2)
    update = protocol.actions()[0]
    assert isinstance(update, Send)
    audio = msgspec.json.decode(update.data)["session"]["audio"]
    assert audio["input"]["transcription"] == {"language": "pt-br"}
    assert audio["input"]["noise_reduction"] is None
    assert audio["output"] == {"format": {"type": "audio/pcmu"}, "voice": "v"}


@pytest.mark.parametrize("answer", [b"{}", b"[", b'{"value":""}', b'{"value":"a\\nb"}'])
def test_a_secret_that_cannot_be_sent_is_a_failure(answer: bytes) -> None:
    protocol = provider_protocol(realtime())
    protocol.start(TALK, 0.0)
    (buying,) = protocol.actions()
    protocol.receive_message(buying.channel, answer, 0.1)
    failure = protocol.next_event()
    assert isinstance(failure, ProviderFailure)
    assert (failure.code, failure.fatal) == ("no_client_secret", True)


def test_an_interface_nobody_has() -> None:
    with pytest.raises(NoProvider, match="by the interface 'webrtc'"):
        provider_protocol(realtime(interface="webrtc"))
    with pytest.raises(NoProvider, match="agent_id"):
        provider_protocol(realtime(interface=""))
