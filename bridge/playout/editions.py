"""Audio modules for FreeSWITCH, and how each differs: one table. Pure.

What each row rests on is in `Edition.basis`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bridge.audio.formats import FRAME_MS
from bridge.playout.base import Fade
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.wire import stream_protocol

CHANNEL, STREAM = "channel", "stream"


@dataclass(frozen=True, slots=True)
class Way:
    """One way of playing with one edition."""

    clear: bytes | None = None
    """Text message that drops what is queued; empty: `uuid_audio_stream break`; None: nothing."""
    lead_ms: int = 60
    latency_ms: int = 10
    first_chunk_ms: int = FRAME_MS
    chunk_ms: int = FRAME_MS
    tail_padding_ms: int = 0
    fade: Fade = Fade.NONE
    """`break` goes by another socket than the audio: it might take a fade that follows it. So
    what is short is played to its end, and faded."""
    header: bool = False
    """A `rawAudio` text message with the rate comes first."""
    loses_first_frame: bool = False
    """The first frame of the call is lost, so a frame of silence is sent before it."""
    silence_every_s: float | None = None
    rates_hz: tuple[int, ...] | str = CHANNEL
    """What is played well: the channel's rate, that of the stream, or these."""


class Basis(enum.Enum):
    """What a row is taken from."""

    MEASURED = "its source, and measured on FreeSWITCH 1.11.1"
    SOURCE = "its source alone"
    DOCUMENTS = "its documentation, its release page and what users report: its source is closed"


@dataclass(frozen=True, slots=True)
class Edition:
    """One module."""

    usage: str
    """What it answers to `uuid_audio_stream` without arguments: a pattern."""
    ways: Mapping[PlayoutMode, Way]
    """Ways of playing beside `unicast`, which needs no module."""
    basis: Basis
    writes_frames: bool = False
    """It writes the answer to the channel itself, as `unicast` does; the others replace what
    FreeSWITCH writes, which must write something, or have it play files."""
    plays_raw: bool = False
    """As exactly as `unicast`, and needs no further port."""
    packet_ms: int | None = None
    """It plays so much for each packet of the channel, whatever that lasts: on a channel of others
    nothing is heard, or a part."""
    beside_unicast: bool = True
    """It can bring the caller's audio while `unicast` plays; what else would happen is said where
    it cannot."""
    holds_frame: bool = False
    """It writes into the frame that FreeSWITCH wrote before. Once a `playback` has ended, or the
    channel has gone elsewhere, that one is no frame any more, and to write there ends FreeSWITCH:
    nothing may wait in its queue then."""
    channels: int | None = None
    """Most that its free binary carries (mod_audio_stream issue 71)."""
    token_in_url: bool = False
    """It sends no headers of ours (STREAM_EXTRA_HEADERS)."""
    variables: tuple[tuple[str, str], ...] = ()
    """Channel variables it is to have before the stream begins."""


_FILES = {PlayoutMode.FILE: Way(b"")}
_BREAK = Way(b"", fade=Fade.BEHIND_SENT, header=True)
# Users of 1.0.3 report that 200 ms chunks must be paced, and that 20 ms ones stay silent
# (mod_audio_stream issues 72, 87, 96).
_PACED = Way(b"", lead_ms=100, first_chunk_ms=100, chunk_ms=200, rates_hz=(8000, 16000))
# Word for word: what the closed editions answer is not public, and who answers so may be this one.
_ALCHEMILLA_USAGE = r"-USAGE: <uuid> \[start .*\| resume \| break \] \[wss-url"
_OPEN_USAGE = r"-USAGE: (?!.*\bbreak\b)(?!.*\[l16).*graceful-shutdown \]"
_BREAK_USAGE = r"-USAGE: .*\| *break\b"
_CLOSED = Edition(
    _BREAK_USAGE,
    {PlayoutMode.BINARY: _BREAK, PlayoutMode.JSON: _PACED},
    Basis.DOCUMENTS,
    plays_raw=True,
    channels=10,
)

EDITIONS: Mapping[Flavour, Edition] = {
    Flavour.OPEN: Edition(_OPEN_USAGE, _FILES, Basis.MEASURED),
    # Its source at 432bf27. Asked without `fill`, FreeSWITCH's `switch_core_media_bug_read` gives
    # silence for ever on a bug that only reads (switch_core_media_bug.c), and `stream_frame` asks
    # until there is no more: without STREAM_PLAYBACK the call stands still at its first packet, and
    # FreeSWITCH takes memory until it is ended. With it, it hears what `unicast` plays. It replaces
    # frames in SWITCH_ABC_TYPE_WRITE, before FreeSWITCH has told which frame it is
    # (switch_core_media.c, switch_core_session_write_frame):
    # `switch_core_media_bug_get_write_replace_frame` is still the one before, so that the first is
    # lost, too.
    Flavour.ALCHEMILLA: Edition(
        _ALCHEMILLA_USAGE,
        {
            PlayoutMode.BINARY: replace(_BREAK, loses_first_frame=True),
            PlayoutMode.JSON: replace(_PACED, loses_first_frame=True),
        },
        Basis.MEASURED,
        plays_raw=True,
        packet_ms=FRAME_MS,  # audio_streamer_glue.cpp, PLAYBACK_FRAME_MS; observed
        beside_unicast=False,
        holds_frame=True,
    ),
    Flavour.CLOSED_1_0_3: _CLOSED,
    # Its release page: as before, with resampling of its own, and raw messages are to be small.
    Flavour.CLOSED_1_1_0: _CLOSED,
    Flavour.VOXCOM_US: Edition(
        _OPEN_USAGE,
        # Its reader waits for its writer: a backlog would hold up everything else on the socket,
        # even Close, and nothing empties it. Without it a silent call has no RTP at all.
        {
            PlayoutMode.JSON: Way(
                None, lead_ms=40, fade=Fade.BEHIND_SENT, silence_every_s=1.0, rates_hz=STREAM
            )
        },
        Basis.MEASURED,
        writes_frames=True,
    ),
    # Whatever replaces frames (SMBF_WRITE_REPLACE): on a channel of L16 FreeSWITCH hands on the
    # frame that `unicast` has written under the channel's own codec (switch_core_media.c,
    # switch_core_session_write_frame, SWITCH_STATUS_NOOP), so that it lets go of another lock than
    # it took, and waits for that one when the call is over: the channel stays for ever.
    Flavour.CLOUDFIELDCZ: Edition(
        _OPEN_USAGE,
        {
            PlayoutMode.BINARY: Way(
                stream_protocol.clear_audio(), fade=Fade.AFTER_CLEAR, rates_hz=STREAM
            )
        },
        Basis.MEASURED,
        plays_raw=True,
        beside_unicast=False,
    ),
    Flavour.JULIANOTARGA: Edition(
        r"-USAGE: .*\[l16 \| pcmu",
        # It plays nothing until STREAM_PLAYBACK_WARMUP_MS (400) are there; given at once, they are
        # no delay. An answer shorter than that is heard only if silence makes up for the rest.
        {
            PlayoutMode.JSON: Way(
                stream_protocol.stop_audio(),
                lead_ms=440,
                first_chunk_ms=100,
                chunk_ms=100,
                tail_padding_ms=400,
                rates_hz=(8000,),
            )
        },
        Basis.MEASURED,
        writes_frames=True,
    ),
    Flavour.JAMBONZ: Edition(
        r"(?!)",  # its command is `uuid_audio_fork`
        # It waits for 160 ms before it begins and for 80 ms after each underrun, so the last 80 ms
        # of an answer would stay behind and be played in front of the next one. So would a fade.
        {
            PlayoutMode.BINARY: Way(
                stream_protocol.kill_audio(),
                lead_ms=40,
                latency_ms=150,
                tail_padding_ms=80,
                rates_hz=(8000, 16000, 24000),
            )
        },
        Basis.MEASURED,
    ),
    Flavour.EARSHOT: Edition(
        # Its own command is `earshot`; it answers to this one where no other module does.
        r"-ERR usage: uuid_audio_stream ",
        # It plays whole packets only: what is less waits for more, so that an answer ends with one
        # of silence. The message drops all at once; it fades only what it interrupts by itself.
        {
            PlayoutMode.BINARY: Way(
                stream_protocol.clear(),
                tail_padding_ms=60,
                fade=Fade.AFTER_CLEAR,
                rates_hz=STREAM,
            )
        },
        Basis.SOURCE,
        plays_raw=True,
        beside_unicast=False,  # It replaces frames.
        token_in_url=True,
        # It would connect again with a ticket that was used.
        variables=(("EARSHOT_NO_RECONNECT", "true"),),
    ),
}


def told_by(usage: str) -> tuple[Flavour, ...]:
    """Editions that answer so to `uuid_audio_stream`, likeliest first."""
    return tuple(
        flavour for flavour, edition in EDITIONS.items() if re.match(edition.usage, usage, re.S)
    )


def flavours(mode: PlayoutMode) -> tuple[Flavour, ...]:
    """Which modules can be used in a mode. With unicast any may bring the caller's audio in."""
    return tuple(
        flavour
        for flavour, edition in EDITIONS.items()
        if mode is PlayoutMode.UNICAST or mode in edition.ways
    )


def way_of(mode: PlayoutMode, flavour: Flavour) -> Way | None:
    """How it plays; None where it cannot."""
    return EDITIONS[flavour].ways.get(mode)


def fits_packets(mode: PlayoutMode, flavour: Flavour, ptime_ms: int) -> bool:
    """Whether it can play on a channel of such packets."""
    packet_ms = EDITIONS[flavour].packet_ms
    return mode is PlayoutMode.UNICAST or packet_ms in (None, ptime_ms)


def needs_idle_silence(mode: PlayoutMode, flavour: Flavour) -> bool:
    """Whether `send_silence_when_idle` must be set, or else must not.

    With it the park loop writes a frame for each packet it reads, too, and switch_rtp.c drops the
    second frame of one timestamp: nearly all of the answer is lost (observed with unicast and
    voxcom-us). And the frames keep the length they had when the loop began: on a channel whose
    packets have become shorter each is several packets, up to 500 of them wait in front of all that
    is played later (switch_core_media.c, audio_write_thread), and the caller hears nothing for
    seconds, and each answer so much later. So only a module that replaces what is written has it.
    """
    replaces = mode in (PlayoutMode.BINARY, PlayoutMode.JSON)
    return replaces and not EDITIONS[flavour].writes_frames
