"""Opens a WebSocket as a client: we dial, websocket-client does the proxy and the handshake.

Then the socket leaves it. Its errors may quote request headers, which hold keys: they are
translated here and never passed on.
"""

from __future__ import annotations

import errno
import functools
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import gevent
import websocket
from websocket import _handshake, _url

from bridge.errors import BridgeError
from bridge.wire.channel import MAX_BODY_BYTES, retry_after_s
from bridge.wire.dialling import DIRECT, AddressRefused, Dialler

MAX_ANSWER_BYTES = 65536
"""The server's answer to the handshake: status, headers, and the body of a refusal."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ConnectError(BridgeError):
    """The WebSocket could not be opened. The text holds no secret."""

    def __init__(
        self,
        stage: str,
        text: str,
        *,
        status: int = 0,
        body: bytes = b"",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(text)
        self.stage = stage
        """request | dns | proxy | tcp | certificate | tls | http | protocol | timeout"""
        self.status = status
        """HTTP status at stage `http`."""
        self.body = body
        """The beginning of the refusal's body: hostile, and may repeat what we sent."""
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy asked with CONNECT. Without one, `https_proxy` and `no_proxy` count."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    no_proxy: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection after its handshake."""

    sock: Any
    """gevent's socket or TLS socket."""
    initial: bytes
    """What the server sent right behind its answer."""


@functools.cache
def shared_tls_context() -> ssl.SSLContext:
    """The process's one context. Making it reads the CA store (50 ms): call it at start-up."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def open_websocket(
    url: str,
    headers: Sequence[tuple[str, str]] = (),
    subprotocols: Sequence[str] = (),
    *,
    timeout_s: float,
    proxy: Proxy | None = None,
    tls: ssl.SSLContext | None = None,
    dialler: Dialler = DIRECT,
) -> Opened:
    """Connect and shake hands within `timeout_s`, in the calling greenlet.

    Redirects are refused: they would carry the key elsewhere. Raises `ConnectError`.
    """
    context = (tls or shared_tls_context()) if url.startswith("wss:") else None
    options: dict[str, Any] = {
        "header": [_header(name, value) for name, value in headers],
        "subprotocols": list(subprotocols) or None,
        "timeout": timeout_s,
        "redirect_limit": 0,
        "suppress_origin": True,
        **_proxy_options(proxy),
    }
    connection: Any = _Handshake(
        sslopt={"context": context} if context else {},
        skip_utf8_validation=True,
        enable_multithread=False,
    )
    late = ConnectError("timeout", f"no connection to {_host(url)} in time")
    try:
        with gevent.Timeout(timeout_s, late):
            if not _proxied(url, options):
                options["socket"] = _dialled(url, context, dialler, timeout_s)
            connection.connect(url, **options)
    except ConnectError:
        raise
    except AddressRefused as error:
        raise ConnectError("request", str(error)) from None
    except Exception as error:  # noqa: BLE001 - boundary: the library's errors are many
        status = connection.getstatus()
        if status is not None:  # the only answer but 101 that the library takes
            text = f"{_host(url)} sent a redirect"
            raise ConnectError("http", text, status=status) from None
        raise _translate(error, _host(url)) from None
    # Cookies would join the connections of different tenants.
    _handshake.CookieJar.jar.clear()
    reader, connection.sock = connection.sock, None
    del connection.frame_buffer  # it knows the connection, and is needed no more
    return Opened(reader.sock, reader.rest())


def _proxied(url: str, options: Mapping[str, Any]) -> bool:
    """Whether the library would go through a proxy: the one given, else the environment's."""
    host, _, _, secure = _url.parse_url(url)
    find: Any = _url.get_proxy_info  # its annotations leave out None, which it takes
    given = ("http_proxy_host", "http_proxy_port", "http_proxy_auth", "http_no_proxy")
    proxy_host, *_ = find(host, secure, *map(options.get, given))
    return bool(proxy_host)


def _dialled(
    url: str, context: ssl.SSLContext | None, dialler: Dialler, timeout_s: float
) -> socket.socket:
    """The connection the handshake is made on."""
    host, port, _, _ = _url.parse_url(url)
    sock = dialler.connect(host, port, timeout_s)
    if context is None:
        return sock
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except BaseException:  # a timeout of gevent's too
        sock.close()
        raise


def _header(name: str, value: str) -> str:
    if _CONTROL.search(name + value):
        raise ConnectError("request", "a header holds a control character")
    return f"{name}: {value}"


def _proxy_options(proxy: Proxy | None) -> dict[str, Any]:
    if proxy is None:
        return {}
    return {
        "http_proxy_host": proxy.host,
        "http_proxy_port": proxy.port,
        "http_proxy_auth": (proxy.user, proxy.password) if proxy.user else None,
        "http_no_proxy": list(proxy.no_proxy) or None,
        "proxy_type": "http",
    }


def _host(url: str) -> str:
    """Host for messages; the rest of the URL may hold a key."""
    try:
        return urlsplit(url).hostname or "the server"
    except ValueError:
        return "the server"


class _Reader:
    """A socket as websocket-client reads it: byte by byte, and without an end.

    Reads ahead, which saves a system call for each byte, and stops at `MAX_ANSWER_BYTES`.
    """

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self._buffer = b""
        self._read = 0
        self._left = MAX_ANSWER_BYTES
        self.send = sock.send
        self.gettimeout = sock.gettimeout
        self.settimeout = sock.settimeout
        self.fileno = sock.fileno
        self.close = sock.close

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end of the stream or after the deadline."""
        if self._read == len(self._buffer):
            self._buffer = self.sock.recv(min(4096, self._left)) if self._left else b""
            self._read = 0
            self._left -= len(self._buffer)
        taken = self._buffer[self._read : self._read + size]
        self._read += len(taken)
        return taken

    def rest(self) -> bytes:
        """Bytes read beyond the handshake."""
        return self._buffer[self._read :]


class _Handshake(websocket.WebSocket):
    """websocket-client's connection, reading through `_Reader`."""

    _reader: _Reader | None = None

    @property
    def sock(self) -> Any:
        """The library assigns a socket and reads what it gets from here."""
        return self._reader

    @sock.setter
    def sock(self, sock: Any) -> None:
        self._reader = None if sock is None else _Reader(sock)


def _translate(error: Exception, host: str) -> ConnectError:
    """Describe the error in our own words: other texts may quote what we sent."""
    if isinstance(error, websocket.WebSocketBadStatusException):
        return ConnectError(
            "http",
            f"{host} answered {error.status_code}",
            status=error.status_code,
            body=(error.resp_body or b"")[:MAX_BODY_BYTES],
            retry_after_s=retry_after_s((error.resp_headers or {}).get("retry-after")),
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectError("certificate", f"{host}: {error.verify_message}")
    for kinds, stage, text in _STAGES:
        if isinstance(error, kinds):
            return ConnectError(stage, text.format(host=host, name=_errno_name(error)))
    return ConnectError("protocol", f"{host} does not speak WebSocket")


_STAGES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (websocket.WebSocketAddressException, "dns", "{host} has no address"),
    (socket.gaierror, "dns", "{host} has no address"),
    (websocket.WebSocketProxyException, "proxy", "the proxy refused the way to {host}"),
    ((websocket.WebSocketTimeoutException, TimeoutError), "timeout", "{host} took too long"),
    (websocket.WebSocketConnectionClosedException, "tcp", "{host} closed during the handshake"),
    (ssl.SSLError, "tls", "no TLS with {host}"),
    (OSError, "tcp", "no connection to {host}: {name}"),
    (ValueError, "request", "the URL cannot be used"),
)


def _errno_name(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return errno.errorcode.get(number, "unknown") if isinstance(number, int) else "unknown"
