"""Who is asked for a summary: the tenant's own choice, else its own provider. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bridge.providers.base import Usage
from bridge.providers.registry import DESCRIPTORS, vendor_at
from esl_controller.database.models import ProviderAccess, TenantSettings
from esl_controller.settings.types import Secret

CHARS_PER_TOKEN = 4
"""Where nobody counts."""
MAX_TOKENS = 10_000_000
"""What somebody else counts of one answer is no more."""
_SCHEMES = {"ws://": "http://", "wss://": "https://"}


@dataclass(frozen=True, slots=True)
class TextService:
    """An OpenAI-compatible service."""

    url: str
    """Of its chat completions."""
    model: str
    key: Secret
    vendor: str
    """Who is paid, as in the price list."""
    account: str = ""
    """The provider row that is asked, by its UUID; empty: the tenant's own choice."""


class NoTextService(Exception):
    """Nobody can be asked; the text says what to set."""


def chosen(tenant: TenantSettings, key: Secret) -> TextService | None:
    """The tenant's own `summary_url`; None without one. Raises NoTextService."""
    if not tenant.summary_url:
        return None
    if not tenant.summary_model:
        raise NoTextService("summary_url needs a summary_model")
    url = tenant.summary_url
    return TextService(_completions(url), tenant.summary_model, key, vendor_at(url))


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
        vendor = vendor_at(as_http(base), config.realtime_provider)
        return TextService(
            _completions(as_http(base)),
            name,
            _key(access, known.chat_key),
            vendor,
            config.voice_realtime_provider_uuid,
        )
    raise NoTextService("no provider of the domain answers in text: set summary_url")


def usage_of(service: TextService, answer: Any, asked: str, answered: str) -> Usage:
    """What an answer cost, as the service counted it. What it does not count is estimated: a
    budget must not be blind to it."""
    told = answer.get("usage") if isinstance(answer, dict) else None
    told = told if isinstance(told, dict) else {}
    details = told.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return Usage(
        service.vendor,
        service.model,
        input_text_tokens=_count(told.get("prompt_tokens"), len(asked) // CHARS_PER_TOKEN),
        cached_text_tokens=_count(cached, 0),
        output_text_tokens=_count(told.get("completion_tokens"), len(answered) // CHARS_PER_TOKEN),
        account=service.account,
    )


def _count(told: Any, otherwise: int) -> int:
    """A number of tokens, if it is one that can be."""
    good = isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= MAX_TOKENS
    return told if good else otherwise


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
