"""A real Radicale in a process of its own, with one calendar and one user."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent

from tests.integration.service import free_port

USER, PASSWORD = "secretary", "a-password-nobody-may-see"


@contextmanager
def radicale(directory: Path) -> Iterator[str]:
    """The address of its calendar."""
    users = directory / "users"
    users.write_text(f"{USER}:{PASSWORD}\n")
    port = free_port()
    options = {
        "--server-hosts": f"127.0.0.1:{port}",
        "--auth-type": "htpasswd",
        "--auth-htpasswd-filename": str(users),
        "--auth-htpasswd-encryption": "plain",
        "--auth-delay": "0",
        "--storage-filesystem-folder": str(directory / "store"),
        "--config": "",
    }
    command = [sys.executable, "-m", "radicale"]
    command += [f"{name}={value}" for name, value in options.items()]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/{USER}/calendar/"
        _wait_and_make(url, process, directory / "log")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def put(url: str, name: str, text: str) -> None:
    """An event somebody else writes."""
    dav("PUT", url + name, text.encode(), "text/calendar")


def dav(method: str, url: str, body: bytes | None = None, kind: str = "application/xml") -> bytes:
    """One request as the user."""
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)
    manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
    manager.add_password(None, url, USER, PASSWORD, is_authenticated=True)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
    with opener.open(request, timeout=10) as answer:
        return bytes(answer.read())


def _wait_and_make(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    body = (
        '<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><resourcetype>'
        "<collection/><C:calendar/></resourcetype></prop></set></mkcol>"
    )
    with gevent.Timeout(20):
        while process.poll() is None:
            try:
                dav("MKCOL", url, body.encode())
                return
            except urllib.error.HTTPError:
                raise
            except OSError:
                gevent.sleep(0.05)
    raise AssertionError(log.read_text())
