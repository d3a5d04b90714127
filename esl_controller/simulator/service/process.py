"""An emulated service as a process of its own: a line with its URL, then it serves."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import click
import gevent
import gevent.event

from esl_controller.simulator.service.faults import Fault, FaultTable, UnknownFault
from esl_controller.simulator.service.record import ConnectionRecord

_F = TypeVar("_F")
_NAMES = ", ".join(fault.value for fault in Fault)


def fault_option(function: Callable[..., None]) -> Callable[..., None]:
    """`--fault`, which may be given several times."""
    text = f"For all connections: NAME[=VALUE][@SECONDS], NAME one of {_NAMES}."
    return click.option("--fault", multiple=True, help=text)(function)


def faults_of(table: FaultTable[_F], given: Sequence[str]) -> _F:
    """What was asked for, or an error in the words of a command line."""
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
