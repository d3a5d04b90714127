"""FreeSWITCH: its Event Socket, the audio module's edition, and the best way to play."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.playout.modes import FLAVOURS, Flavour, PlayoutMode
from esl_controller.audio_module import USAGE_COMMAND, best_playback, editions
from esl_controller.doctor.finding import Finding, failed, note, ok, warning
from esl_controller.esl.errors import EslError
from esl_controller.esl.inbound import InboundClient
from esl_controller.settings import Settings

DEFAULT_PASSWORD = "ClueCon"
_CHECK = "FreeSWITCH"


def look(settings: Settings) -> Iterator[Finding]:
    """All findings about FreeSWITCH."""
    at = settings.freeswitch
    client = InboundClient((at.host, at.port), at.password.reveal(), timeout_s=at.timeout_s)
    try:
        client.connect(at.timeout_s)
        version = client.api("version", "short", at.timeout_s, check=False).strip()
        usage = client.api(USAGE_COMMAND, "", at.timeout_s, check=False)
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
    yield _module(settings, editions(usage))
    yield _playback(settings, editions(usage))


def _password(settings: Settings) -> Finding:
    check = "FreeSWITCH password"
    if settings.freeswitch.password.reveal() == DEFAULT_PASSWORD:
        advice = "change it in event_socket.conf.xml and VOICE_AI_FREESWITCH_PASSWORD"
        return warning(check, "everybody knows it", advice)
    return ok(check, "not the default")


def _module(settings: Settings, found: tuple[Flavour, ...]) -> Finding:
    check, chosen = "mod_audio_stream", settings.media.flavour
    names = " or ".join(flavour.value for flavour in found)
    if not found:
        if settings.media.input == "unicast":
            return ok(check, "not loaded and not needed: the caller's audio comes by unicast")
        advice = "load mod_audio_stream, or set VOICE_AI_MEDIA_INPUT=unicast to do without"
        return failed(check, "not loaded", advice)
    if chosen not in {"auto", *(flavour.value for flavour in found)}:
        return failed(
            check, f"is {names}, not {chosen}", "set VOICE_AI_MEDIA_FLAVOUR to what is installed"
        )
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
    if flavour is not None and flavour not in FLAVOURS[mode]:
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
    media, host = settings.media, settings.media.unicast_host
    detail = f"unicast, UDP {media.unicast_port_first} to {media.unicast_port_last} on {host}"
    if not host.startswith("127.") and host not in {"::1", "localhost"}:
        advice = "let a firewall pass these ports from this host only: they ask for no password"
        return warning("playback", detail, advice)
    return ok("playback", detail)
