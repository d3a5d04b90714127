"""A worker that tells, on SIGUSR1, what it holds: a line of JSON each time. For `bench.soak`."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import gc  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402

import gevent  # noqa: E402
import psutil  # noqa: E402

from esl_controller.app import App  # noqa: E402
from esl_controller.settings.loader import load_settings  # noqa: E402
from esl_controller.telemetry.log import configure  # noqa: E402

NO_GC = "BENCH_NO_GC"
"""Where this is set Python does not look for garbage: what calls leave for it is counted."""


def counts(app: App) -> dict[str, int]:
    """Everything a call could leave behind, and the memory."""
    garbage = gc.collect()
    me = psutil.Process()
    sockets = [c for c in me.net_connections("inet") if c.status != psutil.CONN_LISTEN]
    return {
        "garbage": garbage,
        "greenlets": sum(
            isinstance(thing, gevent.Greenlet) and not thing.dead for thing in gc.get_objects()
        ),
        "sockets": len(sockets),
        "descriptors": me.num_fds(),
        "sessions": len(app.manager),
        "calls": app.esl.active_calls,
        "rss_kb": me.memory_info().rss // 1024,
    }


def main() -> None:
    """Serve until SIGTERM."""
    settings = load_settings(os.environ)
    configure(settings.log)
    app = App(settings, settings.database.dsn.reveal())
    app.start()
    if NO_GC in os.environ:
        gc.disable()
    gevent.signal_handler(signal.SIGTERM, app.drain)
    gevent.signal_handler(signal.SIGUSR1, lambda: print(json.dumps(counts(app)), flush=True))
    app.stopped.wait()


if __name__ == "__main__":
    main()
