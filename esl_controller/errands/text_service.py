"""Who is asked for a summary: the tenant's own choice, else its own provider. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bridge.providers.registry import DESCRIPTORS
from esl_controller.database.models import ProviderAccess, TenantSettings
from esl_controller.settings.types import Secret

_SCHEMES = {"ws://": "http://", "wss://": "https://"}


@dataclass(frozen=True, slots=True)
class TextService:
    """An OpenAI-compatible service."""

    url: str
    """Of its chat completions."""
    model: str
    key: Secret


class NoTextService(Exception):
    """Nobody can be asked; the text says what to set."""


def chosen(tenant: TenantSettings, key: Secret) -> TextService | None:
    """The tenant's own `summary_url`; None without one. Raises NoTextService."""
    if not tenant.summary_url:
        return None
    if not tenant.summary_model:
        raise NoTextService("summary_url needs a summary_model")
    return TextService(_completions(tenant.summary_url), tenant.summary_model, key)


def of_provider(providers: Sequence[ProviderAccess], model: str | None) -> TextService:
    """The first provider that has one. Raises NoTextService."""
    for access in providers:
        config, known = access.config, DESCRIPTORS[access.config.realtime_provider]
        base = _chat_base(config.base_url, known.chat_url)
        if not base:
            continue
        chat_models = [one.id for one in known.models if one.role == "chat"]
        name = model or (chat_models and (config.model or chat_models[0]))
        if not name:
            raise NoTextService(f"{config.provider_label} needs a summary_model")
        return TextService(_completions(as_http(base)), name, _key(access, known.chat_key))
    raise NoTextService("no provider of the domain answers in text: set summary_url")


def _completions(base: str) -> str:
    return f"{base.rstrip('/')}/chat/completions"


def _chat_base(own: str | None, usual: str) -> str:
    """Where a row's vendor answers in text; an address of the row's own that is a host alone has
    the usual path. Empty: nowhere."""
    if not own or not usual:
        return usual
    is_host = not urlsplit(as_http(own)).path.strip("/")
    return own.rstrip("/") + urlsplit(usual).path if is_host else own


def as_http(address: str) -> str:
    """The address of a provider as one of HTTP, without the path of its realtime interface."""
    for scheme, plain in _SCHEMES.items():
        if address.startswith(scheme):
            address = plain + address.removeprefix(scheme)
    return address.partition("?")[0].removesuffix("/realtime")


def _key(access: ProviderAccess, stage: str) -> Secret:
    key = access.api_key or Secret()
    if not stage:
        return key
    pairs = (part.partition("=") for part in key.reveal().split(","))
    return Secret(next((one for name, _, one in pairs if name == stage), ""))
