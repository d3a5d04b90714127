"""HTTP exchanges with strangers' systems: every answer, whatever its status, within limits.

Unlike a provider's channel there is no proxy (it would look names up by itself, and reach what we
would have refused), and whoever asks waits in a greenlet of its own. Nothing is retried, no
redirect followed, nothing decompressed. urllib3 limits single lines and single waits; here the
whole exchange has a deadline, the head and the body have a size, and a peer that sends without end
does not keep the hub to itself. Needs gevent's patched sockets.
"""

from __future__ import annotations

import http.client
import io
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gevent
import urllib3
from urllib3 import exceptions as http_errors

from bridge.errors import BridgeError
from bridge.wire.client_handshake import shared_tls_context
from bridge.wire.dialled_http import dialled_pools
from bridge.wire.dialling import AddressRefused, Dialler
from bridge.wire.http_channel import stage_of
from bridge.wire.turns import others_first

MAX_HEAD_BYTES = 32 * 1024
"""Status line and headers of an answer, interim ones (1xx) included."""
READ_BYTES = 4096
"""Read at once; then the hub's other work has its turn."""
TURN_S = 0.001
"""Longest look at what has come already."""
_BEFORE = (
    http_errors.NewConnectionError,
    http_errors.ConnectTimeoutError,
    http_errors.LocationValueError,
)
"""Errors before anything is sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; values that came more than once are joined."""
    body: bytes


class ExchangeFailed(BridgeError):
    """There is no answer. The text holds nothing that was sent."""

    def __init__(self, stage: str, text: str, *, sent: bool = True) -> None:
        """`sent`: something may have been, or it is not known."""
        super().__init__(text)
        self.sent = sent
        self.stage = stage
        """refused | request | dns | tcp | certificate | tls | protocol | timeout | too_large"""


class Exchanges:
    """Connections are kept for the next exchange: that saves the TLS handshake. They hold no
    cookies and no keys."""

    def __init__(self, dialler: Dialler, tls: ssl.SSLContext | None = None) -> None:
        pools = dialled_pools(dialler)
        for pool in pools.values():
            pool.ConnectionCls.response_class = _MeteredResponse  # type: ignore[attr-defined]
        self._manager = urllib3.PoolManager(
            num_pools=32, maxsize=8, block=False, ssl_context=tls or shared_tls_context()
        )
        self._manager.pool_classes_by_scheme = pools

    def close(self) -> None:
        """Close the connections that are kept."""
        self._manager.clear()

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        timeout_s: float,
        max_bytes: int,
    ) -> Answer:
        """Send a request and return its answer; waits at most `timeout_s`.

        Raises ExchangeFailed.
        """
        deadline = gevent.Timeout(timeout_s)
        response: urllib3.BaseHTTPResponse | None = None
        try:
            with deadline:
                response = self._request(method, url, headers, body, timeout_s)
                return _answer(response, max_bytes)
        except gevent.Timeout as error:
            if error is not deadline:
                raise
            raise ExchangeFailed("timeout", "no answer in time") from None
        except _HeadTooLarge:
            raise ExchangeFailed("too_large", "answered with too large a head") from None
        except AddressRefused as error:
            raise ExchangeFailed("refused", str(error), sent=False) from None
        except (http_errors.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            stage, text = stage_of(error)
            sent = not isinstance(error, _BEFORE) and stage != "certificate"
            raise ExchangeFailed(stage, text, sent=sent) from None
        finally:
            if response is not None:
                response.close()

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> urllib3.BaseHTTPResponse:
        return self._manager.request(
            method,
            url,
            body=body or None,
            headers={**headers, "Accept-Encoding": "identity"},
            preload_content=False,
            decode_content=False,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=timeout_s, read=timeout_s),
        )


def _answer(response: urllib3.BaseHTTPResponse, max_bytes: int) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise ExchangeFailed("protocol", "answered with a compressed body")
    return Answer(response.status, headers, _body(response, max_bytes))


def _body(response: urllib3.BaseHTTPResponse, max_bytes: int) -> bytes:
    body = bytearray()
    turn_ends = time.monotonic() + TURN_S
    while piece := response.read1(READ_BYTES):
        body += piece
        if len(body) > max_bytes:
            raise ExchangeFailed("too_large", f"answered with more than {max_bytes} bytes")
        if time.monotonic() >= turn_ends:
            others_first()
            turn_ends = time.monotonic() + TURN_S
    return bytes(body)


class _HeadTooLarge(Exception):
    """More than MAX_HEAD_BYTES before the body."""


class _Metered(io.RawIOBase):
    """What comes from a socket: the hub has its turn after each read, and the head a limit."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.head_left: int | None = MAX_HEAD_BYTES
        """None: the head is over."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        others_first()
        with memoryview(buffer)[:READ_BYTES] as view:
            size: int | None = self._raw.readinto(view)
        if self.head_left is not None:
            self.head_left -= size or 0
            if self.head_left < 0:
                raise _HeadTooLarge
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _MeteredResponse(http.client.HTTPResponse):
    """Reads its socket through `_Metered`."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self._metered = _Metered(sock.makefile("rb", buffering=0))
        self.fp = io.BufferedReader(self._metered, READ_BYTES)

    def begin(self) -> None:
        super().begin()
        self._metered.head_left = None
