"""A real mail server (aiosmtpd) in a process of its own: `python -m tests.integration.mail_server`.

It asks for a password, speaks TLS as told, and prints its port, then each letter as a line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import ssl
import sys
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = "voice", "a-password-of-the-operator"


class Taker:
    """Takes every letter."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "authenticated": session.authenticated,
            "tls": (session.ssl or server.transport.get_extra_info("ssl_object")) is not None,
            "content": base64.b64encode(envelope.content).decode(),
        }
        print(json.dumps(letter), flush=True)
        return "250 taken"


def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    good = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


async def serve(security: str, certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    implicit = security == "tls"

    def session() -> SMTP:
        return SMTP(
            Taker(),
            hostname="mail.example",
            authenticator=known,
            auth_required=True,
            auth_require_tls=not implicit,
            tls_context=None if implicit else context,
            require_starttls=not implicit,
        )

    loop, tls = asyncio.get_running_loop(), context if implicit else None
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    # The same under an address that is not in the certificate.
    other = await loop.create_server(session, "127.0.0.2", port, ssl=tls)
    print(port, flush=True)
    async with server, other:
        await server.serve_forever()


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("security", choices=("starttls", "tls"))
    words.add_argument("certificate")
    words.add_argument("key")
    at = words.parse_args()
    sys.stderr = open("/dev/null", "w")  # noqa: SIM115 - asyncio tells of broken handshakes
    asyncio.run(serve(at.security, at.certificate, at.key))


if __name__ == "__main__":
    main()
