"""What a worker knows about the way between FreeSWITCH and itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.session.media_plan import STREAM_RATES_HZ
from esl_controller.calls.unicast_ports import PortRange


class MediaUnavailable(Exception):
    """The caller's media cannot be had in any way that is allowed."""


@dataclass(frozen=True, slots=True)
class MediaSite:
    """Addresses, ports and limits; one for all calls."""

    stream_base_url: str
    """`ws://host:port/stream`, as FreeSWITCH reaches this worker."""
    local_host: str
    """Our address for unicast datagrams, as FreeSWITCH reaches it."""
    freeswitch_host: str
    """FreeSWITCH's address for unicast datagrams, as we reach it."""
    ports: PortRange
    buffer_ms: int = 20
    stream_rates_hz: Sequence[int] = STREAM_RATES_HZ
    join_timeout_s: float = 3.0
