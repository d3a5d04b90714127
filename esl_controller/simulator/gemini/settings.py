"""What the emulated service takes as `setup`, and how it refuses the rest.

Fields: Live API reference, `BidiGenerateContentSetup` (2026-11). A refusal is a close frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esl_controller.simulator.gemini.config import VOICES

_ANY: Mapping[str, Any] = {}
"""Any object: not looked into."""
SETUP: Mapping[str, Any] = {
    "model": None,
    "generationConfig": {
        "responseModalities": None,
        "temperature": None,
        "topP": None,
        "topK": None,
        "maxOutputTokens": None,
        "seed": None,
        "mediaResolution": None,
        "enableAffectiveDialog": None,
        "speechConfig": {
            "languageCode": None,
            "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": None}},
        },
        "thinkingConfig": {"thinkingLevel": None, "thinkingBudget": None, "includeThoughts": None},
    },
    "systemInstruction": _ANY,
    "tools": None,
    "realtimeInputConfig": {
        "automaticActivityDetection": {
            "disabled": None,
            "startOfSpeechSensitivity": None,
            "endOfSpeechSensitivity": None,
            "prefixPaddingMs": None,
            "silenceDurationMs": None,
        },
        "activityHandling": None,
        "turnCoverage": None,
    },
    "inputAudioTranscription": _ANY,
    "outputAudioTranscription": _ANY,
    "sessionResumption": {"handle": None, "transparent": None},
    "contextWindowCompression": {
        "triggerTokens": None,
        "slidingWindow": {"targetTokens": None},
    },
    "proactivity": {"proactiveAudio": None, "proactiveVideo": None},
    "historyConfig": {"initialHistoryInClientContent": None},
    "safetySettings": None,
    "labels": _ANY,
}
_SCHEMA = frozenset(
    [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "default",
        "items",
        "minItems",
        "maxItems",
        "enum",
        "properties",
        "propertyOrdering",
        "required",
        "minProperties",
        "maxProperties",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "anyOf",
    ]
)
_DECLARATION = frozenset(
    [
        "name",
        "description",
        "parameters",
        "parametersJsonSchema",
        "response",
        "responseJsonSchema",
        "behavior",
    ]
)


class Refused(Exception):
    """The connection is closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def invalid(text: str = "Request contains an invalid argument.") -> Refused:
    """What the service says of nearly everything."""
    return Refused(1007, text)


def check_setup(setup: Any) -> dict[str, Any]:
    """A setup that will do. Raises `Refused`."""
    if not isinstance(setup, dict):
        raise invalid()
    _check_fields(setup, SETUP, "setup")
    model = setup.get("model")
    name = model.rpartition("/")[2] if isinstance(model, str) and "/" in model else ""
    if not name.startswith("gemini-") or ("live" not in name and "native-audio" not in name):
        raise Refused(
            1008,
            f"{model} is not found for API version v1beta, or is not supported for "
            "bidiGenerateContent. Call ListModels to see the list of available models",
        )
    generation = setup.get("generationConfig", {})
    if generation.get("responseModalities", ["AUDIO"]) != ["AUDIO"]:
        raise invalid()
    _check_speech(generation.get("speechConfig", {}), name)
    _check_model_fields(setup, generation, name)
    for tool in setup.get("tools") or ():
        _check_tool(tool)
    return setup


def _check_fields(value: dict[str, Any], known: Mapping[str, Any], path: str) -> None:
    for name, inner in value.items():
        if name not in known:
            raise invalid(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find "
                "field."
            )
        fields = known[name]
        if fields is not None and not isinstance(inner, dict):
            raise invalid()
        if fields:
            _check_fields(inner, fields, f"{path}.{name}")


def _check_speech(speech: dict[str, Any], model: str) -> None:
    voice = speech.get("voiceConfig", {}).get("prebuiltVoiceConfig", {}).get("voiceName")
    if voice is not None and voice not in VOICES:
        raise invalid(f"Requested voice api_name '{voice}' is not available for model {model}")
    language = speech.get("languageCode")
    if language is not None and ("native-audio" in model or not isinstance(language, str)):
        raise invalid(f"Unsupported language code '{language}' for model {model}")


def _check_model_fields(setup: dict[str, Any], generation: dict[str, Any], model: str) -> None:
    latest = "2.5" not in model
    asks = {
        "thinkingConfig": model.startswith("gemini-3.8"),
        "enableAffectiveDialog": latest,
    }
    if any(generation.get(name) and refused for name, refused in asks.items()):
        raise invalid()
    if latest and setup.get("proactivity"):
        raise invalid()


def _check_tool(tool: Any) -> None:
    for declared in tool.get("functionDeclarations", ()) if isinstance(tool, dict) else ():
        if not isinstance(declared, dict) or not isinstance(declared.get("name"), str):
            raise invalid()
        if declared.keys() - _DECLARATION:
            raise invalid()
        if "parameters" in declared:
            _check_schema(declared["parameters"], top=True)


def _check_schema(schema: Any, *, top: bool = False) -> None:
    if not isinstance(schema, dict) or schema.keys() - _SCHEMA:
        raise invalid()
    kind = schema.get("type")
    if top and (kind not in ("OBJECT", "object") or not schema.get("properties")):
        raise invalid(
            "GenerateContentRequest.tools[0].function_declarations[0].parameters.properties: "
            "should be non-empty for OBJECT type"
        )
    if kind is not None and not isinstance(kind, str):
        raise invalid()
    for inner in (schema.get("properties") or {}).values():
        _check_schema(inner)
    for inner in schema.get("anyOf") or ():
        _check_schema(inner)
    if "items" in schema:
        _check_schema(schema["items"])
