"""Asks a tenant's CRM who somebody is (docs/contracts/crm.yaml)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from esl_controller.database.models import TenantSettings
from esl_controller.services.ports import Customer, Http
from esl_controller.services.remote import OpenKey, Remote
from esl_controller.services.values import clean

MAX_CUSTOMERS = 5
MAX_NOTES = 1000


class _Customer(msgspec.Struct):
    id: str | int
    name: str
    company: str | None = None
    phone: str | None = None
    email: str | None = None
    notes: str | None = None


class _Answer(msgspec.Struct):
    customers: list[_Customer]


@dataclass(frozen=True, slots=True)
class CrmClient:
    """The CRM of one tenant."""

    remote: Remote

    def find(self, *, phone: str = "", name: str = "", timeout_s: float) -> Sequence[Customer]:
        """Those it names, in its order, five at most. Raises SystemFailed."""
        query = {key: value for key, value in (("phone", phone), ("name", name)) if value}
        answer = self.remote.ask("GET", "/customers", _Answer, query=query, timeout_s=timeout_s)
        return [_read(one) for one in answer.customers[:MAX_CUSTOMERS]]


def crm_client(tenant: TenantSettings, http: Http, open_key: OpenKey) -> CrmClient | None:
    """None where the tenant has set up no CRM."""
    if not tenant.crm_url:
        return None
    return CrmClient(Remote(http, tenant.domain_uuid, tenant.crm_url, tenant.crm_key, open_key))


def _read(one: _Customer) -> Customer:
    return Customer(
        customer_id=clean(str(one.id)),
        name=clean(one.name),
        company=clean(one.company or ""),
        phone=clean(one.phone or ""),
        email=clean(one.email or ""),
        notes=clean(one.notes or "", MAX_NOTES),
    )
