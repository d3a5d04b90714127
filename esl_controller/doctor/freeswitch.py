"""FreeSWITCH: its Event Socket, the audio module's edition, and the best way to play."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bridge.playout.editions import EDITIONS, flavours
from bridge.playout.modes import Flavour, PlayoutMode
from esl_controller.calls.audio_module import USAGE_COMMAND, best_playback, editions, known
from esl_controller.doctor import switch
from esl_controller.doctor.finding import Finding, failed, note, ok, warning
from esl_controller.esl.errors import EslError
from esl_controller.esl.inbound import InboundClient
from esl_controller.settings.table import Settings

DEFAULT_PASSWORD = "ClueCon"
RTP_PORTS = (16384, 32768)
"""FreeSWITCH's default (switch_rtp.c, RTP_START_PORT and RTP_END_PORT), and FusionPBX's."""
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CHECK = "FreeSWITCH"


def look(settings: Settings) -> Iterator[Finding]:
    """All findings about FreeSWITCH."""
    at = settings.freeswitch
    client = InboundClient((at.host, at.port), at.password.reveal(), timeout_s=at.timeout_s)
    try:
        client.connect(at.timeout_s)
        version = client.api("version", "short", at.timeout_s, check=False).strip()
        usage = client.api(USAGE_COMMAND, "", at.timeout_s, check=False)
        lua = client.api("module_exists", "mod_lua", at.timeout_s, check=False).strip() == "true"
        seen = list(_seen(client, settings))
    except EslError as error:
        yield failed(
            _CHECK,
            f"{at.host}:{at.port}: {error}",
            "check mod_event_socket and VOICE_AI_FREESWITCH_HOST, _PORT and _PASSWORD",
        )
        return
    finally:
        client.close()
    yield ok(_CHECK, f"{version} at {at.host}:{at.port}")
    yield _password(settings)
    yield _lua(lua)
    yield _module(settings, editions(usage), known(usage))
    yield _playback(settings, editions(usage))
    yield from switch.channel_limit(editions(usage), settings.esl.capacity)
    yield from switch.version(version)
    yield from seen


def _seen(client: InboundClient, settings: Settings) -> Iterator[Finding]:
    """What is asked of the live FreeSWITCH, and says how it is set up. Raises EslError."""

    def ask(command: str, argument: str = "") -> str:
        return client.api(command, argument, settings.freeswitch.timeout_s, check=False)

    yield from switch.clock(ask("strepoch"), time.time())
    yield from switch.room(ask("status"), settings.esl.capacity * settings.worker.count)
    yield from switch.event_socket(ask(*switch.EVENT_SOCKET))
    for name in switch.profiles(ask("sofia", "status")):
        yield from switch.profile(ask("sofia", f"xmlstatus profile {name}"))


def _password(settings: Settings) -> Finding:
    check = "FreeSWITCH password"
    if settings.freeswitch.password.reveal() == DEFAULT_PASSWORD:
        advice = "change it in event_socket.conf.xml and VOICE_AI_FREESWITCH_PASSWORD"
        return warning(check, "everybody knows it", advice)
    return ok(check, "not the default")


def _lua(loaded: bool) -> Finding:
    check = "mod_lua"
    if loaded:
        return ok(check, "loaded")
    advice = "load mod_lua: the shipped dialplan asks with it who answers a number"
    return warning(check, "not loaded", advice)


def _module(settings: Settings, found: tuple[Flavour, ...], is_known: bool) -> Finding:
    check, chosen = "mod_audio_stream", settings.media.flavour
    names = " or ".join(flavour.value for flavour in found)
    if not found:
        if settings.media.input == "unicast":
            return ok(check, "not loaded and not needed: the caller's audio comes by unicast")
        advice = "load mod_audio_stream, or set VOICE_AI_MEDIA_INPUT=unicast to do without"
        return failed(check, "not loaded", advice)
    if not is_known:
        advice = "set VOICE_AI_MEDIA_FLAVOUR to the edition it is like, and make a call"
        detail = "loaded, of an edition that is not known: taken for " + (
            found[0].value if chosen == "auto" else chosen
        )
        return warning(check, detail, advice)
    if chosen not in {"auto", *(flavour.value for flavour in found)}:
        return failed(
            check, f"is {names}, not {chosen}", "set VOICE_AI_MEDIA_FLAVOUR to what is installed"
        )
    if EDITIONS[_flavour(settings, found) or found[0]].holds_frame:
        advice = "build the open edition (deploy/audio-module); docs/editions.md says why"
        return warning(check, f"{names}: this one can end FreeSWITCH", advice)
    if chosen == "auto" and len(found) > 1:
        advice = "set VOICE_AI_MEDIA_FLAVOUR if it is not the first"
        return note(check, f"{names}: they cannot be told apart from outside", advice)
    return ok(check, names if chosen == "auto" else chosen)


def _playback(settings: Settings, found: tuple[Flavour, ...]) -> Finding:
    check, media = "playback", settings.media
    flavour = _flavour(settings, found)
    mode = best_playback(flavour) if media.playback == "auto" else PlayoutMode(media.playback)
    if flavour is None and mode is not PlayoutMode.UNICAST:
        return failed(check, f"{mode.value} needs mod_audio_stream", "use unicast")
    if flavour is not None and flavour not in flavours(mode):
        advice = "set VOICE_AI_MEDIA_PLAYBACK=auto"
        return failed(
            check, f"mod_audio_stream {flavour.value} cannot play by {mode.value}", advice
        )
    if mode is PlayoutMode.UNICAST:
        return _unicast(settings)
    if mode is PlayoutMode.FILE:
        advice = "unicast has no delay of its own; set VOICE_AI_MEDIA_PLAYBACK=unicast"
        return note(check, "file: about 45 ms before each answer", advice)
    return ok(check, mode.value)


def _flavour(settings: Settings, found: tuple[Flavour, ...]) -> Flavour | None:
    if settings.media.flavour != "auto":
        return Flavour(settings.media.flavour)
    return found[0] if found else None


def _unicast(settings: Settings) -> Finding:
    """Whoever reaches a unicast port is heard by the caller: it has no authentication."""
    media, host = settings.media, settings.media.unicast_host or settings.freeswitch.host
    detail = f"unicast, UDP {media.unicast_port_first} to {media.unicast_port_last} on {host}"
    if not host.startswith("127.") and host not in {"::1", "localhost"}:
        advice = "let a firewall pass these ports from this host only: they ask for no password"
        return warning("playback", detail, advice)
    taken = _taken_by_others(media.unicast_port_first, media.unicast_port_last)
    if taken:
        advice = "choose VOICE_AI_MEDIA_UNICAST_PORT_FIRST and _LAST outside, as 61000 to 62999"
        return warning("playback", f"{detail}: among {taken}", advice)
    return ok("playback", detail)


def _taken_by_others(first: int, last: int) -> str:
    """Whose ports lie in the range: a call whose port is taken is played by files."""
    for whose, low, high in (("FreeSWITCH's RTP ports", *RTP_PORTS), _ephemeral()):
        if first <= high and low <= last:
            return f"{whose}, {low} to {high}"
    return ""


def _ephemeral() -> tuple[str, int, int]:
    """What this kernel gives to programs that name no port; its own default where unread."""
    try:
        low, high = map(int, EPHEMERAL.read_text().split())
    except (OSError, ValueError):
        low, high = 32768, 60999
    return "the ports of other programs", low, high
