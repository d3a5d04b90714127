"""Rows of a domain, added and changed: the one set of rules of the command line and the pages.

A row is taken as it was given, checked whole, and stored only when all of it is good. Each
statement carries the domain, so nobody reads or changes what is another's.
"""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from bridge.providers.registry import DEFAULT_KIND
from esl_controller.database.models import TenantSettings
from esl_controller.database.pool import GreenConnection as Connection
from esl_controller.database.pool import Pool, RowRefused
from esl_controller.database.repository import configuration
from esl_controller.database.repository.statements import Row
from esl_controller.tenants import rules
from esl_controller.tenants.doubts import provider_doubts, secretary_doubts
from esl_controller.tenants.fields import PROVIDER, SECRETARY, TENANT, Missing, Subject
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.system_doubts import offer_doubts, tenant_doubts

_CREDENTIAL = re.compile(r"sealed:[0-9a-f]{16}:.+|(env|file):.+", re.DOTALL)
_NAMES = {
    "secretary": ("extension", "secretary_name"),
    "provider": ("provider_label",),
    "function": ("function_name",),
}
_CALLED = {"secretary": "secretary_name", "provider": "provider_label"}
_UNIQUE, _TOO_LONG = "23505", "22001"


class FieldProblem(NamedTuple):
    """One thing wrong with a row; `field` is None when it is not one field's fault."""

    field: str | None
    message: str
    kind: str = "wrong"
    """wrong | needed | unknown | taken | foreign | together | refused: for pages that say it in
    another language."""

    def __str__(self) -> str:
        return f"{self.field} {self.message}" if self.field else self.message


class EditError(Exception):
    """A row cannot be stored as it was given; nothing was changed."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


class NoSuchRow(Exception):
    """The domain has no such row, or several that fit; the text says which."""


class Editor:
    """Reads and writes what one domain has configured. Every method may raise DatabaseError."""

    def __init__(self, pool: Pool, domain_uuid: str) -> None:
        self._pool = pool
        self._domain_uuid = domain_uuid

    def rows(self, subject: Subject) -> list[Row]:
        """Every row, as stored."""
        with self._pool.connection(autocommit=True) as connection:
            return configuration.list_rows(connection, self._domain_uuid, subject.table)

    def find(self, subject: Subject, name: str) -> Row:
        """The row with this key, extension, name or label. Raises NoSuchRow."""
        return _matching(subject, self.rows(subject), name)

    def validate(self, subject: Subject, given: Mapping[str, Any], key: str = "") -> Report:
        """What would be wrong with a row if it were stored; stores nothing. Raises NoSuchRow."""
        with self._pool.connection(autocommit=True) as connection:
            stored = self._stored(connection, subject, key) if key else None
            row = self._whole(connection, subject, given, stored)
            return self._report(connection, subject, given, row, is_stored=stored is not None)

    def add(self, subject: Subject, given: Mapping[str, Any]) -> Row:
        """Store a new row. Raises EditError."""
        return self._write(
            subject,
            given,
            lambda connection: None,
            lambda connection, values: configuration.insert_row(
                connection, self._domain_uuid, subject.table, values
            ),
        )

    def change(self, subject: Subject, key: str, given: Mapping[str, Any]) -> Row:
        """Change what is given of a row. Raises EditError, NoSuchRow."""

        def write(connection: Connection, values: Mapping[str, Any]) -> Row:
            row = configuration.update_row(
                connection, self._domain_uuid, subject.table, key, values
            )
            assert row is not None  # it was found and locked in this transaction
            return row

        return self._write(
            subject, given, lambda connection: self._stored(connection, subject, key), write
        )

    def remove(self, subject: Subject, key: str) -> None:
        """Remove a row. Raises NoSuchRow."""
        with self._pool.connection() as connection:
            if not configuration.delete_row(connection, self._domain_uuid, subject.table, key):
                raise NoSuchRow(f"no such {subject.noun}")

    def settings(self) -> Row:
        """The domain's limits; the defaults where it has set none."""
        found = self.rows(TENANT)
        return found[0] if found else {**_defaults(TENANT), "domain_uuid": self._domain_uuid}

    def set_settings(self, given: Mapping[str, Any]) -> Row:
        """Change the domain's limits. Raises EditError."""
        if self.rows(TENANT):
            return self.change(TENANT, self._domain_uuid, given)
        return self.add(TENANT, given)

    def _write(
        self,
        subject: Subject,
        given: Mapping[str, Any],
        find: Callable[[Connection], Row | None],
        write: Callable[[Connection, Mapping[str, Any]], Row],
    ) -> Row:
        try:
            with self._pool.connection() as connection:
                stored = find(connection)
                row = self._whole(connection, subject, given, stored)
                is_stored = stored is not None
                report = self._report(connection, subject, given, row, is_stored=is_stored)
                if report.problems:
                    raise EditError(report.problems)
                names = given if stored is not None else [*given, *_FILLED.get(subject.noun, ())]
                values = _to_store(subject, {name: row[name] for name in names})
                return write(connection, values) if values else row
        except RowRefused as error:
            raise EditError([_refused(error, subject)]) from None

    def _stored(self, connection: Connection, subject: Subject, key: str) -> Row:
        row = None
        if _is_uuid(key):
            row = configuration.find_row(connection, self._domain_uuid, subject.table, key)
        if row is None:
            raise NoSuchRow(f"no such {subject.noun}")
        return row

    def _whole(
        self,
        connection: Connection,
        subject: Subject,
        given: Mapping[str, Any],
        stored: Row | None,
    ) -> dict[str, Any]:
        """The row as it would be stored."""
        identity = {subject.table.key: str(uuid.uuid4()), "domain_uuid": self._domain_uuid}
        row = {**identity, **given} if stored is None else {**stored, **given}
        if subject is SECRETARY and not row.get("realtime_provider"):
            row["realtime_provider"] = self._usual_kind(connection, row)
        return row

    def _usual_kind(self, connection: Connection, row: Row) -> str:
        """The kind of the provider that is named, else of the domain's first, else OpenAI."""
        providers = configuration.list_rows(connection, self._domain_uuid, configuration.PROVIDERS)
        wanted = row.get("voice_realtime_provider_uuid")
        for provider in providers:
            fits = wanted == provider["voice_realtime_provider_uuid"] if wanted else True
            if fits and provider["enabled"]:
                return str(provider["realtime_provider"])
        return DEFAULT_KIND

    def _report(
        self,
        connection: Connection,
        subject: Subject,
        given: Mapping[str, Any],
        row: Row,
        *,
        is_stored: bool,
    ) -> Report:
        """Of a stored row only what is given is looked at alone; the whole must be good."""
        names = given if is_stored else subject.rules
        problems = [*_unknown(subject, given), *_wrong(subject, row, names)]
        if not is_stored:
            named = {problem.field for problem in problems}
            problems += [one for one in _missing(subject, row) if one.field not in named]
        if subject is SECRETARY:
            problems += self._foreign_provider(connection, row)
        if subject is PROVIDER and not problems:
            problems += _unsafe_credential(row)
        if problems:
            return Report(tuple(problems), ())
        warnings = [*subject.warnings(row), *self._doubts(connection, subject, row)]
        return Report((), tuple(warnings))

    def _doubts(self, connection: Connection, subject: Subject, row: Row) -> list[str]:
        """Of rows that are good each, whether they fit each other."""
        if subject is PROVIDER:
            return provider_doubts(rules.provider(row))
        if subject is SECRETARY:
            table = configuration.PROVIDERS
            others = configuration.list_rows(connection, self._domain_uuid, table)
            secretary = rules.secretary(row)
            return secretary_doubts(secretary, others) + offer_doubts(
                secretary, self._tenant(connection)
            )
        return tenant_doubts(rules.tenant(row)) if subject is TENANT else []

    def _tenant(self, connection: Connection) -> TenantSettings:
        """The domain's settings, as far as they are good."""
        found = configuration.list_rows(connection, self._domain_uuid, configuration.SETTINGS)
        try:
            return rules.tenant(found[0] if found else {"domain_uuid": self._domain_uuid})
        except ConfigError:
            return TenantSettings(self._domain_uuid)

    def _foreign_provider(self, connection: Connection, row: Row) -> list[FieldProblem]:
        """A foreign key alone would take another domain's provider."""
        wanted = row.get("voice_realtime_provider_uuid")
        if not wanted or not _is_uuid(wanted):
            return []
        table = configuration.PROVIDERS
        if configuration.find_row(connection, self._domain_uuid, table, str(wanted)) is None:
            return [
                FieldProblem(
                    "voice_realtime_provider_uuid", "is no provider of this domain", "foreign"
                )
            ]
        return []


class Report(NamedTuple):
    """What is wrong with a row, and what is only doubtful."""

    problems: tuple[FieldProblem, ...]
    warnings: tuple[str, ...]


_FILLED = {"secretary": ("realtime_provider",)}
"""Columns of a new row that are filled in when they are not given."""


def _matching(subject: Subject, rows: Sequence[Row], name: str) -> Row:
    columns = (subject.table.key, *_NAMES.get(subject.noun, ()))
    for column in columns:
        found = [row for row in rows if str(row[column] or "").lower() == name.lower()]
        found = [row for row in found if row.get("enabled")] or found
        if len(found) > 1:
            keys = ", ".join(row[subject.table.key] for row in found)
            raise NoSuchRow(f"several {subject.noun} rows are {name!r}: name one by UUID: {keys}")
        if found:
            return found[0]
    known = [str(row[column]) for row in rows for column in columns[1:] if row[column]]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise NoSuchRow(f"the domain has no {subject.noun} {name!r}{hint}")


def _unknown(subject: Subject, given: Mapping[str, Any]) -> list[FieldProblem]:
    known = [field.name for field in subject.fields()]
    problems = []
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append(FieldProblem(name, f"is no field of a {subject.noun}{hint}", "unknown"))
    return problems


def _missing(subject: Subject, row: Row) -> list[FieldProblem]:
    """What people call a row by, where its rule could do without."""
    name = _CALLED.get(subject.noun, "")
    return [FieldProblem(name, "is needed", "needed")] if name and not row.get(name) else []


def _wrong(subject: Subject, row: Row, names: Collection[str]) -> list[FieldProblem]:
    problems = []
    for name in [name for name in subject.rules if name in names]:
        try:
            subject.read(name, row.get(name))
        except ValueError as error:
            kind = "needed" if isinstance(error, Missing) else "wrong"
            problems.append(FieldProblem(name, str(error), kind))
    if problems:
        return problems
    try:
        subject.check(row)
    except ConfigError as error:  # fields that are good alone and wrong together
        return [FieldProblem(None, text, "together") for text in error.problems]
    return []


def _unsafe_credential(row: Row) -> list[FieldProblem]:
    """A key in clear is never stored, and never repeated."""
    credential = row.get("credential")
    if credential is None or _CREDENTIAL.fullmatch(credential):
        return []
    return [FieldProblem("credential", "must be sealed, or env:NAME or file:/path")]


def _to_store(subject: Subject, values: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into the columns: nothing given stands for the default."""
    empty = (None, "")
    return {
        name: subject.read(name, None) if value in empty else value
        for name, value in values.items()
    }


def _defaults(subject: Subject) -> dict[str, Any]:
    return {field.name: subject.read(field.name, None) for field in subject.fields()}


_TAKEN = {
    "secretary": ("extension", "has an enabled secretary already"),
    "function": ("function_name", "is the name of another function of this domain"),
}


def _refused(error: RowRefused, subject: Subject) -> FieldProblem:
    """PostgreSQL's refusal in our words; its own detail repeats the row."""
    if error.sqlstate == _UNIQUE and subject.noun in _TAKEN:
        return FieldProblem(*_TAKEN[subject.noun], "taken")
    if error.sqlstate == _TOO_LONG:
        return FieldProblem(None, "a text is longer than its column takes", "refused")
    told = str(error).partition(chr(10))[0]
    return FieldProblem(None, f"the database refused it: {told}", "refused")


def _is_uuid(text: object) -> bool:
    try:
        uuid.UUID(str(text))
    except ValueError:
        return False
    return True
