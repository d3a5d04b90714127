"""The tenant a command works on: named by its domain, in the configured database."""

from __future__ import annotations

import difflib
import functools
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import click

from esl_controller.commands.shared import EXIT_SETTINGS, Shell, with_database
from esl_controller.commands.storage import database, packaged_database
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import tenants
from esl_controller.database.repository.statements import Row
from esl_controller.money.budget import BudgetGuard
from esl_controller.routes.admission import Admission
from esl_controller.routes.places import CallLeases
from esl_controller.routes.verdict import Verdict, judge
from esl_controller.settings.table import Settings
from esl_controller.tenants.config import config_source
from esl_controller.tenants.editing import EditError, Editor, FieldProblem, NoSuchRow
from esl_controller.tenants.fields import Subject
from esl_controller.tenants.keys.secrets import SecretError


@dataclass(frozen=True, slots=True)
class Site:
    """One domain, and what is needed to work on it."""

    shell: Shell
    settings: Settings
    pool: Pool
    domain_uuid: str
    domain_name: str

    @property
    def editor(self) -> Editor:
        """Reads and writes what the domain has configured."""
        return Editor(self.pool, self.domain_uuid)

    def change(
        self, subject: Subject, name: str, values: Mapping[str, Any], *, such_as: str
    ) -> Row:
        """Change the row of this name, or say that nothing was named to change, `such_as`."""
        if not values:
            raise click.UsageError(f"name something to change, such as {such_as}")
        key = self.editor.find(subject, name)[subject.table.key]
        return self.editor.change(subject, key, values)

    def verdict(self, extension: str) -> Verdict:
        """What a call to `extension` would meet now. Raises SecretError, DatabaseError."""
        total = self.settings.esl.total_capacity or None
        admission = Admission(
            BudgetGuard(self.pool), CallLeases(self.pool, "check", total_limit=total)
        )
        source = config_source(self.settings, self.pool)
        return judge(source, admission, self.domain_uuid, extension)


def with_domain(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command --domain and hand it the `Site` first."""
    option = click.option(
        "--domain", help="Name or UUID of the domain; may be left out where there is only one."
    )

    @functools.wraps(function)
    def command(shell: Shell, domain: str | None, **options: Any) -> None:
        with site(shell, domain) as there:
            function(there, **options)

    return option(with_database(command))


def chosen_database(settings: Settings, shell: Shell) -> AbstractContextManager[str]:
    """The DSN of the database that is set, or with --embedded-db of the packaged one."""
    where = packaged_database if shell.embedded_db else database
    return where(settings, shell)


@contextmanager
def pool_of(shell: Shell, settings: Settings) -> Iterator[Pool]:
    """The database of the settings, for one command; its errors end the command."""
    with chosen_database(settings, shell) as dsn:
        pool = Pool(dsn, size=2)  # a search in documents asks in two ways at once
        try:
            yield pool
        except (DatabaseError, SecretError, NoSuchRow) as error:
            raise shell.fail(str(error)) from error
        finally:
            pool.close()


@contextmanager
def site(shell: Shell, domain: str | None) -> Iterator[Site]:
    """The domain of this name or UUID; errors of the database and of what was given end it."""
    settings = shell.settings()
    with pool_of(shell, settings) as pool:
        row = find_domain(pool, domain)
        try:
            yield Site(shell, settings, pool, row["domain_uuid"], row["domain_name"])
        except EditError as error:
            refuse(shell, error.problems)


def find_domain(pool: Pool, name: str | None) -> Row:
    """The domain of this name or UUID; the only one if none is named. Raises NoSuchRow."""
    with pool.connection(autocommit=True) as connection:
        rows = tenants.list_domains(connection)
    if name is None:
        if len(rows) == 1:
            return rows[0]
        raise NoSuchRow(f"there are {len(rows)} domains: name one with --domain")
    wanted = _normal(name)
    for row in rows:
        if wanted in (row["domain_uuid"], str(row["domain_name"]).lower()):
            return row
    near = difflib.get_close_matches(wanted, [str(row["domain_name"]) for row in rows], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise NoSuchRow(f"there is no domain {name}{hint}")


def _normal(name: str) -> str:
    try:
        return str(uuid.UUID(name))
    except ValueError:
        return name.strip().lower()


def refuse(shell: Shell, problems: Sequence[FieldProblem]) -> None:
    """Tell everything that is wrong with what was given, and exit with 2."""
    shell.result(
        {"problems": [problem._asdict() for problem in problems]},
        "\n".join(["Nothing was stored:", *(f"  {problem}" for problem in problems)]),
        error=True,
    )
    raise click.exceptions.Exit(EXIT_SETTINGS)
