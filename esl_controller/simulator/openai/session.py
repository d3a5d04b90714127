"""One emulated session: client messages in, server messages out, no socket and no clock.

Event order and fields: OpenAI API reference, Realtime (2026-08).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from esl_controller.simulator.openai.beta import session_from_beta
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.conversation import ClientError, Item
from esl_controller.simulator.openai.core import Core
from esl_controller.simulator.openai.input_audio import InputAudio
from esl_controller.simulator.openai.record import SessionRecord
from esl_controller.simulator.openai.response import Response
from esl_controller.simulator.openai.responses import Responses
from esl_controller.simulator.openai.settings import default_session, invalid, missing, updated
from esl_controller.simulator.service.agenda import Appointment
from esl_controller.simulator.service.record import keep

MAX_APPEND_CHARS = 15 * 1024 * 1024
CLIENT_PARTS = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text",),
}
"""Content parts a client may create, by role; the beta said `text` for the agent's words."""


class _Append(msgspec.Struct):
    type: str
    audio: str = ""
    event_id: str | None = None


_decode = msgspec.json.Decoder().decode
_decode_append = msgspec.json.Decoder(_Append).decode
_APPEND_MARK = b'"input_audio_buffer.append"'


class EmulatedSession:
    """The service's side of one WebSocket."""

    def __init__(
        self,
        config: EmulatorConfig,
        faults: Faults,
        record: SessionRecord,
        *,
        model: str,
        now: float,
        unix_now: float,
    ) -> None:
        expires_at = int(unix_now + config.session_limit_s)
        session_id = record.session_id = f"sess_{record.number:08d}"
        settings = default_session(session_id, model, expires_at)
        self.core = Core(config, faults, record, settings, now)
        self._input = InputAudio(self.core, self._on_speech, self._on_turn)
        self._responses = Responses(self.core, self._on_response_done)
        self._idle: Appointment | None = None
        self._handlers = self._handler_table()
        self.core.emit("session.created", session=settings)
        self.core.agenda.at(now + config.session_limit_s, self._expire)
        self._plan_faults(now)

    # --- the shell's side ---------------------------------------------------------------------

    def receive_message(self, message: bytes, now: float) -> None:
        """Take one text message of the client."""
        self.core.now = now
        event_id: object = None
        try:
            if message.find(_APPEND_MARK, 0, 128) >= 0:
                append = _decode_append(message)
                event_id = append.event_id
                if append.type == "input_audio_buffer.append":
                    self._on_append(append.audio)
                    return
            event = self._parse(message)
            event_id = event.get("event_id")
            self._handlers[event["type"]](event)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            self.core.emit_error(ClientError("invalid_json", str(error)[:200]), None)
        except ClientError as error:
            self.core.emit_error(error, event_id)

    def messages_to_send(self) -> list[bytes]:
        """Take all messages to be sent now."""
        out, self.core.outbox = self.core.outbox, []
        return out

    @property
    def closing(self) -> tuple[int, str] | None:
        """Close code and reason, once it wants to end."""
        return self.core.closing

    def next_deadline(self) -> float | None:
        """When `handle_timeout` is wanted."""
        return self.core.agenda.next_deadline()

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
        self.core.now = now
        self.core.agenda.run(now)

    def _parse(self, message: bytes) -> dict[str, Any]:
        event = _decode(message)
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            text = "The 'type' field is missing."
            raise ClientError("invalid_event", text)
        kind = event["type"]
        if kind not in self._handlers:
            raise ClientError("invalid_event", f"Unknown event type: {kind[:100]!r}.", "type")
        self.core.record.count(kind)
        return event

    def _handler_table(self) -> dict[str, Callable[[dict[str, Any]], None]]:
        return {
            "session.update": self._on_update,
            "input_audio_buffer.append": lambda event: self._on_append(event.get("audio")),
            "input_audio_buffer.commit": lambda event: self._input.commit(),
            "input_audio_buffer.clear": lambda event: self._input.clear(),
            "conversation.item.create": self._on_item_create,
            "conversation.item.retrieve": self._on_item_retrieve,
            "conversation.item.delete": self._on_item_delete,
            "conversation.item.truncate": self._on_item_truncate,
            "response.create": self._on_response_create,
            "response.cancel": self._on_response_cancel,
        }

    # --- client events ------------------------------------------------------------------------

    def _on_update(self, event: dict[str, Any]) -> None:
        core, patch = self.core, event.get("session")
        if core.config.api_shape == "beta" and isinstance(patch, dict):
            patch = session_from_beta(patch)
        core.settings = updated(core.settings, patch, voice_fixed=self._responses.audio_sent)
        keep(core.record.updates, event["session"])
        self._input.configure()
        core.emit("session.updated", session=core.settings)

    def _on_append(self, audio: object) -> None:
        if not isinstance(audio, str):
            raise missing("audio")
        if len(audio) > MAX_APPEND_CHARS:
            raise ClientError("invalid_value", "Audio of more than 15 MiB.", "audio")
        self._input.append(audio)

    def _on_item_create(self, event: dict[str, Any]) -> None:
        core, data = self.core, event.get("item")
        if not isinstance(data, dict):
            raise missing("item")
        item = Item(self._checked_item(dict(data)))
        core.conversation.add(item, event.get("previous_item_id"))
        if item.data.get("role") == "user":
            core.user_turns += 1
            keep(core.record.texts, item.text)
        elif item.data.get("role") == "system":
            keep(core.record.told, item.text)
        elif item.data.get("role") == "assistant":
            keep(core.record.said_before, item.text)
        if item.data["type"] == "function_call_output":
            keep(core.record.function_outputs, (item.data["call_id"], item.data["output"]))
        core.show_item("conversation.item.added", item)
        core.show_item("conversation.item.done", item)

    def _checked_item(self, data: dict[str, Any]) -> dict[str, Any]:
        kind = data.get("type")
        if kind == "message":
            self._check_message(data)
        elif kind == "function_call_output":
            self._check_output(data)
        elif kind == "function_call":
            _check_strings(data, ("name", "arguments"))
        else:
            raise invalid("item.type", kind)
        item_id = data.get("id") or self.core.new_id("item")
        if not isinstance(item_id, str):
            raise invalid("item.id", item_id)
        return data | {"id": item_id, "object": "realtime.item", "status": "completed"}

    def _check_message(self, data: dict[str, Any]) -> None:
        parts, allowed = data.get("content"), CLIENT_PARTS.get(str(data.get("role")))
        if allowed is None:
            raise invalid("item.role", data.get("role"))
        if self.core.config.api_shape == "beta":
            allowed = (*allowed, "text")
        if not isinstance(parts, list):
            raise missing("item.content")
        for index, part in enumerate(parts):
            if not isinstance(part, dict) or part.get("type") not in allowed:
                raise invalid(f"item.content[{index}].type", part)
            if not isinstance(part.get("text") or part.get("transcript") or "", str):
                raise invalid(f"item.content[{index}].text", part)

    def _check_output(self, data: dict[str, Any]) -> None:
        _check_strings(data, ("call_id", "output"))
        calls = {item.data.get("call_id") for item in self.core.conversation.items}
        if data["call_id"] not in calls:
            text = f"Tool call ID '{data['call_id']}' not found in conversation."
            raise ClientError("invalid_tool_call_id", text)

    def _on_item_retrieve(self, event: dict[str, Any]) -> None:
        item = self.core.conversation.retrieve(event.get("item_id"))
        self.core.emit("conversation.item.retrieved", item=item.data)

    def _on_item_delete(self, event: dict[str, Any]) -> None:
        item_id = event.get("item_id")
        self.core.conversation.delete(item_id)
        keep(self.core.record.deletions, item_id)
        self.core.emit("conversation.item.deleted", item_id=item_id)

    def _on_item_truncate(self, event: dict[str, Any]) -> None:
        item_id, end_ms = event.get("item_id"), event.get("audio_end_ms")
        self.core.conversation.truncate(item_id, end_ms)
        keep(self.core.record.truncations, (item_id, end_ms))
        self.core.emit(
            "conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=end_ms
        )

    def _on_response_create(self, event: dict[str, Any]) -> None:
        self._responses.create(event.get("response"))
        self._cancel_idle()

    def _on_response_cancel(self, event: dict[str, Any]) -> None:
        self.core.record.cancels += 1
        self._responses.cancel("client_cancelled", event.get("response_id"))

    # --- turns --------------------------------------------------------------------------------

    def _turn_setting(self, key: str) -> Any:
        turn = self.core.settings["audio"]["input"]["turn_detection"]
        return turn.get(key) if turn else None

    def _on_speech(self) -> None:
        self._cancel_idle()
        if self._responses.active is not None and self._turn_setting("interrupt_response"):
            self._responses.cancel("turn_detected")

    def _on_turn(self) -> None:
        if self._responses.active is None and self._turn_setting("create_response"):
            self._responses.create(None)

    def _on_response_done(self, response: Response) -> None:
        idle_ms = self._turn_setting("idle_timeout_ms")
        if idle_ms is None or response.status != "completed":
            return
        began_at = self.core.now if response.first_delta_at is None else response.first_delta_at
        played_at = began_at + response.audio_ms / 1000
        when = max(played_at, self.core.now) + idle_ms / 1000
        self._idle = self.core.agenda.at(when, self._on_idle)

    def _cancel_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()

    def _on_idle(self, now: float) -> None:
        self._input.commit_silence()
        self._on_turn()

    # --- ends and faults ----------------------------------------------------------------------

    def _expire(self, now: float) -> None:
        minutes = round(self.core.config.session_limit_s / 60)
        text = f"Your session hit the maximum duration of {minutes} minutes."
        self.core.emit_error(ClientError("session_expired", text), None)
        self.core.close(1001, text)

    def _plan_faults(self, now: float) -> None:
        faults, agenda = self.core.faults, self.core.agenda
        if faults.close_after_s is not None:
            code, reason = faults.close_code, faults.close_reason
            agenda.at(now + faults.close_after_s, lambda due: self.core.close(code, reason))
        if faults.stall_after_s is not None:
            agenda.at(now + faults.stall_after_s, self._stall)
        if faults.garbage_after_s is not None:
            agenda.at(now + faults.garbage_after_s, self._send_garbage)
        if faults.oversize_after_s is not None:
            agenda.at(now + faults.oversize_after_s, self._send_oversize)

    def _stall(self, now: float) -> None:
        self.core.muted = True

    def _send_garbage(self, now: float) -> None:
        for message in self.core.faults.garbage:
            self.core.send(message)

    def _send_oversize(self, now: float) -> None:
        self.core.send(b'{"type":"' + b"x" * self.core.faults.oversize_bytes + b'"}')


def _check_strings(data: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if not isinstance(data.get(key), str):
            raise missing(f"item.{key}")
