"""Who answers in a rehearsal: the file's secretary, by a real provider or an emulated pipeline.

It has a domain for each scenario, so that calls held at once have nothing to do with each other.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from esl_controller.database.pool import Pool
from esl_controller.database.repository.configuration import SETTINGS, insert_row
from esl_controller.database.repository.demo import DemoProvider, demo_seed
from esl_controller.rehearsal.model import ToldModel, told_script
from esl_controller.rehearsal.scenario import Rehearsal, Scenario
from esl_controller.simulator.deepgram.hearing import HearingConfig
from esl_controller.simulator.deepgram.server import DeepgramEmulator
from esl_controller.simulator.emulated import EMULATORS, ROW_SETTINGS, told
from esl_controller.simulator.service.script import Script
from esl_controller.simulator.service.voice import Voice
from esl_controller.simulator.service.voices import EspeakVoice

EXTENSION = "8001"
ENDPOINTING_MS = 500


@dataclass(frozen=True, slots=True)
class Player:
    """One scenario's secretary, ready to be called."""

    domain_uuid: str
    domain_name: str
    extension: str = EXTENSION


class Cast(Protocol):
    """Who answers."""

    @property
    def understands_sound(self) -> bool:
        """The caller's words must be words."""

    @property
    def needs_speech(self) -> bool:
        """The host's speech process must be there before anybody is called."""

    @property
    def pause_s(self) -> float:
        """A silence after which the agent is taken to have finished."""

    @property
    def patience_s(self) -> float:
        """The same before the caller hangs up: a function may still be running."""

    def columns(self, rehearsal: Rehearsal, scenario: Scenario) -> Mapping[str, Any]:
        """Of the secretary, in this call."""

    def player(
        self, rehearsal: Rehearsal, scenario: Scenario
    ) -> contextlib.AbstractContextManager[Player]:
        """Store a scenario's secretary, and have somebody answer for it meanwhile.

        Raises DatabaseError.
        """


@dataclass(frozen=True, slots=True)
class FileCast:
    """The secretary stands in the file."""

    pool: Pool
    seal: Callable[[str, str], str]
    """Seals a key for a domain."""
    real: DemoProvider | None = None
    """None: it is emulated."""
    kind: str = ""
    """Of the emulated one; empty: a pipeline."""
    voice: str = "tones"
    """Of the emulated one: tones | espeak."""
    speaks_words: bool = False
    """The caller is to be understood by people, whoever answers."""
    systems: Mapping[str, Any] = field(default_factory=dict)
    """Where the domain's tickets, customers and agenda are emulated, by column."""

    @property
    def understands_sound(self) -> bool:
        """People listen, or a real model."""
        return self.real is not None or self.speaks_words

    @property
    def needs_speech(self) -> bool:
        """It gives the emulated pipeline its voice."""
        return self.real is None and not self.kind

    @property
    def pause_s(self) -> float:
        """A real model pauses within an answer."""
        return 1.2 if self.real is not None else 0.8

    @property
    def patience_s(self) -> float:
        """A real model takes its time."""
        return 4.0 if self.real is not None else 1.5

    def columns(self, rehearsal: Rehearsal, scenario: Scenario) -> Mapping[str, Any]:
        """Those of the file."""
        name = Path(rehearsal.source).stem
        changed = {**rehearsal.secretary, **scenario.secretary}
        return {"secretary_name": name, "language": rehearsal.language, **changed}

    @contextlib.contextmanager
    def player(self, rehearsal: Rehearsal, scenario: Scenario) -> Iterator[Player]:
        """In a domain of its own."""
        domain_uuid = str(uuid.uuid4())
        name = f"{domain_uuid[:8]}.rehearsal.example"
        with contextlib.ExitStack() as stack:
            provider = self.real or self._emulated(stack, scenario, domain_uuid)
            kind = {"realtime_provider": provider.realtime_provider}
            columns = {**self.columns(rehearsal, scenario), **kind}
            with self.pool.connection() as connection:
                demo_seed(
                    connection,
                    domain_uuid,
                    EXTENSION,
                    domain_name=name,
                    provider=provider,
                    **columns,
                )
                settings = {**self.systems, "company_name": rehearsal.company or None}
                insert_row(connection, domain_uuid, SETTINGS, settings)
            yield Player(domain_uuid, name)

    def wake_speech(self) -> None:
        """Have a worker that is about to start find a use for the speech process."""
        with self.pool.connection() as connection:
            provider = DemoProvider(
                realtime_provider="custom", provider_settings={"tts": self.voice}
            )
            demo_seed(connection, str(uuid.uuid4()), EXTENSION, provider=provider)

    def _emulated(
        self, stack: contextlib.ExitStack, scenario: Scenario, domain_uuid: str
    ) -> DemoProvider:
        if self.kind:
            return self._emulated_kind(stack, scenario)
        lines = tuple(line.says or line.wav for line in scenario.lines if not line.presses)
        hearing = DeepgramEmulator(HearingConfig(script=Script(caller_lines=lines or ("",))))
        model = ToldModel(scenario.lines)
        settings = {
            "stt": "deepgram",
            "stt_url": hearing.start(),
            "tts": self.voice,
            "endpointing_ms": ENDPOINTING_MS,
        }
        stack.callback(hearing.stop)
        row = DemoProvider(realtime_provider="custom", model="emulated", provider_settings=settings)
        url = model.start()
        stack.callback(model.stop)
        return replace(row, base_url=url, credential=self.seal(domain_uuid, "stt=emulated"))

    def _emulated_kind(self, stack: contextlib.ExitStack, scenario: Scenario) -> DemoProvider:
        script = told_script(scenario.lines, lambda: told(emulator))
        voice = EspeakVoice() if self.voice == "espeak" else Voice()
        emulator = EMULATORS[self.kind](script, voice)
        url = emulator.start()
        stack.callback(emulator.stop)
        return DemoProvider(
            realtime_provider=self.kind,
            base_url=url,
            provider_settings=dict(ROW_SETTINGS.get(self.kind, {})),
        )
