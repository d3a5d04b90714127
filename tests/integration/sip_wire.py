"""SIP and SDP as far as a telephone needs them that is called and hangs up. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.integration.wire_codecs import CODECS

_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
}
_ECHOED = ("Via", "From", "Call-ID", "CSeq", "Record-Route")
"""What a reply repeats of its request (RFC 3261 8.2.6.2); To gets a tag besides."""
_STATIC = {"0": ("PCMU", 8000), "8": ("PCMA", 8000), "9": ("G722", 8000)}
"""Payload types that need no rtpmap (RFC 3551, table 4)."""


@dataclass(frozen=True, slots=True)
class SipMessage:
    """A request or reply. Names of headers are in lower case and never in their compact form."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    @property
    def method(self) -> str:
        """Of a request; `SIP/2.0` of a reply."""
        return self.start.partition(" ")[0]

    def all(self, name: str) -> list[str]:
        """Values of a header, in order."""
        return [value for key, value in self.headers if key == name.lower()]

    def one(self, name: str) -> str:
        """Value of a header that must be there. Raises `ValueError`."""
        values = self.all(name)
        if not values:
            raise ValueError(f"{self.start}: no {name}")
        return values[0]

    @property
    def contact(self) -> str:
        """URI of the Contact."""
        found = re.search(r"<([^>]+)>", self.one("Contact"))
        return found[1] if found else self.one("Contact").partition(";")[0]


def parse(data: bytes) -> SipMessage:
    """One datagram. Raises `ValueError` when it is no SIP message."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    if "SIP/2.0" not in start:
        raise ValueError(f"no SIP: {start[:60]!r}")
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        headers.append((_COMPACT.get(key, key), value.strip()))
    return SipMessage(start, tuple(headers), body)


def render(start: str, headers: list[tuple[str, str]], body: str = "") -> bytes:
    """A datagram."""
    if body:
        headers = [*headers, ("Content-Type", "application/sdp")]
    headers = [*headers, ("Content-Length", str(len(body.encode())))]
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def reply(request: SipMessage, status: str, tag: str, contact: str, body: str = "") -> bytes:
    """The answer to a request: `status` is `200 OK` or the like, `tag` is ours."""
    headers = [(name, value) for name in _ECHOED for value in request.all(name)]
    headers.append(("To", tagged(request.one("To"), tag)))
    return render(f"SIP/2.0 {status}", [*headers, ("Contact", f"<{contact}>")], body)


def tagged(to: str, tag: str) -> str:
    """The To of a dialog: with our tag."""
    return to if ";tag=" in to else f"{to};tag={tag}"


def request(
    method: str, invite: SipMessage, tag: str, branch: str, local: str, number: int, body: str = ""
) -> bytes:
    """A request of the called one: From and To change places (RFC 3261 12.1.1).

    `number` is its CSeq, of an ACK that of its INVITE.
    """
    headers = [("Via", f"SIP/2.0/UDP {local};branch=z9hG4bK{branch}"), ("Max-Forwards", "70")]
    headers += [("Route", value) for value in invite.all("Record-Route")]
    headers += [
        ("From", tagged(invite.one("To"), tag)),
        ("To", invite.one("From")),
        ("Call-ID", invite.one("Call-ID")),
        ("CSeq", f"{number} {method}"),
        ("Contact", f"<sip:phone@{local}>"),
    ]
    return render(f"{method} {invite.contact} SIP/2.0", headers, body)


def first_invite(
    to: str, own: str, call_id: str, branch: str, local: str, more: dict[str, str], body: str
) -> bytes:
    """Calls the URI `to`; `own` is the From with its tag, `more` further headers."""
    headers = [
        ("Via", f"SIP/2.0/UDP {local};branch=z9hG4bK{branch}"),
        ("Max-Forwards", "70"),
        ("From", own),
        ("To", f"<{to}>"),
        ("Call-ID", call_id),
        ("CSeq", "1 INVITE"),
        ("Contact", f"<sip:phone@{local}>"),
        *more.items(),
    ]
    return render(f"INVITE {to} SIP/2.0", headers, body)


def as_if_called(own: str, taken: SipMessage) -> SipMessage:
    """The dialog of a call that we made, from the reply that took it, as the far end's INVITE would
    have begun it: what `request` needs.
    """
    kept = tuple((name, taken.one(name)) for name in ("call-id", "contact", "cseq"))
    return SipMessage("INVITE", (("to", own), ("from", taken.one("To")), *kept), taken.body)


def register(
    user: str, domain: str, call_id: str, branch: str, local: str, number: int, expires_s: int
) -> bytes:
    """Says where `user` of a domain is to be called (RFC 3261 10.2); 0 s: nowhere any more."""
    headers = [
        ("Via", f"SIP/2.0/UDP {local};branch=z9hG4bK{branch}"),
        ("Max-Forwards", "70"),
        ("From", f"<sip:{user}@{domain}>;tag={call_id[:8]}"),
        ("To", f"<sip:{user}@{domain}>"),
        ("Call-ID", call_id),
        ("CSeq", f"{number} REGISTER"),
        ("Contact", f"<sip:{user}@{local}>"),
        ("Expires", str(expires_s)),
    ]
    return render(f"REGISTER sip:{domain} SIP/2.0", headers)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the caller's SDP says of its audio."""

    address: tuple[str, int]
    payload_types: dict[tuple[str, int], int]
    """By codec name and clock rate in hertz."""

    def number(self, codec: str) -> int:
        """Payload type of a codec of ours. Raises `ValueError`."""
        known = (codec, CODECS[codec].clock_hz)
        if known not in self.payload_types:
            names = [f"{name}/{hz}" for name, hz in self.payload_types]
            raise ValueError(f"{codec}/{known[1]} is not offered: {names}")
        return self.payload_types[known]

    def digits(self, rate_hz: int) -> tuple[int, int] | None:
        """Payload type and clock rate of RFC 4733 digits: the codec's rate if it is offered."""
        for rate in (rate_hz, 8000):
            if ("telephone-event", rate) in self.payload_types:
                return self.payload_types["telephone-event", rate], rate
        return None


def parse_offer(sdp: str) -> Offer:
    """The first audio stream of an SDP. Raises `ValueError`."""
    media = re.search(r"^m=audio (\d+) RTP/AVP ([\d ]+)", sdp, re.MULTILINE)
    host = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
    if media is None or host is None:
        raise ValueError("no audio in the offer")
    named = {number: codec for number, codec in _STATIC.items() if number in media[2].split()}
    for number, name, rate in re.findall(r"^a=rtpmap:(\d+) ([\w.-]+)/(\d+)", sdp, re.MULTILINE):
        named[number] = (name, int(rate))
    return Offer((host[1], int(media[1])), {codec: int(number) for number, codec in named.items()})


def answer(
    offer: Offer, codec: str, host: str, port: int, ptime_ms: int = 20, direction: str = "sendrecv"
) -> str:
    """The SDP that takes one codec of the offer, and its digits. Raises `ValueError`."""
    taken = [(offer.number(codec), CODECS[codec].rtpmap)]
    if digits := offer.digits(CODECS[codec].clock_hz):
        taken.append((digits[0], f"telephone-event/{digits[1]}"))
    return description(taken, host, port, ptime_ms, direction=direction)


def description(
    codecs: list[tuple[int, str]],
    host: str,
    port: int,
    ptime_ms: int,
    *,
    version: int = 1,
    direction: str = "sendrecv",
) -> str:
    """An SDP with payload types and their codecs, best first."""
    lines = [
        "v=0",
        f"o=phone 1 {version} IN IP4 {host}",
        "s=phone",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(str(number) for number, _ in codecs)}",
        *(f"a=rtpmap:{number} {name}" for number, name in codecs),
        f"a=ptime:{ptime_ms}",
        f"a={direction}",
    ]
    return "\r\n".join(lines) + "\r\n"
