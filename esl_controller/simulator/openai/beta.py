"""The retired beta's names and flat session, for emulating servers that still speak them.

Source: `openai` Python package 3.54.0, `types/beta/realtime`.
"""

from __future__ import annotations

from typing import Any

_EVENT_NAMES = {
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "conversation.item.added": "conversation.item.created",
}
_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_FORMAT_NAMES = {name: word for word, name in _FORMATS.items()}
_INPUT_KEYS = {
    "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction",
    "turn_detection": "turn_detection",
}
_OUTPUT_KEYS = ("voice", "speed")


def event_to_beta(event: dict[str, Any]) -> dict[str, Any]:
    """The same event under its beta name."""
    event = event | {"type": beta_name(event["type"])}
    if "session" in event:
        event["session"] = session_to_beta(event["session"])
    return event


def beta_name(kind: str) -> str:
    """The beta's name of an event."""
    return _EVENT_NAMES.get(kind, kind)


def session_to_beta(session: dict[str, Any]) -> dict[str, Any]:
    """Today's session object, flattened."""
    audio_in, audio_out = session["audio"]["input"], session["audio"]["output"]
    flat = {key: session[key] for key in ("id", "object", "model", "instructions", "tools")}
    flat |= {
        "modalities": ["text", *session["output_modalities"]],
        "input_audio_format": _FORMAT_NAMES[audio_in["format"]["type"]],
        "output_audio_format": _FORMAT_NAMES[audio_out["format"]["type"]],
        "tool_choice": session["tool_choice"],
        "max_response_output_tokens": session["max_output_tokens"],
    }
    flat |= {key: audio_in[name] for key, name in _INPUT_KEYS.items()}
    return flat | {key: audio_out[key] for key in _OUTPUT_KEYS}


def session_from_beta(flat: dict[str, Any]) -> dict[str, Any]:
    """A flat `session.update` as today's. Unknown keys stay and are refused later."""
    rest = dict(flat)
    audio: dict[str, dict[str, Any]] = {"input": {}, "output": {}}
    for direction, fields in audio.items():
        word = rest.pop(f"{direction}_audio_format", None)
        if word is not None:
            fields["format"] = {"type": _FORMATS.get(word, word)}
    for key, name in _INPUT_KEYS.items():
        if key in rest:
            audio["input"][name] = rest.pop(key)
    for key in _OUTPUT_KEYS:
        if key in rest:
            audio["output"][key] = rest.pop(key)
    if "max_response_output_tokens" in rest:
        rest["max_output_tokens"] = rest.pop("max_response_output_tokens")
    rest.pop("modalities", None)
    rest.pop("temperature", None)
    return rest | {"type": "realtime", "audio": audio}
