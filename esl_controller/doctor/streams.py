"""The way of the caller's voice between FreeSWITCH and the workers of this host.

Is it encrypted, and does the address that FreeSWITCH is told lead to each worker, by a certificate
that is good and does not end soon?
"""

from __future__ import annotations

import ipaddress
import re
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import msgspec
from gevent import socket

from bridge.playout.modes import Flavour, PlayoutMode
from esl_controller.calls.audio_module import best_playback
from esl_controller.calls.media_site import stream_base_url
from esl_controller.doctor.certificates import certificate
from esl_controller.doctor.finding import Finding, failed, note, ok, warning
from esl_controller.settings.table import Settings

TIMEOUT_S = 3.0
_CHECK = "stream address"
_NOBODY = "00000000-0000-0000-0000-000000000000"
"""A path as a stream's: one that is none a worker answers with 404, as nginx does."""
_NO_WORKER = {502, 503, 504}


def look(settings: Settings) -> Iterator[Finding]:
    """All findings about it; a worker that is not running yet is only noted."""
    yield from _in_clear(settings)
    if not settings.media.public_url:
        return
    parts = urlsplit(settings.media.public_url)
    if _is_address(parts.hostname or "") and parts.scheme == "wss":
        # X509_VERIFY_PARAM_set1_host (WebSocketContext.cpp) finds no addresses in a certificate.
        advice = "name the host in VOICE_AI_MEDIA_PUBLIC_URL, with a certificate for that name"
        yield failed(_CHECK, f"{parts.hostname}: mod_audio_stream verifies names alone", advice)
        return
    for index in range(settings.worker.count):
        found = list(_asked(settings, index))
        yield from found if index == 0 else found[:1]


def _in_clear(settings: Settings) -> Iterator[Finding]:
    """What goes over a network without encryption."""
    media, check = settings.media, "encryption of calls"
    far = settings.freeswitch.host
    if _is_near(far):
        return
    if not media.public_url.startswith("wss:"):
        advice = "put nginx with TLS before the workers: deploy/nginx"
        yield warning(check, f"streams from FreeSWITCH at {far} come in clear", advice)
    if _plays(settings) is PlayoutMode.UNICAST:
        advice = "lead it through a private network or a VPN (docs/security.md)"
        yield warning(check, f"what the agent says goes to {far} in clear, by unicast", advice)
    advice = "lead it through a private network or a VPN (docs/security.md)"
    yield note(check, f"the Event Socket to {far} has no TLS of its own", advice)


def _plays(settings: Settings) -> PlayoutMode:
    media = settings.media
    if media.playback != "auto":
        return PlayoutMode(media.playback)
    return best_playback(None if media.flavour == "auto" else Flavour(media.flavour))


def _asked(settings: Settings, index: int) -> Iterator[Finding]:
    """As mod_audio_stream asks, but without a ticket: a worker that is there refuses."""
    one = msgspec.structs.replace(settings.worker, index=index)
    url = stream_base_url(msgspec.structs.replace(settings, worker=one), "", 0)
    parts = urlsplit(url)
    where = f"{parts.hostname}:{_port(parts)}"
    try:
        status, ends_s = _status(parts, settings.media.tls_ca_file)
    except (OSError, ValueError) as error:
        advice = "check nginx and its certificate: deploy/nginx says what it sees"
        yield failed(_CHECK, f"worker {index} by {where}: {error}", advice)
        return
    if status in _NO_WORKER:
        advice = "start the worker, or run deploy/nginx again for the ports of now"
        yield warning(_CHECK, f"worker {index} by {where}: {status}, no worker there", advice)
    elif status == 404:
        advice = "start the worker, or run deploy/nginx again for the ports of now"
        yield failed(_CHECK, f"worker {index} by {where}: the address leads nowhere", advice)
    else:
        yield ok(_CHECK, f"worker {index} by {where}{', encrypted' if ends_s else ''}")
    if ends_s is not None:
        yield certificate(f"certificate of {parts.hostname}", ends_s - time.time())


def _status(parts: SplitResult, ca_file: str) -> tuple[int, float | None]:
    """The HTTP status, and when the certificate ends (Unix time). Raises OSError, ValueError."""
    host, ends_s = parts.hostname or "", None
    with socket.create_connection((host, _port(parts)), timeout=TIMEOUT_S) as plain:
        if parts.scheme != "wss":
            return _ask(plain, parts), None
        # FreeSWITCH's file, where FreeSWITCH is here; elsewhere only it can say whether it is good.
        known = ca_file if ca_file and Path(ca_file).is_file() else None
        context = ssl.create_default_context(cafile=known)
        with context.wrap_socket(plain, server_hostname=host) as tls:
            shown = tls.getpeercert() or {}
            ends_s = ssl.cert_time_to_seconds(str(shown["notAfter"]))
            return _ask(tls, parts), ends_s


def _ask(sock: socket.socket, parts: SplitResult) -> int:
    request = f"GET {parts.path}/{_NOBODY}/{_NOBODY} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    sock.sendall(f"{request}{upgrade}Sec-WebSocket-Key: ZG9jdG9yIHdhcyBoZXJlIQ==\r\n\r\n".encode())
    answer = re.match(rb"HTTP/1\.[01] (\d{3})", sock.recv(4096))
    if answer is None:
        raise ValueError("what answers there is no HTTP")
    return int(answer[1])


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "wss" else 80)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_near(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
