"""One connection to a provider, as a call would make it: is its row good?"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable

from bridge.errors import RemoteProtocolError
from bridge.providers import base as p
from bridge.providers.host import Network
from bridge.wire.client_handshake import shared_tls_context
from bridge.wire.dialling import Dialler
from esl_controller.database.models import ProviderAccess
from esl_controller.settings.table import Settings
from esl_controller.tenants.hosts import ProviderHosts, dialled_host
from esl_controller.tenants.model_ends import ModelEnds, read_ends, tells_ends
from esl_controller.tenants.providers import NoProvider, models_asked, provider_protocol
from esl_controller.web.api.probe import Probe, ProbeFailed
from esl_controller.web.api.schemas import ProviderError, ProviderTest


def provider_network(settings: Settings) -> Network:
    """How providers are reached; reading the CA certificates takes 50 ms, so it is done once."""
    at = settings.provider
    tls = ssl.create_default_context(cafile=at.ca_file) if at.ca_file else shared_tls_context()
    dialler = Dialler(ProviderHosts(at.allowed_hosts, (at.base_url,)).refusal)
    return Network(tls=tls, dialler=dialler, speech=settings.speech.socket or None)


def try_access(
    access: ProviderAccess,
    network: Network | None,
    timeout_s: float,
    *,
    on_usage: Callable[[p.Usage], object],
    ends: ModelEnds,
) -> ProviderTest:
    """Connect, and wait until the settings are taken. What the provider says is the result.

    What its list of models tells of their ends is kept in `ends`.
    """
    try:
        probe = Probe(
            provider_protocol(access), network=network, timeout_s=timeout_s, on_usage=on_usage
        )
    except NoProvider as error:
        return failed(ProbeFailed("configuration", "settings", str(error)))
    try:
        ready = probe.wait_ready()
    except ProbeFailed as error:
        return failed(error)
    finally:
        probe.close()
    return ProviderTest(
        ok=True,
        connect_ms=round(ready.connect_ms, 1),
        ready_ms=round(ready.ready_ms, 1),
        error=None,
        warnings=_ending(access, ends, network or Network()),
    )


def _ending(access: ProviderAccess, ends: ModelEnds, network: Network) -> list[str]:
    if tells_ends(access):
        with contextlib.suppress(RemoteProtocolError):
            read_ends(access, ends, network)
    host = dialled_host(access.config)
    kind = access.config.realtime_provider
    return [str(end) for end in ends.soon(kind, host, models_asked(access))]


def failed(error: ProbeFailed) -> ProviderTest:
    """The result of one that does not work."""
    told = ProviderError(kind=error.kind, code=error.code, message=error.message)  # type: ignore[arg-type]  # the kinds are ErrorKind's
    return ProviderTest(ok=False, connect_ms=None, ready_ms=None, error=told)
