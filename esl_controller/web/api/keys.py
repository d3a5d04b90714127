"""Handlers: providers' keys go in and are never seen again."""

from __future__ import annotations

from esl_controller.tenants.keys.secrets import SecretError, SecretKeys
from esl_controller.web.api.problems import invalid, unavailable
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import PublicKey, SealedKey, SealRequest


def show_public_key(resources: Resources, request: Request) -> PublicKey:
    """For pages that seal by themselves; the sealed text begins with the domain's UUID."""
    keys = _latest_keys(resources)
    return PublicKey(key_id=keys.key_id, public_key=keys.public_key)


def seal_key(resources: Resources, request: Request) -> SealedKey:
    """Seal a key for the domain of the path."""
    wanted: SealRequest = request.body
    return SealedKey(credential=seal(resources, request.domain_uuid, wanted.key))


def seal(resources: Resources, domain_uuid: str, key: str) -> str:
    """The key for the column `credential`. Raises Problem; its text holds nothing of the key."""
    try:
        return _latest_keys(resources).seal(domain_uuid, key)
    except SecretError as error:
        raise invalid(str(error)) from error


def _latest_keys(resources: Resources) -> SecretKeys:
    """What is sealed with an older key could not be opened once that has left the file."""
    try:
        return resources.source.secret_store.latest_keys()
    except SecretError as error:
        raise unavailable("keys", "the key file of this worker cannot be read") from error
