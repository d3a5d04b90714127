"""Pure modules, proved by running them: in a process without a world, and without a switch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import greenlet
import pytest
from gevent import socket

from bridge.audio.formats import L16_16K, L16_24K, PCMU_8K
from bridge.audio.processor import Converter
from esl_controller.esl.framing import Framer
from esl_controller.telemetry.redaction import redact_text
from tests.arch.tree import ROOT, contract

WORLDLESS = """
import builtins, sys
pure, forbidden = set({pure!r}), set({forbidden!r})
real_import = builtins.__import__

def checked(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {{}}).get("__name__", "")
    ours = importer.split(".")[0] in ("bridge", "esl_controller")
    allowed = (importer, name) in {{("bridge.audio.soxr_stage", "os")}}
    if ours and level == 0 and name.split(".")[0] in forbidden and not allowed:
        raise ImportError(f"{{importer}} imports {{name}}")
    return real_import(name, globals, locals, fromlist, level)

builtins.__import__ = checked
failures = []
for module in sorted(pure):
    try:
        real_import(module)
    except ImportError as error:
        failures.append(f"{{module}}: {{error}}")
sys.exit("\\n".join(failures))
"""


def import_without_a_world(modules: list[str]) -> str:
    """What goes wrong when `modules` are imported and nothing forbidden can be."""
    forbidden = contract("pure", "forbidden_modules")
    script = WORLDLESS.format(pure=modules, forbidden=forbidden)
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return run.stderr.strip()


def test_pure_modules_can_be_imported_where_there_is_no_world() -> None:
    assert import_without_a_world(contract("pure", "source_modules")) == ""


def test_the_proof_fails_for_a_module_that_is_not_pure() -> None:
    assert (
        "bridge.playout.pacer_timer: bridge.playout.pacer_timer imports"
        in import_without_a_world(["bridge.playout.pacer_timer"])
    )


class Switched(Exception):
    """The block gave its turn away."""


@contextmanager
def no_switch() -> Iterator[None]:
    """Fail if anything inside switches to another greenlet."""
    switches: list[Any] = []
    before = greenlet.settrace(lambda event, args: switches.append((event, args)))
    try:
        yield
    finally:
        greenlet.settrace(before)
    if switches:
        raise Switched(switches)


def test_pure_work_never_gives_its_turn_away() -> None:
    converters = [Converter(PCMU_8K, L16_24K), Converter(L16_24K, L16_16K)]
    framer = Framer()
    with no_switch():
        for converter in converters:
            converter.convert(bytes(960))
        framer.receive_data(b"Content-Type: command/reply\nReply-Text: +OK\n\n")
        assert framer.next_message() is not None
        redact_text("4111 1111 1111 1111")


def test_the_proof_sees_a_sleep_and_a_wait() -> None:
    ours, theirs = socket.socketpair()
    with pytest.raises(Switched), no_switch():
        gevent.sleep(0)
    gevent.spawn(theirs.send, b"x")
    with pytest.raises(Switched), no_switch():
        ours.recv(1)
    ours.close()
    theirs.close()
