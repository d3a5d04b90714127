"""What the commands that call a worker with the simulator have in common."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
import requests

from bridge.audio.formats import L16_16K, PCMA_8K, PCMU_8K
from esl_controller.commands.shared import Shell
from esl_controller.commands.site import find_domain, pool_of
from esl_controller.commands.storage import packaged_database
from esl_controller.settings.table import Settings
from esl_controller.settings.types import Secret
from esl_controller.simulator.service.faults import Fault
from esl_controller.simulator.switch.quirks import Edition

CODECS = {"PCMU": PCMU_8K, "PCMA": PCMA_8K, "L16": L16_16K}
ASK_S = 5.0
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


fault_option = click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[=VALUE][@SECONDS]",
    help="What is to go wrong with the emulated provider's next connection; given again, with the "
    f"one after it. NAME is one of {', '.join(fault.value for fault in Fault)}.",
)


def simulated(function: Callable[..., None]) -> Callable[..., None]:
    """Options that say which worker is called, as whom, and with what equipment."""
    options = [
        click.option(
            "--domain", help="Name or UUID of the domain; may be left out where there is only one."
        ),
        click.option("--extension", default="8001", show_default=True, help="Number to dial."),
        click.option(
            "--codec", type=click.Choice(sorted(CODECS)), default="PCMU", show_default=True
        ),
        click.option(
            "--edition",
            type=click.Choice([edition.value for edition in Edition]),
            default="open",
            show_default=True,
            help="Audio module to imitate.",
        ),
        fault_option,
        click.option(
            "--emulator",
            default="",
            help="Where the emulated provider is that --fault asks: the URL it printed.",
        ),
        click.option("--host", default="", help="Worker's Event Socket; the settings' by default."),
        click.option(
            "--port",
            type=click.IntRange(1, 65535),
            help="Its port; the settings' by default.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def ask_for_faults(shell: Shell, emulator: str, faults: Sequence[str], *, times: int = 1) -> None:
    """Have an emulator's next connections fail, each fault for so many of them."""
    if not faults:
        return
    if not emulator:
        raise shell.fail("--fault needs an emulated provider (--emulator): no real one fails so")
    url = urlsplit(emulator)._replace(scheme="http", path="/faults", query="").geturl()
    wanted = [("fault", fault) for fault in faults for _ in range(times)]
    try:
        answer = requests.get(url, params=wanted, timeout=ASK_S)
        error = "" if answer.ok else str(answer.json()["error"])
    except (requests.RequestException, KeyError, TypeError) as trouble:
        raise shell.fail(f"no emulated provider answers at {url}: {trouble}") from trouble
    if error:
        raise shell.fail(error)


def controller(settings: Settings, options: Mapping[str, Any]) -> tuple[str, int]:
    """Where the worker's Event Socket is reached from this host."""
    host = options["host"] or settings.esl.listen_host
    return _EVERY_ADDRESS.get(host, host), options["port"] or settings.esl.port


@contextmanager
def settings_of_the_worker(shell: Shell) -> Iterator[Settings]:
    """The settings. With --embedded-db their database is the packaged one, as the worker's is."""
    settings = shell.settings()
    if not shell.embedded_db:
        yield settings
        return
    with packaged_database(settings, shell) as dsn:
        there = msgspec.structs.replace(settings.database, dsn=Secret(dsn))
        yield msgspec.structs.replace(settings, database=there)


def domain_of(shell: Shell, settings: Settings, name: str | None) -> str:
    """The UUID of the domain that is called as. A name, or none, is looked up in the database."""
    try:
        return str(uuid.UUID(name or ""))
    except ValueError:
        named = replace(shell, embedded_db=False)  # the settings name it by now
        with pool_of(named, settings) as pool:
            found: str = find_domain(pool, name)["domain_uuid"]
            return found


def own_seed() -> int:
    """A seed nobody else has: calls of two terminals must not have the same UUID."""
    return random.SystemRandom().getrandbits(63)


def nobody_there(address: tuple[str, int], why: str) -> str:
    """Words for a worker that cannot be connected to."""
    return f"no worker at {address[0]}:{address[1]}: {why}; is `esl-controller serve` running?"
