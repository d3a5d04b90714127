"""The tenant's receivers of `bench.errands`: an HTTP server and a mail server, to be killed.

python -m bench.errand_receiver HTTP_PORT SMTP_PORT LOG: a line `kind key` for each errand that came
in, written before it is answered; the answer is late, or none, at random.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import email  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from esl_controller.simulator.receivers import (  # noqa: E402
    HttpReceiver,
    Mailed,
    MailReceiver,
    Posted,
)

REFUSED, FORGOTTEN = 0.1, 0.2
"""Of all: not taken; and, up to there, taken but told to have failed."""
LATEST_S = 0.2


def main(http_port: str, smtp_port: str, log: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def taken(kind: str, key: str) -> bool:
        """Whether its sender is told so."""
        fate = random.random()
        if fate < REFUSED:
            return False
        os.write(descriptor, f"{kind} {key}\n".encode())
        gevent.sleep(random.random() * LATEST_S)
        return fate >= FORGOTTEN

    def posted(one: Posted) -> tuple[int, Any]:
        key = one.headers["idempotency-key"]
        kind = "ticket" if one.path == "/tickets" else "webhook"
        return (200 if taken(kind, key) else 503), {"id": key}

    def mailed(one: Mailed) -> str:
        key = email.message_from_bytes(one.content)["Idempotency-Key"]
        return "250 taken" if taken("email", key) else "451 not now"

    servers = HttpReceiver(posted, int(http_port)), MailReceiver(mailed, int(smtp_port))
    print("ready", len(servers), flush=True)
    gevent.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
