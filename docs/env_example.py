"""deploy/env.example: what compose.yaml asks for, and every setting the containers may be given."""

from __future__ import annotations

import textwrap

from esl_controller.settings.table import Setting, Settings, every_setting
from esl_controller.settings.types import allowed

FILE = "deploy/env.example"
HEAD = """\
# What deploy/compose.yaml asks for, and below it every setting. deploy/start copies this to
# deploy/.env the first time. Made by docs/generate.py: run `make docs`.
#
# Secrets are files in deploy/secrets, /etc/voice-ai in the containers. deploy/start makes
# admin.token, database.password and grafana.password; freeswitch.password is yours, and pgpass.
# A setting that is a secret takes file:/etc/voice-ai/NAME.

# Which image: built from this checkout by `docker compose build`.
IMAGE_TAG=latest

# Version 1, with the profile `turn-based`: an image of yours that listens on port 8100.
TURN_BASED_IMAGE=voice-ai-turn-based:latest
"""
GIVEN = {
    "VOICE_AI_DATABASE_DSN": (
        "postgresql://fusionpbx@127.0.0.1:5432/fusionpbx?passfile=/etc/voice-ai/pgpass"
    ),
    "VOICE_AI_FREESWITCH_HOST": "127.0.0.1",
}
"""Not left as they are: FusionPBX's own database, see /etc/fusionpbx/config.conf; that of the
profile `database` is on port 5433."""
BY_COMPOSE = {
    "VOICE_AI_WORKER_INDEX": "by compose.yaml, for each worker",
    "VOICE_AI_WORKER_COUNT": "by compose.yaml, as many as it has workers",
    "VOICE_AI_FREESWITCH_PASSWORD": "by compose.yaml: secrets/freeswitch.password",
    "VOICE_AI_HTTP_ADMIN_TOKEN": "by compose.yaml: secrets/admin.token",
    "VOICE_AI_STORAGE_STATE_DIR": "by the image: a volume",
    "VOICE_AI_LOG_FORMAT": "by the image: json",
}


def text() -> str:
    """The whole file."""
    lines = [HEAD]
    for group in Settings.__annotations__:
        words = " ".join((type(getattr(Settings(), group)).__doc__ or "").split())
        lines += [f"# --- {group}: {words}\n"]
        lines += [_row(row) for row in every_setting() if row.group == group]
    return "\n".join(lines)


def _row(row: Setting) -> str:
    default = row.default
    if row.is_secret:
        shown = ""
    else:
        shown = ",".join(default) if isinstance(default, tuple) else str(default)
    shown = shown.lower() if isinstance(default, bool) else shown
    explained = f"{row.meta.description} ({allowed(row.kind)})"
    words = textwrap.wrap(explained, 98, break_on_hyphens=False, break_long_words=False)
    lines = [f"# {line}" for line in words]
    if row.variable in BY_COMPOSE:
        return "\n".join([*lines, f"# {row.variable} is set {BY_COMPOSE[row.variable]}.\n"])
    given = GIVEN.get(row.variable)
    last = f"{row.variable}={given}" if given else f"#{row.variable}={shown}"
    return "\n".join([*lines, f"{last}\n"])
