"""CPU time of the wire, step by step: `python bench/micro_wire.py`.

Best of several rounds, microseconds a call. The last rows are whole ways through the hub with
real sockets, system calls included; what the peers' own socket calls cost is taken off.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

import gevent
import gevent.event
import pybase64

from bridge.wire.frames import (
    BINARY,
    TEXT,
    FrameLimits,
    FrameParser,
    Role,
    client_frame,
    server_frame,
)
from bridge.wire.link import CloseInfo, LinkLimits, WebSocketLink
from bridge.wire.masking import apply_mask, xor_mask

ROUNDS = 9
CALLS = 5000
LINKS = 50
TURNS = 100
KEY = b"\x01\x02\x03\x04"
UPLINK_BYTES = 640
APPEND_BYTES = 1330
"""An `input_audio_buffer.append` with 20 ms of L16 at 24 kHz."""
DELTA_BYTES = 6600
"""A `response.output_audio.delta` with 100 ms of the same."""


def best_us(work: Callable[[], object], calls: int = CALLS) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(calls):
            work()
        best = min(best, time.process_time() - begin)
    return best / calls * 1e6


def pure() -> dict[str, float]:
    frame, delta = os.urandom(UPLINK_BYTES), os.urandom(DELTA_BYTES)
    append = pybase64.b64encode(os.urandom(APPEND_BYTES * 3 // 4))
    masked = client_frame(BINARY, frame, KEY)
    message = server_frame(TEXT, delta)
    server = FrameParser(Role.SERVER, FrameLimits())
    client = FrameParser(Role.CLIENT, FrameLimits(1 << 24, validate_text=False))
    return {
        "unmask 640 B, C": best_us(lambda: apply_mask(frame, KEY)),
        "unmask 640 B, without the extension": best_us(lambda: xor_mask(frame, KEY)),
        "parse masked 640 B, one a read": best_us(lambda: server.receive_data(masked)),
        "parse masked 640 B, five a read": best_us(lambda: server.receive_data(masked * 5)) / 5,
        "parse 6.6 kB from the provider": best_us(lambda: client.receive_data(message)),
        "build 640 B for the switch": best_us(lambda: server_frame(BINARY, frame)),
        "build masked 1.3 kB for the provider": best_us(lambda: client_frame(TEXT, append, KEY)),
    }


def ignore_end(_info: CloseInfo) -> None:
    """The bench closes its links itself."""


class Relay:
    """A call's two links: what the switch sends is answered by one message to the provider."""

    def __init__(self, reply: bytes | None, served: Callable[[], None]) -> None:
        self._served = served
        self.switch, ours = socket.socketpair()
        theirs, self.provider = socket.socketpair()
        for sock in (self.switch, self.provider):
            sock.setblocking(False)
        self._reply = reply
        self.up = self._link(ours, Role.SERVER)
        self.down = self._link(theirs, Role.CLIENT)

    def _link(self, sock: socket.socket, role: Role) -> WebSocketLink:
        return WebSocketLink(
            sock,
            role=role,
            on_messages=self._on_messages,
            on_closed=ignore_end,
            limits=LinkLimits(),
        )

    def _on_messages(self, messages: list[tuple[int, bytes]]) -> None:
        if self._reply is not None:
            for _ in messages:
                self.down.send_text(self._reply)
        self._served()

    def close(self) -> None:
        """End both links and their peers."""
        for end in (self.up, self.down):
            end.abort()
        self.switch.close()
        self.provider.close()


def through_the_hub(reply: bytes | None) -> float:
    """Microseconds for a frame from the readable socket to the end of the handler."""
    served = 0
    all_served = gevent.event.Event()

    def count() -> None:
        nonlocal served
        served += 1
        if served == LINKS:
            all_served.set()

    relays = [Relay(reply, count) for _ in range(LINKS)]
    wire = client_frame(BINARY, os.urandom(UPLINK_BYTES), KEY)
    expected = None if reply is None else len(reply) + 8
    gevent.sleep(0.01)

    def turn() -> None:
        nonlocal served
        served = 0
        all_served.clear()
        for relay in relays:
            relay.switch.send(wire)
        all_served.wait()
        if expected is not None:
            for relay in relays:
                relay.provider.recv(expected)

    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(TURNS):
            turn()
        best = min(best, time.process_time() - begin)
    for relay in relays:
        relay.close()
    gevent.sleep(0)
    return best / TURNS / LINKS * 1e6


def peers_alone(size: int) -> float:
    """A write and a read of the peers' own."""
    one, other = socket.socketpair()
    data = bytes(size)

    def both() -> None:
        one.send(data)
        other.recv(size)

    cost = best_us(both)
    one.close()
    other.close()
    return cost


def hub() -> dict[str, float]:
    # A write and a read are both counted once too often for the two sockets of the peers.
    received = through_the_hub(None) - peers_alone(UPLINK_BYTES + 8) / 2
    relayed = through_the_hub(bytes(APPEND_BYTES)) - (
        peers_alone(UPLINK_BYTES + 8) / 2 + peers_alone(APPEND_BYTES + 8) / 2
    )
    return {
        "readable socket to handler, 640 B": received,
        "the same and 1.3 kB written to the provider": relayed,
    }


def main() -> None:
    for name, cost_us in {**pure(), **hub()}.items():
        print(f"{name:<46} {cost_us:7.2f} us")


if __name__ == "__main__":
    main()
