"""One emulated response: its items, deltas and end, step by step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from esl_controller.simulator.openai.beta import beta_name
from esl_controller.simulator.openai.conversation import AGENT_TOKENS_PER_S, CHARS_PER_TOKEN, Item
from esl_controller.simulator.openai.core import Core
from esl_controller.simulator.openai.settings import audio_format
from esl_controller.simulator.service.record import keep
from esl_controller.simulator.service.script import Answer, ScriptedCall
from esl_controller.simulator.service.voice import Chunk, silence

VOICE_WAIT_S = 0.02
ARGUMENT_CHARS = 16
"""Letters of function arguments in one delta."""


class Response:
    """The events of one response. `steps` yields how many seconds to wait before the next."""

    def __init__(self, core: Core, answer: Answer, overrides: dict[str, Any]) -> None:
        self.id = core.new_id("resp")
        self.audio_ms = 0.0
        self.first_delta_at: float | None = None
        self.output: list[Item] = []
        self.status = "in_progress"
        self.details: dict[str, Any] | None = None
        self._core = core
        self._answer = answer
        self._overrides = overrides
        self._open: Item | None = None
        self._said = ""

    @property
    def in_conversation(self) -> bool:
        """Its items join the conversation."""
        return self._overrides.get("conversation") != "none"

    @property
    def _text_only(self) -> bool:
        """It has no sound: by its setting, or on demand."""
        core = self._core
        return self.setting("output_modalities") == ["text"] or (
            core.faults.text_only and core.answers_fail
        )

    def setting(self, key: str) -> Any:
        """A value of the request, else of the session."""
        return self._overrides.get(key, self._core.settings[key])

    def as_json(self, usage: dict[str, Any] | None) -> dict[str, Any]:
        """The `response` object as it is now."""
        output = self._core.settings["audio"]["output"]
        voice = output["voice"]
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": self.details,
            "output": [item.data for item in self.output],
            "conversation_id": self._core.conversation_id if self.in_conversation else None,
            "output_modalities": self.setting("output_modalities"),
            "max_output_tokens": self.setting("max_output_tokens"),
            "audio": {"output": {"format": output["format"], "voice": _voice_name(voice)}},
            "usage": usage,
            "metadata": self._overrides.get("metadata"),
        }

    # --- steps --------------------------------------------------------------------------------

    def steps(self) -> Iterator[float]:
        """Everything between `response.created` and `response.done`."""
        if self._answer.fail is not None:
            kind, code, message = self._answer.fail
            self.end("failed", error={"type": kind, "code": code, "message": message})
            return
        if self._answer.text or self._answer.wav:
            yield from self._message()
        for call in self._answer.calls:
            yield from self._call(call)
        if self.status == "in_progress":
            self.end("completed")

    def end(self, status: str, **details: Any) -> None:
        """Close open items and set the final status."""
        if self._open is not None:
            self._close_item("incomplete")
        self.status = status
        self.details = {"type": status, **details} if details else None

    def _message(self) -> Iterator[float]:
        if self._text_only:
            yield from self._text_message()
            return
        chunks = self._chunks()
        while chunks is None:
            yield VOICE_WAIT_S
            chunks = self._chunks()
        self._open_item({"type": "message", "role": "assistant", "content": []})
        self._part("added", {"type": "audio", "transcript": ""})
        words = self._answer.text.split(" ")
        for index, chunk in enumerate(chunks):
            # Rounded up: words come a little before their sound, as the service sends them.
            first = math.ceil(len(words) * index / len(chunks))
            last = math.ceil(len(words) * (index + 1) / len(chunks))
            self._say(words[first:last], is_last=last == len(words))
            self._send_audio(chunk)
            if self._over_limit():
                self.end("incomplete", reason="max_output_tokens")
                return
            yield chunk.length_ms / 1000 / self._core.config.pace
        self._close_item("completed")

    def _chunks(self) -> tuple[Chunk, ...] | None:
        core = self._core
        return core.config.voice.chunks(
            self._answer.text,
            self._answer.wav,
            audio_format(core.settings, "output"),
            core.config.delta_ms,
            core.settings["audio"]["output"]["speed"],
        )

    def _say(self, words: list[str], *, is_last: bool) -> None:
        text = " ".join(words) + ("" if is_last else " ")
        if words and text:
            self._said += text
            self._core.emit("response.output_audio_transcript.delta", **self._where(), delta=text)

    def _send_audio(self, chunk: Chunk) -> None:
        core, item = self._core, self._open
        if item is None:
            return
        sound = chunk.base64
        sound_s = core.faults.soundless_after_s
        if sound_s is not None and core.answers_fail and self.audio_ms >= 1000 * sound_s:
            sound = silence(chunk, audio_format(core.settings, "output"))
        self.audio_ms += chunk.length_ms
        item.audio_ms += chunk.length_ms
        core.record.audio_out_ms += chunk.length_ms
        kind = "response.output_audio.delta"
        if core.config.api_shape == "beta":
            kind = beta_name(kind)
        stamp = f'"emulator_sent_s":{core.now!r},' if core.config.embed_stamps else ""
        head = (
            f'{{"type":"{kind}","event_id":"{core.new_id("event")}",{stamp}'
            f'"response_id":"{self.id}","item_id":"{item.id}",'
            f'"output_index":{len(self.output) - 1},"content_index":0,"delta":"'
        )
        core.send(head.encode() + sound + b'"}')
        if self.first_delta_at is None:
            self.first_delta_at = core.now
            core.record.stamp("first_delta", core.now, core.config.on_stamp)
        if core.config.on_stamp is not None or core.config.stamp_deltas:
            core.record.stamp("delta", core.now, core.config.on_stamp)

    def _over_limit(self) -> bool:
        limit = self.setting("max_output_tokens")
        return isinstance(limit, int) and self.audio_ms * AGENT_TOKENS_PER_S / 1000 > limit

    def _text_message(self) -> Iterator[float]:
        self._open_item({"type": "message", "role": "assistant", "content": []})
        self._part("added", {"type": "text", "text": ""})
        for word in self._answer.text.split(" "):
            piece = f" {word}" if self._said else word
            self._said += piece
            self._core.emit("response.output_text.delta", **self._where(), delta=piece)
            yield 0.0
        self._close_item("completed")

    def _call(self, call: ScriptedCall) -> Iterator[float]:
        call_id = self._core.new_id("call")
        fields = {"name": call.name, "call_id": call_id, "arguments": ""}
        self._open_item({"type": "function_call", **fields})
        for begin in range(0, len(call.arguments), ARGUMENT_CHARS):
            piece = call.arguments[begin : begin + ARGUMENT_CHARS]
            self._said += piece
            self._core.emit(
                "response.function_call_arguments.delta", **self._call_where(), delta=piece
            )
            yield 0.0
        self._close_item("completed")

    # --- items --------------------------------------------------------------------------------

    def _where(self) -> dict[str, Any]:
        """The fields every part's event carries."""
        item_id = self.output[-1].id
        index = len(self.output) - 1
        return {
            "response_id": self.id,
            "item_id": item_id,
            "output_index": index,
            "content_index": 0,
        }

    def _call_where(self) -> dict[str, Any]:
        where = self._where()
        del where["content_index"]
        return where | {"call_id": self.output[-1].data["call_id"]}

    def _open_item(self, fields: dict[str, Any]) -> None:
        core = self._core
        common = {"id": core.new_id("item"), "object": "realtime.item", "status": "in_progress"}
        item = self._open = Item(common | fields)
        self._said = ""
        self.output.append(item)
        self._output_item("added")
        if self.in_conversation:
            core.conversation.add(item)
            core.show_item("conversation.item.added", item)

    def _output_item(self, end: str) -> None:
        self._core.emit(
            f"response.output_item.{end}",
            response_id=self.id,
            output_index=len(self.output) - 1,
            item=self.output[-1].data,
        )

    def _part(self, end: str, part: dict[str, Any]) -> None:
        self._core.emit(f"response.content_part.{end}", **self._where(), part=part)

    def _close_item(self, status: str) -> None:
        item, self._open = self._open, None
        if item is None:
            return
        item.data["status"] = status
        if item.data["type"] == "function_call":
            self._close_call(item)
        else:
            self._close_message(item)
        if self._core.conversation.find(item.id) is not None:
            self._core.show_item("conversation.item.done", item)
        self._output_item("done")

    def _close_call(self, item: Item) -> None:
        item.data["arguments"] = self._said
        fields = {"name": item.data["name"], "arguments": self._said}
        self._core.emit("response.function_call_arguments.done", **self._call_where(), **fields)

    def _close_message(self, item: Item) -> None:
        keep(self._core.record.spoken, self._said)
        emit, where = self._core.emit, self._where()
        if self._text_only:
            emit("response.output_text.done", **where, text=self._said)
            self._part("done", {"type": "text", "text": self._said})
            item.data["content"] = [{"type": "output_text", "text": self._said}]
            return
        emit("response.output_audio.done", **where)
        emit("response.output_audio_transcript.done", **where, transcript=self._said)
        self._part("done", {"type": "audio", "transcript": self._said})
        item.data["content"] = [{"type": "output_audio", "transcript": self._said}]

    def output_tokens(self) -> tuple[int, int]:
        """Text and audio tokens it costs as output."""
        text = sum(len(item.text) // CHARS_PER_TOKEN + 1 for item in self.output)
        return text, int(self.audio_ms * AGENT_TOKENS_PER_S / 1000)


def _voice_name(voice: Any) -> str:
    """A custom voice is an object in the session and its id in a response."""
    return str(voice["id"]) if isinstance(voice, dict) else str(voice)
