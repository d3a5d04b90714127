"""OpenAI Realtime: what is to be paid for, in the bridge's own `Usage`.

Token fields: OpenAI API reference, Realtime `response.done` and
`conversation.item.input_audio_transcription.completed` (2026-08). Cached tokens are a part of
the input tokens.
"""

from __future__ import annotations

from bridge.providers.base import Usage
from bridge.providers.openai.structures import ResponseUsage, TokenDetails, TranscriptionUsage

MAX_COUNT = 2**31
"""Larger counts are nonsense and count as none."""


def count(value: float | None) -> int:
    """A token or millisecond count of the peer as a number that can be trusted."""
    return int(value) if value is not None and 0 <= value < MAX_COUNT else 0


def response_usage(usage: ResponseUsage, vendor: str, model: str) -> Usage:
    """The bill of one response."""
    inputs = usage.input_token_details or TokenDetails()
    cached = inputs.cached_tokens_details or TokenDetails()
    outputs = usage.output_token_details or TokenDetails()
    return Usage(
        vendor=vendor,
        model=model,
        input_text_tokens=count(inputs.text_tokens),
        input_audio_tokens=count(inputs.audio_tokens),
        input_image_tokens=count(inputs.image_tokens),
        cached_text_tokens=count(cached.text_tokens),
        cached_audio_tokens=count(cached.audio_tokens),
        output_text_tokens=count(outputs.text_tokens),
        output_audio_tokens=count(outputs.audio_tokens),
    )


def transcription_usage(usage: TranscriptionUsage, vendor: str, model: str) -> Usage:
    """The bill of transcribing one turn of the caller: by time or by token."""
    seconds = usage.seconds if usage.seconds is not None else 0.0
    return Usage(
        vendor=vendor,
        model=model,
        transcription_seconds=float(seconds) if 0 <= seconds < MAX_COUNT else 0.0,
        transcription_tokens=count(usage.total_tokens),
    )
