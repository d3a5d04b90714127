"""One HTTP exchange with a provider: the body as one message, or each server-sent event as one.

We look names up; urllib3 does proxy, TLS, pooling and chunks in one greenlet for each exchange.
Nothing is retried and no redirect followed: both would carry the key once more, or elsewhere. The
texts of its errors may quote what was sent and are never passed on. Needs gevent's patched sockets.
"""

from __future__ import annotations

import errno
import functools
import logging
import socket
import ssl
import urllib.request
from collections.abc import Iterator, Sequence
from urllib.parse import quote, unquote, urlsplit

import gevent
import urllib3
from urllib3 import exceptions as http_errors

from bridge.errors import RemoteProtocolError
from bridge.wire.channel import MAX_BODY_BYTES, ChannelEnd, ChannelListener, Ender, retry_after_s
from bridge.wire.client_handshake import Proxy, shared_tls_context
from bridge.wire.dialled_http import dialled_pools
from bridge.wire.dialling import AddressRefused, Dialler
from bridge.wire.network import Network
from bridge.wire.server_sent_events import EventStreamParser
from bridge.wire.turns import others_first

_log = logging.getLogger("bridge.wire")

SILENCE_LIMIT_S = 15.0
"""Longest pause within a response."""
MAX_BODY = 1 << 20
"""Largest body read as one message."""
MAX_STREAM = 1 << 24
"""Largest event stream."""
READ_BYTES = 16384
MESSAGES_AT_ONCE = 32
"""Told in one callback; then the hub's other work has its turn."""


class HttpChannel:
    """A `Channel` that is open when the answer's status is 2xx. It takes no messages to send."""

    def __init__(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        listener: ChannelListener,
        *,
        server_sent_events: bool,
        first_byte_s: float,
        network: Network,
        silence_s: float = SILENCE_LIMIT_S,
    ) -> None:
        self._method = method
        self._url = url
        self._headers = dict(headers)
        self._body = body
        self._listener = listener
        self._events = server_sent_events
        self._first_byte_s = first_byte_s
        self._silence_s = silence_s
        self._network = network
        self._loop = gevent.get_hub().loop
        self._closed = False
        self._running = gevent.spawn(self._run)

    def send(self, data: bytes, binary: bool, /) -> bool:
        """Refused: the request is complete."""
        return False

    def close(self) -> None:
        """Drop the exchange. No callback follows."""
        if not self._closed:
            self._closed = True
            self._running.kill(block=False)

    # --- in the greenlet ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            end = self._exchange()
        except Exception as error:  # noqa: BLE001 - boundary: nobody would hear of it
            self._loop.run_callback(self._fault, error)
        else:
            self._loop.run_callback(self._end, end)

    def _exchange(self) -> ChannelEnd:
        response: urllib3.BaseHTTPResponse | None = None
        late = ChannelEnd(Ender.NETWORK, "timeout", reason="no answer in time")
        try:
            with gevent.Timeout(self._first_byte_s) as timeout:
                response = self._request()
            if not 200 <= response.status < 300:
                return self._refusal(response)
            self._loop.run_callback(self._opened)
            self._read(response)
            return ChannelEnd(Ender.PEER, code=response.status)
        except gevent.Timeout as error:
            if error is not timeout:
                raise
            return late
        except RemoteProtocolError as error:
            return ChannelEnd(Ender.PEER, "protocol" if response is None else "", reason=str(error))
        except (http_errors.HTTPError, OSError, ValueError) as error:
            return _end_of(error, opened=response is not None)
        finally:
            if response is not None:
                response.close()

    def _request(self) -> urllib3.BaseHTTPResponse:
        """Send the request and wait for the response head."""
        return _pool(self._url, self._network).request(
            self._method,
            self._url,
            body=self._body or None,
            headers={"Accept-Encoding": "identity"} | self._headers,
            preload_content=False,
            decode_content=False,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=self._first_byte_s, read=self._silence_s),
        )

    def _refusal(self, response: urllib3.BaseHTTPResponse) -> ChannelEnd:
        try:
            body = gevent.with_timeout(
                self._first_byte_s, response.read, MAX_BODY_BYTES, timeout_value=b""
            )
        except (http_errors.HTTPError, OSError):
            body = b""
        return ChannelEnd(
            Ender.PEER,
            "http",
            response.status,
            f"answered {response.status}",
            body[:MAX_BODY_BYTES],
            retry_after_s(response.headers.get("retry-after")),
        )

    def _read(self, response: urllib3.BaseHTTPResponse) -> None:
        if not self._events:
            self._tell([_whole(response)])
            return
        parser = EventStreamParser()
        for piece in _pieces(response, MAX_STREAM):
            self._tell([event.data for event in parser.receive_data(piece)])

    def _tell(self, messages: list[bytes]) -> None:
        """Pass messages to the hub and wait until it has taken them and done its other work."""
        for begin in range(0, len(messages), MESSAGES_AT_ONCE):
            self._loop.run_callback(self._received, messages[begin : begin + MESSAGES_AT_ONCE])
            others_first()
        others_first()

    # --- on the hub --------------------------------------------------------------------------

    def _opened(self) -> None:
        if not self._closed:
            self._listener.on_open()

    def _received(self, messages: list[bytes]) -> None:
        if not self._closed:
            self._listener.on_messages(messages)

    def _end(self, end: ChannelEnd) -> None:
        if not self._closed:
            self._closed = True
            self._listener.on_end(end)

    def _fault(self, error: Exception) -> None:
        if not self._closed:
            self._closed = True
            self._listener.on_fault(error)


def _pieces(response: urllib3.BaseHTTPResponse, limit: int) -> Iterator[bytes]:
    """Yield the body as it arrives. Raises `RemoteProtocolError` beyond `limit` bytes."""
    size = 0
    while piece := response.read1(READ_BYTES):
        size += len(piece)
        if size > limit:
            raise RemoteProtocolError(f"answer of more than {limit} bytes")
        yield piece


def _whole(response: urllib3.BaseHTTPResponse) -> bytes:
    body = bytearray()
    for piece in _pieces(response, MAX_BODY):
        body += piece
    return bytes(body)


# --- connections ----------------------------------------------------------------------------------


def _pool(url: str, network: Network) -> urllib3.PoolManager:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise http_errors.LocationValueError("needs http or https and a host")
    tls = network.tls or shared_tls_context()
    proxy = _proxy_of(url, network.proxy)
    return _shared_pool(tls, proxy, network.dialler)


@functools.lru_cache(maxsize=8)
def _shared_pool(tls: ssl.SSLContext, proxy: str | None, dialler: Dialler) -> urllib3.PoolManager:
    """One for the process: connections are used again, which saves the TLS handshake.

    They hold no cookies and no keys: a request's headers are its own.
    """
    if proxy is None:
        manager = urllib3.PoolManager(num_pools=16, maxsize=32, block=False, ssl_context=tls)
        manager.pool_classes_by_scheme = dialled_pools(dialler)
        return manager
    parts = urlsplit(proxy)
    headers = None
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = urllib3.make_headers(proxy_basic_auth=login)
    bare = f"{parts.scheme}://{parts.hostname}:{parts.port or 80}"
    return urllib3.ProxyManager(
        bare, num_pools=16, maxsize=32, block=False, ssl_context=tls, proxy_headers=headers
    )


def _proxy_of(url: str, proxy: Proxy | None) -> str | None:
    """Address of the proxy to use, as for WebSockets: the one given, else the environment's."""
    parts = urlsplit(url)
    if proxy is None:
        found = urllib.request.getproxies().get(parts.scheme)
        exempt = urllib.request.proxy_bypass(parts.hostname or "")
        return found if found and not exempt else None
    if _is_exempt(parts.hostname or "", proxy.no_proxy):
        return None
    login = f"{quote(proxy.user, safe='')}:{quote(proxy.password, safe='')}@" if proxy.user else ""
    return f"http://{login}{proxy.host}:{proxy.port}"


def _is_exempt(host: str, names: Sequence[str]) -> bool:
    return any(host == name or host.endswith(f".{name.lstrip('.')}") for name in names)


# --- what went wrong ------------------------------------------------------------------------------

_Kinds = type[BaseException] | tuple[type[BaseException], ...]
_STAGES: tuple[tuple[_Kinds, str, str], ...] = (
    (http_errors.NameResolutionError, "dns", "the host has no address"),
    (socket.gaierror, "dns", "the host has no address"),
    (http_errors.ProxyError, "proxy", "the proxy refused the way"),
    (http_errors.NewConnectionError, "tcp", "no connection"),
    (http_errors.ConnectTimeoutError, "timeout", "no connection in time"),
    ((http_errors.TimeoutError, TimeoutError), "timeout", "took too long"),
    (http_errors.LocationValueError, "request", "unusable URL"),
    ((http_errors.SSLError, ssl.SSLError), "tls", "no TLS"),
    (http_errors.ProtocolError, "tcp", "the connection broke"),
    (OSError, "tcp", "no connection"),
    (http_errors.HTTPError, "protocol", "does not speak HTTP"),
    (ValueError, "request", "the request cannot be made"),
)


def _end_of(error: Exception, *, opened: bool) -> ChannelEnd:
    """Describe the error in our own words."""
    stage, text = stage_of(error)
    number = getattr(_cause(error), "errno", None)
    if stage == "tcp" and isinstance(number, int) and number in errno.errorcode:
        text = f"{text}: {errno.errorcode[number]}"
    if opened:
        return ChannelEnd(Ender.NETWORK, reason=text)
    by = Ender.US if stage == "request" else Ender.NETWORK
    return ChannelEnd(
        Ender.PEER if stage in ("certificate", "protocol") else by, stage, reason=text
    )


def stage_of(error: Exception) -> tuple[str, str]:
    """Where an exchange failed, and the error in our own words."""
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "certificate", cause.verify_message
    if isinstance(error, AddressRefused):
        return "request", str(error)
    for kinds, stage, text in _STAGES:
        if isinstance(error, kinds):
            return stage, text
    return "protocol", "unknown"


def _cause(error: BaseException) -> BaseException:
    """The innermost exception: urllib3 wraps the original one."""
    for _ in range(5):
        inner = (
            error.__cause__
            or error.__context__
            or next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        )
        if inner is None or isinstance(error, ssl.SSLCertVerificationError):
            break
        error = inner
    return error
