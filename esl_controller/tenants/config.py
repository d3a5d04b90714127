"""From the settings of the installation to the source of the tenants' configuration."""

from __future__ import annotations

import contextlib
from pathlib import Path

import gevent
from gevent import socket

from bridge.providers.registry import DEFAULT_KIND
from esl_controller.database.models import ProviderAccess, RealtimeProviderConfig
from esl_controller.database.pool import Pool
from esl_controller.settings.table import Provider, Settings
from esl_controller.tenants.keys.key_file import KeyFile
from esl_controller.tenants.keys.secrets import SecretStore
from esl_controller.tenants.source import ConfigSource

LOOK_UP_S = 0.5
"""Half of what a caller waits for settings that are read for the first time."""


def config_source(settings: Settings, pool: Pool) -> ConfigSource:
    """What service and `config check` read secretaries from.

    Raises:
        SecretError: the secret key file cannot be read or made.
    """
    key_file = KeyFile(Path(settings.storage.secret_key_file))
    secret_store = SecretStore(
        key_file.keys,
        read_again=key_file.latest,
        environment_names=settings.provider.key_variables,
        key_directory=Path(settings.storage.key_dir),
    )
    return ConfigSource(
        pool,
        secret_store,
        default_provider=default_provider(settings.provider),
        trusted_base_urls=(settings.provider.base_url,),
        allowed_hosts=settings.provider.allowed_hosts,
        resolve=addresses_of,
    )


def addresses_of(host: str) -> list[str]:
    """The IP addresses of a name; none when it has none now, or takes longer than LOOK_UP_S."""
    found: list[str] = gevent.with_timeout(LOOK_UP_S, _look_up, host, timeout_value=[])
    return found


def _look_up(host: str) -> list[str]:
    with contextlib.suppress(OSError, UnicodeError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return [str(address[0]) for *_, address in found]
    return []


def default_provider(provider: Provider) -> ProviderAccess | None:
    """The provider of tenants that have none of their own; None when it has no key."""
    if not provider.api_key and not provider.headers:
        return None
    own = {} if provider.name == DEFAULT_KIND else _NOT_ITS_OWN
    lines = (header.reveal().partition(":") for header in provider.headers)
    config = RealtimeProviderConfig(
        voice_realtime_provider_uuid="",
        domain_uuid="",
        realtime_provider=provider.name,
        provider_label=provider.name,
        base_url=own.get(provider.base_url, provider.base_url),
        credential=None,
        headers={name: value.strip() for name, _, value in lines},
        model=own.get(provider.model, provider.model),
        default_voice_id=own.get(provider.voice, provider.voice),
        provider_settings={},
        priority=0,
        max_concurrent_calls=None,
        enabled=True,
    )
    return ProviderAccess(config, provider.api_key or None)


_USUAL = Provider()
_NOT_ITS_OWN: dict[str, str | None] = dict.fromkeys((_USUAL.base_url, _USUAL.model, _USUAL.voice))
"""Defaults that are the usual kind's: another kind of provider has its own."""
