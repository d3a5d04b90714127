"""Each step of the Dockerfile, in a Debian 12 made by debootstrap (`make debian`, as root)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from esl_controller import __version__
from tests.arch.tree import ROOT
from tests.host import debian, dockerfile

pytestmark = [pytest.mark.debian, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def work() -> Iterator[Path]:
    """On a disk: a hundred thousand files."""
    path = Path(tempfile.mkdtemp(prefix="voice-ai-debian-", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def image(work: Path) -> dockerfile.Stage:
    """python:3.11-slim-bookworm is a Debian 12 with Python 3.11 as `python`."""
    base = work / "base"
    debian.make(base, "python3", "python3-venv", "python3-dev", "python-is-python3")
    index = {k: v for k, v in os.environ.items() if k in {"PIP_INDEX_URL", "PIP_TRUSTED_HOST"}}
    index["PIP_CERT"] = "/etc/ssl/certs/ca-certificates.crt"
    return dockerfile.replay(ROOT, base, work, index)


def test_the_program_runs_as_its_user(image: dockerfile.Stage) -> None:
    entry = image.exec_form("ENTRYPOINT")
    assert image.run(*entry, "--version").strip() == f"esl-controller, version {__version__}"
    assert image.run("id", "-u").strip() == image.user == "8085"
    assert image.run("sh", "-c", "touch state && echo $VOICE_AI_STORAGE_STATE_DIR").strip() == (
        image.cwd
    )
    assert image.said["VOLUME"] == image.cwd


def test_it_serves_and_its_health_check_says_so(image: dockerfile.Stage) -> None:
    """The database is away: a worker starts all the same, and answers."""
    entry, command = image.exec_form("ENTRYPOINT"), image.exec_form("CMD")
    check = " ".join(image.exec_form("HEALTHCHECK"))
    image.environ["VOICE_AI_DATABASE_DSN"] = "host=127.0.0.1 port=1 dbname=fusionpbx"
    image.is_alone = True
    script = f"""
        {" ".join([*entry, *command])} 2>log & worker=$!
        for _ in $(seq 60); do sleep 1; if {check} 2>/dev/null; then break; fi; done
        {check} || {{ cat log; exit 1; }}
        kill -TERM $worker && wait $worker && echo drained"""
    said = image.run("sh", "-c", script)
    assert "the database does not answer" in said
    assert said.rstrip().endswith("drained")
