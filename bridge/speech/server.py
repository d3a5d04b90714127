"""The speech process: one for a host, so that no call waits for another's voice on the hub.

`python -m bridge.speech.server --socket PATH` listens on a unix-domain socket that its own user
alone may reach. Threads do the work; gevent has no part in it. What is GPL is loaded here alone.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from bridge.speech.client import Client, Workshop
from bridge.speech.counters import Ledger
from bridge.speech.espeak import open_espeak
from bridge.speech.messages import EXIT_RUNNING
from bridge.speech.piper import open_piper
from bridge.speech.service import Opener, Options, Place, Refused, Service, open_status
from bridge.speech.silero import open_silero
from bridge.speech.sphinx import open_sphinx
from bridge.speech.tones import open_tones
from bridge.speech.turn_model import open_turn_end
from bridge.speech.whisper import open_whisper

_log = logging.getLogger("bridge.speech")

MAX_CLIENTS = 512
BACKLOG = 128
LINE_EVERY_S = 60.0
LOOK_EVERY_S = 0.5
SERVICES: Mapping[str, Opener] = {
    "piper": open_piper,
    "espeak": open_espeak,
    "tones": open_tones,
    "silero": open_silero,
    "pocketsphinx": open_sphinx,
    "whisper": open_whisper,
    "turn_end": open_turn_end,
    "status": open_status,
}


class SpeechServer:
    """Listens, and keeps its clients."""

    def __init__(
        self, path: Path, place: Place, workers: int, unused_s: float | None = None
    ) -> None:
        """`unused_s`: without clients for so long it ends; None: never. Raises OSError."""
        self._path = path
        self._place = place
        self._unused_s = unused_s
        self._ledger = Ledger()
        self._workshop = Workshop(
            self._open_service,
            ThreadPoolExecutor(workers, "voice"),
            ThreadPoolExecutor(workers, "ear"),
            self._ledger,
        )
        self._clients: set[Client] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = _listen(path)

    def run(self) -> None:
        """Serve until `stop`, or until nobody has used it for long enough."""
        threading.Thread(target=self._tell_counters, daemon=True).start()
        _log.info("listening on %s", self._path)
        used_at = time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            used_at = now if self._ledger.clients else used_at
            if self._unused_s is not None and now - used_at > self._unused_s:
                _log.info("nobody needs it any more")
                break
            self._accept_one()
        self._end()

    def stop(self) -> None:
        """Let everybody go."""
        self._stopping.set()

    def _accept_one(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except TimeoutError:
            return
        except OSError as error:
            if not self._stopping.is_set():
                _log.error("cannot accept: %s", error)
                self._stopping.wait(0.1)
            return
        with self._lock:
            full = len(self._clients) >= MAX_CLIENTS
        if full:
            _log.warning("client refused: %s are here already", MAX_CLIENTS)
            sock.close()
            return
        client = Client(sock, self._workshop)
        with self._lock:
            self._clients.add(client)
        threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: Client) -> None:
        try:
            client.serve()
        finally:
            with self._lock:
                self._clients.discard(client)

    def _open_service(self, name: str, options: Options) -> Service:
        opener = SERVICES.get(name)
        if opener is None:
            raise Refused(f"no service of this name; there are {', '.join(SERVICES)}")
        return opener(options, self._place)

    def _tell_counters(self) -> None:
        while not self._stopping.wait(LINE_EVERY_S):
            line = self._ledger.line()
            if line is not None:
                _log.info("%s", line)

    def _end(self) -> None:
        self._listener.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.close()
        for workers in (self._workshop.speaking, self._workshop.hearing):
            workers.shutdown(wait=False, cancel_futures=True)
        _log.info("%s", self._ledger.line() or "nothing was asked for")


def _listen(path: Path) -> socket.socket:
    """Raises OSError. The socket of a process that has ended is taken away: we hold the lock."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    listener.settimeout(LOOK_EVERY_S)
    return listener


class Lock:
    """Who holds it is the one speech process of its socket; it goes with the process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file: IO[bytes] = path.with_name(f"{path.name}.lock").open("wb")

    def take(self) -> bool:
        """False: another process has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _turn_has_come(lock: Lock, stopping: threading.Event) -> bool:
    """Wait until the process that listens has ended; False: we are to end before."""
    if lock.take():
        return True
    _log.info("another speech process listens; this one waits to take its place")
    while not stopping.wait(LOOK_EVERY_S):
        if lock.take():
            return True
    return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process until SIGTERM or SIGINT."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING if given.quiet else logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s speech %(message)s",
    )
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        lock = Lock(given.socket)
        if given.only and not lock.take():
            return EXIT_RUNNING
        if not _turn_has_come(lock, stopping):
            return 0
        place = Place(given.voices, given.models, given.turn_model)
        server = SpeechServer(given.socket, place, max(1, given.workers), given.until_unused)
    except OSError as error:
        _log.error("%s", error)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    if stopping.is_set():
        server.stop()
    server.run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bridge.speech.server", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where to listen")
    parser.add_argument("--voices", type=Path, help="directory of Piper's voices (*.onnx)")
    parser.add_argument("--models", type=Path, help="directory of Whisper's models")
    parser.add_argument("--turn-model", type=Path, help="ONNX model of ends of turns")
    cores = os.cpu_count() or 1
    parser.add_argument("--workers", type=int, default=cores, help="sentences made at a time")
    parser.add_argument("--quiet", action="store_true", help="log only what is wrong")
    parser.add_argument("--only", action="store_true", help="end at once when another listens")
    parser.add_argument(
        "--until-unused", type=float, metavar="SECONDS", help="end when nobody is there for so long"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
