"""Carries out what a provider's protocol object asks for: opens its channels, moves their bytes.

Everything but connecting and HTTP happens in callbacks of the hub. Neither headers nor payloads
are ever logged, and no secret of a channel gets back out in the provider's own texts.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gevent

from bridge.errors import LocalProtocolError
from bridge.providers.actions import Action, Open, Send, Target
from bridge.providers.ahead import Ahead
from bridge.providers.alarm import Alarm
from bridge.providers.audio_way import AudioWay, way_by
from bridge.providers.base import ProviderEvent, ProviderProtocol
from bridge.providers.channels import Slot, open_channel
from bridge.providers.cleaning import Cleaner
from bridge.providers.conversation import Conversation
from bridge.providers.endings import BROKEN, is_last, lost
from bridge.speech.channel import SpeechChannel
from bridge.wire.channel import ChannelEnd, ChannelListener
from bridge.wire.network import Network
from bridge.wire.websocket_channel import WebSocketChannel

_log = logging.getLogger("bridge.providers")

__all__ = ["Network", "ProviderHost"]

MAX_ACTIONS = 256
"""Rounds of actions and events at a time: a protocol that never comes to rest is at fault."""

OnEvents = Callable[[Sequence[ProviderEvent]], None]
_Sender = Callable[[bytes, bool], bool]


class ProviderHost:
    """One conversation of one provider's protocol object.

    `on_events` gets the events of one read together, on the hub; it must not wait. The last is
    `Ended`, or a fatal `ProviderFailure`, unless the owner leaves first: `stop` tells what is left,
    `close` tells nothing. `connect_timeout_s` is for opening one channel, all attempts together.
    """

    def __init__(
        self,
        protocol: ProviderProtocol,
        conversation: Conversation,
        *,
        on_events: OnEvents,
        connect_timeout_s: float,
        network: Network | None = None,
        clock: Callable[[], float] = time.monotonic,
        ahead: Ahead | None = None,
    ) -> None:
        """`ahead`: channels that are open already, or will be soon; what is not taken of them is
        closed."""
        self.protocol = protocol
        self._ahead = ahead
        self.messages_in = 0
        self.dropped = 0
        """Messages no channel could take."""
        self.connect_s: float | None = None
        """From `start` to the first open WebSocket."""
        self._conversation = conversation
        self._on_events = on_events
        self._connect_timeout_s = connect_timeout_s
        self._network = network or Network()
        self._clock = clock
        self._loop = gevent.get_hub().loop
        self._cleaner = Cleaner()
        self._slots: dict[str, Slot] = {}
        self._senders: dict[str, _Sender] = {}
        """Of the open channels."""
        self._way: AudioWay | None = None
        self._websocket: WebSocketChannel | None = None
        self._events: list[ProviderEvent] = []
        """Made by a command, not told yet."""
        self._telling = False
        self._started_at: float | None = None
        self.is_over = False
        """Nothing is told and nothing sent any more."""
        self._alarm = Alarm(clock, lambda: self._guarded(self._on_timer))

    # --- what the owner may do ---------------------------------------------------------------

    @property
    def round_trip_ms(self) -> float | None:
        """Last measured round trip of a ping on the first WebSocket; 0 where this host hears."""
        if self._websocket is None:
            here = (isinstance(slot.channel, SpeechChannel) for slot in self._slots.values())
            return 0.0 if any(here) else None
        rtt_s = self._websocket.rtt_s
        return None if rtt_s is None else rtt_s * 1000

    def start(self) -> None:
        """Start the protocol and open its first channels.

        What goes wrong with them is told as an event, later.

        Raises:
            LocalProtocolError: called twice, or after the end.
        """
        if self._started_at is not None or self.is_over:
            raise LocalProtocolError("start was called before")
        self._started_at = self._clock()
        conversation = dataclasses.replace(self._conversation, unix_s=time.time())
        self._run(self.protocol.start, conversation, self._started_at)
        self.flush()
        self._leave_ahead()

    def flush(self) -> None:
        """Carry out what commands brought about; events are told at the hub's next turn."""
        if self.is_over or self._started_at is None:
            return
        self._run(self._carry_out_all)
        self._run(self._arm_next)
        if not self._telling:
            self._run(self._collect)
            if self._events:
                self._telling = True
                self._loop.run_callback(self._guarded, self._pump)

    def flush_audio(self) -> None:
        """Send caller audio, which moves no deadline and makes no event."""
        if self.is_over:
            return
        try:
            for action in self.protocol.actions():
                self._carry_out(action)
        except Exception as error:  # noqa: BLE001 - boundary, see `_guarded`
            self._fault_later(error)

    def audio_way(self) -> AudioWay | None:
        """The short way for caller audio, where it goes through an open WebSocket in one shape."""
        self._leave_way()
        shape = self.protocol.audio_shape
        if shape is not None and shape.channel in self._senders:
            channel = self._slots[shape.channel].channel
            self._way = way_by(self.protocol, shape, channel)
        return self._way

    def _leave_way(self) -> None:
        """The short way is to be looked for anew."""
        way, self._way = self._way, None
        if way is not None:
            way.usable = False

    def stop(self) -> None:
        """Leave in good order: last messages are sent, last events told before this returns.

        Afterwards nothing is told.
        """
        if self.is_over:
            return
        if self._started_at is not None:
            try:
                self.protocol.stop(self._clock())
                self._carry_out_all(opening=False)
                self._collect()
            except Exception:  # noqa: BLE001 - boundary: what can be told is told
                _log.exception("provider's protocol failed while leaving")
        events, self._events = self._events, []
        self._finish()
        if events:
            self._hand_over(events)
        self._on_events = _nobody

    def close(self) -> None:
        """End at once; nothing is told any more."""
        self._events = []
        self._finish()
        self._on_events = _nobody

    # --- channels ----------------------------------------------------------------------------

    def _carry_out_all(self, *, opening: bool = True) -> None:
        for _ in range(MAX_ACTIONS):
            actions = self.protocol.actions()
            if not actions:
                return
            for action in actions:
                if opening or not isinstance(action, Open):
                    self._carry_out(action)
        raise LocalProtocolError("a protocol's actions never end")

    def _carry_out(self, action: Action) -> None:
        if isinstance(action, Send):
            self._send(action)
            return
        self._drop(action.channel)
        if isinstance(action, Open):
            self._open(action.channel, action.target)

    def _send(self, action: Send) -> None:
        send = self._senders.get(action.channel)
        if send is not None:
            if send(action.data, action.binary):
                return
        else:
            slot = self._slots.get(action.channel)
            if slot is not None and slot.keep(action.data, action.binary):
                return
        self.dropped += 1

    def _open(self, name: str, target: Target) -> None:
        self._cleaner.learn(target)
        slot = self._slots[name] = Slot(name)
        listener = ChannelListener(
            on_open=lambda: self._guarded(self._on_open, slot),
            on_messages=partial(self._on_messages, slot),
            on_end=lambda end: self._guarded(self._on_end, slot, end),
            on_fault=self._fault,
        )
        there = None if self._ahead is None else self._ahead.take(name, target, listener)
        slot.channel = there or open_channel(
            target, listener, self._network, self._connect_timeout_s
        )
        if self._websocket is None and isinstance(slot.channel, WebSocketChannel):
            self._websocket = slot.channel

    def _leave_ahead(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.close()

    def _drop(self, name: str) -> None:
        """Close a channel: what still comes of it is of nobody."""
        self._leave_way()
        slot = self._slots.pop(name, None)
        self._senders.pop(name, None)
        if slot is not None:
            slot.close()

    def _current(self, slot: Slot) -> bool:
        return not self.is_over and self._slots.get(slot.name) is slot

    # --- on the hub --------------------------------------------------------------------------

    def _on_open(self, slot: Slot) -> None:
        channel = slot.channel
        if channel is None or not self._current(slot):
            return
        now = self._clock()
        if self.connect_s is None and isinstance(channel, WebSocketChannel):
            self.connect_s = now - (self._started_at or now)
        self._senders[slot.name] = channel.send
        for data, binary in slot.take_kept():
            self._send(Send(slot.name, data, binary))
        self.protocol.receive_open(slot.name, now)
        self._pump()

    def _on_messages(self, slot: Slot, messages: list[bytes]) -> None:
        if self.is_over or self._slots.get(slot.name) is not slot:
            return
        now, count = self._clock(), len(messages)
        self.messages_in += count
        try:
            if not (self._telling or self._events):  # else those events come first
                audio, taken = self.protocol.receive_audio(slot.name, messages, now)
                if taken == count:  # the hot path: that is all, and moves no deadline
                    if audio:
                        self._on_events(audio)
                    return
                self._events += audio
                messages = messages[taken:]
            for message in messages:
                self.protocol.receive_message(slot.name, message, now)
            self._pump()
        except Exception as error:  # noqa: BLE001 - boundary, see `_guarded`
            self._fault(error)

    def _on_end(self, slot: Slot, end: ChannelEnd) -> None:
        if not self._current(slot):
            return
        self._drop(slot.name)
        end = self._cleaner.end(end)
        _log.debug("channel %s ended by %s at %r: %s", slot.name, end.by.value, end.stage, end.code)
        self.protocol.receive_end(slot.name, end, self._clock())
        self._pump()
        if not self.is_over and not self._slots:
            self._tell([lost(end)])

    def _pump(self) -> None:
        """Tell the events, then do what they and their listener brought about."""
        self._telling = True
        try:
            for _ in range(MAX_ACTIONS):
                if self.is_over:
                    return
                self._collect()
                events, self._events = self._events, []
                if events:
                    self._tell(events)
                if not self.is_over:
                    self._carry_out_all()
                    self._arm_next()
                    self._collect()
                if not self._events:
                    return
        finally:
            self._telling = False
        raise LocalProtocolError("a protocol's events never end")

    def _collect(self) -> None:
        while (event := self.protocol.next_event()) is not None:
            self._events.append(self._cleaner.event(event))

    def _tell(self, events: list[ProviderEvent]) -> None:
        """Hand events over; with the last of all the channels go."""
        for number, event in enumerate(events):
            if is_last(event):
                self._finish()
                on_events, self._on_events = self._on_events, _nobody
                on_events(events[: number + 1])
                return
        self._on_events(events)

    def _hand_over(self, events: list[ProviderEvent]) -> None:
        try:
            self._on_events(events)
        except Exception:  # noqa: BLE001 - boundary between the hub and the owner
            _log.exception("listener of provider events failed")

    def _finish(self) -> None:
        self.is_over = True
        self._leave_way()
        self._leave_ahead()
        self._websocket = None
        self._alarm.close()
        for name in list(self._slots):
            self._drop(name)

    # --- deadlines ---------------------------------------------------------------------------

    def _arm_next(self) -> None:
        if self._way is not None and self.protocol.audio_shape is not self._way.shape:
            self._leave_way()
        deadline = self.protocol.next_deadline()
        if deadline is not None:
            self._alarm.by(deadline)

    def _on_timer(self) -> None:
        if self.is_over:
            return
        now = self._clock()
        deadline = self.protocol.next_deadline()
        if deadline is not None and deadline <= now:
            self.protocol.handle_timeout(now)
        self._pump()

    # --- the boundary ------------------------------------------------------------------------

    def _guarded(self, function: Callable[..., None], *args: Any) -> None:
        """For callbacks of the hub: an error of protocol or owner ends this conversation only."""
        try:
            function(*args)
        except Exception as error:  # noqa: BLE001 - boundary between the hub and the owner
            self._fault(error)

    def _run(self, function: Callable[..., None], *args: Any) -> None:
        """For calls of the owner, which must not be called back meanwhile."""
        try:
            function(*args)
        except Exception as error:  # noqa: BLE001 - boundary, see `_guarded`
            self._fault_later(error)

    def _fault_later(self, error: Exception) -> None:
        self._loop.run_callback(self._fault, error)

    def _fault(self, error: BaseException) -> None:
        """Something unexpected was raised: tell so once, after what can still be told."""
        _log.error("provider host failed: closing it", exc_info=error)
        if self.is_over:
            return
        try:
            self.protocol.stop(self._clock())
            self._collect()
        except Exception:  # noqa: BLE001 - its state may be anything now
            _log.exception("provider's protocol failed while leaving")
        events = [event for event in self._events if not is_last(event)]
        self._events = []
        self._finish()
        self._hand_over([*events, BROKEN])
        self._on_events = _nobody


def _nobody(_: object) -> None:
    """Hears of a conversation that is over."""
