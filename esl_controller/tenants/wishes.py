"""What a secretary asks of its provider, held against what the provider is known to take. Pure.

Only at the provider's own address: a gateway may know other voices, models and fields. A field
nobody knows is left out, because the provider would refuse the whole session for it. A voice or a
model that is in no list stays, and is told: it may be newer than the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bridge.providers.descriptor import Descriptor, Fields
from bridge.providers.registry import DESCRIPTORS
from esl_controller.database.models import RealtimeProviderConfig, SecretaryRealtime
from esl_controller.tenants.checks import did_you_mean
from esl_controller.tenants.hosts import OWN_HOSTS, dialled_host


def fitted(
    secretary: SecretaryRealtime, config: RealtimeProviderConfig
) -> tuple[SecretaryRealtime, list[str]]:
    """The secretary as its provider will take it, and a sentence for each doubt."""
    kind = config.realtime_provider
    known = DESCRIPTORS.get(kind)
    own = dialled_host(config) == OWN_HOSTS.get(kind)
    if known is None or not own or config.provider_settings.get("api_shape", "ga") != "ga":
        return secretary, []
    doubts: list[str] = []
    if not known.own_voices:
        doubts += _unlisted("voice_id", "voice", secretary.voice_id, _voices(known), kind)
        doubts += _unlisted("model", "model", secretary.model, known.known_models, kind)
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


def _doubts_about_row(config: RealtimeProviderConfig, known: Descriptor) -> list[str]:
    kind, further = config.realtime_provider, config.provider_settings
    if known.own_voices:
        return []
    listed = {"voice": _voices(known), "model": known.known_models}
    doubts = [
        *_unlisted("default_voice_id", "voice", config.default_voice_id, listed["voice"], kind),
        *_unlisted("model", "model", config.model, listed["model"], kind),
    ]
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


def _voices(known: Descriptor) -> frozenset[str]:
    return frozenset(voice.id for voice in known.voices)


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
