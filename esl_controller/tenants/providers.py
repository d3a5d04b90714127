"""What a tenant's provider row and a secretary's wishes mean to the bridge: a protocol object.

A secretary's model, voice and turn detection are for the secretary's own provider: another would
not know them, or mean something else by them. A provider that stands in uses its own defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import BridgeError
from bridge.providers.base import ProviderProtocol
from bridge.providers.registry import make_provider
from esl_controller.database.models import ProviderAccess, SecretaryRealtime
from esl_controller.telemetry.known_secrets import HIDDEN, IN_USE
from esl_controller.telemetry.redaction import redact_value

_VAD = {"server": "server_vad", "semantic": "semantic_vad"}


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
    spoken = _SPOKEN.get(access.config.realtime_provider)
    if spoken is None:
        raise NoProvider(f"{access.config.realtime_provider} is not spoken here")
    row = _provider_row(access)
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


def is_usable(access: ProviderAccess) -> bool:
    """Whether a conversation could be begun with this provider."""
    try:
        provider_protocol(access)
    except NoProvider:
        return False
    return True


def _provider_row(access: ProviderAccess) -> dict[str, Any]:
    """The provider's own settings; in columns of their own they outrank `provider_settings`."""
    config = access.config
    _remember_secrets(access)
    row: dict[str, Any] = {
        "api_key": access.api_key.reveal() if access.api_key else "none",
        "headers": dict(config.headers),
        **config.provider_settings,
    }
    if config.model:
        row["model"] = config.model
    if config.default_voice_id:
        row["voice"] = config.default_voice_id
    if config.base_url:
        row["base_url"] = config.base_url.removesuffix("/").removesuffix("/realtime")
    return row


def _openai_wishes(secretary: SecretaryRealtime) -> dict[str, Any]:
    wishes: dict[str, Any] = {
        "turn_detection": _VAD[secretary.vad_mode],
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


def _openai_manners(secretary: SecretaryRealtime) -> dict[str, Any]:
    return {"interrupt_response": secretary.barge_in}


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
    """The session itself decides what interrupts."""
    return {}


_SPOKEN = {
    "openai": _Spoken("openai_realtime", _openai_wishes, _openai_manners),
    "custom": _Spoken("pipeline", _pipeline_wishes, _no_manners),
}
"""By a provider's kind in the settings."""


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
