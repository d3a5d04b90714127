"""`python -m bench.providers`: the table of `esl-controller bench providers`, from a checkout."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

from esl_controller.cli import cli  # noqa: E402

if __name__ == "__main__":
    cli(["bench", "providers", *sys.argv[1:]])
