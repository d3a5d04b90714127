"""All that a tenant may have behind its functions and errands, in software: tickets, customers,
agenda, webhooks, a mail server, a text service and an MCP server.
"""

from __future__ import annotations

import email
import email.policy
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gevent
import gevent.subprocess
import msgspec

from esl_controller.simulator.receivers import HttpReceiver, Mailed, MailReceiver, Posted
from esl_controller.simulator.systems.server import Faults, SystemsServer
from esl_controller.simulator.systems.store import Store

START_S = 40.0
_TOKENS = {"prompt_tokens": 900, "completion_tokens": 80}
Told = Callable[[Mapping[str, Any]], None]
"""Gets what came, and what was answered."""


@dataclass(slots=True)
class SystemsHouse:
    """All of them, on loopback."""

    told: Told
    token: str = "reference-token"
    customers: list[dict[str, Any]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    """Of tickets, customers and agenda."""
    _ends: list[Callable[[], object]] = field(default_factory=list)

    def start(self, *, mcp: bool, port: int = 0) -> Mapping[str, str]:
        """Listen, on `port` and those after it where it is not 0. Returns each one's address, in
        the names of a tenant's columns where it has one.

        Raises OSError for a port that is taken.
        """
        systems = SystemsServer(
            self.token, store=Store(customers=self.customers), faults=self.faults
        )
        systems.heard = self._asked
        url = systems.start(port)
        self._ends.append(systems.stop)
        posts = HttpReceiver(self._posted, port and port + 1)
        letters = MailReceiver(self._mailed, port and port + 2)
        self._ends += [posts.stop, letters.stop]
        base = posts.url.removesuffix("/hook")
        found = {
            "ticket_url": f"{url}/tickets",
            "crm_url": f"{url}/crm",
            "agenda_url": f"{url}/agenda",
            "webhook_url": posts.url,
            "summary_url": f"{base}/text/v1",
            "mail_port": str(letters.port),
        }
        if mcp:
            found["mcp_url"] = self._mcp(port and port + 3)
        return found

    def stop(self) -> None:
        """End them."""
        while self._ends:
            self._ends.pop()()

    def _mcp(self, port: int) -> str:
        module = "esl_controller.simulator.systems.mcp_shop"
        process = gevent.subprocess.Popen(
            [sys.executable, "-m", module, str(port)],
            stdout=gevent.subprocess.PIPE,
            stderr=gevent.subprocess.DEVNULL,
            text=True,
        )
        self._ends += [process.wait, process.kill]
        with gevent.Timeout(START_S, OSError("the MCP server did not start")):
            assert process.stdout is not None
            url: str = msgspec.json.decode(process.stdout.readline())["url"]
        return url

    # --- what came ------------------------------------------------------------------------------

    def _asked(self, method: str, path: str, asked: Mapping[str, Any], status: int) -> None:
        self.told({"system": path.split("/")[1], "asked": f"{method} {path}", "with": asked,
                   "answered": status})  # fmt: skip

    def _posted(self, posted: Posted) -> tuple[int, Any]:
        told = _read(posted.body)
        if posted.path.endswith("/chat/completions"):
            self.told({"system": "text", "model": told.get("model")})
            return 200, _summed_up(told)
        self.told({"system": "webhook", "event": told.get("event"), "data": told.get("data"),
                   "signed": "x-webhook-signature" in posted.headers})  # fmt: skip
        return 200, {}

    def _mailed(self, letter: Mailed) -> str:
        read = email.message_from_bytes(letter.content, policy=email.policy.default)
        body = read.get_body(("plain",))
        text = "" if body is None else str(body.get_content())
        self.told({"system": "mail", "to": letter.to, "subject": str(read["Subject"]),
                   "text": text})  # fmt: skip
        return "250 taken"


def has_mcp() -> bool:
    """Whether the SDK is installed, and what serves it."""
    return all(importlib.util.find_spec(name) for name in ("mcp", "uvicorn"))


def _read(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _summed_up(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A summary that understands nothing: how many said something, and the first of it."""
    try:
        lines = msgspec.json.decode(asked["messages"][-1]["content"])
        said = [str(one["said"]) for one in lines if one.get("who") == "user"]
    except (msgspec.MsgspecError, LookupError, TypeError, AttributeError):
        said = []
    first = f" It began with: {said[0]}" if said else ""
    summary = f"The caller spoke {len(said)} times.{first}"
    content = msgspec.json.encode({"summary": summary, "fields": {}}).decode()
    return {"choices": [{"message": {"content": content}}], "usage": _TOKENS}
