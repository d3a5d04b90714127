"""The end of a turn by a model: what it is asked, when, and what is refused."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from bridge.speech.service import Options, Place, Refused
from bridge.speech.turn_model import open_turn_end

RATE_HZ = 8000


def field(number: int, value: int | bytes) -> bytes:
    """One field of a protobuf message (onnx.proto3)."""
    if isinstance(value, int):
        return bytes([number << 3]) + varint(value)
    return bytes([number << 3 | 2]) + varint(len(value)) + value


def varint(value: int) -> bytes:
    low = value & 0x7F
    return bytes([low]) if value < 0x80 else bytes([low | 0x80]) + varint(value >> 7)


def tensor(name: bytes, *shape: int) -> bytes:
    dims = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def model(*shape: int) -> bytes:
    """Sure of the end as much as the turn's loudest sample: `ReduceMax` of everything."""
    node = field(1, b"x") + field(2, b"p") + field(4, b"ReduceMax")
    out = tensor(b"p", *(1 for _ in shape))
    graph = field(1, node) + field(2, b"g") + field(11, tensor(b"x", *shape)) + field(12, out)
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


@pytest.fixture
def place(tmp_path):
    def make(*shape: int) -> Place:
        path = tmp_path / f"turn-{len(shape)}.onnx"
        path.write_bytes(model(*shape))
        return Place(turn_model=path)

    return make


def tone(ms: int, peak: float) -> bytes:
    at = np.arange(RATE_HZ * ms // 1000) / RATE_HZ
    return (np.sin(2 * np.pi * 300 * at) * peak * 32767).astype("<i2").tobytes()


def hear(ear, data: bytes) -> list[int]:
    """Where turns ended, in milliseconds; pieces as the bridge sends them."""
    return [one.number for n in range(0, len(data), 320) for one in ear.hear(data[n : n + 320])]


def test_a_pause_after_what_the_model_takes_for_a_whole_turn_ends_it(place):
    ear = open_turn_end(Options(rate_hz=RATE_HZ), place(1, 128000))
    (ended,) = hear(ear, tone(600, 0.8) + bytes(16 * 1000))
    assert 780 <= ended <= 880
    (again,) = hear(ear, tone(600, 0.8) + bytes(16 * 1000))
    assert again > 1600


def test_a_pause_in_the_middle_does_not(place):
    ear = open_turn_end(Options(rate_hz=RATE_HZ), place(1, 128000))
    assert hear(ear, tone(600, 0.2) + bytes(16 * 1000)) == []
    assert len(hear(ear, tone(300, 0.9) + bytes(16 * 400))) == 1


def test_a_click_is_no_turn(place):
    ear = open_turn_end(Options(rate_hz=RATE_HZ), place(1, 128000))
    assert hear(ear, tone(60, 0.9) + bytes(16 * 1000)) == []


def test_what_is_refused_is_said_why(place, tmp_path, monkeypatch):
    options = Options(rate_hz=RATE_HZ)
    with pytest.raises(Refused, match="no turn model"):
        open_turn_end(options, Place())
    with pytest.raises(Refused, match=r"not float \[1, samples\]"):
        open_turn_end(options, place(1, 80, 800))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(Refused, match="broken"):
        open_turn_end(options, Place(turn_model=broken))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Refused, match="pip install"):
        open_turn_end(options, place(1, 128000))
