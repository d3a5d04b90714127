"""What the stand-in does that a polite switch would not: every habit of FreeSWITCH, switchable.

The defaults are faithful to FreeSWITCH 1.11.1 with the open-source mod_audio_stream. `CALM` turns
off what is left to chance, for tests that need the same run every time.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace


class Edition(enum.Enum):
    """Which module answers to `uuid_audio_stream`, and so how answers reach the caller."""

    OPEN = "open"
    """Open-source module: binary dropped, `streamAudio` becomes a file and a `::play` event."""
    BINARY = "binary"
    """Forks in the manner of cloudfieldcz: binary L16 replaces written frames, `clearAudio`."""
    CLOSED = "closed"
    """The documented contract of 1.0.3: `STREAM_PLAYBACK`, `rawAudio`, binary or JSON, `break`."""
    ALCHEMILLA = "alchemilla"
    """AlchemillaHQ's: the same, but started without `STREAM_PLAYBACK` it ends FreeSWITCH."""
    JSON = "json"
    """Forks in the manner of voxcom-us: `streamAudio` raw is played, nothing can be taken back."""
    EARSHOT = "earshot"
    """mod_earshot in its place: binary L16 replaces written frames, `clear`, no headers of ours."""
    NONE = "none"
    """No such module is loaded: the api command does not exist."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """Habits of the switch. Chances are between 0 and 1 and drawn from the switch's own seed."""

    edition: Edition = Edition.OPEN
    event_tick_s: float = 0.02
    """Events are looked at this often on each connection (mod_event_socket.c); 0 for at once,
    else a multiple of 20 ms."""
    connect_timeout_s: float = 25.0
    """How long `socket` waits for the application's first command."""
    late_metadata: bool = True
    """Audio queued during the WebSocket hand-shake goes out before the metadata text."""
    lost_metadata: float = 0.05
    """Chance that the metadata is never sent after a hand-shake faster than 1 ms."""
    blocking_stop: bool = True
    """`stop` and hang-up wait for the WebSocket server to close TCP: 1 s, or without limit when
    the server had sent Close first."""
    lost_hangup_complete: float = 1 / 6
    """Chance that CHANNEL_HANGUP_COMPLETE is lost on a connection that does not linger."""
    shuffled_notice: bool = True
    """Send the linger notice anywhere among the hang-up events instead of after them."""
    stream_connect_timeout_s: float = 1.0
    """mod_audio_stream gives up on a hand-shake after this long."""
    native_starves: bool = True
    """`unicast` with `flags: native` lets through a quarter of the caller's audio while it
    plays."""
    silence_wins: bool = True
    """With `send_silence_when_idle` the park loop's silence is written in each frame, and what
    `unicast` or a module writes in the same frame is dropped (switch_rtp.c)."""
    resamples_20_ms: bool = True
    """A stream at another rate than the channel's gets the first 20 ms of each packet only."""
    message_queue_limit: int = 256
    """Queued messages of one call; the one past it closes the Event Socket."""
    broadcast_lead_ms: int = 100
    """`uuid_broadcast` waits this long before every file."""
    module_without_tls: bool = False
    """A module built without TLS speaks plain text to `wss://` addresses."""
    hanging_stop: bool = True
    """Edition JSON only: `stop` with a backlog never returns, hang-up never completes."""


FAITHFUL = Quirks()
CALM = replace(FAITHFUL, lost_metadata=0.0, lost_hangup_complete=0.0, shuffled_notice=False)
