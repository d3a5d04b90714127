"""What config rules accept and refuse, field by field, all at once."""

import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.tenants import rules as config_rules
from esl_controller.tenants.rules import ConfigError

DOMAIN = str(uuid.uuid4())
SECRETARY = {
    "secretary_realtime_uuid": str(uuid.uuid4()),
    "domain_uuid": DOMAIN,
    "secretary_name": "Ana",
    "realtime_provider": "openai",
}
PROVIDER = {
    "voice_realtime_provider_uuid": str(uuid.uuid4()),
    "domain_uuid": DOMAIN,
    "realtime_provider": "openai",
    "provider_label": "main",
}


def problems_of(check, row) -> str:
    with pytest.raises(ConfigError) as caught:
        check(row)
    return "\n".join(caught.value.problems)


def test_a_row_of_nulls_gets_the_defaults():
    """What FusionPBX's schema upgrade leaves: columns without defaults."""
    secretary = config_rules.secretary(SECRETARY)
    assert secretary.vad_threshold == 0.5
    assert secretary.max_duration_seconds == 300
    assert secretary.barge_in is True
    assert secretary.functions_config == ()
    assert config_rules.provider(PROVIDER).priority == 100
    assert config_rules.tenant({"domain_uuid": DOMAIN}).time_zone == "UTC"


def test_all_wrong_fields_are_named_at_once():
    text = problems_of(
        config_rules.secretary,
        SECRETARY
        | {
            "vad_threshold": Decimal("3.70"),
            "realtime_provider": "acme",
            "max_turns": 0,
            "functions_config": {"name": "x"},
            "time_zone": "Mars/Olympus",
            "barge_in": "perhaps",
        },
    )
    for line in (
        "secretary 'Ana': vad_threshold is 3.70, must be between 0 and 1",
        "realtime_provider is 'acme', must be one of openai, elevenlabs, gemini, custom",
        "max_turns is 0, must be between 1 and 10000",
        "functions_config must be a JSON list",
        "time_zone is 'Mars/Olympus'",
        "barge_in is 'perhaps', must be true or false",
    ):
        assert line in text
    assert len(text.splitlines()) == 6


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("extension", "8000;x", "must be digits"),
        ("fallback_extension", "200 XML evil", "must be digits"),
        ("secretary_name", "", "1 to 255"),
        ("secretary_realtime_uuid", "x", "UUID"),
        ("max_turns", Decimal("1.5"), "whole number"),
        ("max_turns", True, "whole number"),
        ("vad_threshold", "0.5", "a number"),
        ("vad_idle_timeout_ms", 100, "between 5000 and 30000"),
        ("language", "pt_BR!", "language tag"),
        ("provider_config", [], "JSON object"),
        ("functions_config", [{"name": "a b"}], "entry 1: is 'a b'"),
        ("functions_config", [{"name": "a"}, {"name": "a"}], "names a twice"),
        ("functions_config", [{"name": "a", "parameters": 1}], "entry 1: must be a JSON object"),
        ("transfer_rules", [{"destination": "2"}, {}], "entry 2: destination is None"),
        ("business_hours", {"monday": []}, "must have mon, tue"),
        ("business_hours", {"mon": [["18:00", "08:00"]]}, "entry 1: must end after it begins"),
        ("business_hours", {"mon": [["8", "25:00"]]}, "must be such as"),
        ("business_hours", {"mon": [[]]}, "must be such as"),
        ("business_hours", {"closed_dates": ["25.12.2026"]}, "entry 1"),
    ],
)
def test_wrong_secretary_fields(field, value, said):
    text = problems_of(config_rules.secretary, SECRETARY | {field: value})
    assert field in text and said in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("business_hours", {"mon": [["08:00", "12:00"], ["13:00", "24:00"]], "closed_dates": []}),
        ("max_turns", Decimal("20")),
        ("barge_in", "false"),
        ("extension", ""),
        ("transfer_rules", [{"destination": "200", "name": "sales"}]),
    ],
)
def test_right_secretary_fields(field, value):
    config_rules.secretary(SECRETARY | {field: value})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("base_url", "ftp://x", "ws://"),
        ("base_url", "wss://secret:port/x", "ws://"),
        ("base_url", "wss:///x", "ws://"),
        ("base_url", "wss://[x", "ws://"),
        ("headers", {"bad name": "x"}, "header name"),
        ("headers", {"X-Key": "secret\r\nEvil: 1"}, "printable"),
        ("headers", {"X-Key": 1}, "printable"),
        ("priority", 2**40, "between"),
    ],
)
def test_wrong_provider_fields(field, value, said):
    text = problems_of(config_rules.provider, PROVIDER | {field: value})
    assert said in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("monthly_budget_usd", Decimal(-1)),
        ("monthly_budget_usd", Decimal("NaN")),
        ("monthly_budget_usd", "10"),
        ("budget_action", "ignore"),
        ("retention_days", 0),
        ("allowed_tool_hosts", ["a b"]),
        ("allowed_tool_hosts", "example.com"),
    ],
)
def test_wrong_tenant_fields(field, value):
    assert field in problems_of(config_rules.tenant, {"domain_uuid": DOMAIN, field: value})


def test_secrets_do_not_show():
    provider = config_rules.provider(
        PROVIDER | {"credential": "sealed:abc", "headers": {"Authorization": "Bearer sk"}}
    )
    assert "sealed" not in repr(provider) and "Bearer" not in repr(provider)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(st.data())
def test_any_stored_value_is_taken_or_refused(data):
    checks = (
        (config_rules.secretary, SECRETARY, config_rules._SECRETARY),
        (config_rules.provider, PROVIDER, config_rules._PROVIDER),
        (config_rules.tenant, {"domain_uuid": DOMAIN}, config_rules._TENANT),
    )
    check, row, rules = data.draw(st.sampled_from(checks))
    fields = st.dictionaries(st.sampled_from(sorted(rules)), VALUES, max_size=4)
    try:
        check(row | data.draw(fields))
    except ConfigError as error:
        assert error.problems
