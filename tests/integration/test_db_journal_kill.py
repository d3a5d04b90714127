"""Many conversations while workers and database are stopped and killed at random moments."""

import random
import re
import signal
import sys
from pathlib import Path

import gevent
import pytest
from gevent import subprocess

from esl_controller.database.pool import Pool
from esl_controller.record.journal import Journal
from tests.integration.db_outage import Outage
from tests.integration.journal_worker import COST, TURNS

CONVERSATIONS = 1000
WORKERS = 2
KILLS = 3
OUTAGES = 2
PROMISE = re.compile(r"durable ([0-9a-f-]{36})\n")


class Run:
    """What workers promised so far, and who is told of every promise."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.promised: set[str] = set()
        self.kills = 0
        self.outages = 0

    def hear(self, line: str) -> None:
        """Note a promise; the last line of a killed worker may be cut short."""
        if promise := PROMISE.fullmatch(line):
            self.promised.add(promise[1])

    @property
    def enough(self) -> bool:
        """Whether all has happened that must; how long an outage takes differs by machine."""
        return (
            len(self.promised) >= CONVERSATIONS and self.kills >= KILLS and self.outages >= OUTAGES
        )

    def wait_for(self, count: int) -> None:
        while len(self.promised) < count and not self.enough:
            gevent.sleep(0.005)


def keep_working(run: Run, spool_dir: Path, dsn: str, domain_uuid: str) -> None:
    """Start one worker after another; each is killed (SIGKILL) after some promises."""
    command = [sys.executable, "-m", "tests.integration.journal_worker"]
    while not run.enough:
        worker = subprocess.Popen(
            [*command, str(spool_dir), dsn, domain_uuid], stdout=subprocess.PIPE, text=True
        )
        last = run.random.randint(40, 200)
        for number, line in enumerate(worker.stdout):
            run.hear(line)
            if number >= last or run.enough:
                break
        worker.send_signal(signal.SIGKILL)
        for line in worker.stdout:
            run.hear(line)
        worker.wait()
        worker.stdout.close()
        run.kills += 1


def disturb(run: Run, outage: Outage) -> None:
    """Take the database away again and again, for a while measured in conversations."""
    while not run.enough:
        run.wait_for(len(run.promised) + run.random.randint(20, 150))
        outage.begin(kill=run.random.random() < 0.5)
        run.outages += 1
        run.wait_for(len(run.promised) + run.random.randint(20, 100))
        outage.end()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1])
def test_none_lost_none_doubled(outage: Outage, tmp_path: Path, seed: int):
    run = Run(seed)
    tenant = outage.database.seed()
    spool_dir = tmp_path / "spool"
    working = [
        gevent.spawn(keep_working, run, spool_dir, outage.database.dsn, tenant.domain_uuid)
        for _ in range(WORKERS)
    ]
    disturbing = gevent.spawn(disturb, run, outage)
    gevent.joinall([*working, disturbing], raise_error=True)
    outage.end()
    last = Journal(spool_dir, Pool(outage.database.dsn))
    last.start()
    assert last.wait_stored(30)
    assert last.statistics.rejected == 0
    last.stop()

    execute = outage.database.execute
    finished = execute(
        """select conversation_uuid::text from v_voice_conversations_realtime
           where outcome = 'completed'"""
    )
    assert run.promised <= {row[0] for row in finished}
    counts = execute(
        """select count(*), count(distinct turn_number), min(content)
           from v_voice_turns_realtime where conversation_uuid = any(%s::uuid[])
           group by conversation_uuid""",
        list(run.promised),
    )
    assert len(counts) == len(run.promised)
    assert set(counts) == {(TURNS, TURNS, "olá" * 20)}
    paid = execute(
        """select sum(cost_usd) from v_voice_usage_realtime
           where conversation_uuid = any(%s::uuid[])""",
        list(run.promised),
    )
    assert paid == [(COST * len(run.promised),)]
