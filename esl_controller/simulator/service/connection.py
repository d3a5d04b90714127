"""One accepted connection: RFC 6455 by the `websockets` package, moved by the hub's watchers.

The framing is deliberately not the bridge's own: a fault there must not hide behind its twin.
"""

from __future__ import annotations

import _socket
import logging
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from bridge.wire.transport import Transport
from esl_controller.simulator.service.door import Door, HttpAnswer, Session
from esl_controller.simulator.service.faults import ConnectionFaults
from esl_controller.simulator.service.whole_texts import WholeTexts

MAX_BUFFERED_BYTES = 64 * 1024 * 1024
"""For a client that does not read: a whole long answer, and the oversize fault."""
HANDSHAKE_LIMIT_S = 30.0
"""A client that connects and asks for nothing is let go."""
CLOSE_WAIT_S = 1.0
FAULTS_PATH = "/faults?"
"""Asked with GET: what is to go wrong with the next connections."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_MESSAGE = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_SECRET_HEADERS = frozenset(
    {"authorization", "api-key", "xi-api-key", "x-goog-api-key", "sec-websocket-protocol"}
)
_quiet = logging.getLogger("simulator.service.websocket")
_quiet.setLevel(logging.ERROR)


class Connection:
    """Hand-shake, messages, timers and the end of one connection.

    `ask` takes the query of a request for faults of the connections that follow.
    """

    def __init__(
        self,
        sock: Any,
        door: Door,
        on_end: Callable[[], None],
        ask: Callable[[str], HttpAnswer],
    ) -> None:
        self._door = door
        self._ask = ask
        self._record = door.record
        self._on_end = on_end
        self._session: Session | None = None
        self._fileno = sock.fileno()
        self._fragments: list[bytes] = []
        self._whole_texts: WholeTexts | None = None
        """Of a session under load."""
        self._protocol = ServerProtocol(
            subprotocols=[Subprotocol(name) for name in door.subprotocols],
            select_subprotocol=_first_offered,
            max_size=door.max_message_bytes,
            logger=_quiet,
        )
        self._loop = gevent.get_hub().loop
        self._timers: list[Any] = []
        self._deadline: float | None = None
        self._deadline_timer: Any = None
        self._transport = Transport(
            sock,
            on_data=self._on_data,
            on_lost=lambda error: self.end(),
            max_buffered_bytes=MAX_BUFFERED_BYTES,
        )
        self._later(HANDSHAKE_LIMIT_S, self._end_without_session)

    def end(self) -> None:
        """Let go of the socket and tell the server; what happens later finds nothing."""
        if not self._record.open:
            return
        self._record.open = False
        for timer in (*self._timers, self._deadline_timer):
            if timer is not None:
                timer.stop()
                timer.close()
        self._timers.clear()
        self._deadline_timer = None
        self._transport.close()
        self._on_end()

    def _end_without_session(self) -> None:
        if self._session is None:
            self.end()

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        timer = self._loop.timer(delay_s)
        self._timers.append(timer)
        timer.start(action)

    # --- bytes in -----------------------------------------------------------------------------

    def _on_data(self, data: bytes) -> None:
        if self._whole_texts is not None and self._session is not None:
            texts = self._whole_texts.take(data)
            if texts is not None and not self._fragments:
                self._take_texts(self._session, texts)
                return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request) and event.path.startswith(FAULTS_PATH):
                self._answer(self._ask(event.path.removeprefix(FAULTS_PATH)))
            elif isinstance(event, Request):
                faults = self._door.take_faults(event)
                self._later(faults.connect_delay_s, partial(self._shake_hands, event, faults))
            elif isinstance(event, Frame):
                self._on_frame(event)
        if self._protocol.handshake_exc is not None:
            self.end()
            return
        self._flush()

    def _take_texts(self, session: Session, texts: list[bytes]) -> None:
        if self._protocol.state is State.OPEN:
            for text in texts:
                session.receive_message(text, time.monotonic())
            self._flush()

    def _on_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.BINARY and not self._door.binary:
            self._protocol.send_close(1003, "text frames only")
        elif frame.opcode is Opcode.CLOSE:
            close = Close.parse(bytes(frame.data))
            self._record.note_close(close.code, close.reason)
        elif frame.opcode in _MESSAGE and self._session is not None:
            if frame.fin and not self._fragments:
                self._session.receive_message(bytes(frame.data), time.monotonic())
                return
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                message, self._fragments = b"".join(self._fragments), []
                self._session.receive_message(message, time.monotonic())

    # --- hand-shake ---------------------------------------------------------------------------

    def _shake_hands(self, request: Request, faults: ConnectionFaults) -> None:
        self._note_request(request)
        if faults.refuse_status is not None:
            kind = "application/json" if faults.refuse_body.startswith("{") else "text/plain"
            self._answer(HttpAnswer(faults.refuse_status, faults.refuse_body, kind))
            return
        answer = self._door.answer(request)
        if answer is not None:
            self._answer(answer)
            return
        try:
            response = self._protocol.accept(request)
        except InvalidHandshake as error:
            self._answer(HttpAnswer(400, f"{error}\n", "text/plain"))
            return
        self._protocol.send_response(response)
        if self._protocol.state is State.OPEN:
            self._session = self._door.open(request)
            if self._door.fast and not self._protocol.reader.buffer:
                self._whole_texts = WholeTexts()
            self._plan_drop(faults)
        self._flush()

    def _note_request(self, request: Request) -> None:
        self._record.path = request.path
        self._record.headers = {
            name.lower(): value
            for name, value in request.headers.raw_items()
            if name.lower() not in _SECRET_HEADERS
        }

    def _answer(self, answer: HttpAnswer) -> None:
        body = answer.body.encode()
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        self._protocol.send_response(Response(answer.status, "", Headers(headers), body))
        self._record.note_close(answer.status, answer.body)
        self._flush()

    def _plan_drop(self, faults: ConnectionFaults) -> None:
        if faults.drop_after_s is not None:
            borrowed = _socket.socket(fileno=self._fileno)  # the transport has used `sock` up
            borrowed.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, _RESET_ON_CLOSE)
            borrowed.detach()
            self._later(faults.drop_after_s, self.end)

    # --- bytes out ----------------------------------------------------------------------------

    def _flush(self) -> None:
        session = self._session
        if session is not None and self._protocol.state is State.OPEN:
            send = self._protocol.send_binary if self._door.binary else self._protocol.send_text
            for message in session.messages_to_send():
                send(message)
            if session.closing is not None:
                self._record.note_close(*session.closing)
                self._protocol.send_close(*session.closing)
                self._later(CLOSE_WAIT_S, self.end)
        for data in self._protocol.data_to_send():
            if not data or not self._write(data):
                # The peer has its time to read what is still on its way.
                self._later(0.0 if self._transport.closed else CLOSE_WAIT_S, self.end)
                return
        self._plan()

    def _write(self, data: bytes) -> bool:
        try:
            self._transport.send(data)
        except BufferError:
            self._transport.close()
        return not self._transport.closed

    def _plan(self) -> None:
        """Wake up when the session has something to do."""
        session = self._session
        deadline = session.next_deadline() if session is not None else None
        if deadline is None or deadline == self._deadline or not self._record.open:
            return
        self._deadline = deadline
        if self._deadline_timer is not None:
            self._deadline_timer.stop()
            self._deadline_timer.close()
        timer = self._deadline_timer = self._loop.timer(max(0.0, deadline - time.monotonic()))
        timer.start(self._on_deadline, update=True)

    def _on_deadline(self) -> None:
        self._deadline = None
        if self._session is not None:
            self._session.handle_timeout(time.monotonic())
            self._flush()


def _first_offered(server: ServerProtocol, offered: Any) -> Any:
    """The first of the client's that the service knows; a client may offer others, or none."""
    return next((name for name in offered if name in (server.available_subprotocols or ())), None)
