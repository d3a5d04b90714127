"""What a tenant's provider row and a secretary's wishes mean to the bridge: a protocol object.

A secretary's model, voice and turn detection are for the secretary's own provider: another would
not know them, or mean something else by them. A provider that stands in uses its own defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BridgeError
from bridge.providers.base import ProviderProtocol
from bridge.providers.conversation import Brief, Conversation, Opening, Tool
from bridge.providers.registry import (
    make_provider,
    reserved_settings,
    row_settings,
    usable_settings,
)
from bridge.session.barge_in import TurnTaking
from esl_controller.database.models import (
    ProviderAccess,
    RealtimeProviderConfig,
    SecretaryRealtime,
)
from esl_controller.telemetry.known_secrets import HIDDEN, IN_USE
from esl_controller.telemetry.redaction import redact_value
from esl_controller.tenants.checks import did_you_mean

SLOWEST, FASTEST = 0.7, 1.2
"""Of ElevenLabs' voices; a secretary may ask for 0.25 to 1.5."""
INTERFACE = "interface"
"""Of `provider_settings`: which of a vendor's interfaces is meant, where it has several."""
ELEVEN_REALTIME: Mapping[str, Any] = {
    "base_url": "wss://api.elevenlabs.io/v1/convai",
    "auth_style": "client_secret",
    "model": "eleven_realtime_v1_mini",
    "formats": ["pcmu", "pcm"],
    "transcription_model": "own",
    "vendor": "elevenlabs",
}
"""Eleven Realtime speaks OpenAI's protocol: `OpenAiSessionConfigInput` and `client_secrets` of the
`elevenlabs` package 2.78.0 say in which parts."""
_VAD = {"server": "server_vad", "semantic": "semantic_vad"}
_GEMINI_END = {"low": "low", "high": "high"}
_MIDDLE = 0.5
"""`vad_threshold` of a secretary that says nothing of it."""


class NoProvider(Exception):
    """No provider of the tenant can be used."""


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A kind of provider the bridge speaks with."""

    protocol: str
    """Its name in `bridge.providers.registry`."""
    wishes: Callable[[SecretaryRealtime], dict[str, Any]]
    """A secretary's settings as fields of its own provider's configuration."""
    manners: Callable[[SecretaryRealtime], dict[str, Any]]
    """Those that hold whichever provider of this kind serves the call."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """What a provider row of this kind means where it says nothing else."""
    no_key: str = "none"
    """Stands for the key where a row has none."""


def own_provider(
    secretary: SecretaryRealtime, providers: Sequence[ProviderAccess]
) -> ProviderAccess | None:
    """The provider the secretary names, else the first of its kind; None: it is not among them."""
    wanted = secretary.voice_realtime_provider_uuid
    for access in providers:
        config = access.config
        if config.realtime_provider == secretary.realtime_provider and wanted in (
            None,
            config.voice_realtime_provider_uuid,
        ):
            return access
    return None


def provider_protocol(
    access: ProviderAccess,
    secretary: SecretaryRealtime | None = None,
    *,
    own: bool = False,
    voice: str | None = None,
) -> ProviderProtocol:
    """A fresh protocol object for one provider.

    Args:
        secretary: whose calls it shall serve; None to try the provider out.
        own: the provider is the secretary's own.
        voice: instead of any other.

    Raises:
        NoProvider: it is of a kind not spoken here, or its settings do not fit.
    """
    spoken = _spoken(access.config)
    row = {**spoken.row, **_provider_row(access, spoken.no_key)}
    if secretary is not None:
        row |= spoken.manners(secretary)
        if own:
            row |= spoken.wishes(secretary)
    if voice:
        row["voice"] = voice
    try:
        return make_provider(spoken.protocol, row)
    except BridgeError as error:
        raise NoProvider(str(error)) from error


def brief_of(secretary: SecretaryRealtime, tools: Sequence[Tool]) -> Brief:
    """What a secretary wants of whichever provider serves its call."""
    return Brief(
        instructions=secretary.system_prompt or "",
        greeting=" ".join(filter(None, (secretary.legal_notice, secretary.first_message))),
        language=secretary.language,
        tools=tuple(tools),
    )


def turn_taking(secretary: SecretaryRealtime) -> TurnTaking:
    """How a secretary wants interruptions to be taken. A legal notice must be heard."""
    return TurnTaking(
        resumes=secretary.resume_after_noise,
        back_channels=secretary.ignore_back_channels,
        greeting_barge_in=secretary.greeting_barge_in and not secretary.legal_notice,
        vad_threshold=secretary.vad_threshold,
        turn_end_ms=secretary.silence_duration_ms,
        by_sense=_own_ear(secretary) and secretary.vad_mode == "semantic",
        comfort_sound=secretary.comfort_sound,
    )


def require_session(
    access: ProviderAccess, secretary: SecretaryRealtime, tools: Sequence[Tool], *, own: bool
) -> None:
    """Build the session that a call would open with this provider, and open nothing.

    Raises NoProvider.
    """
    protocol = provider_protocol(access, secretary, own=own)
    formats = protocol.capabilities
    brief = brief_of(secretary, tools)
    talk = Conversation(formats.audio_in[0], formats.audio_out[0], brief, Opening.GREET)
    try:
        protocol.start(talk, 0.0)
    except BridgeError as error:
        raise NoProvider(str(error)) from error


def spoken_kinds() -> Mapping[str, frozenset[str]]:
    """The kinds of provider the bridge speaks with, and what `provider_settings` of each hold."""
    kinds: dict[str, frozenset[str]] = {}
    for (kind, interface), spoken in _SPOKEN.items():
        names = row_settings(spoken.protocol)
        kinds[kind] = kinds[kind] | {INTERFACE} if interface else names
    return kinds


def tenant_settings(config: RealtimeProviderConfig) -> tuple[dict[str, Any], list[str]]:
    """What is used of `provider_settings`, and a sentence for each key that is not."""
    kind, given = config.realtime_provider, config.provider_settings
    several = INTERFACE in spoken_kinds().get(kind, ())
    interface = {INTERFACE: given[INTERFACE]} if several and INTERFACE in given else {}
    spoken = _find_spoken(config)
    known = frozenset() if spoken is None else row_settings(spoken.protocol)
    reserved = frozenset() if spoken is None else reserved_settings(spoken.protocol)
    label = f"provider {config.provider_label!r}: provider_settings"
    said = [
        f"{label}: {name!r} is never taken from here and is left out"
        if name in reserved
        else f"{label}: {name!r:.40} is no setting of it and is left out{did_you_mean(name, known)}"
        for name in sorted(given.keys() - known - interface.keys())
    ]
    used = {name: value for name, value in given.items() if name in known}
    if spoken is not None:
        used, wrong = usable_settings(spoken.protocol, used, {**spoken.row, **_columns(config)})
        said += [f"{label}: {problem}; it is left out" for problem in wrong]
    return used | interface, said


def is_usable(access: ProviderAccess) -> bool:
    """Whether a conversation could be begun with this provider."""
    try:
        provider_protocol(access)
    except NoProvider:
        return False
    return True


def _provider_row(access: ProviderAccess, no_key: str) -> dict[str, Any]:
    """The provider's own settings; in columns of their own they outrank `provider_settings`."""
    config = access.config
    _remember_secrets(access)
    row: dict[str, Any] = {
        "api_key": access.api_key.reveal() if access.api_key else no_key,
        "headers": dict(config.headers),
        **{name: value for name, value in config.provider_settings.items() if name != INTERFACE},
    }
    return row | _columns(config)


def _columns(config: RealtimeProviderConfig) -> dict[str, Any]:
    """Settings of a provider row that have columns of their own."""
    columns = {
        "model": config.model,
        "voice": config.default_voice_id,
        "base_url": (config.base_url or "").removesuffix("/").removesuffix("/realtime"),
    }
    return {name: value for name, value in columns.items() if value}


def _openai_wishes(secretary: SecretaryRealtime) -> dict[str, Any]:
    wishes: dict[str, Any] = {
        "turn_detection": "none" if _own_ear(secretary) else _VAD[secretary.vad_mode],
        "vad_threshold": secretary.vad_threshold,
        "vad_prefix_padding_ms": secretary.vad_prefix_padding_ms,
        "vad_silence_ms": secretary.silence_duration_ms,
        "vad_eagerness": secretary.vad_eagerness,
        "vad_idle_timeout_ms": secretary.vad_idle_timeout_ms,
        "extra": secretary.provider_config,
    }
    optional: Mapping[str, Any] = {
        "model": secretary.model,
        "voice": secretary.voice_id,
        "speed": secretary.voice_settings.get("speed"),
        "transcription_model": secretary.transcription_model,
        "noise_reduction": None
        if secretary.noise_reduction == "none"
        else secretary.noise_reduction,
    }
    return wishes | {name: value for name, value in optional.items() if value not in (None, "")}


def _own_ear(secretary: SecretaryRealtime) -> bool:
    return secretary.turn_detector == "own"


def _interruptible(secretary: SecretaryRealtime) -> dict[str, Any]:
    """A service that stops its answer at a sound cannot go on with it: then we stop it."""
    return {"interrupt_response": secretary.barge_in and not secretary.resume_after_noise}


def _gemini_manners(secretary: SecretaryRealtime) -> dict[str, Any]:
    """It takes no word of ours to stop, so it must stop by itself."""
    return {"interrupt_response": secretary.barge_in}


def _eleven_realtime_wishes(secretary: SecretaryRealtime) -> dict[str, Any]:
    """It transcribes by itself, and has one speed and no noise reduction."""
    wishes = _openai_wishes(secretary)
    return {
        name: value
        for name, value in wishes.items()
        if name not in ("speed", "transcription_model", "noise_reduction", "vad_idle_timeout_ms")
    }


def _elevenlabs_wishes(secretary: SecretaryRealtime) -> dict[str, Any]:
    """The agent's own settings say how it listens. A speed it does not know is the nearest."""
    speed = secretary.voice_settings.get("speed")
    wishes: Mapping[str, Any] = {
        "model": secretary.model,
        "voice": secretary.voice_id,
        "speed": None if speed is None else min(max(speed, SLOWEST), FASTEST),
        "extra": secretary.provider_config,
    }
    return {name: value for name, value in wishes.items() if value not in (None, "")}


def _pipeline_wishes(secretary: SecretaryRealtime) -> dict[str, Any]:
    wishes: Mapping[str, Any] = {
        "model": secretary.model,
        "voice": secretary.voice_id,
        "speed": secretary.voice_settings.get("speed"),
        "endpointing_ms": secretary.silence_duration_ms,
        "stt_model": secretary.transcription_model,
        "extra": secretary.provider_config,
    }
    return {name: value for name, value in wishes.items() if value not in (None, "")}


def _no_manners(secretary: SecretaryRealtime) -> dict[str, Any]:
    """The agent itself, or our session, decides what interrupts."""
    return {}


def _gemini_wishes(secretary: SecretaryRealtime) -> dict[str, Any]:
    """`vad_prefix_padding_ms` has no counterpart: Gemini's field of that name is a threshold."""
    by_sense = secretary.vad_mode == "semantic"
    wishes: dict[str, Any] = {
        "start_sensitivity": _start_sensitivity(secretary.vad_threshold),
        "vad_silence_ms": None if by_sense else secretary.silence_duration_ms,
        "end_sensitivity": _GEMINI_END.get(secretary.vad_eagerness, "") if by_sense else "",
        "extra": secretary.provider_config,
    }
    own = {"turn_detection": "none"} if _own_ear(secretary) else {}
    optional = {"model": secretary.model, "voice": secretary.voice_id, **own}
    return wishes | {name: value for name, value in optional.items() if value}


def _start_sensitivity(threshold: float) -> str:
    """Gemini has two steps; the column's default leaves the choice to the service."""
    if threshold == _MIDDLE:
        return ""
    return "low" if threshold > _MIDDLE else "high"


_SPOKEN = {
    ("openai", ""): _Spoken("openai_realtime", _openai_wishes, _interruptible),
    ("elevenlabs", ""): _Spoken("elevenlabs_agent", _elevenlabs_wishes, _no_manners, no_key=""),
    ("elevenlabs", "realtime"): _Spoken(
        "openai_realtime", _eleven_realtime_wishes, _interruptible, ELEVEN_REALTIME
    ),
    ("gemini", ""): _Spoken("gemini_live", _gemini_wishes, _gemini_manners),
    ("custom", ""): _Spoken("pipeline", _pipeline_wishes, _no_manners),
}
"""By a provider's kind in the settings, and which of its interfaces is meant."""


def _find_spoken(config: RealtimeProviderConfig) -> _Spoken | None:
    interface = config.provider_settings.get(INTERFACE, "")
    named = interface if isinstance(interface, str) else "?"
    return _SPOKEN.get((config.realtime_provider, named))


def _spoken(config: RealtimeProviderConfig) -> _Spoken:
    found = _find_spoken(config)
    if found is None:
        interface = config.provider_settings.get(INTERFACE)
        which = f" by the interface {interface!r:.40}" if interface else ""
        raise NoProvider(f"{config.realtime_provider} is not spoken here{which}")
    return found


def _remember_secrets(access: ProviderAccess) -> None:
    """Whatever the provider repeats of them is hidden from here on."""
    if access.api_key:
        key = access.api_key.reveal()
        IN_USE.remember(key)
        for part in key.split(","):  # a key for each stage: `stt=…,chat=…`
            IN_USE.remember(part.partition("=")[2])
    for name, value in access.config.headers.items():
        if redact_value(name, value) == HIDDEN:  # named like a secret
            for word in value.split():
                IN_USE.remember(word)
