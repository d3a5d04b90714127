"""`python -m esl_controller.simulator.systems`: the reference server as a process of its own.

Prints one JSON line with its address, serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

import click

from esl_controller.simulator.service.process import serve
from esl_controller.simulator.systems.server import SystemsServer
from esl_controller.simulator.systems.store import Store

CUSTOMERS = [
    {
        "id": "C-1",
        "name": "Maria Silva",
        "company": "Padaria Silva",
        "phone": "+5511999990000",
        "notes": "Prefers mornings.",
    }
]


@click.command()
@click.option("--token", default="reference-token", show_default=True, help="What we must send.")
def main(token: str) -> None:
    """Serve tickets (/tickets), customers (/crm) and an agenda (/agenda) on loopback."""
    serve(SystemsServer(token, store=Store(customers=CUSTOMERS)), None)


if __name__ == "__main__":
    main()
