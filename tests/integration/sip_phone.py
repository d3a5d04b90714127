"""A telephone that FreeSWITCH calls, or that calls it: it registers, answers or does not, speaks,
presses keys, hangs up, and keeps every RTP packet with the kernel's time of its arrival. Loopback
only."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import socket
import time
import uuid
from collections.abc import Callable, Sequence

import gevent
from gevent.event import Event

from bridge.audio.formats import FRAME_MS, AudioFormat
from esl_controller.simulator.hearing import Hearing
from esl_controller.simulator.switch.unicast import KERNEL_TIMES, NOTES_BYTES, came_at
from tests.integration import rtp, sip_wire
from tests.integration.wire_codecs import CODECS, Plain, WireCodec

HOST = "127.0.0.1"
REPEAT_S = 0.5
BYE_S = 4.0
ASK_S = 8.0
REGISTERED_S = 600
PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9, "L16": 100, "opus": 116}
KEYS_TYPE = 101
"""What it offers when it calls."""
TAKES, RINGS, BUSY, DECLINES = "200 OK", "180 Ringing", "486 Busy Here", "603 Decline"
"""What a telephone does with a call: RINGS is never answered."""


@dataclasses.dataclass
class _Heard:
    """One codec of the call as the telephone hears it."""

    number: int
    audio_format: AudioFormat
    ears: WireCodec
    packets: list[rtp.Packet]

    def take(self, packet: rtp.Packet) -> bytes:
        """Keep it; returns its 16-bit PCM."""
        if not isinstance(self.ears, Plain):
            packet = dataclasses.replace(packet, pcm=self.ears.decode(packet.payload))
        self.packets.append(packet)
        return rtp.from_wire(packet, self.audio_format)


class Phone:
    """Takes one call in one codec of `wire_codecs.CODECS`.

    `ptime_ms` is what its SDP says, `sends_ms` what it sends, where that differs; `does` one of
    TAKES, RINGS, BUSY, DECLINES.
    """

    def __init__(
        self,
        codec: str,
        ptime_ms: int = FRAME_MS,
        sends_ms: int | None = None,
        *,
        direction: str = "sendrecv",
        does: str = TAKES,
    ) -> None:
        self.does = does
        self.rung = 0
        """Calls that came, taken or not."""
        self.codec = codec
        self.ptime_ms = ptime_ms
        self.sends_ms = sends_ms or ptime_ms
        self._direction = direction
        """What it says of hearing and being heard when it takes the call."""
        self.format = CODECS[codec].format
        self.packets: list[rtp.Packet] = []
        """Audio received in this codec."""
        self._now = _Heard(-1, self.format, CODECS[codec].make(), self.packets)
        self._before: _Heard | None = None
        """The codec before, until something comes in this one: who offers another must be ready for
        both until then (RFC 3264 8.3.1, 8.3.3), and FreeSWITCH replies before it changes its own
        (switch_core_media.c, reset_codec)."""
        self.earlier: list[tuple[AudioFormat, list[rtp.Packet]]] = []
        """The same of the codecs before it."""
        self.hearing = Hearing(self.format.rate_hz, keep_audio=False)
        self.answered, self.over = Event(), Event()
        self.hung_up_by_far_end = False
        self.late_ms = 0.0
        """How much too late a packet of ours was sent at worst."""
        self.loses, self.delays_s = 0.0, 0.0
        """Share of our packets that is lost, and longest time one is held up: in a network."""
        self._dice = random.Random(7)
        self._tag = uuid.uuid4().hex[:8]
        self._sip, self._rtp = _bound(), _bound()
        self._rtp.setsockopt(socket.SOL_SOCKET, KERNEL_TIMES, 1)
        self._moved: list[socket.socket] = []
        """Where it was before, heard no more."""
        self._invite: sip_wire.SipMessage | None = None
        self._called = ""
        """Our From in a call that we make."""
        self._refused: dict[str, sip_wire.SipMessage] = {}
        """INVITEs of calls that were not taken, by Call-ID."""
        self._registered: tuple[str, str, tuple[str, int]] | None = None
        self._registration = uuid.uuid4().hex
        self._far = (HOST, 0)
        self._offered: dict[tuple[str, int], int] = {}
        """Payload types of the first INVITE."""
        self._requests = 0
        self._replies: dict[int, str] = {}
        """Status of the final reply, by CSeq."""
        self._mouth: rtp.Mouth | None = None
        self._greenlets = [gevent.spawn(_listen, self._sip, self._receive_sip)]
        self._ear = gevent.spawn(_listen, self._rtp, self._receive_rtp)

    @property
    def address(self) -> str:
        """Where it is called: `host:port`."""
        host, port = self._sip.getsockname()
        return f"{host}:{port}"

    @property
    def shown(self) -> str:
        """Who calls, as its display has it."""
        return "" if self._invite is None else self._invite.one("From")

    def register(self, user: str, domain: str, server: tuple[str, int]) -> None:
        """Be where `user` of a domain is called."""
        self._registered = (user, domain, server)
        self._register(REGISTERED_S)

    def unregister(self) -> None:
        """Be there no more."""
        self._register(0)
        self._registered = None

    def _register(self, expires_s: int) -> None:
        assert self._registered is not None
        user, domain, server = self._registered
        self._requests += 1
        number, branch = self._requests, uuid.uuid4().hex[:12]
        names = (user, domain, self._registration, branch, self.address, number, expires_s)
        self._send("REGISTER", number, sip_wire.register(*names), server)

    def say(self, frames: Sequence[bytes]) -> None:
        """Speak frames of 20 ms of 16-bit PCM at the codec's rate."""
        self._speaking().say(frames)

    def press(self, digits: str) -> None:
        """Press keys."""
        self._speaking().press(digits)

    def call(self, to: str, server: tuple[str, int], more: dict[str, str]) -> None:
        """Call the URI `to` at `server`, with further headers; until it is taken."""
        host, port = self._rtp.getsockname()
        codec = CODECS[self.codec]
        keys = (KEYS_TYPE, f"telephone-event/{codec.clock_hz}")
        offered = [(PAYLOAD_TYPES[self.codec], codec.rtpmap), keys]
        body = sip_wire.description(offered, host, port, self.ptime_ms, direction=self._direction)
        self._called = f"<sip:phone@{self.address}>;tag={self._tag}"
        self._requests += 1
        names = (to, self._called, uuid.uuid4().hex, uuid.uuid4().hex[:12], self.address)
        self._send("INVITE", self._requests, sip_wire.first_invite(*names, more, body), server)

    def _taken(self, reply: sip_wire.SipMessage) -> None:
        """The call that we make is answered."""
        self._invite = sip_wire.as_if_called(self._called, reply)
        answer = sip_wire.parse_offer(reply.body)
        kinds = PAYLOAD_TYPES.items()
        self._offered = {(name, CODECS[name].clock_hz): kind for name, kind in kinds}
        self._begin(PAYLOAD_TYPES[self.codec], answer)
        self.answered.set()

    def hang_up(self) -> None:
        """Leave the call."""
        number, message = self._request("BYE")
        del number
        with gevent.Timeout(BYE_S, AssertionError("no reply to BYE")):
            while not self.over.is_set():
                self._sip.sendto(message, self._far)
                self.over.wait(REPEAT_S)

    def reinvite(self, codec: str = "", ptime_ms: int = 0, *, direction: str = "sendrecv") -> float:
        """Change the call, or say once more how it is; returns milliseconds to the reply."""
        codec, ptime_ms = codec or self.codec, ptime_ms or self.ptime_ms
        number = self._offered[codec, CODECS[codec].clock_hz]
        host, port = self._rtp.getsockname()
        body = sip_wire.description(
            [(number, CODECS[codec].rtpmap)],
            host,
            port,
            ptime_ms,
            version=self._requests + 2,
            direction=direction,
        )
        ms = self._ask("INVITE", body)
        if (codec, ptime_ms) != (self.codec, self.ptime_ms):
            self.earlier.append((self.format, self.packets))
            self.codec, self.format, self.ptime_ms = codec, CODECS[codec].format, ptime_ms
            self.packets, self.sends_ms = [], ptime_ms
            self._before = self._now
            self._now = _Heard(number, self.format, CODECS[codec].make(), self.packets)
            self._speaking().change(CODECS[codec], number, ptime_ms)
        return ms

    def move(self) -> None:
        """Have another address for RTP: the old one is forgotten, as by an address translator, and
        nobody is told."""
        self._moved.append(self._rtp)
        self._ear.kill()
        self._rtp = _bound()
        self._rtp.setsockopt(socket.SOL_SOCKET, KERNEL_TIMES, 1)
        self._ear = gevent.spawn(_listen, self._rtp, self._receive_rtp)

    def options(self) -> float:
        """Ask what FreeSWITCH can do, within the call; returns milliseconds to the reply."""
        return self._ask("OPTIONS")

    def _ask(self, method: str, body: str = "") -> float:
        number, message = self._request(method, body)
        return self._send(method, number, message, self._far)

    def _send(self, method: str, number: int, message: bytes, far: tuple[str, int]) -> float:
        began = time.monotonic()
        with gevent.Timeout(ASK_S, AssertionError(f"no reply to {method}")):
            self._sip.sendto(message, far)
            while number not in self._replies:
                gevent.sleep(0.001)
        assert self._replies[number].startswith("200"), self._replies[number]
        return (time.monotonic() - began) * 1000

    def _request(self, method: str, body: str = "") -> tuple[int, bytes]:
        assert self._invite is not None
        self._requests += 1
        number, branch = self._requests, uuid.uuid4().hex[:12]
        arguments = (method, self._invite, self._tag, branch, self.address, number, body)
        return number, sip_wire.request(*arguments)

    def close(self) -> None:
        """Leave the call if it is still on, and be gone."""
        if self._registered is not None:
            self.unregister()
        if self.answered.is_set() and not self.over.is_set():
            self.hang_up()
        gevent.killall([*self._greenlets, self._ear])
        for sock in (self._sip, self._rtp, *self._moved):
            sock.close()

    def _speaking(self) -> rtp.Mouth:
        assert self._mouth is not None, "not called yet"
        return self._mouth

    # --- SIP ----------------------------------------------------------------------------------

    def _receive_sip(self, data: bytes, far: tuple[str, int], at: float) -> None:
        message = sip_wire.parse(data)
        refused = message.method != "SIP/2.0" and self._refused.get(message.one("Call-ID"))
        if self._invite is None or message.method == "INVITE":
            self._far = far
        match message.method:
            case "INVITE":
                self._ring(message)
            case "CANCEL":
                self._reply(message, "200 OK")
                if refused:
                    self._reply(refused, "487 Request Terminated")
            case "ACK" if refused:
                pass
            case "BYE":
                self.hung_up_by_far_end = True
                self._reply(message, "200 OK")
                self.over.set()
            case "SIP/2.0":
                self._receive_reply(message)
            case "ACK":
                self.answered.set()
            case _:
                self._reply(message, "200 OK")

    def _receive_reply(self, reply: sip_wire.SipMessage) -> None:
        number, _, method = reply.one("CSeq").partition(" ")
        status = reply.start.partition(" ")[2]
        if method == "BYE":
            self.over.set()
        elif not status.startswith("1"):
            self._replies[int(number)] = status
        if method == "INVITE" and status.startswith("200"):
            if self._invite is None:
                self._taken(reply)
            assert self._invite is not None
            branch = uuid.uuid4().hex[:12]
            arguments = ("ACK", self._invite, self._tag, branch, self.address, int(number))
            self._sip.sendto(sip_wire.request(*arguments), self._far)

    def _ring(self, invite: sip_wire.SipMessage) -> None:
        own = self._invite is not None and invite.one("Call-ID") == self._invite.one("Call-ID")
        if invite.one("Call-ID") not in self._refused and not own:
            self.rung += 1
        does = self.does if self._invite is None or own else BUSY
        if does == TAKES or own:
            self._answer(invite)
        else:
            self._refused[invite.one("Call-ID")] = invite
            self._reply(invite, "100 Trying")
            self._reply(invite, does)

    def _answer(self, invite: sip_wire.SipMessage) -> None:
        """The first INVITE, one sent once more, or one that changes the call."""
        offer = sip_wire.parse_offer(invite.body)
        host, port = self._rtp.getsockname()
        self._reply(invite, "100 Trying")
        self._reply(
            invite,
            "200 OK",
            sip_wire.answer(offer, self.codec, host, port, self.ptime_ms, self._direction),
        )
        if self._invite is None:
            self._invite, self._offered = invite, offer.payload_types
            self._begin(offer.number(self.codec), offer)

    def _begin(self, number: int, far: sip_wire.Offer) -> None:
        """Speak, and listen to packets of this type."""
        self._now.number = number
        digits = far.digits(CODECS[self.codec].clock_hz)
        self._mouth = rtp.Mouth(CODECS[self.codec], number, digits, self.sends_ms)
        self._greenlets.append(gevent.spawn(self._speak, self._mouth, far.address))

    def _reply(self, request: sip_wire.SipMessage, status: str, body: str = "") -> None:
        contact = f"sip:phone@{self.address}"
        self._sip.sendto(sip_wire.reply(request, status, self._tag, contact, body), self._far)

    # --- RTP ----------------------------------------------------------------------------------

    def _receive_rtp(self, data: bytes, far: tuple[str, int], at: float) -> None:
        packet = rtp.parse(data, at)
        if packet.payload_type == self._now.number:
            self._before = None
            self.hearing.add(self._now.take(packet), at)
        elif self._before is not None and packet.payload_type == self._before.number:
            self.hearing.add(self._before.take(packet), at)

    def _speak(self, mouth: rtp.Mouth, address: tuple[str, int]) -> None:
        due = time.monotonic()
        while not self.over.is_set():
            for packet in mouth.tick():
                if self._dice.random() >= self.loses:
                    self._send_later(packet, address)
            due += mouth.ptime_ms / 1000
            gevent.sleep(max(0.0, due - time.monotonic()))
            self.late_ms = max(self.late_ms, (time.monotonic() - due) * 1000)

    def _send_later(self, packet: bytes, address: tuple[str, int]) -> None:
        if self.delays_s:
            delay_s = self._dice.random() * self.delays_s
            gevent.spawn_later(delay_s, self._send_rtp, packet, address)
        else:
            self._send_rtp(packet, address)

    def _send_rtp(self, packet: bytes, address: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # its port is closed: BYE is on its way
            self._rtp.sendto(packet, address)

    def pause_between_words(self) -> None:
        """Send nothing in silence (RFC 3389)."""
        self._speaking().pauses = True

    def send_comfort_noise(self) -> None:
        """The same, but for a comfort noise packet now and then."""
        self._speaking().comfort = True


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HOST, 0))
    return sock


def _listen(sock: socket.socket, receive: Callable[[bytes, tuple[str, int], float], None]) -> None:
    """Hand over each datagram, with the monotonic second the kernel had it."""
    while True:
        try:
            data, notes, _, far = sock.recvmsg(4096, NOTES_BYTES)
        except ConnectionRefusedError:
            continue  # for an earlier datagram of ours
        receive(data, far, came_at(notes))
