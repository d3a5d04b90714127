"""Signs of life, and who is killed for giving none."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from esl_controller.workers import heartbeat, watchdog
from esl_controller.workers.heartbeat import ALIVE, STOPPING, Heartbeat, Notifier
from esl_controller.workers.watchdog import Watchdog, listen

MINE = os.getpid()


class Kills(list[int]):
    def __call__(self, pid: int, number: signal.Signals) -> None:
        assert number is signal.SIGKILL
        self.append(pid)


def look_each_second(dog: Watchdog, first: int, last: int) -> None:
    for second in range(first, last + 1):
        dog.look(second)


def test_who_is_silent_for_too_long_is_killed_once() -> None:
    kills = Kills()
    dog = Watchdog(10, kill=kills)
    dog.heard(MINE, f"READY=1\n{ALIVE}", 0)
    look_each_second(dog, 0, 10)
    dog.heard(MINE, ALIVE, 10)
    look_each_second(dog, 11, 20)
    assert kills == []
    look_each_second(dog, 21, 40)
    assert kills == [MINE]


def test_who_says_that_it_ends_is_left_alone() -> None:
    kills = Kills()
    dog = Watchdog(2, kill=kills)
    dog.heard(MINE, ALIVE, 0)
    dog.heard(MINE, STOPPING, 1)
    look_each_second(dog, 1, 20)
    assert kills == []


def test_a_process_that_has_ended_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may be another's by now."""
    kills = Kills()
    dog = Watchdog(2, kill=kills)
    ended = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dog.heard(ended.pid, ALIVE, 0)
    ended.communicate(b"\n")
    dog.heard(ended.pid, ALIVE, 1)  # read only now
    dog.heard(MINE, ALIVE, 1)
    monkeypatch.setattr(watchdog, "_started", lambda pid: "another process")
    look_each_second(dog, 1, 20)
    assert kills == []


def test_after_it_was_stopped_itself_the_watchdog_listens_first() -> None:
    kills = Kills()
    dog = Watchdog(10, kill=kills)
    dog.heard(MINE, ALIVE, 0)
    look_each_second(dog, 0, 1)
    dog.look(3600)  # the machine slept
    assert kills == []
    look_each_second(dog, 3601, 3611)
    assert kills == [MINE]


@pytest.fixture
def notify(tmp_path: Path) -> Iterator[tuple[socket.socket, Path]]:
    path = tmp_path / "notify.sock"
    with listen(path) as sock:
        yield sock, path


def test_beats_come_with_the_sender_the_kernel_knows(
    notify: tuple[socket.socket, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sock, path = notify
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.01)
    environ = {"NOTIFY_SOCKET": str(path), "HOME": "/"}
    beating = Heartbeat(environ)
    assert environ == {"HOME": "/"}  # what the worker starts does not speak for it
    beating.start()
    heard: list[tuple[int | None, str]] = []
    with gevent.Timeout(5):
        while len(heard) < 3:
            data, ancillary, _, _ = sock.recvmsg(4096, socket.CMSG_SPACE(12))
            heard.append((watchdog._sender(ancillary), data.decode()))
    beating.stop()
    assert heard[0] == (MINE, f"READY=1\n{ALIVE}")
    assert heard[1:] == [(MINE, ALIVE)] * 2
    rest = [sock.recv(4096).decode() for _ in range(1)]
    while rest[-1] != STOPPING:
        rest.append(sock.recv(4096).decode())


def test_only_its_owner_may_beat_there(notify: tuple[socket.socket, Path]) -> None:
    assert notify[1].stat().st_mode & 0o777 == 0o600


def test_a_socket_left_behind_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "notify.sock"
    listen(path).close()
    listen(path).close()
    other = tmp_path / "file"
    other.touch()
    with pytest.raises(OSError, match="in use"):
        listen(other)


def test_nobody_listens_and_nothing_waits(tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "nobody"))
    assert not notifier.tell(ALIVE)
    notifier.close()
    silent = Heartbeat({})
    silent.start()
    silent.stop()


def test_a_full_queue_is_not_waited_for(notify: tuple[socket.socket, Path]) -> None:
    """A supervisor that hangs must not stop the hub."""
    notifier = Notifier(str(notify[1]))
    while notifier.tell(ALIVE):
        pass
    notifier.close()


def test_an_abstract_address_is_understood() -> None:
    name = f"voice-ai-test-{MINE}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{name}")
        notifier = Notifier(f"@{name}")
        assert notifier.tell(ALIVE)
        assert sock.recv(100) == ALIVE.encode()
        notifier.close()
