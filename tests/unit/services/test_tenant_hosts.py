"""What a tenant allows is asked often and read seldom."""

from __future__ import annotations

import pytest

from esl_controller.database.models import TenantSettings
from esl_controller.database.pool import DatabaseUnavailable
from esl_controller.services.access import FRESH_S, TenantHosts
from esl_controller.services.http import ServiceFailed
from esl_controller.tenants import rules

TENANT = "11111111-1111-1111-1111-111111111111"


class Settings:
    """What the database has, or an error."""

    def __init__(self) -> None:
        self.hosts: list[str] = ["crm.example"]
        self.away = False
        self.reads = 0
        self.now = 0.0

    def load(self, domain_uuid: str) -> TenantSettings:
        self.reads += 1
        if self.away:
            raise DatabaseUnavailable("gone")
        return TenantSettings(domain_uuid, allowed_tool_hosts=self.hosts)


def test_they_are_read_again_after_a_while_and_kept_while_the_database_is_away() -> None:
    stored = Settings()
    hosts = TenantHosts(stored.load, clock=lambda: stored.now)
    assert [list(hosts(TENANT)) for _ in range(3)] == [["crm.example"]] * 3
    assert stored.reads == 1
    stored.now, stored.hosts = FRESH_S, []
    assert not hosts(TENANT)
    stored.now, stored.away, stored.hosts = 2 * FRESH_S, True, ["other.example"]
    assert not hosts(TENANT)


def test_what_was_never_known_is_not_allowed() -> None:
    stored = Settings()
    stored.away = True
    with pytest.raises(ServiceFailed) as caught:
        TenantHosts(stored.load, clock=lambda: 0.0)(TENANT)
    assert caught.value.reason == "refused"


def test_a_wrong_entry_costs_itself() -> None:
    said: list[str] = []
    row = {
        "domain_uuid": TENANT,
        "allowed_tool_hosts": ["CRM.example", "https://x/", 7, "10.0.0.0/8"],
    }
    assert rules.tenant(row, said).allowed_tool_hosts == ("crm.example", "10.0.0.0/8")
    assert len(said) == 2
    assert "'https://x/'" in said[0]
