"""The pipeline's own settings: whom it hears, thinks and speaks with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bridge.providers.descriptor import object_setting, setting

DEEPGRAM_URL = "wss://api.deepgram.com"
GROQ_URL = "https://api.groq.com/openai/v1"
STAGES = ("stt", "chat")
"""Those that may need a key."""
VOICES = ("piper", "espeak", "tones")
"""Services of the speech process that speak."""
LOCAL_HEARING = ("pocketsphinx", "whisper")
"""Those that understand."""
HEARINGS = ("deepgram", "deepgram_flux", *LOCAL_HEARING)
NO_KEY = "none"
"""What a row without a credential has for `api_key`."""
_SCHEMES = ("ws", "wss", "http", "https")


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """One provider row."""

    api_key: str = field(default=NO_KEY, repr=False)
    """`stt=KEY,chat=KEY`: one credential holds a key for each stage that needs one."""
    base_url: str = setting(
        GROQ_URL, "Of the chat model, up to, not including, `/chat/completions`."
    )
    model: str = setting("openai/gpt-oss-20b", "Chat model.")
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of the chat requests."""
    stt: str = setting(
        "deepgram",
        "Who hears: pocketsphinx and whisper are the speech process's.",
        choices=HEARINGS,
    )
    stt_url: str = setting(DEEPGRAM_URL, "Deepgram's, up to, not including, `/v1/listen`.")
    stt_model: str = setting(
        "",
        "Deepgram: `flux-…` finds turns by what is said, any other by pauses. Whisper: a directory "
        "of its models. Empty: the service's own for the language.",
    )
    stt_language: str = setting("", "Empty: the secretary's.")
    endpointing_ms: int = setting(300, "Nova and local hearing: a pause that ends a turn.")
    utterance_end_ms: int = setting(
        1000, "Nova: so long without a word ends a turn on a noisy line."
    )
    eot_threshold: float | None = setting(
        None, "Flux: how sure it must be that a turn is over, 0.5 to 1."
    )
    eot_timeout_ms: int | None = setting(None, "Flux: longest wait for that.")
    keyterms: tuple[str, ...] = setting((), "Names and words to expect.")
    tts: str = setting("piper", "Service of the speech process that speaks.", choices=VOICES)
    voice: str | None = setting(None, "None: the speech process's own for the language.")
    speed: float = setting(1.0, "Of the voice, 0.25 to 2.")
    temperature: float | None = setting(None, "How freely the model words its answers.")
    max_output_tokens: int | None = setting(None, "Longest answer of the model.")
    reasoning_effort: str | None = setting(
        None, "How long the model thinks.", choices=("low", "medium", "high")
    )
    extra: Mapping[str, Any] = object_setting(
        "Further fields of the chat requests, laid over everything else."
    )

    def problems(self) -> list[str]:
        """Everything wrong with the values, one sentence each."""
        texts = [self.api_key, *self.headers, *self.headers.values(), *self.keyterms]
        checks = {
            "api_key: must be stt=KEY,chat=KEY, or one of them": _keys_are_named(self.api_key),
            "api_key: Deepgram needs a key: stt=KEY": bool(key_of(self, "stt"))
            or self.stt_url != DEEPGRAM_URL
            or self.stt in LOCAL_HEARING,
            "api_key: Groq needs a key: chat=KEY": bool(key_of(self, "chat"))
            or self.base_url != GROQ_URL,
            "base_url: needs ws, wss, http or https and a host": _is_address(self.base_url),
            "stt_url: needs ws, wss, http or https and a host": _is_address(self.stt_url),
            f"stt: must be one of {', '.join(HEARINGS)}": self.stt in HEARINGS,
            "model: must not be empty": bool(self.model),
            "endpointing_ms: must be 10 to 5000": 10 <= self.endpointing_ms <= 5000,
            "utterance_end_ms: must be 1000 to 5000": 1000 <= self.utterance_end_ms <= 5000,
            "eot_threshold: must be 0.5 to 1": 0.5 <= (self.eot_threshold or 0.5) <= 1,
            "eot_timeout_ms: must be 500 to 60000": 500 <= (self.eot_timeout_ms or 500) <= 60000,
            "speed: must be 0.25 to 2": 0.25 <= self.speed <= 2,
            f"tts: must be one of {', '.join(VOICES)}": self.tts in VOICES,
            "headers: no control characters in names, values, api_key": all(
                text.isprintable() for text in texts
            ),
        }
        return [text for text, holds in checks.items() if not holds]


def key_of(config: PipelineConfig, stage: str) -> str:
    """The key of one stage; empty: it has none."""
    return _keys(config.api_key).get(stage, "")


def hearing_model(config: PipelineConfig, language: str | None) -> str:
    """Deepgram's model: the one that was named, else the best for the language."""
    if config.stt_model:
        return config.stt_model
    if config.stt != "deepgram_flux":
        return "nova-3"
    wanted = (config.stt_language or language or "en").lower()
    return "flux-general-en" if wanted.partition("-")[0] == "en" else "flux-general-multi"


def chat_vendor(config: PipelineConfig) -> str:
    """Who is paid for the words, as in the price list."""
    host = urlsplit(config.base_url).hostname or ""
    return _VENDORS.get(host, "custom")


_VENDORS = {"api.groq.com": "groq", "api.openai.com": "openai"}


def _keys(api_key: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in api_key.split(","))
    return {name: key for name, _, key in pairs if name in STAGES and key}


def _keys_are_named(api_key: str) -> bool:
    """Each part names its stage, and no stage twice."""
    if api_key == NO_KEY:
        return True
    return len(_keys(api_key)) == len(api_key.split(","))


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in _SCHEMES and bool(parts.netloc)
