"""What a worker knows about the way between FreeSWITCH and itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import BridgeError
from bridge.session.media_plan import (
    STREAM_RATES_HZ,
    Leg,
    MediaPath,
    MediaPlan,
    PlayoutChoice,
    choose_formats,
)
from esl_controller.calls.unicast_ports import PortRange
from esl_controller.settings.table import Settings


class MediaUnavailable(Exception):
    """The caller's media cannot be had in any way that is allowed."""


@dataclass(frozen=True, slots=True)
class MediaSite:
    """Addresses, ports and limits; one for all calls."""

    stream_base_url: str
    """`ws://host:port/stream`, as FreeSWITCH reaches this worker; or the `wss://` address of what
    stands before it."""
    local_host: str
    """Our address for unicast datagrams, as FreeSWITCH reaches it."""
    freeswitch_host: str
    """FreeSWITCH's address for unicast datagrams, as we reach it; empty: where it came from."""
    ports: PortRange
    tls_ca_file: str = ""
    """CA certificates on FreeSWITCH's host; empty: its system's."""
    buffer_ms: int = 20
    stream_rates_hz: Sequence[int] = STREAM_RATES_HZ
    join_timeout_s: float = 3.0

    def plan(
        self, leg: Leg, provider_rate_hz: int, choice: PlayoutChoice, *, media: MediaPath
    ) -> MediaPlan:
        """The formats of a call. Raises MediaUnavailable: there are none."""
        rates_hz = self.stream_rates_hz
        try:
            return choose_formats(
                leg, (provider_rate_hz,), choice, media=media, stream_rates_hz=rates_hz
            )
        except BridgeError as error:
            raise MediaUnavailable(str(error)) from error

    def stream_variables(self) -> list[tuple[str, str]]:
        """What mod_audio_stream reads of the channel, the same for every call."""
        tls = [("STREAM_TLS_CA_FILE", self.tls_ca_file)] if self.tls_ca_file else []
        return [("STREAM_BUFFER_SIZE", str(self.buffer_ms)), *tls]


def media_site(settings: Settings, host: str, port: int) -> MediaSite:
    """That of a worker whose media port is at this address."""
    media = settings.media
    return MediaSite(
        stream_base_url=stream_base_url(settings, host, port),
        local_host=media.public_host or media.listen_host,
        freeswitch_host=media.unicast_host,
        ports=PortRange(
            media.unicast_port_first,
            media.unicast_port_last,
            worker=settings.worker.index,
            workers=settings.worker.count,
        ),
        tls_ca_file=media.tls_ca_file,
        buffer_ms=media.buffer_ms,
        stream_rates_hz=stream_rates(settings),
        join_timeout_s=settings.timeouts.stream_start_s,
    )


def stream_base_url(settings: Settings, host: str, port: int) -> str:
    """Where FreeSWITCH opens the streams of this worker, whose media port is at this address."""
    media = settings.media
    if media.public_url:
        before = media.public_url.replace("{index}", str(settings.worker.index))
        return f"{before.rstrip('/')}/stream"
    return f"ws://{media.public_host or host}:{port}/stream"


def stream_rates(settings: Settings) -> Sequence[int]:
    """Rates mod_audio_stream may be asked for."""
    fixed = settings.media.stream_rate_hz
    return (fixed,) if fixed else STREAM_RATES_HZ
