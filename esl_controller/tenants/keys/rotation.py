"""After a key rotation: seal every provider key again with the newest key."""

from __future__ import annotations

from dataclasses import dataclass, field

from esl_controller.database.pool import Pool
from esl_controller.database.repository import providers, tenants
from esl_controller.tenants.keys.secrets import SecretError, SecretKeys


@dataclass(slots=True)
class ResealReport:
    """What was found."""

    resealed: int = 0
    current: int = 0
    """Sealed with the newest key already."""
    problems: list[str] = field(default_factory=list)
    """Provider rows whose box could not be opened; they stay as they are."""


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
            credential = row["credential"] or ""
            if not credential.startswith("sealed:"):
                continue
            if keys.is_current(credential):
                report.current += 1
                continue
            try:
                key = keys.open(domain_uuid, credential)
            except SecretError as error:
                label = row["provider_label"]
                report.problems.append(f"domain {domain_uuid}, provider {label!r}: {error}")
                continue
            provider_uuid = row["voice_realtime_provider_uuid"]
            sealed = keys.seal(domain_uuid, key.reveal())
            providers.store_credential(connection, domain_uuid, provider_uuid, sealed)
            report.resealed += 1
