"""`esl-controller demo`: a whole conversation on one machine, without a telephone."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import textwrap
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import gevent
import msgspec

from bridge.speech.trial import TrialFailed
from esl_controller.commands import demo_cast, demo_story
from esl_controller.commands.demo_cast import Cast
from esl_controller.commands.demo_story import Story
from esl_controller.commands.own_service import own_database, own_directory, own_service
from esl_controller.commands.shared import Shell, with_shell
from esl_controller.commands.simulated import ask_for_faults, fault_option
from esl_controller.database.models import TransferRecord, Turn
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.simulator.caller_script import Note, Step
from esl_controller.simulator.switch.action import Action

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
SPEECH_S = 30.0
"""Until the speech process is there, on a slow machine."""
OWN_KEY = "OPENAI_API_KEY"
HEARING_KEY = "stt=emulated"
PROVIDERS = ("custom", "openai", "elevenlabs", "gemini")
MORE = "pip install 'voice-ai-switch[speech]', or apt-get install espeak-ng"


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
        if isinstance(entry, TransferRecord) and entry.status != "started":
            self._line(f"· transfer to {entry.destination}: {entry.status}")
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
    type=click.Choice(PROVIDERS),
    help="Whose model answers, emulated; custom is the pipeline of this machine. "
    "[default: custom where somebody can speak here, else openai]",
)
@click.option(
    "--language",
    type=click.Choice(sorted(demo_cast.WORDS)),
    default="en",
    show_default=True,
    help="Of the pipeline's call.",
)
@fault_option
@click.option(
    "--talk", "talks", is_flag=True, help="Talk to it yourself, from a browser of this machine."
)
@with_shell
def command(
    shell: Shell,
    out: Path,
    provider: str | None,
    language: str,
    faults: tuple[str, ...],
    talks: bool,
) -> None:
    """Hold a conversation: database, service, switch, caller and provider on this machine.

    No network is needed. The pipeline's call is a restaurant's: a booking, a question, a transfer,
    in words that are made, and where PocketSphinx is installed also understood, on this machine.
    With OPENAI_API_KEY set OpenAI's real model answers a recorded caller instead.
    """
    from esl_controller.commands.demo_page import page, summary

    _make(shell, out)
    provider = _chosen(shell, provider, language)
    view = LiveView(shell)
    with ExitStack() as stack:
        directory = stack.enter_context(own_directory("demo"))
        dsn = stack.enter_context(own_database(shell, directory))
        cast = _cast(stack, provider, language, directory)
        ask_for_faults(shell, cast.provider.base_url or "", faults)
        _seed(dsn, cast)
        app = stack.enter_context(own_service(dsn, directory, view.record))
        if talks:
            _let_talk(shell, app, cast.by)
            return
        steps, extensions = _rehearsed(shell, cast, app, directory)
        shell.say(f"Calling {EXTENSION}; answered by {cast.by}. Seconds since the answer:\n")
        caller = _call(view, app, directory, steps, extensions)
    if not view.turns:
        where = f"; the call went back to the dialplan: {view.outcome}" if view.outcome else ""
        hint = "" if cast.provider.base_url else f". Are the network and {OWN_KEY} good?"
        raise shell.fail(f"nobody said anything{where}{hint}")
    wav, html = out / "call.wav", out / "index.html"
    caller.write_wav(wav)
    story = demo_story.tell(view.turns, caller, cast.emulator_ms)
    html.write_text(page(story, wav, cast.by), encoding="utf-8")
    shell.result(_report(story, cast, wav, html), _text(story, summary(story), wav, html))
    if cast.local is None and cast.provider.base_url and demo_cast.uses_tones():
        shell.say(f"To hear words instead of tones: {MORE}, and run it again.")


def _chosen(shell: Shell, provider: str | None, language: str) -> str:
    """The provider that is asked for, or the best there is; says so where it is less."""
    here = demo_cast.local(language)
    if provider not in (None, "custom"):
        if language != "en":
            raise click.UsageError(f"{provider} is emulated in English: leave --provider out")
        return str(provider)
    if provider is None and language == "en" and os.environ.get(OWN_KEY):
        return "openai"
    if here is not None:
        return "custom"
    if provider == "custom" or language != "en":
        raise shell.fail(f"nobody can speak on this machine: {MORE}")
    shell.say(f"Nobody can speak on this machine ({MORE}): an emulated model answers.")
    return "openai"


def _cast(stack: ExitStack, provider: str, language: str, directory: Path) -> Cast:
    from esl_controller.tenants.keys.secrets import SecretKeys

    if provider == "openai" and os.environ.get(OWN_KEY):
        row = DemoProvider(realtime_provider="openai", credential=f"env:{OWN_KEY}")
        return Cast(row, "OpenAI's real model, with a recorded human caller", GREETING, PROMPT)
    here = demo_cast.local(language) if provider == "custom" else None
    if here is None:
        return demo_cast.emulated(stack, provider, GREETING, PROMPT)
    keys = SecretKeys.load_or_create(directory / "secret.key")
    return demo_cast.pipeline(stack, here, keys.seal(DOMAIN_UUID, HEARING_KEY))


def _rehearsed(
    shell: Shell, cast: Cast, app: App, directory: Path
) -> tuple[Sequence[Step], dict[str, Sequence[Action]]]:
    """What the caller does, and who can be transferred to."""
    if cast.local is None:
        return demo_cast.recorded_steps(), {}
    socket = app.settings.speech.socket
    try:
        with shell.step("Starting the speech process and making the caller's words"):
            until = time.monotonic() + SPEECH_S
            while app.speech.status is None and time.monotonic() < until:
                gevent.sleep(0.05)
            steps = demo_cast.spoken_steps(cast.local, socket)
            return steps, demo_cast.extensions(cast.local, socket, directory)
    except TrialFailed as error:
        raise shell.fail(f"the speech process does not speak: {error}") from error


def _make(shell: Shell, out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise shell.fail(f"cannot write to {out}: {error.strerror}") from error


def _report(story: Story, cast: Cast, wav: Path, html: Path) -> dict[str, Any]:
    return {
        "answered_by": cast.by,
        "emulator_ms": cast.emulator_ms,
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


def _seed(dsn: str, cast: Cast) -> None:
    from esl_controller.database.pool import Pool
    from esl_controller.database.repository.demo import demo_seed

    pool = Pool(dsn, size=1)
    with pool.connection() as connection:
        demo_seed(
            connection,
            DOMAIN_UUID,
            EXTENSION,
            provider=cast.provider,
            first_message=cast.greeting,
            system_prompt=cast.prompt,
            language=cast.language,
            **cast.secretary,
        )
    pool.close()


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


def _call(
    view: LiveView,
    app: App,
    directory: Path,
    steps: Sequence[Step],
    extensions: dict[str, Sequence[Action]],
) -> Caller:
    from esl_controller.simulator.caller import Caller
    from esl_controller.simulator.switch.channel import ChannelOptions
    from esl_controller.simulator.switch.core import Switch, SwitchConfig

    caller = Caller(steps)
    with Switch(SwitchConfig(seed=1, temp_dir=directory, extensions=extensions)) as switch:
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
