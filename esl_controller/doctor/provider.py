"""The provider: a key is there and, when asked to look, its host and certificate are good."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import gevent
from gevent import socket

from esl_controller.doctor.finding import Finding, failed, note, ok, warning
from esl_controller.settings.table import Provider, Settings

_SLOW_S = 0.5


def look(settings: Settings, *, online: bool) -> Iterator[Finding]:
    """All findings about the default provider; `online` allows a connection to it."""
    provider = settings.provider
    yield _key(provider)
    if online:
        yield _reach(provider, settings.timeouts.provider_connect_s)
    else:
        yield note("provider host", "not looked at", "use --online to connect to it")


def _key(provider: Provider) -> Finding:
    if provider.api_key or provider.headers:
        return ok("provider key", f"{provider.name}, {provider.model}")
    return warning(
        "provider key",
        "none for tenants that have none of their own",
        "set VOICE_AI_PROVIDER_API_KEY (or OPENAI_API_KEY)",
    )


def _reach(provider: Provider, timeout_s: float) -> Finding:
    parts = urlsplit(provider.base_url)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    where, check = f"{parts.hostname}:{port}", "provider host"
    began = time.monotonic()
    try:
        with gevent.Timeout(timeout_s, TimeoutError(f"nothing within {timeout_s:g} s")):
            _connect(parts.hostname or "", port, provider if parts.scheme == "wss" else None)
    except (OSError, UnicodeError) as error:
        return failed(check, f"{where}: {error}", "check DNS, firewall, proxy and certificates")
    took_s = time.monotonic() - began
    detail = f"{where} answered in {took_s * 1000:.0f} ms"
    if took_s > _SLOW_S:
        return warning(check, detail, "every answer waits for this way; choose a nearer region")
    return ok(check, detail)


def _connect(host: str, port: int, secure: Provider | None) -> None:
    with socket.create_connection((host, port)) as plain:
        if secure is not None:
            context = ssl.create_default_context(cafile=secure.ca_file or None)
            with context.wrap_socket(plain, server_hostname=host):
                pass
