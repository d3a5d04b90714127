"""Entry of the program: patches first, then runs the command line.

Nothing may import ssl, threading or socket before `patch_all`: what was imported earlier keeps the
blocking versions, and requests then fails with a RecursionError on its first HTTPS request.
"""

import os
import sys

# libsoxr reads these when it makes its first stream (`soxr_create` in soxr.c). Its own defaults
# gather 20 to 40 ms of audio before it returns any.
os.environ.setdefault("SOXR_MIN_DFT_SIZE", "8")
os.environ.setdefault("SOXR_LARGE_DFT_SIZE", "8")

import gevent
from gevent import hub, monkey

monkey.patch_all()
# Who spawned whom is remembered for debuggers only: 19 objects a call and a fifth of each spawn.
gevent.config.track_greenlet_tree = False
# Ctrl-C reaches the command, which says "Aborted!"; the hub need not print it before.
hub.Hub.NOT_ERROR += (KeyboardInterrupt,)


def main() -> None:
    """Run `esl-controller`."""
    try:
        from esl_controller.cli import cli
    except KeyboardInterrupt:  # later ones are click's
        sys.exit("Aborted!")
    cli()


if __name__ == "__main__":
    main()
