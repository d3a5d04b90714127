"""Which model, voice and turns each provider of a call is asked for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from bridge.audio.formats import L16_8K, L16_16K, L16_24K, PCMU_8K
from bridge.errors import LocalProtocolError
from bridge.providers.actions import Endpoint, Open, Send, SpeechService
from bridge.providers.base import ProviderProtocol
from bridge.providers.conversation import Conversation, Tool
from bridge.providers.descriptor import Descriptor
from bridge.providers.openai.realtime import OpenAIRealtime
from bridge.providers.registry import DESCRIPTORS, PROVIDERS, vendor_at
from esl_controller.database.models import ProviderAccess, RealtimeProviderConfig, SecretaryRealtime
from esl_controller.settings.table import Provider
from esl_controller.settings.types import Secret
from esl_controller.telemetry.known_secrets import IN_USE
from esl_controller.tenants.config import default_provider
from esl_controller.tenants.providers import (
    NoProvider,
    own_provider,
    provider_protocol,
    require_session,
)

TALK = Conversation(PCMU_8K, PCMU_8K)


def secretary(**fields: Any) -> SecretaryRealtime:
    values = {
        "realtime_provider": "openai",
        "voice_realtime_provider_uuid": None,
        "model": None,
        "voice_id": None,
        "voice_settings": {},
        "vad_mode": "server",
        "vad_threshold": 0.7,
        "vad_prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "vad_eagerness": "auto",
        "vad_idle_timeout_ms": None,
        "barge_in": True,
        "languages": (),
        **{"turn_detector": "provider", "resume_after_noise": False, "legal_notice": None},
        **{"noise_reduction": "none", "transcription_model": None, "provider_config": {}},
    }
    return cast(SecretaryRealtime, SimpleNamespace(**values | fields))


def access(uuid: str = "p-1", kind: str = "openai", **fields: Any) -> ProviderAccess:
    values = {
        "provider_label": uuid,
        "base_url": None,
        "credential": None,
        "headers": {},
        "model": None,
        "default_voice_id": None,
        "provider_settings": {},
        "priority": 1,
        "max_concurrent_calls": None,
        "enabled": True,
    }
    config = RealtimeProviderConfig(
        voice_realtime_provider_uuid=uuid,
        domain_uuid="d",
        realtime_provider=kind,
        **values | fields,
    )
    return ProviderAccess(config, None)


def asked(protocol: ProviderProtocol) -> tuple[str, dict[str, Any]]:
    """The URL, and the session's settings."""
    protocol.start(TALK, 0.0)
    (opening,) = protocol.actions()
    assert isinstance(opening, Open)
    assert isinstance(opening.target, Endpoint)
    protocol.receive_open(opening.channel, 0.0)
    update = protocol.actions()[0]
    assert isinstance(update, Send)
    return opening.target.url, msgspec.json.decode(update.data)["session"]


@pytest.mark.parametrize(
    ("own", "row", "expected"),
    [
        ("gpt-realtime-mini", "gpt-realtime-2", "gpt-realtime-mini"),
        ("gpt-realtime-mini", None, "gpt-realtime-mini"),
        (None, "gpt-realtime-2", "gpt-realtime-2"),
        (None, None, "gpt-realtime-2.1"),
    ],
)
def test_the_secretarys_model_goes_before_the_rows(
    own: str | None, row: str | None, expected: str
) -> None:
    protocol = provider_protocol(access(model=row), secretary(model=own), own=True)
    assert asked(protocol)[0].endswith(f"model={expected}")


@pytest.mark.parametrize(
    ("own", "row", "expected"),
    [("marin", "cedar", "marin"), (None, "cedar", "cedar"), (None, None, None)],
)
def test_the_secretarys_voice_goes_before_the_rows(
    own: str | None, row: str | None, expected: str | None
) -> None:
    protocol = provider_protocol(access(default_voice_id=row), secretary(voice_id=own), own=True)
    assert asked(protocol)[1]["audio"]["output"].get("voice") == expected


def test_a_provider_that_stands_in_uses_its_own_settings() -> None:
    wishes = secretary(
        model="gpt-realtime-mini",
        voice_id="marin",
        voice_settings={"speed": 1.2},
        vad_mode="semantic",
        noise_reduction="near_field",
        provider_config={"truncation": "disabled"},
        barge_in=False,
    )
    standing_in = access(model="theirs", default_voice_id="cedar")
    url, session = asked(provider_protocol(standing_in, wishes))
    assert url.endswith("model=theirs")
    assert session["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "cedar"}
    assert session["audio"]["input"]["noise_reduction"] is None
    assert "truncation" not in session
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "create_response": True,
        "interrupt_response": False,
    }


def test_wishes_of_the_secretary() -> None:
    wishes = secretary(
        voice_settings={"speed": 1.2},
        vad_mode="semantic",
        vad_eagerness="low",
        noise_reduction="far_field",
        transcription_model="whisper-1",
        provider_config={"truncation": "disabled"},
    )
    _, session = asked(provider_protocol(access(), wishes, own=True))
    assert session["truncation"] == "disabled"
    assert session["audio"]["output"]["speed"] == 1.2
    assert session["audio"]["input"]["noise_reduction"] == {"type": "far_field"}
    assert session["audio"]["input"]["transcription"] == {"model": "whisper-1"}
    assert session["audio"]["input"]["turn_detection"]["eagerness"] == "low"


def test_whose_provider_it_is() -> None:
    first, second, other = access("p-1"), access("p-2"), access("p-3", "gemini")
    assert own_provider(secretary(), [other, first, second]) is first
    named = secretary(voice_realtime_provider_uuid="p-2")
    assert own_provider(named, [first, second]) is second
    assert own_provider(named, [first, other]) is None


def test_a_voice_may_be_tried_out() -> None:
    protocol = provider_protocol(access(default_voice_id="cedar"), voice="verse")
    assert asked(protocol)[1]["audio"]["output"]["voice"] == "verse"


def test_a_kind_nobody_speaks_and_a_row_that_does_not_fit() -> None:
    with pytest.raises(NoProvider, match="other is not spoken here"):
        provider_protocol(access(kind="other"))
    with pytest.raises(NoProvider, match="speed"):
        provider_protocol(access(), secretary(voice_settings={"speed": "fast"}), own=True)


class Particular(OpenAIRealtime):
    """A provider that sees only when it is to begin that it cannot."""

    def start(self, conversation: Conversation, now: float) -> None:
        if conversation.brief.tools:
            raise LocalProtocolError("takes no functions")
        super().start(conversation, now)


def test_the_session_of_a_call_is_built_to_see_whether_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoken = replace(PROVIDERS["openai_realtime"], make=Particular)
    monkeypatch.setitem(PROVIDERS, "openai_realtime", spoken)
    wishes = secretary(system_prompt="Hello.", first_message=None, language="pt-BR")
    require_session(access(), wishes, (), own=True)
    with pytest.raises(NoProvider, match="takes no functions"):
        require_session(access(), wishes, (Tool("end_call", "", {}),), own=True)


def gemini_setup(protocol: ProviderProtocol) -> dict[str, Any]:
    protocol.start(Conversation(L16_16K, L16_24K), 0.0)
    (opening,) = protocol.actions()
    assert isinstance(opening, Open)
    assert isinstance(opening.target, Endpoint)
    assert opening.target.url.startswith("wss://generativelanguage.googleapis.com/ws/")
    protocol.receive_open(opening.channel, 0.0)
    (message,) = protocol.actions()
    assert isinstance(message, Send)
    return dict(msgspec.json.decode(message.data)["setup"])


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, {"startOfSpeechSensitivity": "START_SENSITIVITY_LOW", "silenceDurationMs": 500}),
        ({"vad_threshold": 0.5}, {"silenceDurationMs": 500}),
        ({"vad_threshold": 0.5, "vad_mode": "semantic"}, {}),
        (
            {"vad_threshold": 0.2, "vad_mode": "semantic", "vad_eagerness": "high"},
            {
                "startOfSpeechSensitivity": "START_SENSITIVITY_HIGH",
                "endOfSpeechSensitivity": "END_SENSITIVITY_HIGH",
            },
        ),
    ],
)
def test_wishes_in_gemini_s_terms(wish: dict[str, Any], expected: dict[str, Any]) -> None:
    wishes = secretary(
        voice_id="Kore",
        model="gemini-2.5-flash-native-audio-preview-12-2025",
        barge_in=False,
        provider_config={"generationConfig": {"topK": 5}},
        **wish,
    )
    row = access(kind="gemini", provider_settings={"thinking_budget": 0})
    setup = gemini_setup(provider_protocol(row, wishes, own=True))
    assert setup["model"] == "models/gemini-2.5-flash-native-audio-preview-12-2025"
    assert setup["generationConfig"] == {
        "responseModalities": ["AUDIO"],
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        "thinkingConfig": {"thinkingBudget": 0},
        "topK": 5,
    }
    assert setup["realtimeInputConfig"] == {
        "automaticActivityDetection": expected,
        "activityHandling": "NO_INTERRUPTION",
    }


def test_a_gemini_that_stands_in_knows_nothing_of_the_secretary_s_voice() -> None:
    row = access(kind="gemini", default_voice_id="Puck")
    setup = gemini_setup(provider_protocol(row, secretary(voice_id="marin", model="gpt-realtime")))
    assert setup["model"] == "models/gemini-3.8-live"
    assert setup["generationConfig"]["speechConfig"]["voiceConfig"] == {
        "prebuiltVoiceConfig": {"voiceName": "Puck"}
    }


def test_options_a_model_does_not_take_are_refused() -> None:
    row = access(kind="gemini", provider_settings={"thinking_level": "low"})
    with pytest.raises(NoProvider, match="takes no thinking options"):
        provider_protocol(row)


def test_every_kind_has_a_vendor() -> None:
    assert PROVIDERS["gemini_live"].vendor == "gemini"
    assert PROVIDERS["openai_realtime"].vendor == "openai"
    assert PROVIDERS["elevenlabs_agent"].vendor == "elevenlabs"


@pytest.mark.parametrize("known", [one for one in DESCRIPTORS.values() if one.chat_url])
def test_who_answers_in_text_is_paid_as_the_price_list_names_it(known: Descriptor) -> None:
    paid = {model.vendor for model in known.models if model.role == "chat"} or {known.kind}
    assert {vendor_at(known.chat_url)} == paid


def test_an_address_of_nobody_known_is_the_tenant_s_own_or_its_provider_s() -> None:
    assert vendor_at("https://llm.example/v1") == vendor_at("no address") == "custom"
    assert vendor_at("https://llm.example/v1", "openai") == "openai"
    assert vendor_at("https://api.groq.com:443/openai/v1", "openai") == "groq"


def test_the_operator_s_gemini_has_nothing_of_openai_s() -> None:
    key = Secret("AIza-operator")
    given = default_provider(Provider(name="gemini", api_key=key, voice="Kore"))
    assert given is not None
    config = given.config
    assert (config.base_url, config.model, config.default_voice_id) == (None, None, "Kore")
    assert gemini_setup(provider_protocol(given))["model"] == "models/gemini-3.8-live"


PIPELINE_KEY = "stt=dg-0123456789,chat=gsk-0123456789"


def pipeline_asked(row: ProviderAccess, **wishes: Any) -> tuple[Endpoint, SpeechService]:
    protocol = provider_protocol(row, secretary(realtime_provider="custom", **wishes), own=True)
    protocol.start(Conversation(PCMU_8K, L16_8K), 0.0)
    hearing, voice = (action.target for action in protocol.actions() if isinstance(action, Open))
    assert isinstance(hearing, Endpoint)
    assert isinstance(voice, SpeechService)
    return hearing, voice


def test_the_pipeline_is_asked_for_what_the_secretary_wants() -> None:
    config = access(kind="custom", provider_settings={"tts": "espeak", "stt_model": "nova-2"})
    row = ProviderAccess(config.config, Secret(PIPELINE_KEY))
    hearing, voice = pipeline_asked(row, voice_id="pt-br", silence_duration_ms=700)
    assert "model=nova-2&" in hearing.url
    assert "endpointing=700" in hearing.url
    assert hearing.headers == (("Authorization", "Token dg-0123456789"),)
    assert (voice.name, voice.options["voice"]) == ("espeak", "pt-br")


def test_each_key_of_the_pipeline_is_hidden_wherever_it_turns_up() -> None:
    provider_protocol(ProviderAccess(access(kind="custom").config, Secret(PIPELINE_KEY)))
    assert "0123456789" not in IN_USE.hide("dg-0123456789 and gsk-0123456789")


def test_a_pipeline_without_keys_is_no_provider() -> None:
    with pytest.raises(NoProvider, match="Deepgram needs a key"):
        provider_protocol(access(kind="custom"))
