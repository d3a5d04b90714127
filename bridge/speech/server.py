"""The speech process: one for a host, so that no call waits for another's voice on the hub.

`python -m bridge.speech.server --socket PATH` listens on a unix-domain socket that its own user
alone may reach. Threads do the work; gevent has no part in it. What is GPL is loaded here alone.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bridge.speech.client import Client
from bridge.speech.counters import Counters
from bridge.speech.espeak import open_espeak
from bridge.speech.piper import open_piper
from bridge.speech.service import Opener, Place, Refused, Service, read_options
from bridge.speech.silero import open_silero
from bridge.speech.tones import open_tones
from bridge.speech.turn_end import open_turn_end

_log = logging.getLogger("bridge.speech")

MAX_CLIENTS = 512
BACKLOG = 128
LINE_EVERY_S = 60.0
SERVICES: Mapping[str, Opener] = {
    "piper": open_piper,
    "espeak": open_espeak,
    "tones": open_tones,
    "silero": open_silero,
    "turn_end": open_turn_end,
}


class Running(Exception):
    """Another process listens there."""


class SpeechServer:
    """Listens, and keeps its clients."""

    def __init__(self, path: Path, place: Place, workers: int) -> None:
        self._path = path
        self._place = place
        self._counters = Counters()
        self._workers = ThreadPoolExecutor(workers, "speech")
        self._clients: set[Client] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = _listen(path)

    def run(self) -> None:
        """Serve until `stop`."""
        threading.Thread(target=self._tell_counters, daemon=True).start()
        _log.info("listening on %s", self._path)
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if not self._stopping.is_set():
                    _log.error("cannot accept: %s", error)
                    self._stopping.wait(0.1)
                continue
            self._accept(sock)
        self._end()

    def stop(self) -> None:
        """Let everybody go."""
        self._stopping.set()

    def _accept(self, sock: socket.socket) -> None:
        with self._lock:
            full = len(self._clients) >= MAX_CLIENTS
        if full:
            self._counters.refused()
            sock.close()
            return
        client = Client(sock, self._workers, self._open_service, self._counters)
        with self._lock:
            self._clients.add(client)
        self._counters.client(1)
        threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: Client) -> None:
        try:
            client.serve()
        finally:
            with self._lock:
                self._clients.discard(client)
            self._counters.client(-1)

    def _open_service(self, name: str, options: Mapping[str, Any]) -> Service:
        opener = SERVICES.get(name)
        if opener is None:
            raise Refused(f"no service of this name; there are {', '.join(SERVICES)}")
        return opener(read_options(options), self._place)

    def _tell_counters(self) -> None:
        while not self._stopping.wait(LINE_EVERY_S):
            line = self._counters.line()
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
        self._workers.shutdown(wait=False, cancel_futures=True)
        _log.info("%s", self._counters.line() or "nothing was asked for")


def _listen(path: Path) -> socket.socket:
    """Raises `Running`, or OSError. A socket that a dead process left is taken away."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except FileNotFoundError:
            pass
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise Running(f"another speech process listens on {path}")
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    listener.settimeout(0.5)
    return listener


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m bridge.speech.server", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where to listen")
    parser.add_argument("--voices", type=Path, help="directory of Piper's voices (*.onnx)")
    parser.add_argument("--turn-model", type=Path, help="ONNX model of ends of turns")
    cores = os.cpu_count() or 1
    parser.add_argument("--workers", type=int, default=cores, help="sentences made at a time")
    given = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s speech %(message)s"
    )
    try:
        server = SpeechServer(
            given.socket, Place(given.voices, given.turn_model), max(1, given.workers)
        )
    except (Running, OSError) as error:
        _log.error("%s", error)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
