"""What a rehearsal is held on: a database, a worker, and who answers there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import gevent

from esl_controller.commands.own_service import own_database, own_directory, own_service
from esl_controller.commands.shared import Shell
from esl_controller.database.pool import Pool
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.rehearsal.cast import FileCast
from esl_controller.rehearsal.notebook import Notebook
from esl_controller.rehearsal.stage import Stage
from esl_controller.rehearsal.tenant_cast import StoredTenant, TenantCast
from esl_controller.rehearsal.voice import has_words
from esl_controller.tenants.keys.secrets import SecretKeys

SPEECH_S = 30.0
"""Until the speech process is there, on a slow machine."""


@contextmanager
def prepared(
    shell: Shell, real: DemoProvider | None, tenant: StoredTenant | None, kind: str = ""
) -> Iterator[Stage]:
    """A database, a worker, and who answers there: `real`, a `tenant`'s copy, or an emulated one of
    a `kind` (empty: a pipeline).

    Raises ClickException.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(own_directory("rehearsal"))
        dsn = stack.enter_context(own_database(shell, directory))
        notebook, words = Notebook(), has_words()
        pool = Pool(dsn, size=4)
        stack.callback(pool.close)
        cast: FileCast | TenantCast
        if tenant is not None:
            cast = TenantCast(pool, tenant)
            cast.copy()
        else:
            keys = SecretKeys.load_or_create(directory / "secret.key")
            voice = "espeak" if words else "tones"
            cast = FileCast(pool, keys.seal, real, kind, voice, speaks_words=words)
            if cast.needs_speech:
                cast.wake_speech()
        base = shell.settings() if tenant is not None else None
        app = stack.enter_context(own_service(dsn, directory, notebook.record, base))
        if cast.needs_speech:
            with shell.step("Starting the speech process"):
                until = time.monotonic() + SPEECH_S
                while app.speech.status is None and time.monotonic() < until:
                    gevent.sleep(0.05)
        yield Stage(app.esl.address, cast, notebook, directory)
