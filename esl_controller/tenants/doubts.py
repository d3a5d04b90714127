"""What a row would mean to a call, said before it is stored: its provider's settings and session.

Rows may be good each and not fit each other. That is no reason not to store one of them, for the
other may be about to change; it is told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace

from esl_controller.database.models import ProviderAccess, RealtimeProviderConfig, SecretaryRealtime
from esl_controller.database.repository.statements import Row
from esl_controller.settings.types import Secret
from esl_controller.tenants import rules
from esl_controller.tenants.prompt import variable_doubts
from esl_controller.tenants.providers import (
    NoProvider,
    own_provider,
    provider_protocol,
    require_session,
    tenant_settings,
)
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.wishes import fitted

UNOPENED = Secret("stt=key-not-opened,chat=key-not-opened")
"""A key that is none, in the shape that the pipeline's has and no other kind minds."""


def provider_doubts(config: RealtimeProviderConfig) -> list[str]:
    """Settings of a provider that will be left out, and why it cannot be spoken with."""
    used, said = tenant_settings(config)
    try:
        provider_protocol(_unopened(replace(config, provider_settings=used)))
    except NoProvider as error:
        said.append(f"provider {config.provider_label!r}: {error}")
    return said


def secretary_doubts(secretary: SecretaryRealtime, providers: Iterable[Row]) -> list[str]:
    """What a secretary asks that its provider, one of the domain's rows, will not do."""
    access = [_unopened(config) for config in _usable(providers)]
    own = own_provider(secretary, access)
    said = variable_doubts(secretary, own.config if own is not None else None)
    if own is None:
        return said
    wanted, doubts = fitted(secretary, own.config)
    said += doubts
    try:
        require_session(own, wanted, (), own=True)
    except NoProvider as error:
        said.append(f"provider {own.config.provider_label!r}: {error}")
    return said


def _unopened(config: RealtimeProviderConfig) -> ProviderAccess:
    """With something in place of its key, which is not opened for this."""
    return ProviderAccess(config, UNOPENED if config.credential else None)


def _usable(rows: Iterable[Row]) -> list[RealtimeProviderConfig]:
    found = []
    for row in rows:
        with contextlib.suppress(ConfigError):
            config = rules.provider(row)
            used, _ = tenant_settings(config)
            found.append(replace(config, provider_settings=used))
    return [config for config in found if config.enabled]
