"""urllib3 connections to addresses that were checked; see `dialling`."""

from __future__ import annotations

import socket
from collections.abc import Callable

from urllib3 import exceptions as http_errors
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bridge.wire.dialling import Dialler


def dialled_pools(dialler: Dialler) -> dict[str, type[HTTPConnectionPool]]:
    """For `PoolManager.pool_classes_by_scheme`."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _to_addresses(self, dialler, super()._new_conn)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _to_addresses(self, dialler, super()._new_conn)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _to_addresses(
    connection: HTTPConnection, dialler: Dialler, connect: Callable[[], socket.socket]
) -> socket.socket:
    """Connect to the checked address; SNI, certificate and Host header keep the name.

    Raises AddressRefused, and what urllib3 raises.
    """
    host, port = connection._dns_host, connection.port or connection.default_port
    try:
        addresses = dialler.addresses(host, port)
    except socket.gaierror as error:
        raise http_errors.NameResolutionError(host, connection, error) from error
    last: Exception = http_errors.NewConnectionError(connection, "no address")
    try:
        for address in addresses:
            connection._dns_host = address
            try:
                return connect()
            except http_errors.NewConnectionError as error:
                last = error
    finally:
        connection._dns_host = host
    raise last
