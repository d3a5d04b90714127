"""What a tenant's provider row and a secretary's wishes mean to the bridge: a protocol object.

A secretary's model, voice and turn detection are for the secretary's own provider: another would
not know them, or mean something else by them. A provider that stands in uses its own defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from bridge.errors import BridgeError
from bridge.providers.base import ProviderProtocol
from bridge.providers.conversation import Brief, Conversation, Opening, Tool
from bridge.providers.descriptor import Interface
from bridge.providers.registry import (
    DESCRIPTORS,
    PROVIDERS,
    interface_of,
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

INTERFACE = "interface"
"""Of `provider_settings`: which of a vendor's interfaces is meant, where it has several."""


MODEL_FIELDS = ("model", "transcription_model", "stt_model")
"""Fields of configurations that name a model."""


class NoProvider(Exception):
    """No provider of the tenant can be used."""


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
    interface = _interface(access.config)
    row = _row(access, interface, secretary, own=own)
    if voice:
        row["voice"] = voice
    try:
        return make_provider(interface.protocol, row)
    except BridgeError as error:
        raise NoProvider(str(error)) from error


def models_asked(
    access: ProviderAccess, secretary: SecretaryRealtime | None = None, *, own: bool = False
) -> list[str]:
    """The models a call would name to this provider, for speech and for its other stages."""
    interface = _find_interface(access.config)
    if interface is None:
        return []
    row = _row(access, interface, secretary, own=own)
    usual = {one.name: one.default for one in fields(PROVIDERS[interface.protocol].config)}
    named = [row.get(name, usual.get(name)) for name in MODEL_FIELDS]
    return [name for name in named if isinstance(name, str) and name]


def brief_of(secretary: SecretaryRealtime, tools: Sequence[Tool]) -> Brief:
    """What a secretary wants of whichever provider serves its call."""
    return Brief(
        instructions=secretary.system_prompt or "",
        greeting=" ".join(filter(None, (secretary.legal_notice, secretary.first_message))),
        language=secretary.language,
        languages=tuple(one for one in secretary.languages if one != secretary.language),
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
        by_sense=secretary.turn_detector == "own" and secretary.vad_mode == "semantic",
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
    return {
        kind: row_settings(one.spoken.name) | ({INTERFACE} if len(one.interfaces) > 1 else set())
        for kind, one in DESCRIPTORS.items()
    }


def tenant_settings(config: RealtimeProviderConfig) -> tuple[dict[str, Any], list[str]]:
    """What is used of `provider_settings`, and a sentence for each key that is not."""
    kind, given = config.realtime_provider, config.provider_settings
    several = INTERFACE in spoken_kinds().get(kind, ())
    interface = {INTERFACE: given[INTERFACE]} if several and INTERFACE in given else {}
    found = _find_interface(config)
    known = frozenset() if found is None else row_settings(found.protocol)
    reserved = frozenset() if found is None else reserved_settings(found.protocol)
    label = f"provider {config.provider_label!r}: provider_settings"
    said = [
        f"{label}: {name!r} is never taken from here and is left out"
        if name in reserved
        else f"{label}: {name!r:.40} is no setting of it and is left out{did_you_mean(name, known)}"
        for name in sorted(given.keys() - known - interface.keys())
    ]
    used = {name: value for name, value in given.items() if name in known}
    if found is not None:
        used, wrong = usable_settings(found.protocol, used, {**found.row, **_columns(config)})
        said += [f"{label}: {problem}; it is left out" for problem in wrong]
    return used | interface, said


def is_usable(access: ProviderAccess) -> bool:
    """Whether a conversation could be begun with this provider."""
    try:
        provider_protocol(access)
    except NoProvider:
        return False
    return True


def _row(
    access: ProviderAccess,
    interface: Interface,
    secretary: SecretaryRealtime | None,
    *,
    own: bool,
) -> dict[str, Any]:
    """Fields of the provider's configuration."""
    spoken = PROVIDERS[interface.protocol]
    row = {**interface.row, **_provider_row(access, interface.no_key)}
    if secretary is not None:
        row |= spoken.manners(secretary)
        if own:
            wishes = spoken.wishes(secretary)
            row |= {name: wishes[name] for name in wishes.keys() - interface.without}
    return row


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


def _find_interface(config: RealtimeProviderConfig) -> Interface | None:
    name = config.provider_settings.get(INTERFACE, "")
    return interface_of(config.realtime_provider, name if isinstance(name, str) else "?")


def _interface(config: RealtimeProviderConfig) -> Interface:
    found = _find_interface(config)
    if found is None:
        name = config.provider_settings.get(INTERFACE)
        kind = config.realtime_provider
        if name:
            raise NoProvider(f"{kind} is not spoken here by the interface {name!r:.40}")
        raise NoProvider(f"{kind} is not spoken here")
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
