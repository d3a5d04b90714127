"""Rows as people may see them: no key, and of headers the names alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esl_controller.tenants.columns.after_call import SECRETS

_SECRET_NAMES = ("key", "token", "secret", "password", "authorization")


def provider_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's row without secrets.

    `key` says where its key is: `sealed`, `env:NAME`, `file:/path`; None when there is none.
    """
    shown = {name: value for name, value in row.items() if name not in ("credential", "headers")}
    credential = row.get("credential")
    shown["key"] = None if credential is None else _place(credential)
    shown["header_names"] = sorted(row.get("headers") or {})
    settings = row.get("provider_settings") or {}
    shown["provider_settings"] = {
        name: "(set)" if _is_secret(name) else value for name, value in settings.items()
    }
    return shown


def function_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A function's row without secrets; `key` is `sealed`, or None when there is none."""
    shown = {name: value for name, value in row.items() if name not in ("credential", "headers")}
    shown["key"] = "sealed" if row.get("credential") else None
    shown["header_names"] = sorted(row.get("headers") or {})
    return shown


def tenant_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A domain's row without secrets; `keys` says where each of them is that is set."""
    shown = {name: value for name, value in row.items() if name not in SECRETS}
    shown["keys"] = {name: _place(row[name]) for name in SECRETS if row.get(name)}
    return shown


def _place(credential: str) -> str:
    return "sealed" if credential.startswith("sealed:") else credential


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_NAMES)
