"""The way to tenants' MCP servers: judges where they are, and asks the process that speaks MCP.

The process is started when it is first needed and again when it has died; one that does not answer
though its own deadline is over is killed. See `mcp_process`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import sys
import time
from collections.abc import Mapping
from typing import Any

import gevent
import msgspec
import structlog
from gevent import subprocess
from gevent.event import AsyncResult
from gevent.lock import Semaphore

from esl_controller.services.http import MAX_ANSWER_BYTES, ServiceFailed, ServiceHttp

MODULE = "esl_controller.services.mcp_process"
EXTRA = "pip install 'voice-ai-switch[mcp]'"
MAX_LINE_BYTES = 1 << 20
LATE_S = 2.0
"""After a request's own deadline: the process itself hangs."""
REST_S = 1.0
"""Between two starts of it."""
START_S = 10.0
"""For the first answer: loading the SDK takes a second, on a busy machine more."""

_log = structlog.get_logger("mcp")


def is_installed() -> bool:
    """Whether the extra `mcp` is there."""
    return all(importlib.util.find_spec(name) for name in ("mcp", "httpx2"))


class McpClient:
    """One for a worker. Its methods wait, in the greenlet of a function, never on the hub."""

    def __init__(self, http: ServiceHttp, ca_file: str = "") -> None:
        self._http = http
        self._command = [sys.executable, "-m", MODULE, *filter(None, [ca_file])]
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: gevent.Greenlet[..., None] | None = None
        self._writing = Semaphore()
        self._waiting: dict[int, AsyncResult[Mapping[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._started_at = float("-inf")
        self._stopping = False
        self.starts = 0
        """How often the process was started."""

    def warm_up(self) -> None:
        """Start the process now: the first call of a day need not wait for it."""
        if is_installed():
            with contextlib.suppress(ServiceFailed):
                self._require_process()

    def tools(
        self, url: str, headers: Mapping[str, str], *, domain_uuid: str, timeout_s: float
    ) -> list[dict[str, Any]]:
        """What a server offers: name, description and parameters of each. Raises ServiceFailed."""
        found = self._ask({"op": "list"}, url, headers, domain_uuid, timeout_s)
        return found if isinstance(found, list) else []

    def call(
        self,
        url: str,
        headers: Mapping[str, str],
        tool: str,
        arguments: Mapping[str, Any],
        *,
        domain_uuid: str,
        timeout_s: float,
    ) -> Mapping[str, Any]:
        """Call a tool: `structured`, `text` and `is_error` of its result. Raises ServiceFailed."""
        wanted = {"op": "call", "tool": tool, "arguments": arguments}
        told: Mapping[str, Any] = self._ask(wanted, url, headers, domain_uuid, timeout_s)
        return told

    def stop(self) -> None:
        """End the process."""
        self._stopping = True
        self._kill(self._process)
        if self._reader is not None:
            self._reader.join()

    def _ask(
        self,
        wanted: Mapping[str, Any],
        url: str,
        headers: Mapping[str, str],
        domain_uuid: str,
        timeout_s: float,
    ) -> Any:
        began_s = time.monotonic()
        url, addresses = self._http.judged(url, domain_uuid, timeout_s=timeout_s)
        number = next(self._numbers)
        left_s = timeout_s - (time.monotonic() - began_s)
        line = msgspec.json.encode(
            {
                **wanted,
                "id": number,
                "url": url,
                "addresses": addresses,
                "headers": headers,
                "deadline_s": max(left_s, 0.1),
                "max_bytes": MAX_ANSWER_BYTES,
            }
        )
        told = self._exchange(number, line, left_s)
        if "failed" in told:
            sent = told.get("sent") is not False
            raise ServiceFailed(str(told["failed"]), str(told.get("words", "")), sent=sent)
        return told.get("result")

    def _exchange(self, number: int, line: bytes, timeout_s: float) -> Mapping[str, Any]:
        if len(line) >= MAX_LINE_BYTES:
            raise ServiceFailed("refused", "the arguments are too long")
        is_new = self._require_process()
        process = self._process
        answer: AsyncResult[Mapping[str, Any]] = AsyncResult()
        self._waiting[number] = answer
        try:
            with gevent.Timeout(timeout_s + (START_S if is_new else LATE_S)) as late:
                self._write(line + b"\n")
                return answer.get() or {}
        except gevent.Timeout as error:
            if error is not late:
                raise
            _log.error("mcp.process_hangs")
            self._kill(process)
            raise ServiceFailed("timeout", "no answer in time") from None
        finally:
            self._waiting.pop(number, None)

    def _require_process(self) -> bool:
        """Start the process where there is none: was it? Raises ServiceFailed."""
        if self._process is not None:
            return False
        if not is_installed():
            raise ServiceFailed("refused", f"MCP servers need the extra: {EXTRA}")
        if time.monotonic() - self._started_at < REST_S:
            raise ServiceFailed("unreachable", "the MCP process has just died")
        self._started_at = time.monotonic()
        self.starts += 1
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the SDK's own log may hold what was sent
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path))},
            start_new_session=True,
        )
        self._reader = gevent.spawn(self._read, self._process)
        return True

    def _write(self, line: bytes) -> None:
        with self._writing:
            process = self._process
            try:
                if process is None or process.stdin is None:
                    raise BrokenPipeError
                process.stdin.write(line)
                process.stdin.flush()
            except (OSError, ValueError):
                raise ServiceFailed("unreachable", "the MCP process has died") from None

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        """Hand answers to who waits for them, until the process ends."""
        try:
            while process.stdout is not None:
                line = process.stdout.readline(MAX_LINE_BYTES)
                if not line.endswith(b"\n"):
                    break
                self._hand_over(line)
        except (OSError, ValueError, msgspec.DecodeError):
            _log.exception("mcp.process_unreadable")
        finally:
            self._kill(process)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _hand_over(self, line: bytes) -> None:
        told = msgspec.json.decode(line, type=dict[str, Any])
        waiting = self._waiting.get(told.get("id", 0))
        if waiting is not None:
            waiting.set(told)

    def _kill(self, process: subprocess.Popen[bytes] | None) -> None:
        """Whoever waits for it is told; the next request starts another."""
        if process is None:
            return
        if process.poll() is None:
            process.kill()
        process.wait()
        if self._process is process:
            if not self._stopping:
                _log.warning("mcp.process_ended", code=process.returncode)
            self._process = None
            for waiting in self._waiting.values():
                died = ServiceFailed("unreachable", "the MCP process has died")
                waiting.set_exception(died)
