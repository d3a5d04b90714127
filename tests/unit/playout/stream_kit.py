"""A playout stream with a far side that notes what is heard."""

from bridge.audio.formats import L16_8K
from bridge.audio.pacer import Pacer
from bridge.playout.stream import PlayoutStream

from .far_side import FarSide, speech


def make(**traits) -> tuple[FarSide, Pacer, PlayoutStream]:
    far, pacer = FarSide(**traits), Pacer()
    far.now = 100.0
    return far, pacer, PlayoutStream(far, pacer)


def ms(count: int, first: int = 0) -> bytes:
    return speech(L16_8K, count, first)
