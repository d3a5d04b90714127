"""`health`: ask the worker these settings belong to how it does."""

from __future__ import annotations

import sys
from typing import Any

import click
import requests

from esl_controller.commands.shared import EXIT_FAILED, Shell, with_shell
from esl_controller.doctor.host import worker_url

TIMEOUT_S = 2.0


@click.command()
@click.option("--ready", is_flag=True, help="Ask whether new calls are welcome instead.")
@click.option("--index", type=click.IntRange(0, 255), help="Another worker of this host.")
@with_shell
def command(shell: Shell, ready: bool, index: int | None) -> None:
    """Ask a worker of this host how it does. Exit code 1 when it does not answer in 2 s.

    A worker that says "degraded" or "unavailable" lives, and may have calls: a supervisor must not
    end it for that, so the exit code is 0. With --ready it is 1 unless new calls are welcome.
    """
    settings = shell.settings(with_prices=False)  # a worker keeps what it started with
    path = "/ready" if ready else "/health"
    url = worker_url(settings, settings.worker.index if index is None else index, path)
    try:
        reply = _ask(url)
        answer: dict[str, Any] = reply.json()
        text = f"{answer['status']}" + "".join(f"\n  {why}" for why in answer.get("reasons", ()))
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise shell.fail(f"{url}: no worker answers ({type(error).__name__})") from error
    shell.result(answer, text)
    sys.exit(0 if reply.ok else EXIT_FAILED)


def _ask(url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc
        return session.get(url, timeout=TIMEOUT_S)
