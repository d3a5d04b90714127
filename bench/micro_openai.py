"""CPU time of the OpenAI provider's two hot paths: `python bench/micro_openai.py`.

Caller's 20 ms frame to `input_audio_buffer.append` as the host takes it, and a 100 ms
`response.output_audio.delta` to an `Audio` event; best of several rounds, microseconds a call.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

import pybase64

from bridge.audio.formats import L16_24K, PCMU_8K, AudioFormat
from bridge.providers.conversation import Conversation
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import CHANNEL, OpenAIRealtime

ROUNDS = 9
CALLS = 5000


def best_us(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(CALLS):
            work()
        best = min(best, time.process_time() - begin)
    return best / CALLS * 1e6


def session(audio_format: AudioFormat) -> OpenAIRealtime:
    provider = OpenAIRealtime(OpenAIRealtimeConfig(api_key="sk-bench"))
    provider.start(Conversation(audio_format, audio_format), 0.0)
    provider.actions()
    provider.receive_open(CHANNEL, 0.0)
    provider.receive_message(CHANNEL, b'{"type":"session.updated","session":{"id":"sess_1"}}', 0.0)
    provider.actions()
    provider.next_event()
    return provider


def uplink(provider: OpenAIRealtime, frame: bytes) -> Callable[[], object]:
    def work() -> None:
        provider.send_audio(frame)
        provider.actions()

    return work


def downlink(provider: OpenAIRealtime, audio: bytes) -> Callable[[], object]:
    message = json.dumps(
        {
            "type": "response.output_audio.delta",
            "event_id": "event_CCXGRvtUVrax5SJAnNOWZ",
            "response_id": "resp_CCXGQ4e1ht4cOraEYcuR2",
            "item_id": "item_CCXGQiZB5NHe7AgcyFJGd",
            "output_index": 0,
            "content_index": 0,
            "delta": pybase64.b64encode(audio).decode(),
        }
    ).encode()

    def work() -> None:
        provider.receive_message(CHANNEL, message, 1.0)
        provider.next_event()

    return work


def main() -> None:
    for audio_format in (L16_24K, PCMU_8K):
        provider = session(audio_format)
        frame = os.urandom(audio_format.bytes_per_frame)
        delta = os.urandom(audio_format.bytes_for_ms(100))
        print(f"{audio_format}: append of {len(frame)} B {best_us(uplink(provider, frame)):.2f} us")
        print(f"{audio_format}: delta of 100 ms {best_us(downlink(provider, delta)):.2f} us")


if __name__ == "__main__":
    main()
