"""The program patches before anything that must be patched is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SPY = """
import builtins, json, runpy, sys, warnings
warnings.simplefilter("error")
seen = []
class Spy:
    def find_spec(self, name, path=None, target=None):
        if name in ("gevent", "ssl", "requests", "urllib3", "socket", "threading", "psycopg2"):
            seen.append(name)
sys.meta_path.insert(0, Spy())
sys.argv = [{script!r}, "config", "check"]
try:
    runpy.run_path({script!r}, run_name="__main__")
except SystemExit as exit:
    assert not exit.code, exit.code
from gevent import monkey
import os, socket, ssl, threading, time
patched = [n for n in ("socket", "ssl", "threading", "time", "subprocess", "select")
           if monkey.is_module_patched(n)]
print(json.dumps({{"seen": seen, "patched": patched, "soxr": [
    os.environ.get("SOXR_MIN_DFT_SIZE"), os.environ.get("SOXR_LARGE_DFT_SIZE")]}}))
"""


@pytest.fixture(scope="module")
def start() -> dict[str, list[str]]:
    """What happens when the installed command is run."""
    script = str(Path(sys.executable).parent / "esl-controller")
    run = subprocess.run(
        [sys.executable, "-c", SPY.format(script=script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, list[str]] = json.loads(run.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", ["ssl", "requests", "urllib3", "psycopg2"])
def test_nothing_that_waits_is_imported_before_gevent(
    start: dict[str, list[str]], name: str
) -> None:
    seen = start["seen"]
    assert "gevent" in seen
    assert name not in seen[: seen.index("gevent")]


def test_everything_is_patched(start: dict[str, list[str]]) -> None:
    assert start["patched"] == ["socket", "ssl", "threading", "time", "subprocess", "select"]


def test_the_resampler_gathers_little(start: dict[str, list[str]]) -> None:
    assert start["soxr"] == ["8", "8"]


def test_importing_a_library_module_patches_nothing() -> None:
    """Tools and tests that import one module must not be changed by it."""
    script = (
        "import esl_controller.telemetry.metrics, bridge.session.floor\n"
        "from gevent import monkey\n"
        "raise SystemExit(int(bool(monkey.saved)))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
