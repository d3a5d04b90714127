"""After a key rotation: seal every key of a tenant again with the newest key."""

from __future__ import annotations

from dataclasses import dataclass, field

from esl_controller.database.pool import GreenConnection, Pool
from esl_controller.database.repository import configuration, functions, providers, tenants
from esl_controller.tenants.columns.after_call import SECRETS
from esl_controller.tenants.keys.secrets import SecretError, SecretKeys


@dataclass(slots=True)
class ResealReport:
    """What was found."""

    resealed: int = 0
    current: int = 0
    """Sealed with the newest key already."""
    problems: list[str] = field(default_factory=list)
    """Boxes that could not be opened; they stay as they are."""


def reseal_all(pool: Pool, keys: SecretKeys) -> ResealReport:
    """Seal again what an older key sealed, one domain a transaction; raises DatabaseError.

    When it reports no problems, older keys may be taken out of the key file.
    """
    report = ResealReport()
    with pool.connection(autocommit=True) as connection:
        domains = [row["domain_uuid"] for row in tenants.list_domains(connection)]
    for domain_uuid in domains:
        _reseal_domain(pool, keys, domain_uuid, report)
    return report


def _reseal_domain(pool: Pool, keys: SecretKeys, domain_uuid: str, report: ResealReport) -> None:
    with pool.connection() as connection:
        for row in providers.list_providers(connection, domain_uuid):
            sealed = _resealed(
                keys, domain_uuid, row["credential"], f"provider {row['provider_label']!r}", report
            )
            if sealed is not None:
                key = row["voice_realtime_provider_uuid"]
                providers.store_credential(connection, domain_uuid, key, sealed)
        _reseal_functions(connection, keys, domain_uuid, report)
        settings = tenants.find_settings(connection, domain_uuid) or {}
        for name in SECRETS:
            sealed = _resealed(keys, domain_uuid, settings.get(name), name, report)
            if sealed is not None:
                values = {name: sealed}
                configuration.update_row(
                    connection, domain_uuid, configuration.SETTINGS, domain_uuid, values
                )


def _reseal_functions(
    connection: GreenConnection, keys: SecretKeys, domain_uuid: str, report: ResealReport
) -> None:
    for row in functions.list_functions(connection, domain_uuid):
        what = f"function {row['function_name']!r}"
        sealed = _resealed(keys, domain_uuid, row["credential"], what, report)
        if sealed is not None:
            key = row["voice_realtime_function_uuid"]
            functions.store_credential(connection, domain_uuid, key, sealed)


def _resealed(
    keys: SecretKeys, domain_uuid: str, credential: str | None, what: str, report: ResealReport
) -> str | None:
    """The key sealed anew; None where it is not sealed, is current, or cannot be opened."""
    if not (credential or "").startswith("sealed:"):
        return None
    assert credential is not None
    if keys.is_current(credential):
        report.current += 1
        return None
    try:
        key = keys.open(domain_uuid, credential)
    except SecretError as error:
        report.problems.append(f"domain {domain_uuid}, {what}: {error}")
        return None
    report.resealed += 1
    return keys.seal(domain_uuid, key.reveal())
