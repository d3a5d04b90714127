"""A whole conversation, once in every way of bringing and playing audio, all at the same time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager as ContextManager
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.audio.formats import L16_16K, PCMA_8K, PCMU_8K, AudioFormat
from esl_controller import simulator
from esl_controller.simulator import speech
from esl_controller.simulator.caller_script import AgentSilent, Press, Step
from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script
from esl_controller.simulator.service.voice import RATE_HZ, read_wav, synthetic_speech
from esl_controller.simulator.switch.quirks import CALM, Edition
from esl_controller.simulator.switch.sound import level
from tests.integration.db_fixtures import TestDatabase, _create, _drop
from tests.integration.held import held, wait_until_back_to
from tests.integration.hub_watch import HubWatch
from tests.integration.service import SPEAK, Service, TestCall, hang_up_after, service

GREETING, ANSWER, KEYS = "Hello.", "go forward ten meters", "Understood."
VOICE = Path(simulator.__file__).parent / "sounds" / "go_forward.wav"
"""A recorded voice for the answer: where a piece of it was lost or came twice can be told."""
SCRIPT = Script(
    answers=(Answer(ANSWER, wav=str(VOICE)),),
    keywords={"keypad": Answer(KEYS)},
    caller_lines=("a question",),
)
STORY = [
    Step(AgentSilent(0.4), SPEAK),
    Step(AgentSilent(0.4), Press("12#", gap_s=0.1)),
    hang_up_after(AgentSilent(0.6)),
]
GAP_MS = 30
"""The longest hole inside an answer that nobody notices."""


@dataclass(frozen=True)
class Way:
    """How audio travels in one installation."""

    name: str
    codec: AudioFormat = PCMU_8K
    edition: Edition = Edition.OPEN
    playback: str = "auto"
    flavour: str = "auto"
    media_in: str = "mod_audio_stream"

    def service(self, database: TestDatabase, directory: Path) -> ContextManager[Service]:
        """One installation."""
        first_port = 30000 + 100 * WAYS.index(self)
        return service(
            database,
            directory,
            emulator=EmulatorConfig(script=SCRIPT, think_s=0.05),
            quirks=dataclasses.replace(CALM, edition=self.edition),
            media={
                "playback": self.playback,
                "flavour": self.flavour,
                "input": self.media_in,
                "unicast_port_first": first_port,
                "unicast_port_last": first_port + 99,
            },
        )


WAYS = [
    Way("unicast-pcmu"),
    Way("unicast-pcma", PCMA_8K),
    Way("unicast-l16", L16_16K),
    Way("file", playback="file"),
    Way("file-l16", L16_16K, playback="file"),
    Way("binary-cloudfieldcz", edition=Edition.BINARY, playback="binary", flavour="cloudfieldcz"),
    Way("binary-1.0.3", edition=Edition.CLOSED, playback="binary", flavour="1.0.3"),
    Way("binary-earshot", edition=Edition.EARSHOT, playback="binary", flavour="auto"),
    Way("json-voxcom-us", edition=Edition.JSON, playback="json", flavour="voxcom-us"),
    Way("alchemilla", edition=Edition.ALCHEMILLA),
    Way("binary-alchemilla", edition=Edition.ALCHEMILLA, playback="binary"),
    Way("no-module", edition=Edition.NONE, media_in="unicast"),
    Way("no-module-l16", L16_16K, edition=Edition.NONE),
]


@dataclass
class Talks:
    """The finished conversations, and how late this machine was meanwhile."""

    calls: dict[Way, TestCall]
    late_ms: float


def audible_ms(samples: bytes) -> int:
    """How much of a voice is loud enough to be heard."""
    size = RATE_HZ // 50 * 2
    frames = (samples[at : at + size] for at in range(0, len(samples), size))
    return 20 * sum(level(frame) >= AUDIBLE for frame in frames)


@pytest.fixture(scope="module")
def module_database(postgres_server: Any, migrated_template: str) -> Iterator[TestDatabase]:
    database = _create(postgres_server, migrated_template)
    yield database
    _drop(database)


@pytest.fixture(scope="module")
def talks(module_database: TestDatabase, tmp_path_factory: Any) -> Iterator[Talks]:
    """Every way's conversation; the services are left before anything is looked at."""
    before = held()
    with ExitStack() as stack:
        services = {
            way: stack.enter_context(
                way.service(module_database, tmp_path_factory.mktemp(way.name))
            )
            for way in WAYS
        }
        hub = stack.enter_context(HubWatch())
        calls = {way: services[way].call(STORY, codec=way.codec) for way in WAYS}
        for way, call in calls.items():
            call.wait()
            services[way].stored()
    module_database.disconnect()
    wait_until_back_to(before)
    yield Talks(calls, hub.worst_ms)


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def way(request: Any) -> Way:
    return request.param


@pytest.fixture
def call(talks: Talks, way: Way) -> TestCall:
    return talks.calls[way]


def test_everything_said_is_heard_once(call):
    report = call.caller.report(speech.from_wav(VOICE))
    assert (report.lost_ms, report.doubled_ms) == (0, 0)
    pieces = (synthetic_speech(GREETING), read_wav(str(VOICE)), synthetic_speech(KEYS))
    assert abs(report.sound_ms - sum(audible_ms(piece) for piece in pieces)) <= 120


def test_nobody_hears_a_gap(call, talks):
    """What the machine itself was late is not the service's."""
    longest_ms = call.caller.report().longest_gap_ms
    assert longest_ms <= GAP_MS + 2 * talks.late_ms


def test_the_greeting_follows_the_answer(call, talks):
    assert call.caller.report().first_sound_ms < 400 + 2 * talks.late_ms


def test_the_model_hears_and_reads(call):
    record = call.tenant.record
    assert record.spoken == [GREETING, ANSWER, KEYS]
    assert record.texts == ["[The caller pressed on the keypad: 1 2]"]
    assert (record.turns, record.errors, record.truncations) == (1, [], [])


def test_the_provider_gets_what_the_leg_has(call, way):
    """G.711 passes untouched; anything else is what the provider speaks."""
    audio = call.tenant.record.updates[0]["audio"]
    wanted = {PCMU_8K: "audio/pcmu", PCMA_8K: "audio/pcma", L16_16K: "audio/pcm"}[way.codec]
    assert audio["output"]["format"]["type"] == wanted
    assert audio["input"]["format"]["type"] == wanted


def test_the_conversation_is_stored(call):
    row = call.row()
    assert (row["outcome"], row["end_cause"], row["error_code"]) == (
        "completed",
        "NORMAL_CLEARING",
        None,
    )
    assert (row["total_turns"], row["interruptions"]) == (2, 0)
    assert row["started_at"] if "started_at" in row else row["answered_at"] < row["ended_at"]
    assert [piece["text"] for piece in row["transcript"]] == [
        GREETING,
        "a question",
        ANSWER,
        "[12]",
        KEYS,
    ]


def test_each_turn_is_stored_with_where_its_time_went(call):
    rows = call.database.execute(
        """select role, total_ms, network_ms, model_ms, buffer_ms, playout_ms
           from v_voice_turns_realtime where conversation_uuid = %s order by turn_number""",
        call.row()["conversation_uuid"],
    )
    assert [row[0] for row in rows] == ["assistant", "user", "assistant", "user", "assistant"]
    for _, total_ms, network_ms, model_ms, buffer_ms, _ in (rows[2], rows[4]):
        assert total_ms >= 0  # 0 when a busy machine reads both ends at once
        assert abs(total_ms - network_ms - model_ms - buffer_ms) <= 3


def test_what_it_cost_is_stored(call):
    row = call.row()
    sums = call.database.execute(
        """select sum(input_text_tokens + input_audio_tokens),
                  sum(output_text_tokens + output_audio_tokens) from v_voice_usage_realtime
           where conversation_uuid = %s""",
        row["conversation_uuid"],
    )
    assert sums == [(row["input_tokens"], row["output_tokens"])]
    assert row["output_tokens"] > 0
