"""A recorded call: notice, pause, refusal; what is in the file and what is written down."""

from __future__ import annotations

import itertools
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

from esl_controller.simulator.caller_script import After, AgentSilent, AgentSpeaking, Press, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script
from esl_controller.simulator.switch.sound import level
from esl_controller.tools.base import Recording
from tests.integration.service import SPEAK, Service, TestCall, hang_up_after, wait_for

LOUD = 300


def recorded(serve: Callable[..., Service], tmp_path: Path, **secretary: Any) -> Service:
    script = Script(
        answers=(Answer("Certainly."), Answer("Indeed.")),
        caller_lines=("a question", "my card number is", "4929 1234"),
    )
    return serve(
        emulator=EmulatorConfig(script=script, think_s=0.05),
        secretary={"record_calls": True} | secretary,
        freeswitch={"recordings_dir": str(tmp_path / "recordings")},
    )


def row_of(call: TestCall) -> dict[str, Any]:
    names = "record_path, record_name, recording_consent, recording_started_at, started_at"
    (row,) = call.database.execute(
        f"select {names} from v_voice_conversations_realtime where call_uuid = %s", call.leg.uuid
    )
    return dict(zip(names.split(", "), row, strict=True))


def sides(row: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Levels of both sides, by 20 ms."""
    with wave.open(f"{row['record_path']}/{row['record_name']}") as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        data = file.readframes(file.getnframes())
    frames = [data[at : at + 640] for at in range(0, len(data) - 639, 640)]
    left = [level(b"".join(f[i : i + 2] for i in range(0, 640, 4))) for f in frames]
    right = [level(b"".join(f[i : i + 2] for i in range(2, 640, 4))) for f in frames]
    return left, right


def audits(call: TestCall) -> list[tuple[str, str, str]]:
    return call.database.execute(
        "select actor, action, result from v_voice_audits_realtime where call_uuid = %s "
        "order by acted_at",
        call.leg.uuid,
    )


def test_nothing_is_kept_before_the_notice_was_heard(
    serve: Callable[..., Service], tmp_path: Path
) -> None:
    service = recorded(serve, tmp_path)
    call = service.call([Step(AgentSilent(1.0), SPEAK), hang_up_after(AgentSilent(0.8))])
    call.wait()
    service.stored()
    assert call.tenant.record.spoken[0] == "This call is recorded. Hello."
    row = row_of(call)
    assert row["recording_consent"] == "announced"
    assert row["record_path"].startswith(str(tmp_path / "recordings" / call.tenant.domain_name))
    assert call.leg.channel.get("record_name") == row["record_name"] == f"{call.leg.uuid}.wav"
    left, right = sides(row)
    spoke = [at for at, loud in enumerate(right) if loud > LOUD]
    asked = [at for at, loud in enumerate(left) if loud > LOUD]
    assert asked, "the caller is on the left"
    assert spoke and min(spoke) > min(asked), "the greeting is silence, the answer is there"
    assert abs((row["recording_started_at"] - row["started_at"]).total_seconds()) < 5


def test_a_card_number_is_neither_recorded_nor_written_down(
    serve: Callable[..., Service], tmp_path: Path
) -> None:
    """By keyword: the caller names it, the next thing said is withheld; then on again."""
    service = recorded(serve, tmp_path, recording_consent="none")
    call = service.call(
        [
            Step(AgentSilent(0.4), SPEAK),
            Step(AgentSilent(0.4), SPEAK),
            Step(AgentSilent(0.6), SPEAK),
            hang_up_after(AgentSilent(1.0)),
        ]
    )
    wait_for(lambda: service.app.calls.find(call.tenant.domain_uuid, call.leg.uuid))
    running = service.app.calls.find(call.tenant.domain_uuid, call.leg.uuid)
    wait_for(lambda: any(action == "recording_pause" for _, action, _ in audits(call)))
    wait_for(lambda: len(call.tenant.record.spoken) >= 4)
    assert running is not None and running.recording(Recording.GO_ON, "test")
    call.wait()
    service.stored()
    said = [text for _, text, _, _ in call.turns()]
    assert "a question" in said and "4929 1234" not in str(said), said
    assert "[not recorded]" in said
    assert audits(call)[0] == ("keyword", "recording_pause", "done")
    assert ("test", "recording_resume", "done") in audits(call)
    left, _ = sides(row_of(call))
    bursts = sum(a <= LOUD < b for a, b in itertools.pairwise(left))
    assert bursts < 3, "one of the three things the caller said is silence"


def test_who_refuses_is_not_recorded(serve: Callable[..., Service], tmp_path: Path) -> None:
    service = recorded(
        serve, tmp_path, recording_consent="ask", recording_notice="Recorded. Two refuses."
    )
    call = service.call(
        [
            Step(AgentSilent(0.6), Press("2")),
            Step(After(0.5), SPEAK),
            hang_up_after(AgentSilent(0.8)),
        ]
    )
    call.wait()
    service.stored()
    row = row_of(call)
    assert (row["recording_consent"], row["record_name"]) == ("refused", "")
    assert not call.leg.channel.get("record_name")
    assert "2" not in str(call.tenant.record.texts), "the key was meant for us"
    assert list((tmp_path / "recordings").rglob("*.wav")) == []


def test_silence_of_who_left_during_the_notice_is_not_kept(
    serve: Callable[..., Service], tmp_path: Path
) -> None:
    service = recorded(serve, tmp_path)
    call = service.call([hang_up_after(AgentSpeaking(0.1))])
    call.wait()
    service.stored()
    row = row_of(call)
    assert (row["recording_consent"], row["record_name"]) == ("not_heard", "")
    assert list((tmp_path / "recordings").rglob("*.wav")) == []
