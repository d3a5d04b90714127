"""Gemini Live: what is to be paid for, in the bridge's own `Usage`.

`usageMetadata` tells each turn's tokens anew, with everything said before: the sum over the turns
is what is billed. Details by modality do not add up to the total; what is missing counts as text.
Vertex has other names for the answer's fields (`google-genai` 3.4.0, `_live_converters.py`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.providers.base import Usage

VENDOR = "gemini"
"""As in the price list."""
MAX_COUNT = 2**31
"""Larger counts are nonsense and count as none."""
_IMAGES = ("IMAGE", "VIDEO", "DOCUMENT")


class _Metadata(msgspec.Struct, rename="camel"):
    prompt_token_count: Any = 0
    cached_content_token_count: Any = 0
    response_token_count: Any = 0
    candidates_token_count: Any = 0
    tool_use_prompt_token_count: Any = 0
    thoughts_token_count: Any = 0
    prompt_tokens_details: Any = None
    cache_tokens_details: Any = None
    response_tokens_details: Any = None
    candidates_tokens_details: Any = None


_decode = msgspec.json.Decoder(_Metadata).decode


def usage_of(raw: msgspec.Raw, model: str) -> Usage | None:
    """The bill of one turn so far; None when there is none."""
    try:
        told = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    prompt = _by_modality(told.prompt_tokens_details)
    cached = _by_modality(told.cache_tokens_details)
    made = told.response_tokens_details or told.candidates_tokens_details
    answer = _by_modality(made)
    answer_count = _count(told.response_token_count) or _count(told.candidates_token_count)
    usage = Usage(
        vendor=VENDOR,
        model=model,
        input_text_tokens=_text(_count(told.prompt_token_count), prompt)
        + _count(told.tool_use_prompt_token_count),
        input_audio_tokens=prompt.get("AUDIO", 0),
        input_image_tokens=sum(prompt.get(name, 0) for name in _IMAGES),
        cached_text_tokens=_text(_count(told.cached_content_token_count), cached),
        cached_audio_tokens=cached.get("AUDIO", 0),
        output_text_tokens=_text(answer_count, answer) + _count(told.thoughts_token_count),
        output_audio_tokens=answer.get("AUDIO", 0),
    )
    return usage if usage != Usage(VENDOR, model) else None


def _text(total: int, details: dict[str, int]) -> int:
    """All that is not of another modality."""
    return max(details.get("TEXT", 0), total - sum(details.values()) + details.get("TEXT", 0))


def _by_modality(details: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in details[:16] if isinstance(details, list) else ():
        if isinstance(one, dict) and isinstance(one.get("modality"), str):
            name = one["modality"]
            found[name] = found.get(name, 0) + _count(one.get("tokenCount"))
    return found


def _count(value: Any) -> int:
    """A count that can be trusted; protobuf's JSON may write 64-bit numbers as texts."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value < MAX_COUNT else 0
