"""What a kind of service is to the connection that carries it: who is let in, and to what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from websockets.http11 import Request

from esl_controller.simulator.service.faults import ConnectionFaults
from esl_controller.simulator.service.record import ConnectionRecord


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a request is answered that is not let in to a WebSocket."""

    status: int
    body: str
    content_type: str = "application/json"


class Session(Protocol):
    """The service's side of one WebSocket; no socket and no clock."""

    @property
    def closing(self) -> tuple[int, str] | None:
        """Close code and reason, once it wants to end."""

    def receive_message(self, message: bytes, now: float) -> None:
        """Take one text message of the client."""

    def messages_to_send(self) -> list[bytes]:
        """Take all messages to be sent now."""

    def next_deadline(self) -> float | None:
        """When `handle_timeout` is wanted."""

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""


class Door(Protocol):
    """One connection's way in."""

    @property
    def max_message_bytes(self) -> int:
        """Longest message of the client."""

    @property
    def fast(self) -> bool:
        """For load tests: what is plain is taken the shortest way."""

    @property
    def binary(self) -> bool:
        """Its messages are binary frames, and the client's may be either."""

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """Those it takes, best first."""

    @property
    def record(self) -> ConnectionRecord:
        """Where the connection is told of."""

    def take_faults(self, request: Request) -> ConnectionFaults:
        """What shall go wrong with this request; asked once."""

    def answer(self, request: Request) -> HttpAnswer | None:
        """An answer by HTTP; None for a client that may come in."""

    def open(self, request: Request) -> Session:
        """The session behind the door."""
