"""Hundreds of short calls leave nothing behind. `python -m bench.soak` makes ten thousand."""

from __future__ import annotations

import gc
import os

import psutil
import pytest

from bench.soak import short_calls
from tests.integration.service import wait_for

CALLS = int(os.environ.get("SOAK_CALLS", "300"))
WARM_UP = 60
MAX_GROWTH_KB = 48 * 1024
"""Worker, switch, callers and provider together, which share one heap and break it into pieces;
`python -m bench.soak` measures the worker alone."""


def rss_kb() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss // 1024


@pytest.mark.slow
@pytest.mark.timeout(max(120, CALLS // 4))
def test_short_calls_leave_nothing_behind(serve, capsys):
    """`serve` compares greenlets and sockets with those before the first call."""
    service = serve(esl={"capacity": 100})
    tenant = service.tenant

    def make(calls: int) -> int:
        heard = short_calls(
            service.switch,
            service.address,
            calls,
            at_once=20,
            call_s=0.4,
            domain_uuid=tenant.domain_uuid,
            extension=tenant.extension,
        )
        wait_for(lambda: not any(service.leftovers().values()))
        tenant.records.clear()
        assert service.app.journal.wait_stored(10)
        return heard.talked

    make(WARM_UP)
    before_kb, before = rss_kb(), service.held()
    talked = make(CALLS)
    growth_kb, more = rss_kb() - before_kb, service.held() - before
    with capsys.disabled():
        print(f"\n{CALLS} calls: {growth_kb} kB more memory, left over: {dict(more)}")
    assert talked >= 0.95 * CALLS
    assert not more
    assert growth_kb <= MAX_GROWTH_KB
    rows = service.database.execute(
        """select count(*), count(ended_at) from v_voice_conversations_realtime
           where domain_uuid = %s""",
        tenant.domain_uuid,
    )
    assert rows == [(CALLS + WARM_UP, CALLS + WARM_UP)]
