"""A worker with the compiled core says so, and its calls go through it."""

from __future__ import annotations

import pytest

from bridge.audio import core
from bridge.audio.formats import L16_16K, PCMU_8K
from bridge.audio.resampler import Resampler
from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from tests.integration.service import SPEAK, hang_up_after, wait_for
from tests.integration.test_call_conversation import ANSWER, GREETING, SCRIPT

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize("codec", [PCMU_8K, L16_16K], ids=["G.711", "L16"])
def test_a_conversation_goes_through_it(serve, codec) -> None:
    running = serve(emulator=EmulatorConfig(script=SCRIPT, think_s=0.05))
    told = f'media_core_info{{core="compiled {core.installed}"}} 1.0'
    assert told in running.app.metrics.exposition().decode()
    steps = [Step(AgentSilent(0.35), SPEAK), hang_up_after(AgentSilent(0.5))]
    call = running.call(steps, codec=codec)
    wait_for(lambda: call.caller.hearing.first_sound_at() is not None)
    plain = running.session(call).receive_plain.__self__
    wait_for(lambda: isinstance(plain._codec, core.module.UplinkCodec))
    down = running.session(call).line.downlink._converter
    assert not isinstance(down.resampler, Resampler)
    call.wait()
    running.stored()
    assert call.tenant.record.spoken == [GREETING, ANSWER]
    assert call.row()["outcome"] == "completed"


def test_a_worker_that_is_not_to_use_it_says_so(serve, monkeypatch) -> None:
    monkeypatch.setattr(core, "module", core.module)
    running = serve(media={"compiled": False})
    assert 'media_core_info{core="python"} 1.0' in running.app.metrics.exposition().decode()
