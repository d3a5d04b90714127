"""`python -m bench.errands`: errands, with receivers, database and workers killed at random.

Each must be delivered. Repetitions are allowed, under the same idempotency key alone: a receiver
that keeps to the key acts once. What is not there in time is late or lost: then nothing is killed
any more, what waits for its next attempt is sent at once, and what does not come then is lost.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import random  # noqa: E402
import signal  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from contextlib import closing  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402
import gevent  # noqa: E402
import psycopg2  # noqa: E402

from bench.errand_worker import arrival_of, kind_of  # noqa: E402
from bench.processes import DOMAIN_UUID, free_port  # noqa: E402
from esl_controller.database.embedded import EmbeddedPostgres  # noqa: E402
from esl_controller.database.migrate import Migrator  # noqa: E402
from esl_controller.database.repository.demo import prepare_standalone  # noqa: E402
from esl_controller.tenants.keys.secrets import SecretKeys  # noqa: E402

WORKERS = 2
SPARED = 0.8
"""Share of kills that pass by a worker which does not work yet: it takes seconds to begin on a busy
machine, and one that is always killed before says nothing of errands."""
CALM_S = 120.0
"""Without kills the rest is delivered in seconds, on any machine: what comes no more is lost."""
ROOT = Path(__file__).parents[1]


@dataclass
class Running:
    """One process that is started again whenever it is killed."""

    arguments: list[str]
    process: subprocess.Popen[str] | None = None
    durable: int = 0
    """Of a worker: what it has said last."""
    is_ready: bool = False
    """Of a worker: it has said so."""
    words: list[str] = field(default_factory=list)
    """Its last ones, for when it ends by itself."""

    def start(self) -> None:
        """Begin it, or begin it again."""
        self.is_ready = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        gevent.spawn(self._listen, self.process)

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            word, _, number = line.partition(" ")
            if word == "durable":
                self.durable = max(self.durable, int(number))
            elif word.strip() == "ready":
                self.is_ready = process is self.process
            else:
                self.words = [*self.words[-20:], line]


@dataclass
class Soak:
    """Everything of one run."""

    directory: Path
    errands: int
    seed: int
    kills: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.server = EmbeddedPostgres(self.directory / "data", durable=True)
        self.log = self.directory / "received"
        self.http, self.smtp = free_port(), free_port()
        ports = (str(self.http), str(self.smtp))
        self.receiver = Running(["bench.errand_receiver", *ports, str(self.log)])
        self.workers: list[Running] = []

    def prepare(self) -> None:
        """Database, receivers and workers, who begin to ask for errands."""
        self.dsn = self.server.start()
        with closing(psycopg2.connect(self.dsn)) as connection, connection:
            prepare_standalone(connection)
        Migrator(self.dsn).up()
        keys = SecretKeys.load_or_create(self.directory / "secret.key")
        secret = keys.seal(DOMAIN_UUID, "a-secret-of-the-tenant")
        url = f"http://127.0.0.1:{self.http}/hook"
        self.execute("insert into v_domains (domain_uuid, domain_name) values (%s, 'bench')")
        self.execute(
            f"""insert into v_voice_realtime_settings
                  (domain_uuid, webhook_url, webhook_secret, ticket_url)
                values (%s, '{url}', '{secret}', '{url.removesuffix("hook")}tickets')"""
        )
        self.receiver.start()
        share = -(-self.errands // WORKERS)
        for index in range(WORKERS):
            first, end = index * share, min((index + 1) * share, self.errands)
            worker = Running([], durable=first)
            self.workers.append(worker)
            self._give_work(worker, end)

    def _give_work(self, worker: Running, end: int) -> None:
        spool = str(self.directory / "spool")
        parts = (spool, self.dsn, DOMAIN_UUID, str(self.smtp), str(worker.durable), str(end))
        worker.arguments = ["bench.errand_worker", *parts]
        worker.start()

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """One statement of the domain."""
        with closing(psycopg2.connect(self.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, (DOMAIN_UUID,))
                return cursor.fetchall() if cursor.description else []

    def require_alive(self) -> None:
        """What nobody killed must be there: else nothing is delivered, and nothing is learned."""
        for one in (*self.workers, self.receiver):
            if one.process is not None and one.process.poll() is not None:
                raise ChildProcessError(f"{one.arguments[0]} ended:\n{''.join(one.words)}")

    def hurt(self) -> None:
        """Kill one of them, and start it again a little later."""
        what = self.chance.choice(["receiver", "worker", "worker", "database"])
        self.kills[what] += 1
        away_s = self.chance.uniform(0.1, 1.0)
        if what == "receiver":
            self.receiver.kill()
            gevent.sleep(away_s)
            self.receiver.start()
        elif what == "worker":
            worker = self.chance.choice(self.workers)
            if not worker.is_ready and self.chance.random() < SPARED:
                self.kills["worker, spared"] += 1
                return
            worker.kill()
            self._give_work(worker, int(worker.arguments[-1]))
        else:
            self.server.kill()
            gevent.sleep(away_s)
            self.server.start()

    def hurry(self) -> None:
        """Send at once what waits for its next attempt, as an operator does by `errands retry`."""
        self.execute(
            """update v_voice_realtime_errands set next_at = now()
               where domain_uuid = %s and state = 'queued' and next_at > now()"""
        )

    def states(self) -> Counter[str]:
        """How many errands are in each."""
        rows = self.execute(
            """select state, count(*) from v_voice_realtime_errands where domain_uuid = %s
               group by state"""
        )
        return Counter(dict(rows))

    def stop(self) -> None:
        """End all of them."""
        for one in (*self.workers, self.receiver):
            one.kill()
        self.server.stop()

    def judged(self, seconds: float) -> dict[str, Any]:
        """What the receivers have seen."""
        seen = Counter(self.log.read_text().splitlines())
        wanted = {arrival_of(number) for number in range(self.errands)}
        attempts = self.execute(
            """select sum(attempts), max(attempts),
                 coalesce(max(extract(epoch from next_at - now())) filter
                   (where state = 'queued'), 0)
               from v_voice_realtime_errands where domain_uuid = %s"""
        )[0]
        return {
            "errands": self.errands,
            "seconds": round(seconds, 1),
            "kills": dict(self.kills),
            "delivered": len(wanted & set(seen)),
            "missing": len(wanted - set(seen)),
            "not_asked_for": len(set(seen) - wanted),
            "arrivals": seen.total(),
            "repeated_with_their_key": seen.total() - len(seen),
            "states": dict(self.states()),
            "attempts": int(attempts[0] or 0),
            "most_attempts": int(attempts[1] or 0),
            "longest_wait_ahead_s": round(max(0.0, float(attempts[2])), 1),
        }


def soak(directory: Path, errands: int, *, seed: int, every_s: float, limit_s: float) -> Any:
    """Run until every errand is delivered; raises TimeoutError, ChildProcessError."""
    run = Soak(directory, errands, seed)
    run.prepare()
    began = time.monotonic()
    in_time = None
    try:
        rows = errands + sum(kind_of(number) == "message" for number in range(errands))
        while (delivered := run.states()["delivered"]) < rows:
            seconds = time.monotonic() - began
            run.require_alive()
            if seconds < limit_s:
                run.hurt()
            elif in_time is None:
                in_time = run.judged(seconds)
                click.echo(f"{delivered} of {rows} after {seconds:.0f} s: {in_time}", err=True)
            elif seconds > limit_s + CALM_S:
                raise TimeoutError(f"{rows - delivered} are lost: {run.judged(seconds)}")
            else:
                run.hurry()
            gevent.sleep(run.chance.uniform(0.5, 1.5) * every_s)
        return {**run.judged(time.monotonic() - began), "in_time": in_time is None}
    finally:
        run.stop()


@click.command()
@click.option("--errands", default=1000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--every", default=2.0, show_default=True, help="Seconds between two kills.")
@click.option("--limit", default=600.0, show_default=True, help="Seconds until kills end.")
@click.option("--out", default="build/errands.json", type=click.Path(path_type=Path))
def main(errands: int, seed: int, every: float, limit: float, out: Path) -> None:
    """Kill whatever takes part, and count what arrived."""
    with tempfile.TemporaryDirectory(prefix="errands-", dir="/dev/shm") as directory:
        Path(directory).chmod(0o755)
        found = soak(Path(directory), errands, seed=seed, every_s=every, limit_s=limit)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))
    whole = found["delivered"] == errands and not found["not_asked_for"]
    sys.exit(0 if whole and found["states"].keys() == {"delivered"} else 1)


if __name__ == "__main__":
    main()
