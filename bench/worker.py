"""`python -m bench.worker serve`: `esl-controller`, which notes where Python looks for garbage."""

from __future__ import annotations

from esl_controller.__main__ import main  # isort: skip  # it patches: first of all

import os
from pathlib import Path

from bench.pauses import PAUSES, note_pauses

if __name__ == "__main__":
    note_pauses(Path(os.environ[PAUSES]))
    main()
