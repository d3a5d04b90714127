"""The module's WebSocket client: frames out, frames in, slow readers."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.simulator.switch.stream_socket import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    StreamSocket,
    masked_frame,
    upgrade_request,
)
from tests.unit.simulator.conftest import wait_until


def unmasked(data: bytes) -> tuple[int, bytes, bytes]:
    """Opcode and payload of the first frame, and the rest."""
    size, offset = data[1] & 0x7F, 2
    if size >= 126:
        width = 2 if size == 126 else 8
        size, offset = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
    mask, start = data[offset : offset + 4], offset + 4
    payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data[start : start + size]))
    return data[0] & 0x0F, payload, data[start + size :]


def server_frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    first = (0x80 if final else 0) | opcode
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    return bytes((first, 126)) + len(payload).to_bytes(2, "big") + payload


@given(st.binary(max_size=70000), st.integers(0, 2**32 - 1), st.sampled_from([TEXT, BINARY]))
def test_masked_frames_unmask(payload: bytes, key: int, opcode: int) -> None:
    frame = masked_frame(opcode, payload, key)
    assert frame[0] == 0x80 | opcode
    assert frame[1] & 0x80
    assert unmasked(frame) == (opcode, payload, b"")


@pytest.mark.parametrize(
    ("url", "first", "host"),
    [
        ("ws://h:8085/a/b?c=d", "GET /a/b?c=d HTTP/1.1", "h:8085"),
        ("ws://h", "GET / HTTP/1.1", "h:80"),
        ("wss://h/x", "GET /x HTTP/1.1", "h:443"),
    ],
)
def test_upgrade_request(url: str, first: str, host: str) -> None:
    lines = upgrade_request(url, []).decode().split("\r\n")
    assert lines[0] == first
    assert lines[1] == f"Host:{host}"


@pytest.fixture
def pair() -> Iterator[tuple[StreamSocket, socket.socket, list[tuple[int, bytes]], list[str]]]:
    near, far = socket.socketpair()
    messages: list[tuple[int, bytes]] = []
    gone: list[str] = []
    stream = StreamSocket(near, lambda *message: messages.append(message), gone.append)
    far.settimeout(5)
    yield stream, far, messages, gone
    stream.close()
    far.close()


def test_a_slow_reader_loses_nothing(pair) -> None:
    stream, far, _, _ = pair
    payloads = [bytes([number]) * 10_000 for number in range(100)]
    for payload in payloads:
        stream.send(BINARY, payload)
    assert stream.backlog_bytes > 0
    data = bytearray()
    while len(data) < 100 * 10_008:
        data += far.recv(100_000)
    received = []
    rest = bytes(data)
    while rest:
        _, payload, rest = unmasked(rest)
        received.append(payload)
    assert received == payloads
    assert stream.backlog_bytes == 0


def test_fragments_pings_and_any_cut(pair) -> None:
    _, far, messages, _ = pair
    text = "grüße".encode()
    data = (
        server_frame(TEXT, text[:3], final=False)
        + server_frame(PING, b"p")
        + server_frame(0, text[3:])
        + server_frame(BINARY, bytes(300))
        + server_frame(CLOSE, b"\x03\xe8")
    )
    for at in range(len(data)):
        far.sendall(data[at : at + 1])
        if at % 50 == 0:
            gevent.sleep(0)
    wait_until(lambda: len(messages) == 3)
    assert messages == [(TEXT, text), (BINARY, bytes(300)), (CLOSE, b"\x03\xe8")]
    assert unmasked(far.recv(100))[:2] == (PONG, b"p")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x81\x81\0\0\0\0x", "WebSocket protocol error (1002)"),
        (b"\xc1\x01x", "WebSocket protocol error (1002)"),
        (b"\x82\x7f" + (1 << 40).to_bytes(8, "big"), "WebSocket message too big"),
    ],
)
def test_broken_frames_end_it(pair, data: bytes, reason: str) -> None:
    _, far, _, gone = pair
    far.sendall(data)
    wait_until(lambda: bool(gone))
    assert gone[0].startswith(reason)


def test_orderly_end_and_writing_after_it(pair) -> None:
    stream, far, _, gone = pair
    far.close()
    wait_until(lambda: bool(gone))
    assert gone == [""]
    stream.send(TEXT, b"nobody")
    stream.resume_reading()
