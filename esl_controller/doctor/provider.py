"""The provider: a key is there and, when asked to look, its host and certificate are good."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import gevent
from gevent import socket

from bridge.errors import RemoteProtocolError
from bridge.providers.registry import DESCRIPTORS
from bridge.wire.network import Network
from esl_controller.database.models import ProviderAccess
from esl_controller.doctor.certificates import certificate
from esl_controller.doctor.finding import Finding, failed, note, ok, warning
from esl_controller.settings.table import Provider, Settings
from esl_controller.tenants.config import default_provider
from esl_controller.tenants.hosts import dialled_host
from esl_controller.tenants.model_ends import ModelEnds, read_ends, tells_ends
from esl_controller.tenants.providers import models_asked

_SLOW_S = 0.5


def look(settings: Settings, *, online: bool) -> Iterator[Finding]:
    """All findings about the default provider; `online` allows a connection to it."""
    provider = settings.provider
    access = default_provider(provider)
    yield _key(provider)
    if provider.ca_file:
        yield from _ca_file(provider.ca_file)
    if online:
        yield from _reach(provider, settings.timeouts.provider_connect_s)
    else:
        yield note("provider host", "not looked at", "use --online to connect to it")
    if access is not None:
        yield from _models(access, ModelEnds(), provider if online else None)


def _key(provider: Provider) -> Finding:
    if provider.api_key or provider.headers:
        return ok("provider key", f"{provider.name}, {provider.model}")
    stages = DESCRIPTORS[provider.name].key_variables.values()
    usual = " and ".join(" or ".join(names) for names in stages)
    return warning(
        "provider key",
        "none for tenants that have none of their own",
        f"set VOICE_AI_PROVIDER_API_KEY; at the vendor's own address {usual} will do",
    )


def _models(access: ProviderAccess, ends: ModelEnds, online: Provider | None) -> Iterator[Finding]:
    """Models of the default provider that end soon; as its own list says, where it may be asked."""
    config, check = access.config, "provider model"
    if online is not None and tells_ends(access):
        tls = ssl.create_default_context(cafile=online.ca_file or None)
        try:
            read_ends(access, ends, Network(tls=tls))
        except RemoteProtocolError as error:
            yield note(
                check, f"the list of models was not read: {error}", "see the vendor's own page"
            )
    models = models_asked(access)
    soon = ends.soon(config.realtime_provider, dialled_host(config), models)
    for end in soon:
        advice = f"use {end.successor}" if end.successor else "ask the vendor what takes its place"
        yield warning(check, str(end), advice)
    if not soon and models:
        yield ok(check, f"no end of {', '.join(models)} is known")


def _reach(provider: Provider, timeout_s: float) -> Iterator[Finding]:
    own = provider.base_url == Provider().base_url
    host = DESCRIPTORS[provider.name].hosts["base_url"]
    parts = urlsplit(f"wss://{host}" if own else provider.base_url)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    where, check = f"{parts.hostname}:{port}", "provider host"
    began = time.monotonic()
    try:
        with gevent.Timeout(timeout_s, TimeoutError(f"nothing within {timeout_s:g} s")):
            ends_s = _connect(
                parts.hostname or "", port, provider if parts.scheme == "wss" else None
            )
    except (OSError, UnicodeError) as error:
        yield failed(check, f"{where}: {error}", "check DNS, firewall, proxy and certificates")
        return
    if ends_s is not None:
        yield certificate(f"certificate of {parts.hostname}", ends_s - time.time())
    took_s = time.monotonic() - began
    detail = f"{where} answered in {took_s * 1000:.0f} ms"
    if took_s > _SLOW_S:
        yield warning(check, detail, "every answer waits for this way; choose a nearer region")
    else:
        yield ok(check, detail)


def _ca_file(path: str) -> Iterator[Finding]:
    """Our own list of authorities ends too."""
    check = "CA file"
    try:
        found = ssl.create_default_context(cafile=path).get_ca_certs()
    except OSError as error:
        yield failed(check, f"{path}: {error}", "restore it, or unset VOICE_AI_PROVIDER_CA_FILE")
        return
    ends = [ssl.cert_time_to_seconds(str(one["notAfter"])) for one in found]
    if ends:
        yield certificate(check, min(ends) - time.time())


def _connect(host: str, port: int, secure: Provider | None) -> float | None:
    """When the certificate there ends, Unix time; None without TLS. Raises OSError."""
    with socket.create_connection((host, port)) as plain:
        if secure is not None:
            context = ssl.create_default_context(cafile=secure.ca_file or None)
            with context.wrap_socket(plain, server_hostname=host) as tls:
                shown = tls.getpeercert() or {}
                return ssl.cert_time_to_seconds(str(shown["notAfter"]))
    return None
