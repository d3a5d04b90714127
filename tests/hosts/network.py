"""Machines with addresses of their own: network namespaces on a bridge nobody else reaches.

Needs root, and `ip` of iproute2. What a test made is gone with it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gevent import subprocess as green

NETWORK = "10.77.0.0/24"
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")


class Machine:
    """One of them. Its programs are this machine's, its network and its name are its own."""

    def __init__(self, name: str, address: str, space: str, hub: str) -> None:
        self.name, self.address = name, address
        self._space, self._hub = space, hub

    def start(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        log: Path | None = None,
        **more: Any,
    ) -> Any:
        """A process on it; its `pid` is the program's own."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        named = ["unshare", "--uts", "sh", "-c", f'hostname {self.name}; exec "$@"', "sh"]
        where = ["ip", "netns", "exec", self._space, *named, *command]
        environ = inherited | dict(environ or {})
        if log is None:
            return green.Popen(where, env=environ, **more)
        with log.open("ab") as output:
            return green.Popen(where, env=environ, stdout=output, stderr=output, **more)

    def run(self, command: Sequence[str], **more: Any) -> None:
        """A program on it, until it has ended well."""
        process = self.start(
            command, stdout=green.PIPE, stderr=green.STDOUT, stdin=green.DEVNULL, **more
        )
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output.decode(errors="replace")

    def vanish(self) -> None:
        """Its cable is pulled: nothing comes from it any more, no refusal either."""
        _ip("-n", self._hub, "link", "set", self.name, "down")

    def come_back(self) -> None:
        """It is plugged in again."""
        _ip("-n", self._hub, "link", "set", self.name, "up")


@contextmanager
def network(names: Sequence[str]) -> Iterator[dict[str, Machine]]:
    """Machines of these names, each of which reaches the others."""
    prefix = f"va{os.getpid()}"
    hub = f"{prefix}-hub"
    spaces = [hub]
    _ip("netns", "add", hub)
    try:
        _ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        _ip("-n", hub, "link", "set", "bridge", "up")
        machines = {}
        for number, name in enumerate(names, start=11):
            space, address = f"{prefix}-{name}", NETWORK.replace("0/24", str(number))
            _ip("netns", "add", space)
            spaces.append(space)
            _ip(*f"-n {space} link add eth0 type veth peer name {name} netns {hub}".split())
            _ip("-n", hub, "link", "set", name, "master", "bridge", "up")
            _ip("-n", space, "address", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("-n", space, "link", "set", "lo", "up")
            machines[name] = Machine(name, address, space, hub)
        yield machines
    finally:
        for space in spaces:
            _ip("netns", "delete", space)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
