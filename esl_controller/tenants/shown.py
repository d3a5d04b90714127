"""Rows as people may see them: no key, and of headers the names alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SECRET_NAMES = ("key", "token", "secret", "password", "authorization")


def provider_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's row without secrets.

    `key` says where its key is: `sealed`, `env:NAME`, `file:/path`; None when there is none.
    """
    shown = {name: value for name, value in row.items() if name not in ("credential", "headers")}
    credential = row.get("credential")
    sealed = credential is not None and credential.startswith("sealed:")
    shown["key"] = "sealed" if sealed else credential
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


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_NAMES)
