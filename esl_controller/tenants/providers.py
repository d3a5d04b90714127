"""What a tenant's provider row means to the bridge: the protocol object that serves it."""

from __future__ import annotations

from typing import Any

from bridge.errors import BridgeError
from bridge.providers.base import ProviderProtocol
from bridge.providers.registry import make_provider
from esl_controller.database.models import ProviderAccess
from esl_controller.telemetry.known_secrets import HIDDEN, IN_USE
from esl_controller.telemetry.redaction import redact_value

_PROTOCOLS = {"openai": "openai_realtime"}
"""Which protocol object serves a provider of the settings."""


class NoProvider(Exception):
    """No provider of the tenant can be used."""


def provider_protocol(access: ProviderAccess) -> ProviderProtocol:
    """A fresh protocol object for one provider.

    Raises:
        NoProvider: it is of a kind not spoken here, or its settings do not fit.
    """
    name = _PROTOCOLS.get(access.config.realtime_provider)
    if name is None:
        raise NoProvider(f"{access.config.realtime_provider} is not spoken here")
    try:
        return make_provider(name, _provider_row(access))
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
    config = access.config
    _remember_secrets(access)
    row: dict[str, Any] = {
        "api_key": access.api_key.reveal() if access.api_key else "none",
        "headers": dict(config.headers),
        **config.provider_settings,
    }
    if config.model:
        row["model"] = config.model
    if config.base_url:
        row["base_url"] = config.base_url.removesuffix("/").removesuffix("/realtime")
    return row


def _remember_secrets(access: ProviderAccess) -> None:
    """Whatever the provider repeats of them is hidden from here on."""
    if access.api_key:
        IN_USE.remember(access.api_key.reveal())
    for name, value in access.config.headers.items():
        if redact_value(name, value) == HIDDEN:  # named like a secret
            for word in value.split():
                IN_USE.remember(word)
