"""`esl-controller demo`: a whole conversation on one machine, without a telephone."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import gevent
import gevent.subprocess
import msgspec

from esl_controller.commands import demo_story
from esl_controller.commands.demo_story import Story
from esl_controller.commands.shared import Shell, with_shell
from esl_controller.database.models import Turn
from esl_controller.settings.table import (
    Database,
    Esl,
    Http,
    Media,
    Provider,
    Settings,
    Storage,
    Worker,
)
from esl_controller.simulator.caller_script import Note

if TYPE_CHECKING:
    from esl_controller.app import App
    from esl_controller.simulator.caller import Caller

DOMAIN_UUID = "11111111-1111-4111-8111-111111111111"
EXTENSION = "8001"
GREETING = "Good morning, this is the demo desk. How can I help you?"
PROMPT = (
    "You answer the telephone of a small company. Be friendly and brief: one or two sentences. "
    "The caller reads sentences from a book; answer politely to whatever is said."
)
LONGEST_S = 120.0
START_S = 15.0
OWN_KEY = "OPENAI_API_KEY"
SYNTHETIC = "synthetic"
_VOICES = {
    "espeak-ng": "voice: espeak-ng",
    "flite": "voice: flite",
    SYNTHETIC: "its voice is tones, not words",
}


@dataclass(slots=True)
class LiveView:
    """Prints the conversation as it happens, and keeps the turns for the page."""

    shell: Shell
    turns: list[Turn] = field(default_factory=list)
    answered_at: float | None = None
    """Monotonic seconds."""
    outcome: str | None = None
    """What the dialplan was told; None when the call was not handed back."""

    def record(self, entry: Any) -> None:
        """Look at a journal entry on its way."""
        if not isinstance(entry, Turn):
            return
        if self.turns and entry.turn_uuid == self.turns[-1].turn_uuid:
            self.turns[-1] = entry
            self._line(f"· cut off after {(entry.heard_ms or 0) / 1000:.1f} s of it were heard")
            return
        self.turns.append(entry)
        who = "caller" if entry.role == "user" else "agent "
        waited = f"  ({entry.total_ms} ms)" if entry.total_ms is not None else ""
        self._line(f"{who}  {entry.content}{waited}")

    def note(self, note: Note) -> None:
        """What the caller did."""
        if note.what == "answered":
            self.answered_at = note.at
        if note.what != demo_story.SAID and not note.what.startswith(demo_story.ENDED):
            words = "begins to speak" if note.what.startswith(demo_story.SPEAKS) else note.what
            self._line(f"· caller {words}")

    def _line(self, text: str) -> None:
        since = "" if self.answered_at is None else f"{time.monotonic() - self.answered_at:.1f}"
        width = min(100, shutil.get_terminal_size().columns)
        self.shell.say(textwrap.fill(f"{since:>6}  {text}", width, subsequent_indent=" " * 16))


@click.command()
@click.option(
    "--out",
    default="build/demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the recording and the page are left.",
)
@click.option(
    "--provider",
    type=click.Choice(["openai", "elevenlabs"]),
    default="openai",
    show_default=True,
    help="Whose model is emulated.",
)
@click.option(
    "--talk", "talks", is_flag=True, help="Talk to it yourself, from a browser of this machine."
)
@with_shell
def command(shell: Shell, out: Path, provider: str, talks: bool) -> None:
    """Hold a conversation: database, service, switch, caller and provider on this machine.

    The caller's voice is recorded human speech. With OPENAI_API_KEY set OpenAI's real model
    answers, without it an emulated one.
    """
    from esl_controller.commands.demo_page import page, summary

    _make(shell, out)
    view, voice = LiveView(shell), _voice()
    real = bool(os.environ.get(OWN_KEY)) and provider == "openai"
    by = "the real model" if real else f"an emulated model ({_VOICES[voice]})"
    with ExitStack() as stack:
        # What is still being made when the demo is interrupted cannot be removed cleanly.
        directory = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="voice-ai-demo", ignore_cleanup_errors=True)
            )
        )
        directory.chmod(0o755)  # PostgreSQL runs as a user of its own
        dsn = stack.enter_context(_database(shell, directory))
        base_url = None if real else stack.enter_context(_emulator(voice, provider))
        _seed(dsn, base_url, provider)
        app = stack.enter_context(_service(dsn, directory, view))
        if talks:
            _let_talk(shell, app, by)
            return
        shell.say(f"Calling {EXTENSION}; {by} answers. Seconds since the answer:\n")
        caller = _call(view, app, directory)
    if not view.turns:
        where = f"; the call went back to the dialplan: {view.outcome}" if view.outcome else ""
        hint = f". Are the network and {OWN_KEY} good?" if real else ""
        raise shell.fail(f"nobody said anything{where}{hint}")
    wav, html = out / "call.wav", out / "index.html"
    caller.write_wav(wav)
    story = demo_story.tell(view.turns, caller)
    html.write_text(page(story, wav, by), encoding="utf-8")
    shell.result(_report(story, wav, html), _text(story, summary(story), wav, html))
    if not real and voice == SYNTHETIC:
        shell.say("To hear words instead of tones: apt-get install espeak-ng, and run it again.")


def _make(shell: Shell, out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise shell.fail(f"cannot write to {out}: {error.strerror}") from error


def _report(story: Story, wav: Path, html: Path) -> dict[str, Any]:
    return {
        "turns": [msgspec.to_builtins(_latency(turn)) for turn in story.turns],
        "waits": [{"ear_ms": one.ear_ms, **one.parts_ms} for one in story.exchanges],
        "greeting_ms": story.greeting_ms,
        "silenced_ms": list(story.silenced_ms),
        "recording": str(wav),
        "page": str(html),
    }


def _text(story: Story, table: str, wav: Path, html: Path) -> str:
    silenced = "".join(
        f"Interrupted: silent {ms:.0f} ms after the caller began to speak.\n"
        for ms in story.silenced_ms
    )
    return (
        f"\n{table}\n\nGreeting heard {story.greeting_ms or 0:.0f} ms after the answer.\n"
        f"{silenced}\nRecording  {wav}\nPage       {html}"
    )


@contextmanager
def _database(shell: Shell, directory: Path) -> Iterator[str]:
    from esl_controller.database.embedded import EmbeddedDatabaseError, EmbeddedPostgres
    from esl_controller.database.migrate import Migrator
    from esl_controller.database.pool import Pool
    from esl_controller.database.repository.demo import prepare_standalone

    server = EmbeddedPostgres(directory / "postgresql", durable=False)
    try:
        with shell.step("Starting the packaged PostgreSQL"):
            dsn = server.start()
        pool = Pool(dsn, size=1)
        with pool.connection() as connection:
            prepare_standalone(connection)
        pool.close()
        with shell.step("Making the tables"):
            Migrator(dsn).up()
        yield dsn
    except EmbeddedDatabaseError as error:
        raise shell.fail(str(error)) from error
    finally:
        try:
            server.stop()
        except EmbeddedDatabaseError as error:  # the call is over: nothing of it is lost
            shell.say(f"The packaged PostgreSQL did not stop: {error}")


def _voice() -> str:
    """An installed synthesiser, else the emulator's own tones."""
    return next((name for name in ("espeak-ng", "flite") if shutil.which(name)), SYNTHETIC)


@contextmanager
def _emulator(voice: str, provider: str) -> Iterator[str]:
    """An emulated service as a process of its own, so that it cannot disturb the worker."""
    arguments = ["--script", "desk", "--voice", voice, "--think-ms", "350"]
    if provider == "elevenlabs":
        arguments.append("--public")
    process = gevent.subprocess.Popen(
        [sys.executable, "-m", f"esl_controller.simulator.{provider}", *arguments],
        stdout=gevent.subprocess.PIPE,
        text=True,
        # Ctrl-C is for the demo: the call would else lose its provider first, and warn of it.
        start_new_session=True,
    )
    try:
        with gevent.Timeout(START_S, click.ClickException("the emulator did not start")):
            url = _first_line(process)["url"]
        yield url
    finally:
        process.terminate()
        process.wait(5)


def _first_line(process: gevent.subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return msgspec.json.decode(process.stdout.readline())


def _seed(dsn: str, base_url: str | None, provider: str) -> None:
    from esl_controller.database.pool import Pool
    from esl_controller.database.repository.demo import DemoProvider, demo_seed

    credential = None if base_url else f"env:{OWN_KEY}"
    pool = Pool(dsn, size=1)
    with pool.connection() as connection:
        demo_seed(
            connection,
            DOMAIN_UUID,
            EXTENSION,
            provider=DemoProvider(
                realtime_provider=provider,
                base_url=base_url,
                credential=credential,
                provider_settings={"agent_id": "demo"} if provider == "elevenlabs" else {},
            ),
            first_message=GREETING,
            system_prompt=PROMPT,
            language="en",
        )
    pool.close()


@contextmanager
def _service(dsn: str, directory: Path, view: LiveView) -> Iterator[App]:
    from esl_controller.app import App
    from esl_controller.settings.types import Secret

    settings = Settings(
        esl=Esl(port=_free_port()),
        media=Media(port=_free_port()),
        database=Database(dsn=Secret(dsn)),
        provider=Provider(allowed_hosts=("*", "127.0.0.1")),
        worker=Worker(drain_deadline_s=2),
        storage=Storage(
            state_dir=str(directory),
            spool_dir=str(directory / "spool"),
            secret_key_file=str(directory / "secret.key"),
        ),
        http=Http(admin_token=Secret(secrets.token_urlsafe(24))),
    )
    app = App(settings, dsn, watch=view.record)
    app.start()
    try:
        yield app
    finally:
        app.drain()


def _let_talk(shell: Shell, app: App, by: str) -> None:
    """Until Ctrl-C."""
    from esl_controller.commands.demo_talk import TalkPage

    with TalkPage(app, DOMAIN_UUID, EXTENSION) as page:
        shell.say(
            f"{by[:1].upper()}{by[1:]} answers. Open {page.url} in a browser of this machine; "
        )
        shell.say("Ctrl-C ends the demo.\n")
        with contextlib.suppress(KeyboardInterrupt):
            app.stopped.wait()


def _free_port() -> int:
    from esl_controller.esl.server import listening_socket

    sock = listening_socket(("127.0.0.1", 0))
    port: int = sock.getsockname()[1]
    sock.close()
    return port


def _call(view: LiveView, app: App, directory: Path) -> Caller:
    """Ask, listen, interrupt, press digits, go on, hang up."""
    from esl_controller.simulator import speech
    from esl_controller.simulator.caller import Caller
    from esl_controller.simulator.caller_script import (
        AgentSilent,
        AgentSpeaking,
        HangUp,
        Press,
        Say,
        Step,
    )
    from esl_controller.simulator.switch.channel import ChannelOptions
    from esl_controller.simulator.switch.core import Switch, SwitchConfig

    caller = Caller(
        [
            Step(AgentSilent(0.6), Say(speech.recording("go_forward"))),
            Step(AgentSpeaking(2.0), Say(speech.recording("reader_statement"))),
            Step(AgentSilent(0.8), Press("12#")),
            Step(AgentSilent(0.8), Say(speech.recording("reader_reflection"))),
            Step(AgentSilent(1.0), HangUp()),
        ]
    )
    with Switch(SwitchConfig(seed=1, temp_dir=directory)) as switch:
        call = switch.originate_to_controller(
            *app.esl.address,
            caller=caller,
            channel=ChannelOptions(uuid="", domain_uuid=DOMAIN_UUID, destination_number=EXTENSION),
            actions_after=[],
        )
        shown, over = 0, False
        until = time.monotonic() + LONGEST_S
        while not over:
            over = call.ended.wait(0.1) or time.monotonic() > until
            for note in caller.notes[shown:]:
                view.note(note)
            shown = len(caller.notes)
        caller.hang_up()
        view.outcome = call.channel.get("voice_ai_outcome")
        while app.view.active_sessions() and time.monotonic() < until + 5:
            gevent.sleep(0.05)
    return caller


def _latency(turn: Turn) -> dict[str, Any]:
    names = ("role", "content", "interrupted", "total_ms", "network_ms", "model_ms", "buffer_ms",
             "playout_ms")  # fmt: skip
    return {name: getattr(turn, name) for name in names}
