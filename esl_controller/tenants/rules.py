"""What a stored row must look like to be used; every wrong field is named at once."""

from __future__ import annotations

import contextlib
import math
import re
import uuid
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlsplit

from esl_controller.database.models import RealtimeProviderConfig, SecretaryRealtime, TenantSettings

PROVIDERS = ("openai", "elevenlabs", "gemini", "custom")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DIALABLE = re.compile(r"[0-9*#+A-Za-z._-]{1,32}")
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_URL = re.compile(r"(wss?|https?)://[\x21-\x7e]{1,2000}")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")

Rule = Callable[[Any], Any]
"""Takes what is stored, returns what is used, raises ValueError saying what is allowed."""
_T = TypeVar("_T")


class ConfigError(Exception):
    """A row cannot be used. `problems` has one line for each wrong field."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def secretary(row: Mapping[str, Any]) -> SecretaryRealtime:
    """Validate a row of `v_voice_secretaries_realtime`; raises ConfigError."""
    name = row.get("secretary_name") or row.get("secretary_realtime_uuid")
    return _validated(SecretaryRealtime, _SECRETARY, row, f"secretary {name!r}")


def provider(row: Mapping[str, Any]) -> RealtimeProviderConfig:
    """Validate a row of `v_voice_realtime_providers`; raises ConfigError."""
    name = row.get("provider_label") or row.get("voice_realtime_provider_uuid")
    return _validated(RealtimeProviderConfig, _PROVIDER, row, f"provider {name!r}")


def tenant(row: Mapping[str, Any]) -> TenantSettings:
    """Validate a row of `v_voice_realtime_settings`; raises ConfigError."""
    return _validated(TenantSettings, _TENANT, row, "realtime settings of the domain")


def _validated(
    model: Callable[..., _T], rules: Mapping[str, Rule], row: Mapping[str, Any], what: str
) -> _T:
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, rule in rules.items():
        try:
            values[name] = rule(row.get(name))
        except ValueError as error:
            problems.append(f"{what}: {name} {error}")
    if problems:
        raise ConfigError(problems)
    return model(**values)


def _optional(rule: Rule) -> Rule:
    return lambda value: None if value is None or value == "" else rule(value)


def _default(preset: Any, rule: Rule) -> Rule:
    return lambda value: rule(preset if value is None else value)


def _text(limit: int) -> Rule:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= limit:
            raise ValueError(f"must be 1 to {limit} characters of text")
        return value

    return check


def _matching(pattern: re.Pattern[str], allowed: str) -> Rule:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"is {value!r:.60}, must be {allowed}")
        return value

    return check


def _choice(*allowed: str) -> Rule:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"is {value!r:.60}, must be one of {', '.join(allowed)}")
        return str(value)

    return check


def _is_number(value: Any) -> bool:
    numeric = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return numeric and math.isfinite(value)


def _whole(low: int, high: int) -> Rule:
    def check(value: Any) -> int:
        # numeric where FusionPBX's schema upgrade made the column
        if not _is_number(value) or value != int(value):
            raise ValueError(f"is {value!r:.60}, must be a whole number")
        if not low <= value <= high:
            raise ValueError(f"is {value}, must be between {low} and {high}")
        return int(value)

    return check


def _fraction(low: float, high: float) -> Rule:
    def check(value: Any) -> float:
        if not _is_number(value):
            raise ValueError(f"is {value!r:.60}, must be a number")
        if not low <= value <= high:
            raise ValueError(f"is {value}, must be between {low} and {high}")
        return float(value)

    return check


def _money(value: Any) -> Decimal:
    if not _is_number(value) or not 0 <= value < 10**10:
        raise ValueError(f"is {value!r:.60}, must be an amount in USD")
    return Decimal(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):  # how FusionPBX up to 5.4 stores booleans
        return bool(value == "true")
    raise ValueError(f"is {value!r:.60}, must be true or false")


def _uuid(value: Any) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise ValueError(f"is {value!r:.60}, must be a UUID") from None


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a JSON object")
    return value


def _list(rule: Callable[[Any], Any], limit: int) -> Rule:
    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > limit:
            raise ValueError(f"must be a JSON list of at most {limit}")
        checked = []
        for number, item in enumerate(value, 1):
            try:
                checked.append(rule(item))
            except ValueError as error:
                raise ValueError(f"entry {number}: {error}") from None
        return tuple(checked)

    return check


def _function(value: Any) -> Mapping[str, Any]:
    entry = _object(value)
    _matching(_TOOL_NAME, "a name of letters, digits, _ and -")(entry.get("name"))
    if "parameters" in entry:
        _object(entry["parameters"])
    return entry


def _functions(value: Any) -> tuple[Mapping[str, Any], ...]:
    entries: tuple[Mapping[str, Any], ...] = _list(_function, 64)(value)
    names = [entry["name"] for entry in entries]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"names {', '.join(doubled)} twice")
    return entries


def _transfer_rule(value: Any) -> Mapping[str, Any]:
    entry = _object(value)
    try:
        _dialable(entry.get("destination"))
    except ValueError as error:
        raise ValueError(f"destination {error}") from None
    return entry


def _headers(value: Any) -> Mapping[str, str]:
    headers = _object(value)
    for name, content in headers.items():
        _matching(_HEADER_NAME, "a header name (RFC 9110 section 5.1)")(name)
        if not isinstance(content, str) or not _HEADER_VALUE.fullmatch(content):
            raise ValueError(f"{name}: must be printable ASCII")  # the value may be a secret
    return headers


def _url(value: Any) -> str:
    if isinstance(value, str) and _URL.fullmatch(value):
        with contextlib.suppress(ValueError):  # a port that is no number, brackets without an end
            parts = urlsplit(value)
            if parts.hostname and parts.port != 0:
                return value
    # What is there is not repeated: an address may hold a key.
    raise ValueError("must be a ws://, wss://, http:// or https:// address")


def _time_zone(value: Any) -> str:
    try:
        return zoneinfo.ZoneInfo(str(value)).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"is {value!r:.60}, must be a zone such as America/Sao_Paulo") from None


def _business_hours(value: Any) -> Mapping[str, Any]:
    hours = _object(value)
    for name, content in hours.items():
        if name == "closed_dates":
            _list(date.fromisoformat, 400)(content)
        elif name in WEEKDAYS:
            _list(_span, 24)(content)
        else:
            raise ValueError(f"has {name!r:.30}, must have {', '.join(WEEKDAYS)}, closed_dates")
    return hours


def _span(value: Any) -> Any:
    try:
        begin, end = (_minute(text) for text in value)
    except (ValueError, TypeError):
        raise ValueError('must be such as ["08:00", "18:00"]') from None
    if begin >= end:
        raise ValueError("must end after it begins")
    return value


def _minute(text: Any) -> int:
    if text == "24:00":
        return 24 * 60
    moment = time.fromisoformat(text)
    return moment.hour * 60 + moment.minute


_dialable = _matching(_DIALABLE, "digits, letters and * # + . _ -, at most 32")
_seconds = _whole(1, 86400)

_SECRETARY: dict[str, Rule] = {
    "secretary_realtime_uuid": _uuid,
    "domain_uuid": _uuid,
    "voice_secretary_uuid": _optional(_uuid),
    "secretary_name": _text(255),
    "extension": _optional(_dialable),
    "language": _optional(_matching(_LANGUAGE, "a language tag such as pt-BR")),
    "realtime_provider": _choice(*PROVIDERS),
    "voice_realtime_provider_uuid": _optional(_uuid),
    "provider_config": _default({}, _object),
    "model": _optional(_text(100)),
    "transcription_model": _optional(_text(100)),
    "voice_id": _optional(_text(100)),
    "voice_settings": _default({}, _object),
    "noise_reduction": _default("none", _choice("none", "near_field", "far_field")),
    "system_prompt": _optional(_text(100_000)),
    "first_message": _optional(_text(10_000)),
    "farewell_message": _optional(_text(10_000)),
    "silence_prompt": _optional(_text(10_000)),
    "vad_mode": _default("server", _choice("server", "semantic")),
    "vad_threshold": _default(Decimal("0.5"), _fraction(0, 1)),
    "vad_prefix_padding_ms": _default(300, _whole(0, 5000)),
    "silence_duration_ms": _default(500, _whole(20, 10_000)),
    "vad_eagerness": _default("auto", _choice("low", "medium", "high", "auto")),
    "vad_idle_timeout_ms": _optional(_whole(5000, 30_000)),
    "barge_in": _default(True, _flag),
    "dtmf_pause_ms": _default(2000, _whole(200, 30_000)),
    "enable_rag": _default(False, _flag),
    "rag_collection_id": _optional(_uuid),
    "enable_functions": _default(False, _flag),
    "functions_config": _default([], _functions),
    "transfer_rules": _default([], _list(_transfer_rule, 256)),
    "max_duration_seconds": _default(300, _seconds),
    "max_turns": _default(50, _whole(1, 10_000)),
    "max_silence_seconds": _default(20, _whole(2, 600)),
    "max_concurrent_calls": _optional(_whole(0, 100_000)),
    "fallback_extension": _optional(_dialable),
    "overflow_extension": _optional(_dialable),
    "time_zone": _optional(_time_zone),
    "business_hours": _optional(_business_hours),
    "closed_extension": _optional(_dialable),
    "playback_mode": _default("auto", _choice("auto", "unicast", "binary", "json", "file")),
    "media_mode": _default("stream", _choice("stream", "unicast")),
    "enabled": _default(True, _flag),
}

_PROVIDER: dict[str, Rule] = {
    "voice_realtime_provider_uuid": _uuid,
    "domain_uuid": _uuid,
    "realtime_provider": _choice(*PROVIDERS),
    "provider_label": _text(100),
    "base_url": _optional(_url),
    "credential": _optional(_text(16_384)),
    "headers": _default({}, _headers),
    "model": _optional(_text(100)),
    "default_voice_id": _optional(_text(100)),
    "provider_settings": _default({}, _object),
    "priority": _default(100, _whole(-(2**31), 2**31 - 1)),
    "max_concurrent_calls": _optional(_whole(0, 100_000)),
    "enabled": _default(True, _flag),
}

_TENANT: dict[str, Rule] = {
    "domain_uuid": _uuid,
    "time_zone": _default("UTC", _time_zone),
    "max_concurrent_calls": _optional(_whole(0, 100_000)),
    "daily_budget_usd": _optional(_money),
    "monthly_budget_usd": _optional(_money),
    "budget_warning_percent": _default(80, _whole(1, 100)),
    "budget_action": _default("turn_based", _choice("low_cost", "turn_based", "human")),
    "human_extension": _optional(_dialable),
    "retention_days": _optional(_whole(1, 36_500)),
    "store_transcripts": _default(True, _flag),
    "redact_personal_data": _default(False, _flag),
    "allowed_tool_hosts": _default([], _list(_matching(_HOST, "a host name"), 256)),
}
