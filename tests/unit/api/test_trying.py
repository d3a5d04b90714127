"""How providers are reached by calls, previews and tests alike."""

from __future__ import annotations

from esl_controller.settings.table import Provider, Settings
from esl_controller.web.api.trying import provider_network


def test_where_names_lead_is_judged_by_the_installation_s_list() -> None:
    at = Provider(base_url="ws://127.0.0.1:9000/v1", allowed_hosts=("*", "inside.example"))
    judge = provider_network(Settings(provider=at)).dialler.judge
    assert judge("tenant.example", 443, "203.0.114.7") == ""
    assert judge("inside.example", 443, "10.0.0.7") == ""
    assert judge("127.0.0.1", 9000, "127.0.0.1") == ""
    assert "10.0.0.7" in judge("tenant.example", 443, "10.0.0.7")
    assert "127.0.0.1" in judge("tenant.example", 9000, "127.0.0.1")
