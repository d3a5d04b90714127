"""The way to PostgreSQL: encrypted, with a certificate that is looked at and does not end soon."""

from __future__ import annotations

import os
import ssl
import struct
import time
from collections.abc import Iterator

from gevent import socket

from esl_controller.database.pool import parts_of
from esl_controller.database.repository.statements import Row
from esl_controller.doctor.certificates import certificate
from esl_controller.doctor.finding import Finding, failed, ok, warning

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""PostgreSQL manual, Message Formats: SSLRequest. Answered with one byte, `S` for yes."""
TIMEOUT_S = 3.0
_CHECK = "database way"


def look(role: Row, dsn: str) -> Iterator[Finding]:
    """`role`: of the connection, with the client's address and whether it has TLS."""
    client = role["client"]
    if not client or client.startswith("127.") or client == "::1":
        return
    parts = parts_of(dsn)
    mode = parts.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"
    advice = "add sslmode=verify-full and sslrootcert to VOICE_AI_DATABASE_DSN"
    if not role["tls"]:
        yield warning(_CHECK, f"not encrypted, from {client}", advice)
        return
    if mode != "verify-full":
        detail = f"encrypted, but with {mode} anybody may stand in for the server"
        yield warning(_CHECK, detail, advice)
    else:
        yield ok(_CHECK, "encrypted, and the server's certificate is verified")
    yield from _ends(parts)


def _ends(parts: dict[str, str]) -> Iterator[Finding]:
    """When the server's certificate ends, as far as it can be verified here."""
    check, root = "database certificate", parts.get("sslrootcert", "")
    host = parts.get("host", "").split(",")[0]
    port = int(parts.get("port", "5432").split(",")[0])
    if not root or not host:
        return
    try:
        ends_s = _served_until(host, port, "" if root == "system" else root)
    except (OSError, ValueError) as error:
        yield failed(check, f"{host}:{port}: {error}", "check sslrootcert and the certificate")
        return
    yield certificate(check, ends_s - time.time())


def _served_until(host: str, port: int, ca_file: str) -> float:
    """Unix time. Raises OSError, ValueError."""
    context = ssl.create_default_context(cafile=ca_file or None)
    with socket.create_connection((host, port), timeout=TIMEOUT_S) as plain:
        plain.sendall(SSL_REQUEST)
        if plain.recv(1) != b"S":
            raise ValueError("the server has no TLS")
        with context.wrap_socket(plain, server_hostname=host) as tls:
            shown = tls.getpeercert() or {}
    return ssl.cert_time_to_seconds(str(shown["notAfter"]))
