"""The emulated session's settings: defaults, partial updates, and what is refused.

Keys, values and defaults: OpenAI API reference, Realtime session (2026-08); the silence of
200 ms is what the reference's own example of `session.created` shows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from bridge.audio.formats import L16_24K, PCMA_8K, PCMU_8K, AudioFormat
from esl_controller.simulator.openai.conversation import ClientError

FORMATS = {"audio/pcm": L16_24K, "audio/pcmu": PCMU_8K, "audio/pcma": PCMA_8K}
VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
SEMANTIC_VAD = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
Check = Callable[[Any], bool]
Schema = dict[str, Any]


def _number(low: float, high: float) -> Check:
    return lambda value: type(value) in (int, float) and low <= value <= high


def _integer(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _one_of(*words: object) -> Check:
    return lambda value: value in words


def _is(*types: type) -> Check:
    return lambda value: isinstance(value, types)


def _voice(value: Any) -> bool:
    """A name the service knows, or an object with the id of a custom voice."""
    if isinstance(value, dict):
        return isinstance(value.get("id"), str)
    return value in VOICES


_boolean = _is(bool)
_string = _is(str)
_FORMAT: Schema = {"type": _one_of(*FORMATS), "rate": _one_of(24000, 8000)}
_NULLABLE = "null"
"""Marks an object that `null` turns off."""
_TURN = {"create_response": _boolean, "interrupt_response": _boolean}
_SERVER_VAD: Schema = _TURN | {
    "type": _string,
    "threshold": _number(0, 1),
    "prefix_padding_ms": _integer(0, 60000),
    "silence_duration_ms": _integer(0, 60000),
    "idle_timeout_ms": lambda value: value is None or _integer(5000, 30000)(value),
}
_SEMANTIC_VAD: Schema = _TURN | {
    "type": _string,
    "eagerness": _one_of("low", "medium", "high", "auto"),
}
_NOISE_REDUCTION: Schema = {
    _NULLABLE: True,
    "type": _one_of("near_field", "far_field"),
    "strength": _number(0, 1),
}
_TRANSCRIPTION: Schema = {
    _NULLABLE: True,
    "model": _string,
    "language": _string,
    "languages": _is(list),
    "prompt": _string,
    "keywords": _is(list),
    "delay": _one_of("minimal", "low", "medium", "high", "xhigh"),
}
_AUDIO: Schema = {
    "input": {
        "format": _FORMAT,
        "noise_reduction": _NOISE_REDUCTION,
        "transcription": _TRANSCRIPTION,
        "turn_detection": None,
    },
    "output": {
        "format": _FORMAT,
        "voice": _voice,
        "speed": _number(0.25, 1.5),
    },
}
_tokens: Check = lambda value: value == "inf" or _integer(1, 4096)(value)  # noqa: E731
_modalities = _one_of(["audio"], ["text"])
_tool_choice: Check = lambda value: (  # noqa: E731
    value in ("auto", "none", "required") or isinstance(value, dict)
)
SESSION: Schema = {
    "type": _one_of("realtime", "transcription"),
    "model": _string,
    "output_modalities": _modalities,
    "instructions": _string,
    "max_output_tokens": _tokens,
    "tools": _is(list),
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _boolean,
    "reasoning": _is(dict),
    "prompt": _is(dict, type(None)),
    "tracing": _is(str, dict, type(None)),
    "truncation": _is(str, dict),
    "include": _is(list, type(None)),
    "audio": _AUDIO,
}
RESPONSE: Schema = {
    "instructions": _string,
    "output_modalities": _modalities,
    "audio": {"output": {"format": _FORMAT, "voice": _AUDIO["output"]["voice"]}},
    "tools": _is(list),
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _boolean,
    "max_output_tokens": _tokens,
    "reasoning": _is(dict),
    "prompt": _is(dict),
    "metadata": _is(dict, type(None)),
    "conversation": _one_of("auto", "none"),
    "input": _is(list),
}


def default_session(session_id: str, model: str, expires_at: int) -> dict[str, Any]:
    """The complete session as `session.created` shows it."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "You are a helpful assistant.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "include": None,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(SERVER_VAD),
            },
            "output": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "voice": "marin",
                "speed": 1.0,
            },
        },
    }


def updated(session: dict[str, Any], patch: object, *, voice_fixed: bool) -> dict[str, Any]:
    """The session after `patch`; only keys that are present change.

    Raises `ClientError` for an unknown or wrong value, and then nothing has changed.
    """
    if not isinstance(patch, dict):
        raise ClientError("missing_required_parameter", "Missing 'session'.", "session")
    if "type" not in patch:
        raise missing("session.type")
    check(patch, SESSION, "session")
    _check_fixed(session, patch, voice_fixed=voice_fixed)
    return _merged(session, patch)


def check(patch: dict[str, Any], schema: Schema, path: str) -> None:
    """Raise `ClientError` for the first key or value that `schema` does not know."""
    for key, value in patch.items():
        if key not in schema or key == _NULLABLE:
            raise ClientError(
                "unknown_parameter", f"Unknown parameter: '{path}.{key}'.", f"{path}.{key}"
            )
        _check_value(value, schema[key], f"{path}.{key}")


def _check_value(value: Any, rule: Any, path: str) -> None:
    if path.endswith(".turn_detection"):
        _check_turn_detection(value, path)
    elif not isinstance(rule, dict):
        if not rule(value):
            raise invalid(path, value)
    elif value is None and rule.get(_NULLABLE):
        return
    elif isinstance(value, dict):
        if path.endswith(".format") and "type" not in value:
            raise missing(f"{path}.type")
        check(value, rule, path)
    else:
        raise invalid(path, value)


def _check_turn_detection(value: Any, path: str) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        raise invalid(path, value)
    if "type" not in value:
        raise missing(f"{path}.type")
    schemas = {"server_vad": _SERVER_VAD, "semantic_vad": _SEMANTIC_VAD}
    schema = schemas.get(str(value["type"]))
    if schema is None:
        raise invalid(f"{path}.type", value["type"])
    check(value, schema, path)


def _check_fixed(session: dict[str, Any], patch: dict[str, Any], *, voice_fixed: bool) -> None:
    if patch["type"] != session["type"]:
        raise invalid("session.type", patch["type"])
    if patch.get("model", session["model"]) != session["model"]:
        raise ClientError(
            "invalid_value", "The session's model cannot be changed.", "session.model"
        )
    old = session["audio"]["output"]["voice"]
    if voice_fixed and patch.get("audio", {}).get("output", {}).get("voice", old) != old:
        text = "Cannot update a conversation's voice if assistant audio is present."
        raise ClientError("cannot_update_voice", text, "session.audio.output.voice")


def _merged(session: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(session)
    for key, value in patch.items():
        if key != "audio":
            merged[key] = value
    for direction, fields in patch.get("audio", {}).items():
        for key, value in fields.items():
            merged["audio"][direction][key] = _filled(key, value)
    return merged


def _filled(key: str, value: Any) -> Any:
    """An object with its type's defaults; other values as they are."""
    if key == "turn_detection" and value is not None:
        defaults = SERVER_VAD if value["type"] == "server_vad" else SEMANTIC_VAD
        return defaults | value
    if key == "format" and value["type"] == "audio/pcm":
        return {"rate": 24000} | value
    return value


def audio_format(session: dict[str, Any], direction: str) -> AudioFormat:
    """The format of one direction's audio."""
    return FORMATS[session["audio"][direction]["format"]["type"]]


def invalid(param: str, value: object) -> ClientError:
    """A value the service does not accept."""
    return ClientError("invalid_value", f"Invalid value: {str(value)[:100]!r}.", param)


def missing(param: str) -> ClientError:
    """A parameter the service requires."""
    return ClientError(
        "missing_required_parameter", f"Missing required parameter: '{param}'.", param
    )
