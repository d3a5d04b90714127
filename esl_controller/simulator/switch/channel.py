"""One channel's data: who calls whom, states, variables, stamps; and events about it. Pure.

Header order as `switch_channel_event_set_data` writes it. Time comes in as microseconds since 1970.
"""

from __future__ import annotations

import uuid as uuid_module
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from bridge.audio.formats import FRAME_MS, PCMU_8K, AudioFormat, Encoding
from esl_controller.simulator.switch import templates
from esl_controller.simulator.switch.event import Event, EventOrigin, Header, stamp

STATE_NUMBERS = {
    "CS_ROUTING": 2,
    "CS_SOFT_EXECUTE": 3,
    "CS_EXECUTE": 4,
    "CS_PARK": 6,
    "CS_HIBERNATE": 8,
    "CS_RESET": 9,
    "CS_HANGUP": 10,
    "CS_REPORTING": 11,
}
Q850 = {
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "DESTINATION_OUT_OF_ORDER": 27,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "CHAN_NOT_IMPLEMENTED": 66,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "NO_ROUTE_DESTINATION": 3,
    "ORIGINATOR_CANCEL": 16,
}
_TIMES = (
    "Answered",
    "Progress",
    "Progress-Media",
    "Hangup",
    "Transfer",
    "Resurrect",
    "Bridged",
)
_PAYLOAD_TYPES = {Encoding.PCMU: 0, Encoding.PCMA: 8, Encoding.L16: 97}


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """What a test decides about a call. The codec is the phone's; L16 for a wideband phone."""

    uuid: str = ""
    """Empty for a fresh one."""
    domain_uuid: str = "11111111-2222-4333-8444-555555555555"
    domain_name: str = "tenant1.example.com"
    caller_id_number: str = "5551000"
    caller_id_name: str = "Caller"
    destination_number: str = "8001"
    codec: AudioFormat = PCMU_8K
    ptime_ms: int = FRAME_MS
    """Packet time: 10, 20, 30, 40 or 60."""
    sends_ms: int = 0
    """That of the phone's packets, where its SDP says another; 0: as it says."""
    variables: Mapping[str, str] = field(default_factory=dict)
    direction: str = "inbound"


class Channel:
    """Data of one channel. Values change through the methods; events are snapshots."""

    def __init__(self, options: ChannelOptions, rng: Random, created_us: int, number: int) -> None:
        self.options = options
        self.uuid = options.uuid or str(uuid_module.UUID(int=rng.getrandbits(128), version=4))
        self.codec = options.codec
        self.ptime_ms = options.ptime_ms
        self.created_us = created_us
        self.context = "default"
        self.destination = options.destination_number
        self.profile_index = 1
        self.running_state = "CS_EXECUTE"
        self.state_number = STATE_NUMBERS["CS_EXECUTE"]
        self.call_state = "RINGING"
        self.answer_state = "ringing"
        self.hangup_cause = ""
        self.has_media = False
        self.times_us = dict.fromkeys(_TIMES, 0)
        self.profile_created_us = created_us
        self._transfer_source = ""
        self._transferred_from = ""
        self.other_leg: list[Header] = []
        self.variables: dict[str, str] = {}
        self._values = self._template_values(rng, number)
        self.name = self._values["channel_name"]
        self._apply(templates.AT_START)
        for name, value in options.variables.items():
            self.set(name, value)

    def _template_values(self, rng: Random, number: int) -> dict[str, str]:
        options, codec = self.options, self.codec
        sip_port = rng.randrange(32768, 60999)
        width = 8 * codec.bytes_per_sample
        return {
            "uuid": self.uuid,
            "direction": options.direction,
            "session_id": str(number),
            "caller_number": options.caller_id_number,
            "caller_name": options.caller_id_name,
            "destination": options.destination_number,
            "domain_uuid": options.domain_uuid,
            "domain_name": options.domain_name,
            "channel_name": f"sofia/internal/{options.caller_id_number}@127.0.0.1:{sip_port}",
            "sip_port": str(sip_port),
            "sip_call_id": f"{rng.getrandbits(128):032x}",
            "tag": f"{rng.getrandbits(52):013x}",
            "created_us": str(self.created_us),
            "rtp_port": str(rng.randrange(32768, 60999)),
            "local_rtp_port": str(rng.randrange(16384, 32768) & ~1),
            "ssrc": str(rng.getrandbits(31)),
            "payload_type": str(_PAYLOAD_TYPES[codec.encoding]),
            "codec": codec.encoding.value,
            "ptime_ms": str(self.ptime_ms),
            "rate_hz": str(codec.rate_hz),
            "bit_rate": str(codec.rate_hz * width),
        }

    def _apply(self, template: str, **more: str) -> None:
        for name, value in templates.fill(template, self._values | more):
            self.set(name, value)

    # variables

    def set(self, name: str, value: str | None) -> None:
        """Set a variable; it moves to the end, as in FreeSWITCH. None or empty removes it."""
        self.variables.pop(name, None)
        if value:
            self.variables[name] = value

    def get(self, name: str) -> str | None:
        """A variable's value; channel fields answer by their usual short names."""
        if name in self.variables:
            return self.variables[name]
        fields = {
            "caller_id_number": self.options.caller_id_number,
            "caller_id_name": self.options.caller_id_name,
            "destination_number": self.destination,
            "channel_name": self.name,
            "state": self.running_state,
            "context": self.context,
            "dialplan": "XML",
        }
        return fields.get(name)

    # state changes

    def mark_media(self, now_us: int) -> None:
        """Early media: RTP is up in both directions, the call is not answered."""
        self.has_media = True
        self.answer_state = "early"
        self.times_us["Progress-Media"] = now_us
        self._apply(templates.WITH_MEDIA)

    def settle_media(self) -> None:
        """What changes right after CHANNEL_PROGRESS_MEDIA was raised."""
        self._apply(templates.WITH_LOCAL_SDP)

    def mark_answered(self, now_us: int) -> None:
        """200 OK: as seen in the CHANNEL_ANSWER event; `settle_answer` follows it."""
        self.answer_state = "answered"
        self.call_state = "EARLY"
        self.times_us["Answered"] = now_us

    def settle_answer(self) -> None:
        """What changes right after CHANNEL_ANSWER was raised."""
        self.call_state = "ACTIVE"
        self.set("endpoint_disposition", "ANSWER")

    def settle_ack(self) -> None:
        """The caller's ACK came in."""
        self._apply(templates.AFTER_ACK)

    def mark_hangup(self, cause: str, *, by_caller: bool) -> None:
        """The cause is set once; the state number runs ahead of the running state."""
        self.hangup_cause = cause
        self.answer_state = "hangup"
        self.state_number = STATE_NUMBERS["CS_HANGUP"]
        if by_caller and self.times_us["Answered"]:
            self._apply(templates.AFTER_BYE, q850=str(Q850.get(cause, 16)))
        elif by_caller:
            self._apply(templates.AFTER_CANCEL)

    def note_disposition(self, *, by_caller: bool) -> None:
        """`sip_hangup_disposition`: which SIP message ended the call."""
        answered = bool(self.times_us["Answered"])
        received = "recv_bye" if answered else "recv_cancel"
        sent = "send_bye" if answered else "send_refuse"
        self.set("sip_hangup_disposition", received if by_caller else sent)

    def enter(self, state: str) -> None:
        """Enter a state of the core's state machine."""
        self.running_state = state
        self.state_number = STATE_NUMBERS[state]

    def transfer(self, destination: str, context: str, source: str, now_us: int) -> None:
        """A new caller profile, as `transfer` and `uuid_transfer` make."""
        self._transfer_source = source
        self._transferred_from = self.destination
        self.destination = destination
        self.context = context
        self.profile_index += 1
        self.profile_created_us = now_us
        self.state_number = STATE_NUMBERS["CS_ROUTING"]
        for name, value in (
            ("max_forwards", str(int(self.get("max_forwards") or 70) - 1)),
            ("transfer_history", source),
            ("transfer_source", source),
        ):
            self.set(name, value)

    def report(self, now_us: int, in_packets: int, out_packets: int) -> None:
        """The variables of a call's end: stamps, durations, RTP statistics."""
        self.call_state = "HANGUP"
        self.times_us["Hangup"] = now_us
        self.set("hangup_cause", self.hangup_cause)
        self.set("hangup_cause_q850", str(Q850.get(self.hangup_cause, 16)))
        answered, media = self.times_us["Answered"], self.times_us["Progress-Media"]
        moments = {
            "start": self.created_us,
            "profile_start": self.profile_created_us,
            "answer": answered,
            "progress_media": media,
            "end": now_us,
        }
        for name, at_us in moments.items():
            if at_us:
                self.set(f"{name}_stamp", stamp(at_us))
        for name, at_us in moments.items():
            self.set(f"{name}_epoch", str(at_us // 1_000_000))
            self.set(f"{name}_uepoch", str(at_us))
        self._apply(templates.AT_HANGUP)
        name, number = self.options.caller_id_name, self.options.caller_id_number
        self.set("caller_id", f'"{name}" <{number}>')
        spans = {
            "duration": now_us - self.created_us,
            "billsec": now_us - answered if answered else 0,
            "progresssec": 0,
            "answersec": answered - self.created_us if answered else 0,
            "waitsec": 0,
            "progress_mediasec": media - self.created_us if media else 0,
            "flow_billsec": now_us - self.created_us,
        }
        for name, span_us in spans.items():
            self.set(name, str(span_us // 1_000_000))
        for unit, divisor in (("m", 1000), ("u", 1)):
            for name, span_us in spans.items():
                self.set(_with_unit(name, unit), str(span_us // divisor))
        if self.has_media:
            size = self.codec.bytes_per_frame
            self._apply(
                templates.RTP_STATISTICS,
                in_packets=str(in_packets),
                in_bytes=str(in_packets * size),
                out_packets=str(out_packets),
                out_bytes=str(out_packets * size),
            )

    def change_codec(self, codec: AudioFormat, ptime_ms: int) -> None:
        """The codec was set anew (switch_core_media.c, switch_core_media_set_codec)."""
        self.codec, self.ptime_ms = codec, ptime_ms
        name, rate = codec.encoding.value, str(codec.rate_hz)
        self._values |= {"codec": name, "rate_hz": rate, "ptime_ms": str(ptime_ms)}
        for variable, value in (
            ("rtp_use_codec_name", name),
            ("rtp_use_codec_rate", rate),
            ("rtp_use_codec_ptime", str(ptime_ms)),
            ("rtp_last_audio_codec_string", f"{name}@{rate}h@{ptime_ms}i@1c"),
        ):
            self.set(variable, value)

    # headers

    def event(
        self,
        origin: EventOrigin,
        name: str,
        source: tuple[str, str, int],
        now_us: int,
        extra: list[Header],
        *,
        brief: bool = False,
        body: bytes = b"",
        subclass: str = "",
    ) -> Event:
        """An event about this channel: a snapshot. `brief` leaves the variables out."""
        headers = origin.headers(name, source, now_us)
        if subclass:
            headers.insert(0, ("Event-Subclass", subclass))
        if name == "CHANNEL_HANGUP_COMPLETE":
            headers.append(("Hangup-Cause", self.hangup_cause))
        headers += self.headers(brief=brief)
        headers += extra
        return Event(name, headers, body, subclass, uuid=self.uuid)

    def connect_headers(self, origin: EventOrigin, now_us: int) -> list[Header]:
        """Channel data of the `connect` reply, which contains the caller profile twice."""
        source = ("mod_event_socket.c", "parse_command", 2018)
        headers = origin.headers("CHANNEL_DATA", source, now_us)
        return [*headers, *self._profile("Channel"), *self.headers()]

    def headers(self, *, brief: bool = False) -> list[Header]:
        """Channel fields, caller profile, other leg and, unless `brief`, all variables."""
        headers = [
            ("Channel-State", self.running_state),
            ("Channel-Call-State", self.call_state),
            ("Channel-State-Number", str(self.state_number)),
            ("Channel-Name", self.name),
            ("Unique-ID", self.uuid),
            ("Call-Direction", self.options.direction),
            ("Presence-Call-Direction", self.options.direction),
            ("Channel-HIT-Dialplan", "true"),
            ("Channel-Call-UUID", self.uuid),
            ("Answer-State", self.answer_state),
        ]
        if self.hangup_cause:
            headers.append(("Hangup-Cause", self.hangup_cause))
        if self.has_media:
            headers += self._codec()
        headers += self._profile("Caller")
        headers += self.other_leg
        if not brief:
            headers += [(f"variable_{name}", value) for name, value in self.variables.items()]
        return headers

    def _codec(self) -> list[Header]:
        name, rate, bits = (self._values[key] for key in ("codec", "rate_hz", "bit_rate"))
        return [
            (f"Channel-{way}-Codec-{what}", value)
            for way in ("Read", "Write")
            for what, value in (("Name", name), ("Rate", rate), ("Bit-Rate", bits))
        ]

    def _profile(self, prefix: str) -> list[Header]:
        options = self.options
        fields = [
            ("Direction", options.direction),
            ("Logical-Direction", options.direction),
            ("Username", options.caller_id_number),
            ("Dialplan", "XML"),
            ("Caller-ID-Name", options.caller_id_name),
            ("Caller-ID-Number", options.caller_id_number),
            ("Orig-Caller-ID-Name", options.caller_id_name),
            ("Orig-Caller-ID-Number", options.caller_id_number),
            ("Network-Addr", "127.0.0.1"),
            ("ANI", options.caller_id_number),
            ("Destination-Number", self.destination),
            ("Unique-ID", self.uuid),
            ("Source", "mod_sofia"),
            ("Transfer-Source", self._transfer_source),
            ("Context", self.context),
            ("RDNIS", self._transferred_from),
            ("Channel-Name", self.name),
            ("Profile-Index", str(self.profile_index)),
            ("Profile-Created-Time", str(self.profile_created_us)),
            ("Channel-Created-Time", str(self.created_us)),
            *((f"Channel-{name}-Time", str(at_us)) for name, at_us in self.times_us.items()),
            ("Channel-Last-Hold", "0"),
            ("Channel-Hold-Accum", "0"),
            ("Screen-Bit", "true"),
            ("Privacy-Hide-Name", "false"),
            ("Privacy-Hide-Number", "false"),
        ]
        return [(f"{prefix}-{name}", value) for name, value in fields if value]


def _with_unit(name: str, unit: str) -> str:
    """`billsec` → `billmsec`; `duration` → `mduration`, as FreeSWITCH names them."""
    return f"{unit}duration" if name == "duration" else f"{name[:-3]}{unit}sec"
