"""A database and a worker of a command's own, for as long as it runs."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from esl_controller.commands.demo_cast import voices_dir
from esl_controller.commands.shared import Shell
from esl_controller.settings.host import Speech, Storage
from esl_controller.settings.services import Services
from esl_controller.settings.table import Database, Esl, Http, Media, Provider, Settings, Worker

if TYPE_CHECKING:
    from esl_controller.app import App


@contextmanager
def own_directory(what: str) -> Iterator[Path]:
    """A directory for as long as a command of ours runs.

    What is still being made when it is interrupted cannot be removed cleanly.
    """
    with tempfile.TemporaryDirectory(
        prefix=f"voice-ai-{what}", ignore_cleanup_errors=True
    ) as directory:
        path = Path(directory)
        path.chmod(0o755)  # PostgreSQL runs as a user of its own
        yield path


@contextmanager
def own_database(shell: Shell, directory: Path) -> Iterator[str]:
    """A packaged PostgreSQL with our tables; its address.

    Raises ClickException.
    """
    from esl_controller.database.embedded import EmbeddedDatabaseError, EmbeddedPostgres
    from esl_controller.database.migrate import Migrator
    from esl_controller.database.pool import Pool
    from esl_controller.database.repository.demo import prepare_standalone

    server = EmbeddedPostgres(directory / "postgresql", durable=False)
    try:
        with shell.step("Starting the packaged PostgreSQL"):
            dsn = server.start()
        pool = Pool(dsn, size=1)
        with pool.connection() as connection:
            prepare_standalone(connection)
        pool.close()
        with shell.step("Making the tables"):
            Migrator(dsn).up()
        yield dsn
    except EmbeddedDatabaseError as error:
        raise shell.fail(str(error)) from error
    finally:
        try:
            server.stop()
        except EmbeddedDatabaseError as error:  # the call is over: nothing of it is lost
            shell.say(f"The packaged PostgreSQL did not stop: {error}")


@contextmanager
def own_service(
    dsn: str, directory: Path, watch: Callable[[object], None], base: Settings | None = None
) -> Iterator[App]:
    """A worker on free ports of this host that prices nothing; `watch` sees what it records.

    `base` are the settings it has besides, such as where providers may be and what opens keys.
    """
    from esl_controller.app import App
    from esl_controller.settings.types import Secret

    prices = directory / "prices.json"
    prices.write_text('[{"provider": "custom", "model": "*", "since": "2026-01-01"}]')
    keys = directory / "secret.key" if base is None else base.storage.secret_key_file
    settings = msgspec.structs.replace(
        base or Settings(provider=Provider(allowed_hosts=("*", "127.0.0.1"))),
        esl=Esl(port=_free_port()),
        media=Media(port=_free_port()),
        database=Database(dsn=Secret(dsn)),
        worker=Worker(drain_deadline_s=2),
        storage=Storage(
            state_dir=str(directory),
            spool_dir=str(directory / "spool"),
            secret_key_file=str(keys),
            price_file=str(prices),
        ),
        speech=Speech(socket=str(directory / "speech" / "socket"), voices_dir=voices_dir()),
        http=Http(admin_token=Secret(secrets.token_urlsafe(24))),
        services=Services(allowed_hosts=("127.0.0.1",)),
    )
    app = App(settings, dsn, watch=watch)
    app.start()
    try:
        yield app
    finally:
        app.drain()


def _free_port() -> int:
    from esl_controller.esl.server import listening_socket

    sock = listening_socket(("127.0.0.1", 0))
    port: int = sock.getsockname()[1]
    sock.close()
    return port
