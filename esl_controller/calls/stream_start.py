"""What an audio module must be told to bring the caller's audio, and to end. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.playout.editions import EDITIONS
from bridge.playout.modes import Flavour
from esl_controller.esl import commands


def stream_variables(
    module: Flavour | None, token: str, of_site: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """What a module needs to be told before it brings the caller's audio."""
    edition = EDITIONS[module or Flavour.OPEN]
    variables = [*of_site, *edition.variables]
    if not edition.token_in_url:
        variables.insert(0, ("STREAM_EXTRA_HEADERS", f'{{"X-Stream-Token":"{token}"}}'))
    return variables


def start_command(
    uuid: str, module: Flavour | None, url: str, token: str, rate_hz: int
) -> commands.Command:
    """The beginning of a stream to `url`; a module that sends no headers of ours has the token in
    it."""
    if EDITIONS[module or Flavour.OPEN].token_in_url:
        url += f"?token={token}"
    return commands.api("uuid_audio_stream", f"{uuid} start {url} mono {rate_hz}")


def end_at_once(uuid: str, playing: Flavour) -> list[commands.Command]:
    """The end of a stream on a channel that is left this moment: nothing is waited for.

    `playing` plays the answer; what would end FreeSWITCH if anything were in its queue elsewhere is
    emptied first.
    """
    stop = commands.bgapi("uuid_audio_stream", f"{uuid} stop")
    if not EDITIONS[playing].holds_frame:
        return [stop]
    return [commands.api("uuid_audio_stream", f"{uuid} break"), stop]
