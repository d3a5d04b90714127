"""What a rehearsal is held on: a database, a worker, and who answers there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

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
from esl_controller.simulator.systems.server import SystemsServer
from esl_controller.tenants.keys.secrets import SecretKeys

SPEECH_S = 30.0
"""Until the speech process is there, on a slow machine."""


@contextmanager
def own_systems() -> Iterator[Mapping[str, Any]]:
    """Tickets, customers and an agenda that nobody has: what functions do in a rehearsal is done
    there. By column of a domain; messages go to a desk that no mail server leads to."""
    server = SystemsServer(token="")
    url = server.start()
    names = {"ticket_url": "/tickets", "crm_url": "/crm", "agenda_url": "/agenda"}
    addresses = {name: url + path for name, path in names.items()}
    yield {**addresses, "email_to": ["desk@rehearsal.example"]}
    server.stop()


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
        systems = stack.enter_context(own_systems())
        cast: FileCast | TenantCast
        if tenant is not None:
            cast = TenantCast(pool, tenant, systems)
            cast.copy()
        else:
            keys = SecretKeys.load_or_create(directory / "secret.key")
            voice = "espeak" if words else "tones"
            cast = FileCast(pool, keys.seal, real, kind, voice, speaks_words=words, systems=systems)
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
