"""Handlers: what a domain configures, read and written by the rules of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from esl_controller.tenants.columns.after_call import SECRETS
from esl_controller.tenants.editing import EditError, Editor, NoSuchRow
from esl_controller.tenants.fields import PROVIDER, SECRETARY, TENANT, Subject
from esl_controller.tenants.shown import provider_shown, tenant_shown
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.keys import seal
from esl_controller.web.api.problems import Problem, invalid, not_found
from esl_controller.web.api.remarks import remarks
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.rows import answer_of, answer_type, request_type, values_of
from esl_controller.web.api.schemas import Removed, Validation, _Answer
from esl_controller.web.words.told import told

SecretaryRow = answer_type(SECRETARY, "SecretaryRow")
ProviderRow = answer_type(
    PROVIDER,
    "ProviderRow",
    without=("credential", "headers"),
    key=str | None,
    header_names=list[str],
)
TenantRow = answer_type(TENANT, "TenantRow", without=SECRETS, keys=dict[str, str])
SecretaryRequest = request_type(SECRETARY, "SecretaryRequest")
TenantRequest = request_type(TENANT, "TenantRequest")
ProviderRequest = request_type(PROVIDER, "ProviderRequest")


class SecretaryRows(_Answer, frozen=True):
    """Every secretary of a domain, by number."""

    secretaries: Sequence[SecretaryRow]  # type: ignore[valid-type]  # made from the columns


class ProviderRows(_Answer, frozen=True):
    """Every provider of a domain, in the order calls try them."""

    providers: Sequence[ProviderRow]  # type: ignore[valid-type]  # made from the columns


def list_secretaries(resources: Resources, request: Request) -> SecretaryRows:
    """All of a domain."""
    with editing(resources, request) as editor:
        rows = editor.rows(SECRETARY)
    return SecretaryRows(secretaries=[answer_of(SecretaryRow, row) for row in rows])


def show_secretary(resources: Resources, request: Request) -> Any:
    """One of a domain."""
    with editing(resources, request) as editor:
        return answer_of(SecretaryRow, editor.find(SECRETARY, request.path["secretary_uuid"]))


def add_secretary(resources: Resources, request: Request) -> Any:
    """Store a new one."""
    with editing(resources, request) as editor:
        return answer_of(SecretaryRow, editor.add(SECRETARY, values_of(request.body)))


def change_secretary(resources: Resources, request: Request) -> Any:
    """Change what the body names."""
    key = request.path["secretary_uuid"]
    with editing(resources, request) as editor:
        row = editor.change(SECRETARY, key, values_of(request.body))
        return answer_of(SecretaryRow, row)


def remove_secretary(resources: Resources, request: Request) -> Removed:
    """Its conversations stay."""
    return _removed(resources, request, SECRETARY, request.path["secretary_uuid"])


def validate_secretary(resources: Resources, request: Request) -> Validation:
    """A new one, as the form holds it."""
    return validated(resources, request, SECRETARY)


def validate_change(resources: Resources, request: Request) -> Validation:
    """A change of a stored one, as the form holds it."""
    return validated(resources, request, SECRETARY, request.path["secretary_uuid"])


def validate_provider(resources: Resources, request: Request) -> Validation:
    """A new one, as the form holds it; its key is not looked at."""
    return validated(resources, request, PROVIDER)


def validate_provider_change(resources: Resources, request: Request) -> Validation:
    """A change of a stored one, as the form holds it."""
    return validated(resources, request, PROVIDER, request.path["provider_uuid"])


def validated(
    resources: Resources,
    request: Request,
    subject: Subject,
    key: str = "",
    *,
    sealed: Mapping[str, Any] = MappingProxyType({}),
) -> Validation:
    """What would be wrong with a row; `sealed` stands for what is sealed before it is stored."""
    values = {name: one for name, one in values_of(request.body).items() if name != "credential"}
    with editing(resources, request, subject) as editor:
        report = editor.validate(subject, {**values, **sealed}, key)
    return Validation(
        ok=not report.problems,
        problems=remarks(subject, report.problems, request.language),
        warnings=[told(one, request.language) for one in report.warnings],
    )


def list_providers(resources: Resources, request: Request) -> ProviderRows:
    """All of a domain."""
    with editing(resources, request) as editor:
        rows = editor.rows(PROVIDER)
    return ProviderRows(providers=[_provider(row) for row in rows])


def show_provider(resources: Resources, request: Request) -> Any:
    """One of a domain, without its key."""
    with editing(resources, request) as editor:
        return _provider(editor.find(PROVIDER, request.path["provider_uuid"]))


def add_provider(resources: Resources, request: Request) -> Any:
    """Store a new one; its key is sealed first."""
    values = _with_sealed_keys(resources, request)
    with editing(resources, request, PROVIDER) as editor:
        return _provider(editor.add(PROVIDER, values))


def change_provider(resources: Resources, request: Request) -> Any:
    """Change what the body names; a key that is not named stays."""
    values = _with_sealed_keys(resources, request)
    with editing(resources, request, PROVIDER) as editor:
        return _provider(editor.change(PROVIDER, request.path["provider_uuid"], values))


def remove_provider(resources: Resources, request: Request) -> Removed:
    """And its key. Secretaries that named it use the domain's next one."""
    return _removed(resources, request, PROVIDER, request.path["provider_uuid"])


def show_tenant(resources: Resources, request: Request) -> Any:
    """The defaults where the domain has set nothing."""
    with editing(resources, request) as editor:
        return answer_of(TenantRow, tenant_shown(editor.settings()))


def change_tenant(resources: Resources, request: Request) -> Any:
    """Change what the body names; keys are sealed first."""
    values = _with_sealed_keys(resources, request, SECRETS)
    with editing(resources, request, TENANT) as editor:
        return answer_of(TenantRow, tenant_shown(editor.set_settings(values)))


@contextmanager
def editing(
    resources: Resources, request: Request, subject: Subject = SECRETARY
) -> Iterator[Editor]:
    """The domain's rows, within the places for reading; errors as problems."""
    with resources.gates.through(Gate.READ):
        try:
            yield Editor(resources.pool, request.domain_uuid)
        except EditError as error:
            raise refused(error, subject, request.language) from None
        except NoSuchRow:
            raise not_found("row") from None


def refused(error: EditError, subject: Subject, language: str) -> Problem:
    """Nothing was stored; each field is named."""
    said = [told(str(one), language) for one in error.problems]
    nothing = told("nothing was stored", language)
    return invalid(nothing, said, remarks(subject, error.problems, language))


def _removed(resources: Resources, request: Request, subject: Subject, key: str) -> Removed:
    with editing(resources, request, subject) as editor:
        editor.remove(subject, key)
    return Removed(removed=key)


def _provider(row: Mapping[str, Any]) -> Any:
    return answer_of(ProviderRow, provider_shown(row))


def _with_sealed_keys(
    resources: Resources, request: Request, names: Sequence[str] = ("credential",)
) -> dict[str, Any]:
    """What is neither sealed nor a reference is the key itself: it is sealed here."""
    values = values_of(request.body)
    for name in names:
        key = values.get(name)
        if key and not key.startswith(("sealed:", "env:", "file:")):
            values[name] = seal(resources, request.domain_uuid, key)
    return values
