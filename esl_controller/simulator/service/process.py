"""An emulated service as a process of its own: a line with its URL, then it serves."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import click
import gevent
import gevent.event

from esl_controller.simulator.service.faults import Fault, FaultTable, UnknownFault
from esl_controller.simulator.service.record import ConnectionRecord
from esl_controller.simulator.service.script import SCRIPTS
from esl_controller.simulator.service.voices import VOICES

_F = TypeVar("_F")
_NAMES = ", ".join(fault.value for fault in Fault)
_OPTIONS = (
    click.option("--host", default="127.0.0.1", show_default=True),
    click.option("--port", default=0, show_default=True, help="0 takes a free one."),
    click.option("--script", type=click.Choice(sorted(SCRIPTS)), default="demo", show_default=True),
    click.option(
        "--voice", type=click.Choice(sorted(VOICES)), default="synthetic", show_default=True
    ),
    click.option("--fast", is_flag=True, help="Cheap turn detection, for load tests."),
    click.option("--pace", default=4.0, show_default=True, help="Times faster than real time."),
    click.option("--think-ms", default=200, show_default=True),
    click.option("--api-key", multiple=True, help="Keys let in; without any, every key is."),
    click.option(
        "--fault",
        multiple=True,
        help=f"For all connections: NAME[=VALUE][@SECONDS], NAME one of {_NAMES}.",
    ),
    click.option(
        "--stats", is_flag=True, help="Print a JSON line of records at the end, and at SIGUSR1."
    ),
)


def speaking_options(function: Callable[..., None]) -> Callable[..., None]:
    """What every emulated service that speaks can be told."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def settings_of(options: Mapping[str, Any], table: FaultTable[Any]) -> dict[str, Any]:
    """`speaking_options`, and others as they are, as fields of the service's configuration.

    Raises `click.BadParameter` for a fault that is none.
    """
    given = dict(options)
    return {
        "script": SCRIPTS[given.pop("script")],
        "voice": VOICES[given.pop("voice")](),
        "api_keys": frozenset(given.pop("api_key")) or None,
        "think_s": given.pop("think_ms") / 1000,
        "faults": _faults_of(table, given.pop("fault")),
        **given,
    }


def _faults_of(table: FaultTable[_F], given: Sequence[str]) -> _F:
    try:
        return table.make(*given)
    except UnknownFault as error:
        raise click.BadParameter(str(error), param_hint="--fault") from error


class Emulator(Protocol):
    """A service that can be listened to."""

    def start(self) -> str:
        """Listen; its URL."""

    def stop(self) -> None:
        """Stop listening."""


def serve(service: Emulator, report: Callable[[], dict[str, Any]] | None) -> None:
    """Until SIGTERM or SIGINT; `report` is printed at the end and at SIGUSR1."""
    ended = gevent.event.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, ended.set)
    if report is not None:
        gevent.signal_handler(signal.SIGUSR1, lambda: _print(report()))
    _print({"url": service.start()})
    ended.wait()
    if report is not None:
        _print(report())
    service.stop()


def stats(sessions: Sequence[ConnectionRecord]) -> dict[str, Any]:
    """What all connections saw."""
    return {
        "cpu_s": round(time.process_time(), 3),
        "open": sum(record.open for record in sessions),
        "sessions": [record.as_json() for record in sessions],
    }


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
