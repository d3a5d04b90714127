"""What a secretary asks of its provider, held against what the provider is known to take. Pure.

Only at the provider's own address: a gateway may know other voices, models and fields. A field
nobody knows is left out, because the provider would refuse the whole session for it. A voice or a
model that is in no list stays, and is told: it may be newer than the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from esl_controller.database.models import RealtimeProviderConfig, SecretaryRealtime
from esl_controller.money.prices import PRICES
from esl_controller.tenants.checks import did_you_mean
from esl_controller.tenants.hosts import OWN_HOSTS, dialled_host

Fields = Mapping[str, "Fields | None"]
"""Names of fields; those of objects have fields of their own."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one kind of provider takes."""

    voices: frozenset[str] | None = None
    """None: each account has its own, and its models are not ours to list."""
    session: Fields | None = None
    """Fields of `provider_config`; None: they are not judged."""
    unread: tuple[str, ...] = ()
    """Columns of a secretary that this kind has no use for, told where they were filled in."""


def _fields(names: str, **objects: Fields) -> Fields:
    return dict.fromkeys(names.split()) | objects


_OPENAI_INPUT = _fields(
    "format turn_detection",
    noise_reduction=_fields("type strength"),
    transcription=_fields("model language languages prompt keywords delay"),
)
_OPENAI_VOICES = frozenset(
    {"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"}
)
_GEMINI_VOICES = frozenset(
    {"Achernar", "Achird", "Algenib", "Algieba", "Alnilam", "Aoede", "Autonoe", "Callirrhoe",
     "Charon", "Despina", "Enceladus", "Erinome", "Fenrir", "Gacrux", "Iapetus", "Kore",
     "Laomedeia", "Leda", "Orus", "Puck", "Pulcherrima", "Rasalgethi", "Sadachbia", "Sadaltager",
     "Schedar", "Sulafat", "Umbriel", "Vindemiatrix", "Zephyr", "Zubenelgenubi"}
)  # fmt: skip
_GEMINI_GENERATION = _fields(
    "responseModalities temperature topP topK maxOutputTokens seed mediaResolution "
    "enableAffectiveDialog",
    speechConfig=_fields("languageCode voiceConfig"),
    thinkingConfig=_fields("thinkingLevel thinkingBudget includeThoughts"),
)
_GEMINI_INPUT = _fields(
    "activityHandling turnCoverage",
    automaticActivityDetection=_fields(
        "disabled startOfSpeechSensitivity endOfSpeechSensitivity prefixPaddingMs silenceDurationMs"
    ),
)
KNOWN: Mapping[str, Known] = {
    "custom": Known(unread=("noise_reduction", "vad_idle_timeout_ms")),
    "elevenlabs": Known(unread=("transcription_model", "vad_idle_timeout_ms", "noise_reduction")),
    # Live API reference, `BidiGenerateContentSetup` (2026-11).
    "gemini": Known(
        voices=_GEMINI_VOICES,
        session=_fields(
            "model systemInstruction tools inputAudioTranscription outputAudioTranscription "
            "safetySettings labels",
            generationConfig=_GEMINI_GENERATION,
            realtimeInputConfig=_GEMINI_INPUT,
            sessionResumption=_fields("handle transparent"),
            contextWindowCompression=_fields("triggerTokens slidingWindow"),
            proactivity=_fields("proactiveAudio proactiveVideo"),
            historyConfig=_fields("initialHistoryInClientContent"),
        ),
        unread=("transcription_model", "vad_idle_timeout_ms", "voice_settings", "noise_reduction"),
    ),
    # OpenAI API reference, Realtime `session.update` (2026-08).
    "openai": Known(
        voices=_OPENAI_VOICES,
        session=_fields(
            "type model output_modalities instructions max_output_tokens tools tool_choice "
            "parallel_tool_calls reasoning prompt tracing truncation include",
            audio=_fields("", input=_OPENAI_INPUT, output=_fields("format voice speed")),
        ),
    ),
}


def fitted(
    secretary: SecretaryRealtime, config: RealtimeProviderConfig
) -> tuple[SecretaryRealtime, list[str]]:
    """The secretary as its provider will take it, and a sentence for each doubt."""
    kind = config.realtime_provider
    known = KNOWN.get(kind)
    own = dialled_host(config) == OWN_HOSTS.get(kind)
    if known is None or not own or config.provider_settings.get("api_shape", "ga") != "ga":
        return secretary, []
    doubts: list[str] = []
    if known.voices is not None:
        doubts += _unlisted("voice_id", "voice", secretary.voice_id, known.voices, kind)
        doubts += _unlisted("model", "model", secretary.model, _models(kind), kind)
    doubts += [
        f"{column} is not used with {kind}"
        for column in known.unread
        if getattr(secretary, column) not in (None, "", {}, "none")
    ]
    used = dict(secretary.provider_config)
    if known.session is not None:
        used = _without_unknown(used, known.session, "", doubts)
    label = f"secretary {secretary.secretary_name!r}"
    told = [f"{label}: {doubt}" for doubt in doubts]
    told += _doubts_about_row(config, known)
    return replace(secretary, provider_config=used), told


def _doubts_about_row(config: RealtimeProviderConfig, known: Known) -> list[str]:
    kind, further = config.realtime_provider, config.provider_settings
    if known.voices is None:
        return []
    doubts = [
        *_unlisted("default_voice_id", "voice", config.default_voice_id, known.voices, kind),
        *_unlisted("model", "model", config.model, _models(kind), kind),
    ]
    listed = {"voice": known.voices, "model": _models(kind)}
    for name, values in listed.items():
        doubts += _unlisted(f"provider_settings: {name}", name, further.get(name), values, kind)
    return [f"provider {config.provider_label!r}: {doubt}" for doubt in doubts]


def _unlisted(
    column: str, what: str, wanted: str | None, listed: Iterable[str], kind: str
) -> list[str]:
    if wanted is None or any(wanted == one or wanted.startswith(f"{one}-20") for one in listed):
        return []
    near = did_you_mean(wanted, listed)
    return [f"{column} {wanted!r:.60} is no {what} of {kind} this version knows{near}"]


def _models(kind: str) -> frozenset[str]:
    """Those with a price for what is said: whose name is wrong, its cost would be unknown too."""
    return frozenset(one.model for one in PRICES if one.provider == kind and one.audio_output)


def _without_unknown(
    given: Mapping[str, Any], known: Fields, path: str, doubts: list[str]
) -> dict[str, Any]:
    used: dict[str, Any] = {}
    for name, value in given.items():
        inner = known.get(name)
        if name not in known:
            near = did_you_mean(name, known)
            doubts.append(f"provider_config: {path + name!r:.80} is no field, left out{near}")
        elif inner is not None and isinstance(value, Mapping):
            used[name] = _without_unknown(value, inner, f"{path}{name}.", doubts)
        else:
            used[name] = value
    return used
