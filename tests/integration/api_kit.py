"""A service with its interface open, and a client of it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from esl_controller.settings.types import Secret
from tests.integration.service import Service

TOKEN = "a-token-of-24-characters"
OPEN: dict[str, Any] = {"http": {"admin_token": Secret(TOKEN)}}
"""Settings for `service`."""


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Event:
    """One server-sent event; a comment has the kind ``:``."""

    kind: str
    data: Any
    id: str = ""


class Client:
    """Asks one worker."""

    def __init__(self, address: tuple[str, int], token: str = TOKEN) -> None:
        self.address = address
        self.token = token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        connection, response = self._send(method, path, body, headers)
        answer = Answer(response.status, dict(response.getheaders()), response.read())
        connection.close()
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.ask("POST", path, body)

    def watch(self, path: str, last_event_id: str = "") -> Stream:
        """Begin to read events."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        connection, response = self._send("GET", path, None, headers)
        assert response.status == 200, response.read()
        return Stream(connection, response)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, f"/api/v1{path}", content, sent)
        return connection, connection.getresponse()


class Stream:
    """Server-sent events, read one by one."""

    def __init__(self, connection: http.client.HTTPConnection, response: Any) -> None:
        self._connection = connection
        self._response = response

    def __iter__(self) -> Iterator[Event]:
        """Every event and comment until the stream ends."""
        fields: dict[str, str] = {}
        for raw in self._response:
            line = raw.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
            elif "data" in fields:
                kind, data = fields["event"], json.loads(fields["data"])
                yield Event(kind, data, fields.get("id", ""))
                fields = {}
            else:
                if "" in fields:
                    yield Event(":", fields[""])
                fields = {}
        self.close()

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def client_of(running: Service) -> Client:
    return Client(running.app.media.address)
