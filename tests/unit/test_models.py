"""What config rules accept and refuse, field by field, all at once."""

import dataclasses
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.database.models import (
    UNUSED_COLUMNS,
    RealtimeProviderConfig,
    SecretaryRealtime,
    TenantSettings,
)
from esl_controller.tenants import rules as config_rules
from esl_controller.tenants.columns.column import Use
from esl_controller.tenants.columns.provider import PROVIDER as PROVIDER_COLUMNS
from esl_controller.tenants.columns.secretary import SECRETARY as SECRETARY_COLUMNS
from esl_controller.tenants.columns.tenant import TENANT as TENANT_COLUMNS
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
    warnings: list[str] = []
    secretary = config_rules.secretary(SECRETARY, warnings)
    assert secretary.vad_threshold == 0.5
    assert secretary.max_duration_seconds == 300
    assert secretary.barge_in is True
    assert secretary.transfer_rules == ()
    assert config_rules.provider(PROVIDER, warnings).priority == 100
    assert config_rules.tenant({"domain_uuid": DOMAIN}, warnings).time_zone == "UTC"
    assert warnings == []


def test_the_columns_are_those_of_the_models():
    for model, columns in (
        (SecretaryRealtime, SECRETARY_COLUMNS),
        (RealtimeProviderConfig, PROVIDER_COLUMNS),
        (TenantSettings, TENANT_COLUMNS),
    ):
        used = {name for name, column in columns.items() if column.use is not Use.UNUSED}
        assert used == {field.name for field in dataclasses.fields(model)}
        assert columns.keys() - used == set(UNUSED_COLUMNS.get(model, ()))


def test_a_wrong_field_costs_itself_and_is_told():
    warnings: list[str] = []
    secretary = config_rules.secretary(
        SECRETARY
        | {
            "vad_threshold": Decimal("3.70"),
            "max_turns": 0,
            "time_zone": "Mars/Olympus",
            "barge_in": "perhaps",
            "voice_id": "x" * 101,
            "system_prompt": "Be brief.",
        },
        warnings,
    )
    assert warnings == [
        "secretary 'Ana': voice_id must be 1 to 100 characters of text; it is left out",
        "secretary 'Ana': vad_threshold is 3.70, must be between 0 and 1; 0.5 is used",
        "secretary 'Ana': barge_in is 'perhaps', must be true or false; true is used",
        "secretary 'Ana': max_turns is 0, must be between 1 and 10000; 50 is used",
        "secretary 'Ana': time_zone is 'Mars/Olympus', must be a zone such as America/Sao_Paulo; "
        "it is left out",
    ]
    assert (secretary.vad_threshold, secretary.max_turns, secretary.time_zone) == (0.5, 50, None)
    assert (secretary.voice_id, secretary.system_prompt) == (None, "Be brief.")


def test_what_no_answer_is_possible_without_is_named_at_once():
    wrong = {"realtime_provider": "acme", "domain_uuid": "x", "max_turns": 0}
    assert problems_of(config_rules.secretary, SECRETARY | wrong).splitlines() == [
        "secretary 'Ana': domain_uuid is 'x', must be a UUID",
        "secretary 'Ana': realtime_provider is 'acme', must be one of openai, elevenlabs, gemini, "
        "custom",
    ]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("extension", "8000;x", "must be digits"),
        ("fallback_extension", "200 XML evil", "must be digits"),
        ("fallback_extension", "-bleg", "must be digits"),
        ("secretary_name", "", "1 to 255"),
        ("max_turns", Decimal("1.5"), "whole number"),
        ("max_turns", True, "whole number"),
        ("max_silence_seconds", -5, "is -5, must be between 2 and 600; 20 is used"),
        ("vad_threshold", "0.5", "a number"),
        ("vad_idle_timeout_ms", 100, "between 5000 and 30000"),
        ("language", "pt_BR!", "language tag"),
        ("language", "pt_BR", "must be written pt-BR"),
        ("provider_config", [], "JSON object"),
        ("voice_settings", {"spped": 1.2}, "'spped' is not used by this version; did you mean sp"),
        ("voice_settings", {"speed": 9}, "speed is 9, must be between 0.25 and 1.5"),
        ("voice_settings", {"speed": 10**400}, "000, must be between 0.25 and 1.5"),
        ("transfer_rules", [{"destination": "2"}, {}], "entry 2: destination is None"),
        ("transfer_rules", ["2"], "entry 1: must be a JSON object"),
        ("business_hours", [], "must be a JSON object"),
        (
            "business_hours",
            {"closed_dates": ["25/12/2026"]},
            "closed_dates, entry 1: '25/12",
        ),
        ("functions_config", [{"name": "a"}], "may have create_ticket"),
        ("enable_functions", "maybe", "must be true or false"),
        ("rag_collection_id", DOMAIN, "rag_collection_id is not used"),
        ("voice_secretary_uuid", DOMAIN, "voice_secretary_uuid is not used"),
    ],
)
def test_wrong_secretary_fields(field, value, said):
    warnings: list[str] = []
    config_rules.secretary(SECRETARY | {field: value}, warnings)
    assert len(warnings) == 1
    assert field in warnings[0] and said in warnings[0]


def test_what_is_right_of_a_value_is_used():
    row = {
        "transfer_rules": [{"destination": "-2"}, {"destination": "200"}],
        "voice_settings": {"speed": 1.2, "pitch": 3},
        "language": "pt_BR",
    }
    secretary = config_rules.secretary(SECRETARY | row)
    assert secretary.transfer_rules == ({"destination": "200"},)
    assert secretary.voice_settings == {"speed": 1.2}
    assert secretary.language == "pt-BR"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("business_hours", {"mon": [["08:00", "12:00"], ["13:00", "24:00"]], "closed_dates": []}),
        ("business_hours", {"mon": [["18:00", "02:00"]]}),
        ("max_turns", Decimal("20")),
        ("barge_in", "false"),
        ("enable_functions", "false"),
        ("functions_config", []),
        ("extension", ""),
        ("transfer_rules", [{"destination": "200", "name": "sales"}]),
    ],
)
def test_right_secretary_fields(field, value):
    warnings: list[str] = []
    config_rules.secretary(SECRETARY | {field: value}, warnings)
    assert warnings == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("base_url", "ftp://x", "ws://"),
        ("base_url", "wss://secret:port/x", "ws://"),
        ("base_url", "wss:///x", "ws://"),
        ("base_url", "wss://[x", "ws://"),
        ("base_url", "wss://secret.example\\@evil.example", "ws://"),
        ("headers", {"bad name": "x"}, "header name"),
        ("headers", {"X-Key": "secret\r\nEvil: 1"}, "printable"),
        ("headers", {"X-Key": 1}, "printable"),
    ],
)
def test_wrong_provider_fields(field, value, said):
    text = problems_of(config_rules.provider, PROVIDER | {field: value})
    assert said in text
    assert "secret" not in text


@pytest.mark.parametrize("value", [Decimal(-1), Decimal("NaN"), "10"])
def test_a_budget_that_cannot_be_read_is_no_reason_to_spend(value):
    row = {"domain_uuid": DOMAIN, "monthly_budget_usd": value}
    assert "monthly_budget_usd" in problems_of(config_rules.tenant, row)


@pytest.mark.parametrize(
    ("field", "value", "used"),
    [
        ("budget_action", "ignore", "turn_based"),
        ("budget_warning_percent", 500, 80),
        ("retention_days", 0, None),
        ("time_zone", "Nowhere", "UTC"),
        ("store_transcripts", "perhaps", False),  # what nobody agreed to is not kept
        ("redact_personal_data", "perhaps", True),
    ],
)
def test_wrong_tenant_fields(field, value, used):
    warnings: list[str] = []
    tenant = config_rules.tenant({"domain_uuid": DOMAIN, field: value}, warnings)
    assert getattr(tenant, field) == used
    assert len(warnings) == 1
    assert field in warnings[0]


def test_the_zone_of_the_installation_comes_before_utc():
    zone = {"time_zone": "America/Sao_Paulo"}
    stored = {None: "America/Sao_Paulo", "Mars": "America/Sao_Paulo", "Etc/UTC": "Etc/UTC"}
    for time_zone, used in stored.items():
        row = {"domain_uuid": DOMAIN, "time_zone": time_zone}
        assert config_rules.tenant(row, None, zone).time_zone == used


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
        (config_rules.secretary, SECRETARY, SECRETARY_COLUMNS),
        (config_rules.provider, PROVIDER, PROVIDER_COLUMNS),
        (config_rules.tenant, {"domain_uuid": DOMAIN}, TENANT_COLUMNS),
    )
    check, row, rules = data.draw(st.sampled_from(checks))
    fields = st.dictionaries(st.sampled_from(sorted(rules)), VALUES, max_size=4)
    try:
        check(row | data.draw(fields))
    except ConfigError as error:
        assert error.problems
